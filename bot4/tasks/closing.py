"""The account of a trade that is over: complete its fills, add it up, say it, book it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import attrs
import structlog
import trio

from bot4.domain.fill import Fill
from bot4.domain.market import VEST
from bot4.domain.order import Purpose
from bot4.domain.units import percent, plain
from bot4.strategy.events import Filled
from bot4.strategy.legs import Leg
from bot4.strategy.outside import explaining
from bot4.strategy.premium import Premium
from bot4.strategy.result import TradeResult, trade_result
from bot4.strategy.risk import Attempt
from bot4.strategy.saga import State, Trade
from bot4.tasks.gateway import Gateway
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID
from bot4.tasks.stopwatch import Stopwatch

log = structlog.get_logger()

FILLS_LIMIT_S = 4.0
"""What asking for missing fills may take; then the venue's own sums are booked."""
OPENING = frozenset({Purpose.ENTER, Purpose.MEND})


async def complete_fills(trade: Trade, gateways: Mapping[str, Gateway], ledger: Ledger) -> Trade:
    """Ask for the fills of orders that filled more than the fills we heard of, then for funding.

    Fills that others caused are asked for where the trade lost something to them.

    Cancellation: safe; what is missing is booked from the venue's sums, or told as not known.
    """
    with trio.move_on_after(FILLS_LIMIT_S):
        for leg in trade.legs:
            if leg.filled <= sum((f.size for f in leg.fills), Decimal(0)):
                continue
            with suppress(*SAID):
                for fill in await gateways[leg.order.key.venue].fills(leg.order):
                    name = leg.order.client_order_id
                    ledger.happen(trade.plan.trade_id, Filled(name, fill))
        for venue in trade.venues:
            with suppress(*SAID):
                await _ask_outside(trade, venue, gateways[venue], ledger)
        for leg in settling(ledger.get(trade.plan.trade_id) or trade):
            if leg.settled() is None:
                with suppress(*SAID):
                    await _ask_funding(leg, gateways[leg.order.key.venue], ledger)
    return ledger.get(trade.plan.trade_id) or trade


async def _ask_outside(trade: Trade, venue: str, gateway: Gateway, ledger: Ledger) -> None:
    """Find what a person, the venue or another tool closed: what it cost belongs to the trade."""
    signed = [leg.order.signed_ms for leg in trade.legs if leg.order.key.venue == venue]
    if not trade.unexplained(venue) or not signed:
        return
    told = await gateway.market_fills(trade.plan.key(venue).symbol, min(signed))
    strange = [fill for fill in told if not ledger.owns(fill)]
    for fill in explaining(trade, venue, strange):
        ledger.happen(trade.plan.trade_id, Filled("", fill), durable=True)


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
            ledger.happen(leg.order.trade_id, Filled(name, fill))
    trade = ledger.get(leg.order.trade_id)
    now = None if trade is None else trade.leg(name)
    if now is None or now.settled() is not None:
        return
    silent = [fill for fill in now.fills if fill.funding is None]
    received = await gateway.funding(leg.order) if silent else {}
    for fill in silent:
        if fill.fill_id in received:
            told = attrs.evolve(fill, funding=received[fill.fill_id])
            ledger.happen(leg.order.trade_id, Filled(name, told))


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
    if unknown_sizes(trade) or len(known) < len(said):
        return None
    return sum(known, Decimal(0))


def unknown_sizes(trade: Trade) -> dict[str, Decimal]:
    """What the trade lost to others, by venue, and at what price cannot be said."""
    sizes = {venue: trade.unexplained(venue) for venue in trade.venues}
    return {venue: abs(size) for venue, size in sizes.items() if size}


def fills_of(leg: Leg) -> tuple[Fill, ...]:
    """The leg's fills; what they lack is one fill at the venue's own average."""
    known = sum((fill.size for fill in leg.fills), Decimal(0))
    missing = leg.filled - known
    if missing <= 0 or leg.average_price is None:
        return leg.fills
    paid = sum((fill.fee for fill in leg.fills), Decimal(0))
    rest = Fill(
        venue=leg.order.key.venue,
        fill_id=f"{leg.order.client_order_id}:rest",
        client_order_id=leg.order.client_order_id,
        venue_order_id=leg.venue_order_id,
        symbol=leg.order.key.symbol,
        side=leg.order.side,
        price=leg.average_price,
        size=missing,
        fee=(leg.fee or Decimal(0)) - paid,
    )
    return (*leg.fills, rest)


def split(trade: Trade) -> tuple[list[Fill], list[Fill]]:
    """Fills that opened, and fills that closed; those that others caused came last."""
    opening: list[Fill] = []
    closing: list[Fill] = []
    for leg in trade.legs:
        (opening if leg.order.purpose in OPENING else closing).extend(fills_of(leg))
    return opening, [*closing, *trade.outside]


async def finish(
    trade: Trade,
    judge: Judge,
    watch: Stopwatch,
    gateways: Mapping[str, Gateway],
    exit_seen: Decimal | None,
) -> bool:
    """Add a flat trade up, tell it in one line, journal it, and learn from it.

    Returns:
        False when its fills, asked for, say that it is not flat after all: then it goes on.

    Cancellation: the trade stays unfinished and is finished after the next start.
    """
    trade = await complete_fills(trade, gateways, judge.ledger)
    if trade.state is not State.FLAT:
        return False
    opening, closing = split(trade)
    exit_rate = judge.quote().rate
    result = trade_result(
        trade.plan.long.venue,
        opening,
        closing,
        trade.plan.quote_rate,
        exit_rate if closing else trade.plan.quote_rate,
        seen_entry=trade.plan.spread,
        seen_exit=exit_seen,
        funding=funding_of(trade),
    )
    body = account(trade, result, watch, judge.wall_ms())
    _tell(trade, result, body)
    judge.ledger.finish(trade.plan.trade_id, body)
    ours = [fill for fill in closing if fill not in trade.outside]
    judge.premium = learn(judge.premium, opening, ours, judge.pair.vest.taker_fee, watch)
    judge.attempted(
        Attempt(
            at_s=trio.current_time(),
            # What a person or a venue closed counts too: pause before opening again.
            failed=not trade.closing or bool(trade.corrections),
            cost=max(Decimal(0), -result.net),
            expected=trade.plan.spread * trade.plan.size * first_price(trade),
        )
    )
    return True


def hedged_once(trade: Trade) -> bool:
    """Whether the pair was ever on: closed by an exit, or by a hand that found it hedged."""
    return trade.closing or bool(trade.corrections)


def first_price(trade: Trade) -> Decimal:
    """A price of the trade, for turning sizes into money roughly."""
    return trade.legs[0].order.limit


def account(trade: Trade, result: TradeResult, watch: Stopwatch, closed_ms: int) -> dict[str, Any]:
    """The whole account of a trade, JSON-ready: the one line to paste."""
    naked_usd_s, naked_s = watch.naked(first_price(trade), trio.current_time())
    hedged = hedged_once(trade)
    touched = any(leg.filled for leg in trade.legs)  # not by the fees: some accounts pay none
    mended = any(leg.order.purpose is Purpose.MEND and leg.filled for leg in trade.legs)
    return {
        "pair": trade.plan.pair,
        "long": trade.plan.long.venue,
        "short": trade.plan.short.venue,
        "outcome": "closed" if hedged else ("unwound" if touched else "missed"),
        "size": plain(result.matched),
        "entry_spread_percent": _percent(result.entry_spread),
        "detected_spread_percent": _percent(trade.plan.spread),
        "target_percent": _percent(trade.plan.target),
        "exit_spread_percent": _percent(result.exit_spread),
        "entry_slippage_bps": _plain(result.entry_slippage_bps),
        "exit_slippage_bps": _plain(result.exit_slippage_bps),
        "gross_usdc": plain(round(result.gross, 6)),
        "fees_usdc": plain(round(result.fees, 6)),
        "funding_usdc": None if result.funding is None else plain(round(result.funding, 6)),
        "net_usdc": plain(round(result.net, 6)),
        "mended": mended,
        "orders": len(trade.legs),
        "naked_usd_s": plain(round(naked_usd_s, 3)),
        "naked_s": round(naked_s, 3),
        "dust": {venue: plain(size) for venue, size in result.left.items() if size},
        "latency_ms": watch.stages_ms(),
        "decided_ms": trade.plan.decided_ms,
        "closed_ms": closed_ms,
    }


def learn(
    premium: Premium,
    opening: list[Fill],
    closing: list[Fill],
    taker_fee: Decimal,
    watch: Stopwatch,
) -> Premium:
    """Learn Vest's premium from this trade's own fills.

    Where it is in the price, only planned orders tell it: of the others no price was promised.
    """
    for fills, closes in ((opening, False), (closing, True)):
        for fill in fills:
            if fill.venue != VEST or fill.size * fill.price <= 0:
                continue
            bps = premium.found_bps(fill, taker_fee, watch.seen.get(fill.client_order_id))
            if bps is not None:
                premium = premium.saw(fill.side, fill.size * fill.price, bps, closing=closes)
    return premium


def _tell(trade: Trade, result: TradeResult, body: dict[str, Any]) -> None:
    known = {"trade_id": trade.plan.trade_id, **body}
    money = f"net={plain(round(result.net, 4))} USDC, fees={plain(round(result.fees, 4))}"
    if result.funding is not None and (shown := round(result.funding, 4)):
        money += f", funding={plain(shown)}"
    if body["outcome"] == "closed":
        entry, leave = result.entry_spread, result.exit_spread
        log.info(
            "pair.closed",
            message=f"[TRADE] Exit executed: {trade.plan.pair} {money}, entry "
            f"{percent(entry) if entry is not None else 'unknown'}, exit "
            f"{percent(leave) if leave is not None else 'unknown'}",
            **known,
        )
    elif body["outcome"] == "unwound":
        log.warning(
            "pair.unwound",
            message=f"[TRADE] {trade.plan.pair} taken back, nothing is held: {money}",
            why="one leg did not fill and completing it was not worth it",
            do="nothing: the bot pauses, then looks again",
            **known,
        )
    else:
        reasons = "; ".join(dict.fromkeys(leg.reason for leg in trade.legs if leg.reason))
        log.info(
            "pair.missed",
            message=f"[TRADE] {trade.plan.pair} missed, nothing filled: {reasons or 'too late'}",
            **known,
        )


def _percent(ratio: Decimal | None) -> str | None:
    return None if ratio is None else percent(ratio, 4)


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else plain(round(number, 3))
