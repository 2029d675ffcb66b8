"""Bring both venues to zero by hand: cancel everything, close everything, prove it.

Needs no journal and no running bot; can be run again at any time, and what is already flat stays
flat. Each venue is its own task, and each order and market on its own: a cancel that fails stops no
closing. One leg of a hedged pair is never closed for the other's sake: where a venue is shut or
dark, it is waited for, and what is hedged stays on at both when the time is over; see
``strategy.exposure``. A flattener that looks after one venue alone closes there regardless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import attrs
import trio

from bot4.domain.market import MarketKey
from bot4.domain.order import OrderReport
from bot4.domain.position import Position
from bot4.strategy.exposure import Exposure
from bot4.strategy.receiving import MOST_MS
from bot4.tasks.flat import TOPICS, Flat
from bot4.tasks.gateway import Gateway
from bot4.tasks.line import SAID
from bot4.tasks.reducing import End, Reducer

LIMIT_S: Final = 60.0
"""For all of it; what is under way then ends by its own limit, seconds later. Source: ours."""
FOLLOWS_S: Final = 15.0
"""What a leg gets after that to follow the other one, whose order was still under way."""
POLL_S = 0.2
WAIT_S: Final = 1.0
"""For the other venue's leg, or for one that is shut: then everything is read again."""
CANCEL_S: Final = 5.0
"""For orders one by one in a round; then positions are closed, and the others come next. Source:
ours."""
SETTLE_S = 1.0
"""Between the two readings that prove a venue flat."""
LATEST_S = MOST_MS / 1000 + SETTLE_S
"""What somebody sent just before we began may arrive so much later: the longest window that an
order is given, and what a venue takes to show it. Nothing is proven sooner."""


@attrs.frozen
class Flattener:
    """Flattens one venue. ``symbols`` limits it to those markets; None means all of them."""

    gateway: Gateway
    symbols: frozenset[str] | None
    next_row: Callable[[], int]
    exposure: Exposure = attrs.field(factory=Exposure)
    """Shared with the other venue's."""

    async def look(self) -> tuple[int, Sequence[Position]]:
        """Read what would be cancelled and closed. Raises as ``Gateway.ask``."""
        return len(await self._open_orders()), await self._positions()

    async def flatten(self, *, close: bool = True) -> Flat:
        """Cancel, close reduce-only with widening limits, and prove it by two readings.

        Never raises for the venue's sake: what went wrong is in ``faults``. Takes ``LIMIT_S`` and
        what is under way then.

        Args:
            close: False closes only what nothing hedges, and is proven when that is gone.

        Cancellation: may leave the venue half flattened; run it again.
        """
        flat = Flat(self.gateway.venue, closes=close)
        began, failures = trio.current_time(), 0
        exposure = self.exposure
        exposure.done[flat.venue] = False
        exposure.halts_told[flat.venue] = self.gateway.codec.tells_halts
        attempts: dict[str, int] = {}  # By order cancelled, and by market closed.
        while not self._is_over(flat, began):
            closed = exposure.closed(flat.venue)
            flat.proven = exposure.done[flat.venue] = await self._round(
                flat, attempts, began + LATEST_S
            )
            if flat.proven and all(exposure.done.values()):
                break
            failures = 0 if "positions" not in flat.faults else failures + 1
            # What goes in parts goes on at once; a leg that the other one follows waits for it.
            moves = exposure.closed(flat.venue) != closed and self._ready(flat)
            await self._pause(POLL_S * 2 ** min(failures, 4) if failures or moves else WAIT_S)
        flat.closed = exposure.closed(flat.venue)
        if exposure.is_read(flat.venue):
            flat.left = exposure.sizes(flat.venue)
        return flat

    def _is_over(self, flat: Flat, began: float) -> bool:
        """Whether the time is: then nothing hedged goes, and what is alone still follows."""
        exposure, late_s = self.exposure, trio.current_time() - began - LIMIT_S
        if late_s < 0:
            return False
        exposure.late = True
        follows = exposure.under_way or self._ready(flat)
        return not follows or late_s >= FOLLOWS_S

    async def _round(self, flat: Flat, attempts: dict[str, int], nothing_later: float) -> bool:
        """One pass; True when two readings show nothing open and nothing to close."""
        await self._greet(flat)
        if not self._follows(flat, attempts):
            await self._cancel(flat, attempts)
        if not await self._read(flat):
            return False
        if not await self._close_all(flat, attempts):
            return False
        await trio.sleep_until(max(nothing_later, trio.current_time() + SETTLE_S))
        try:
            orders = await self._open_orders()
        except SAID as said:
            flat.note("orders", f"open orders could not be read: {said}")
            return False
        return not orders and await self._read(flat) and not self._left(flat)

    async def _greet(self, flat: Flat) -> None:
        """Clock, session, and whether the venue executes orders now: each on its own."""
        gateway, exposure = self.gateway, self.exposure
        if exposure.shut.get(flat.venue) is None or "clock" in flat.faults:
            for step in (gateway.sync_clock, gateway.sign_in, gateway.sync_clock):
                try:
                    await step()
                    flat.note("clock", "")
                except SAID as said:
                    flat.note("clock", str(said))
        why = ""
        for topic, ask in (("state", gateway.state), ("markets", self._ask_markets)):
            try:
                why = await ask() or why
                flat.note(topic, "")
            except SAID as said:
                why = f"does not answer: {said}"
                flat.note(topic, str(said))
        exposure.note_shut(flat.venue, why)

    def _follows(self, flat: Flat, attempts: dict[str, int]) -> bool:
        """Whether a leg may go now and nothing of ours rests: cancelling others' comes after it."""
        ready = self._ready(flat)
        return bool(ready) and not any(attempts.get(key.symbol) for key in ready)

    def _ready(self, flat: Flat) -> list[MarketKey]:
        """The markets where something may be closed now."""
        keys = [MarketKey(flat.venue, symbol) for symbol in self.exposure.sizes(flat.venue)]
        return [k for k in keys if self.exposure.room(k, everything=flat.closes).size]

    async def _ask_markets(self) -> str:
        """What is halted is told here at some venues; elsewhere they are read once."""
        gateway, exposure = self.gateway, self.exposure
        if gateway.codec.tells_halts or gateway.venue not in exposure.listed:
            exposure.take_markets(gateway.venue, await gateway.markets())
        return ""

    async def _cancel(self, flat: Flat, attempts: dict[str, int]) -> None:
        """Cancel all at once where the venue can, then what is still open, each on its own."""
        gateway = self.gateway
        seen: dict[str, OrderReport] = {}
        try:
            seen = {r.venue_order_id: r for r in await self._open_orders()}
            flat.note("orders", "")
        except SAID as said:
            flat.note("orders", f"open orders could not be read: {said}")
        if not seen and "orders" not in flat.faults:
            return
        left = seen
        if self.symbols is None:
            try:
                if await gateway.cancel_all():
                    left = {r.venue_order_id: r for r in await self._open_orders()}
            except SAID as said:
                flat.note("orders", f"cancel-all: {said}")
        flat.cancelled += len(seen.keys() - left.keys())
        # Those that were tried least come first: many slow refusals may not hold up the closing.
        waiting = sorted(left.values(), key=lambda report: attempts.get(report.venue_order_id, 0))
        with trio.move_on_after(CANCEL_S):
            for report in waiting:
                name = report.venue_order_id
                attempts[name] = attempts.get(name, 0) + 1
                try:
                    await gateway.cancel(report)
                except SAID as said:
                    why = f"{report.symbol} order {name} could not be cancelled: {said}"
                    flat.note("orders", why)
                else:
                    flat.cancelled += 1

    async def _read(self, flat: Flat) -> bool:
        try:
            self.exposure.take(flat.venue, await self._positions())
        except SAID as said:
            flat.note("positions", f"positions could not be read: {said}")
            return False
        flat.note("positions", "")
        return True

    async def _open_orders(self) -> Sequence[OrderReport]:
        return [r for r in await self.gateway.open_orders() if self._ours(r.symbol)]

    async def _positions(self) -> Sequence[Position]:
        return [p for p in await self.gateway.positions() if p.size and self._ours(p.key.symbol)]

    def _left(self, flat: Flat) -> bool:
        """Whether anything is left to close, now or later."""
        exposure, venue = self.exposure, flat.venue
        if flat.closes:
            return bool(exposure.sizes(venue))
        keys = [MarketKey(venue, symbol) for symbol in exposure.sizes(venue)]
        return any(r.size or r.why for r in (exposure.room(k, everything=False) for k in keys))

    async def _close_all(self, flat: Flat, attempts: dict[str, int]) -> bool:
        """Close what may go now, market by market; True when nothing is left to close."""
        held_now = self.exposure.sizes(flat.venue)
        for gone in flat.faults.keys() - held_now - TOPICS:
            flat.note(gone, "")
        for symbol, held in held_now.items():
            key = MarketKey(flat.venue, symbol)
            room = self.exposure.room(key, everything=flat.closes)
            flat.note(symbol, room.why)
            if not room.size:
                continue
            if key not in self.exposure.markets:
                listed = flat.venue in self.exposure.listed
                why = "is not listed any more: close it on the venue's page"
                flat.note(symbol, f"{symbol} {why}" if listed else "its markets could not be read")
                continue
            attempts[symbol] = attempts.get(symbol, 0) + 1
            self.exposure.under_way.add(key)
            try:
                end = await self._reduce(key, held, room.size, attempts[symbol])
            except SAID as said:
                flat.note(symbol, f"{symbol}: {said}")
                continue
            finally:
                self.exposure.under_way.discard(key)
            if end.filled is None:
                self.exposure.note_refused(key)
            else:
                self.exposure.note_filled(key, end.filled)
            if end.why:
                flat.note(symbol, end.why)
            else:
                attempts[symbol] = 0
        return not self._left(flat)

    async def _reduce(self, key: MarketKey, held: Decimal, size: Decimal, attempt: int) -> End:
        """Send one order; one whose size is refused is halved at once, down to the smallest."""
        while True:
            market = self.exposure.market(key)
            end = await Reducer(self.gateway, market, self.next_row).send(held, size, attempt)
            if end.too_large is None or not self.exposure.note_too_large(key, end.too_large):
                return end

    async def _pause(self, seconds: float) -> None:
        """Wait, and no longer than until the other venue has news."""
        seen, until = self.exposure.changes, trio.current_time() + seconds
        ticks = max(round(seconds / POLL_S), 1)
        for _ in range(ticks):
            await trio.sleep(min(POLL_S, max(until - trio.current_time(), 0)))
            if self.exposure.changes != seen:
                return

    def _ours(self, symbol: str) -> bool:
        return self.symbols is None or symbol in self.symbols
