"""Everything a trade's account is added up from: its fills, those of others, funding.

What a venue does not tell in time is estimated and named, so that it is asked again later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Final

import attrs
import trio

from bot4.domain.fill import Fill
from bot4.domain.order import Purpose
from bot4.domain.units import plain
from bot4.strategy.events import Filled
from bot4.strategy.legs import Leg
from bot4.strategy.outside import explaining
from bot4.strategy.saga import Trade
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID

FILLS_LIMIT_S: Final = 4.0
"""What asking for missing fills may take; then the venue's own sums are booked."""
OPENING: Final = frozenset({Purpose.ENTER, Purpose.MEND})
ZERO: Final = Decimal(0)


@attrs.frozen
class Collected:
    """What a trade's account is added up from."""

    opening: list[Fill]
    closing: list[Fill]
    """By our orders."""
    outside: list[Fill]
    """That others caused; they closed too."""
    funding: Decimal | None
    """What both venues settled, USDC; None where it is not all known."""
    estimated: tuple[str, ...] = ()
    """Fees that no venue told yet, in words: the taker's rate is booked for them."""
    unknown: tuple[str, ...] = ()
    """Sizes whose price no venue told, in words: nothing is booked for them."""

    @property
    def fills(self) -> list[Fill]:
        """All that closed."""
        return [*self.closing, *self.outside]


async def complete_fills(trade: Trade, gateways: Mapping[str, Gateway], ledger: Ledger) -> Trade:
    """Ask for the fills of orders that filled more than the fills we heard of, then for funding.

    Fills that others caused are asked for where the trade lost something to them.

    Cancellation: safe; what is missing is booked from the venue's sums, or told as not known.
    """
    with trio.move_on_after(FILLS_LIMIT_S):
        for leg in trade.legs:
            if _untold(leg) <= 0 and all(fill.fee is not None for fill in leg.fills):
                continue
            with suppress(*SAID):
                for fill in await gateways[leg.order.key.venue].fills(leg.order):
                    filled = Filled(leg.order.client_order_id, fill)
                    ledger.learn(trade.plan.trade_id, filled)
        for venue in trade.venues:
            with suppress(*SAID):
                await _ask_outside(trade, venue, gateways[venue], ledger)
        for leg in settling(ledger.find(trade.plan.trade_id) or trade):
            if leg.settled() is None:
                with suppress(*SAID):
                    await _ask_funding(leg, gateways[leg.order.key.venue], ledger)
    return ledger.find(trade.plan.trade_id) or trade


async def _ask_outside(trade: Trade, venue: str, gateway: Gateway, ledger: Ledger) -> None:
    """Find what a person, the venue or another tool closed: what it cost belongs to the trade."""
    signed = [leg.order.signed_ms for leg in trade.legs if leg.order.key.venue == venue]
    if not trade.unexplained(venue) or not signed:
        return
    told = await gateway.market_fills(trade.plan.key(venue).symbol, min(signed))
    strange = [fill for fill in told if not ledger.owns(fill)]
    for fill in explaining(trade, venue, strange):
        ledger.learn(trade.plan.trade_id, Filled("", fill))


async def _ask_funding(leg: Leg, gateway: Gateway, ledger: Ledger) -> None:
    """One venue says it with the order, the other with its fills, or else in a list of its own."""
    name = leg.order.client_order_id
    report, _ = await gateway.find(leg.order)
    if report is not None and report.funding is not None:
        ledger.hear(attrs.evolve(report, client_order_id=name))
        return
    known = {fill.fill_id for fill in leg.fills}
    for fill in await gateway.fills(leg.order):
        if fill.fill_id in known:
            ledger.learn(leg.order.trade_id, Filled(name, fill))
    trade = ledger.find(leg.order.trade_id)
    now = None if trade is None else trade.leg(name)
    if now is None or now.settled() is not None:
        return
    silent = [fill for fill in now.fills if fill.funding is None]
    received = await gateway.funding(leg.order) if silent else {}
    for fill in silent:
        if fill.fill_id in received:
            told = attrs.evolve(fill, funding=received[fill.fill_id])
            ledger.learn(leg.order.trade_id, Filled(name, told))


def settling(trade: Trade) -> list[Leg]:
    """Orders that found something held, whose fills therefore settled funding."""
    found: list[Leg] = []
    for venue in trade.venues:
        filled = [leg for leg in trade.legs if leg.order.key.venue == venue and leg.filled]
        found += filled[1:]
    return found


def funding_of(trade: Trade) -> Decimal | None:
    """What both venues settled for a trade that is over, USDC; None where it is not all known."""
    said = [leg.settled() for leg in settling(trade)]
    said += [fill.funding for fill in trade.outside]
    known = [one for one in said if one is not None]
    if any(trade.unexplained(venue) for venue in trade.venues) or len(known) < len(said):
        return None
    return sum(known, ZERO)


def collect(trade: Trade, taker_fee: Callable[[str], Decimal]) -> Collected:
    """Gather what is known of a trade that is over.

    Args:
        trade: with everything its venues told.
        taker_fee: a venue's rate, for fees that it did not tell.
    """
    opening: list[Fill] = []
    closing: list[Fill] = []
    estimated: list[str] = []
    unknown = [
        f"at what price {plain(abs(lost))} on {venue} was closed"
        for venue in trade.venues
        if (lost := trade.unexplained(venue))
    ]
    for leg in trade.legs:
        fills, missing = list(leg.fills), _untold(leg)
        if missing > 0 and leg.average_price is None:
            unknown.append(f"at what price {plain(missing)} on {leg.order.key.venue} filled")
        elif missing > 0:
            rest = _rest(leg, missing, leg.average_price or ZERO)
            fills.append(rest)
        fills = [_with_fee(fill, taker_fee, estimated) for fill in fills]
        (opening if leg.order.purpose in OPENING else closing).extend(fills)
    return Collected(
        opening,
        closing,
        [_with_fee(fill, taker_fee, estimated) for fill in trade.outside],
        funding_of(trade),
        tuple(estimated),
        tuple(unknown),
    )


def _with_fee(fill: Fill, taker_fee: Callable[[str], Decimal], estimated: list[str]) -> Fill:
    """Return a fill with its fee, or with the taker's rate where none was told in our money."""
    if fill.fee is not None:
        return fill
    estimated.append(f"the fee of {plain(fill.size)} on {fill.venue}")
    return attrs.evolve(fill, fee=fill.size * fill.price * taker_fee(fill.venue))


def _untold(leg: Leg) -> Decimal:
    """What the venue says is filled beyond the fills that we heard of."""
    return leg.filled - sum((fill.size for fill in leg.fills), ZERO)


def _rest(leg: Leg, missing: Decimal, price: Decimal) -> Fill:
    """Return what was not told as one fill, at the venue's own average."""
    paid = [fill.fee for fill in leg.fills if fill.fee is not None]
    known = leg.fee is not None and len(paid) == len(leg.fills)
    return Fill(
        venue=leg.order.key.venue,
        fill_id=f"{leg.order.client_order_id}:rest",
        client_order_id=leg.order.client_order_id,
        venue_order_id=leg.venue_order_id,
        symbol=leg.order.key.symbol,
        side=leg.order.side,
        price=price,
        size=missing,
        fee=(leg.fee or ZERO) - sum(paid, ZERO) if known else None,
    )
