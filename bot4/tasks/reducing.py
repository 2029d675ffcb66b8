"""One reduce-only order of somebody who has no journal: sent, and seen to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import attrs
import trio

from bot4.domain.book import BadBook, Book, Keeper
from bot4.domain.market import Market, MarketKey
from bot4.domain.order import Order, Purpose, Side
from bot4.domain.units import plain
from bot4.errors import ProtocolViolation
from bot4.ports import Accepted, InDoubt, NotSent, PlaceOutcome, Refused, Retry
from bot4.strategy.clips import cut, smallest
from bot4.strategy.limits import cost_of_one, unwind_limit
from bot4.tasks.gateway import Gateway
from bot4.tasks.parcel import Parcel

RUNGS_BPS: Final = (5, 15, 50, 150, 300)
POLL_S: Final = 0.2
SETTLE_S: Final = 1.0
"""Between two answers "not found" that are believed, past the order's fence."""
WINDOW_MS: Final = 2000
REST_LIMIT_S: Final = 5.0
"""How long the order may stay open at the venue. Source: ours."""


@attrs.frozen
class End:
    """What became of the order."""

    filled: Decimal | None
    """Base units; None where it never came to be."""
    why: str = ""
    """Why less filled than was wanted; "" when all did."""
    too_large: Decimal | None = None
    """Its size, base units, where the market's limits refused that."""


@attrs.frozen
class Reducer:
    """Closes positions of one market."""

    gateway: Gateway
    market: Market
    next_row: Callable[[], int]

    async def send(self, held: Decimal, size: Decimal, attempt: int) -> End:
        """Send one order and see it end.

        Args:
            held: the position, signed, base units.
            size: how much of it to close, base units; cut to the venue's largest order.
            attempt: from 1 on; each goes further from the touch.

        Raises:
            As ``Gateway.ask``; positions tell what became of it.

        Cancellation: what was sent goes on.
        """
        market, slept = self.market, self.gateway.suspend.look()
        book = await book_of(self.gateway, market.key)
        side = Side.SELL if held > 0 else Side.BUY
        rung_bps = RUNGS_BPS[min(attempt, len(RUNGS_BPS)) - 1]
        limit = unwind_limit(book, side, rung_bps, market)
        if market.max_order is not None:
            size = cut(size, market.max_order, smallest(market, limit), market.lot) or size
        gateway, now_ms = self.gateway, self.gateway.now_ms()
        order = Order(
            client_order_id=gateway.codec.next_handle(now_ms, self.next_row(), "F", attempt),
            trade_id="flatten",
            key=market.key,
            side=side,
            size=size,
            limit=limit,
            purpose=Purpose.FLATTEN,
            attempt=attempt,
            reduce_only=True,
        )
        order, errand = gateway.codec.sign(order, now_ms, WINDOW_MS)
        answered = trio.Event()
        outcomes: list[PlaceOutcome] = []

        def on_answer(outcome: PlaceOutcome, _at: float | None) -> None:
            outcomes.append(outcome)
            answered.set()

        gateway.post(
            Parcel(
                order,
                errand,
                opens=False,
                deadline=0.0,
                wait=None,
                slept=slept,
                sent=_nothing,
                answered=on_answer,
            )
        )
        await answered.wait()
        symbol = market.key.symbol
        match outcomes[0]:
            case Refused(code, why, retry):
                too_large = size if retry is Retry.LIMIT else None
                return End(None, f"{symbol}: {code} {why}", too_large)
            case NotSent(why):
                return End(None, f"{symbol}: {why}")
            case Accepted() | InDoubt():
                filled, reason = await self._wait_end(order)
                if not filled and reason and gateway.codec.retry(reason) is Retry.LIMIT:
                    return End(None, f"{symbol}: {reason}", size)
                return End(filled, "" if filled >= size else f"{symbol}: filled {plain(filled)}")

    async def _wait_end(self, order: Order) -> tuple[Decimal, str]:
        """Return what it filled, and the venue's reason for no more.

        Asked until the order ended, or its fence is past and the venue does not know it.
        One that rests is left to the next round, which cancels it first.
        """
        missing, until = 0, trio.current_time() + REST_LIMIT_S
        while True:
            report, venue_now_ms = await self.gateway.find(order)
            if report is not None and (report.state.terminal or trio.current_time() > until):
                return report.filled or Decimal(0), report.reason
            if report is None and venue_now_ms > order.fence_ms + 1000 * SETTLE_S:
                missing += 1
                if missing > 1:
                    return Decimal(0), ""
                await trio.sleep(SETTLE_S)
            await trio.sleep(POLL_S)


async def book_of(gateway: Gateway, key: MarketKey) -> Book:
    """Ask for a market's book. Raises as ``Gateway.ask``, also for one that cannot be true."""
    update = await gateway.ask(gateway.codec.book(key.symbol))
    try:
        book = Keeper(key).apply(update, trio.current_time())
    except BadBook as bad:
        raise ProtocolViolation(key.venue, f"{key.symbol} book: {bad}") from None
    if book is None:
        raise ProtocolViolation(key.venue, f"{key.symbol}: no book")
    return book


async def cost_of(gateway: Gateway, held: Mapping[str, Decimal]) -> Decimal | None:
    """Return what closing this costs at today's books; None where a market is not listed.

    Args:
        gateway: of the venue.
        held: signed base units, by symbol.

    Raises:
        As ``Gateway.ask``.
    """
    if not held:
        return Decimal(0)
    markets = {market.key.symbol: market for market in await gateway.markets()}
    if not held.keys() <= markets.keys():
        return None
    total = Decimal(0)
    for symbol, size in held.items():
        book = await book_of(gateway, markets[symbol].key)
        total += abs(size) * cost_of_one(book, markets[symbol])
    return total


def _nothing() -> None:
    """A closing order leaves no trace before its answer: there is no journal here."""
