"""Bring both venues to zero by hand: cancel everything, close everything, prove it.

Needs no journal and no running bot. Each venue is its own task: one that is down never keeps the
other from being flattened. Can be run again at any time; what is already flat stays flat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import attrs
import structlog
import trio

from bot4.domain.book import BadBook, Book, Keeper
from bot4.domain.market import Market, MarketKey
from bot4.domain.order import Order, Purpose, Side
from bot4.domain.position import Position
from bot4.domain.units import plain
from bot4.errors import ProtocolViolation
from bot4.ports import Accepted, InDoubt, NotSent, PlaceOutcome, Refused
from bot4.strategy.limits import unwind_limit
from bot4.strategy.receiving import MOST_MS
from bot4.tasks.gateway import Gateway
from bot4.tasks.line import SAID
from bot4.tasks.parcel import Parcel

log = structlog.get_logger()

RUNGS_BPS = (5, 15, 50, 150, 300)
ROUNDS = 12
POLL_S = 0.2
SETTLE_S = 1.0
"""Between the two readings that prove a venue flat."""
LATEST_S = MOST_MS / 1000 + SETTLE_S
"""What somebody sent just before we began may arrive so much later: the longest window that an
order is given, and what a venue takes to show it. Nothing is proven sooner."""
WINDOW_MS = 2000
REST_LIMIT_S = 5.0
"""How long a closing order may stay open at the venue. Source: ours."""


@attrs.define
class Flat:
    """What became of one venue."""

    venue: str
    closes: bool = True
    """Whether positions were to be closed too."""
    proven: bool = False
    cancelled: int = 0
    closed: dict[str, Decimal] = attrs.field(factory=dict)
    left: dict[str, Decimal] = attrs.field(factory=dict)
    why: str = ""


@attrs.frozen
class Flattener:
    """Flattens one venue. ``symbols`` limits it to those markets; None means all of them."""

    gateway: Gateway
    symbols: frozenset[str] | None
    next_row: Callable[[], int]

    async def look(self) -> tuple[int, Sequence[Position]]:
        """Read what would be cancelled and closed. Raises as ``Gateway.ask``."""
        orders = [r for r in await self.gateway.open_orders() if self._ours(r.symbol)]
        return len(orders), await self._positions()

    async def flatten(self, *, close: bool = True) -> Flat:
        """Cancel, close reduce-only with widening limits, and prove it by two readings.

        Never raises for the venue's sake: what went wrong is in ``why``.

        Args:
            close: False leaves the positions as they are; then only the cancelling is proven.

        Cancellation: may leave the venue half flattened; run it again.
        """
        flat = Flat(self.gateway.venue, closes=close)
        nothing_later = trio.current_time() + LATEST_S
        try:
            await self.gateway.sync_clock()
            await self.gateway.sign_in()
            await self.gateway.sync_clock()
            markets = {market.key.symbol: market for market in await self.gateway.markets()}
        except SAID as said:
            flat.why = str(said)
            return flat
        for attempt in range(ROUNDS):
            try:
                if await self._round(flat, markets, attempt, nothing_later):
                    flat.proven, flat.why = True, ""
                    return flat
            except SAID as said:
                flat.why = str(said)
                await trio.sleep(POLL_S * 2 ** min(attempt, 4))
        return flat

    async def _round(
        self, flat: Flat, markets: Mapping[str, Market], attempt: int, nothing_later: float
    ) -> bool:
        """One pass; True when two readings show nothing open and nothing held."""
        flat.cancelled += await self._cancel()
        positions = await self._positions()
        flat.left = {p.key.symbol: p.size for p in positions}
        if not positions or not flat.closes:
            await trio.sleep_until(max(nothing_later, trio.current_time() + SETTLE_S))
            orders, positions = await self.look()
            return not orders and not (positions and flat.closes)
        rung = RUNGS_BPS[min(attempt, len(RUNGS_BPS) - 1)]
        for position in positions:
            symbol = position.key.symbol
            if symbol in markets:
                await self._close(flat, markets[symbol], position, rung, attempt)
            else:
                flat.why = f"{symbol} is not listed any more: close it on the venue's page"
        return False

    async def _cancel(self) -> int:
        cancelled = 0
        for report in await self.gateway.open_orders():
            if self._ours(report.symbol):
                await self.gateway.cancel(report)
                cancelled += 1
        return cancelled

    async def _positions(self) -> Sequence[Position]:
        return [p for p in await self.gateway.positions() if p.size and self._ours(p.key.symbol)]

    async def _close(
        self, flat: Flat, market: Market, position: Position, rung_bps: int, attempt: int
    ) -> None:
        slept = self.gateway.suspend.look()
        book = await self._book(market.key)
        side = Side.SELL if position.size > 0 else Side.BUY
        gateway, now_ms = self.gateway, self.gateway.now_ms()
        order = Order(
            client_order_id=gateway.codec.next_handle(now_ms, self.next_row(), "F", attempt + 1),
            trade_id="flatten",
            key=market.key,
            side=side,
            size=abs(position.size),
            limit=unwind_limit(book, side, rung_bps, market),
            purpose=Purpose.FLATTEN,
            attempt=attempt + 1,
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
        match outcomes[0]:
            case Refused(code, why):
                flat.why = f"{market.key.symbol}: {code} {why}"
            case NotSent(why):
                flat.why = f"{market.key.symbol}: {why}"
            case Accepted() | InDoubt():
                filled = await self._wait_end(order)
                known = flat.closed.get(market.key.symbol, Decimal(0))
                flat.closed[market.key.symbol] = known + filled

    async def _wait_end(self, order: Order) -> Decimal:
        """Ask until the order ended, or its fence is past and the venue does not know it.

        One that rests is left to the next round, which cancels it first.
        """
        missing, until = 0, trio.current_time() + REST_LIMIT_S
        while True:
            report, venue_now_ms = await self.gateway.find(order)
            if report is not None and (report.state.terminal or trio.current_time() > until):
                return report.filled or Decimal(0)
            if report is None and venue_now_ms > order.fence_ms + 1000 * SETTLE_S:
                missing += 1
                if missing > 1:
                    return Decimal(0)
                await trio.sleep(SETTLE_S)
            await trio.sleep(POLL_S)

    async def _book(self, key: MarketKey) -> Book:
        update = await self.gateway.ask(self.gateway.codec.book(key.symbol))
        try:
            book = Keeper(key).apply(update, trio.current_time())
        except BadBook as bad:
            raise ProtocolViolation(key.venue, f"{key.symbol} book: {bad}") from None
        if book is None:
            raise ProtocolViolation(key.venue, f"{key.symbol}: no book")
        return book

    def _ours(self, symbol: str) -> bool:
        return self.symbols is None or symbol in self.symbols


def _nothing() -> None:
    """A closing order leaves no trace before its answer: there is no journal here."""


def summary(flat: Flat) -> str:
    """One line for a person."""
    if flat.proven and not flat.closes:
        held = ", ".join(f"{plain(size)} {symbol}" for symbol, size in flat.left.items())
        return (
            f"{flat.venue}: no order is open; {flat.cancelled} cancelled, "
            f"still holds {held or 'nothing'}"
        )
    closed = ", ".join(f"{plain(size)} {symbol}" for symbol, size in flat.closed.items()) or "none"
    if flat.proven:
        return f"{flat.venue}: flat; {flat.cancelled} orders cancelled, closed {closed}"
    left = ", ".join(f"{plain(size)} {symbol}" for symbol, size in flat.left.items())
    return f"{flat.venue}: NOT proven flat ({flat.why or 'it still holds'}); holds {left or '?'}"
