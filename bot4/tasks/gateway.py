"""Our counter at one venue: ask, sign, send, find, cancel. One class for both venues.

What differs between venues is in the codec. Orders are carried by the gateway's own nursery, so
nobody who waits for an order can cancel its sending.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import structlog
import trio

from bot4.domain.fill import Fill
from bot4.domain.market import Market
from bot4.domain.order import Order, OrderReport
from bot4.domain.position import Account, Position
from bot4.errors import ApiChanged, AuthRefused, ProtocolViolation, Unreachable, VenueRefused
from bot4.ports import (
    Answer,
    Errand,
    HttpDoor,
    InDoubt,
    NotSent,
    PlaceOutcome,
    Refused,
    VenueCodec,
    World,
)
from bot4.tasks.allowance import Allowance
from bot4.tasks.gate import Gate
from bot4.tasks.health import Health
from bot4.tasks.parcel import Parcel

log = structlog.get_logger()
T = TypeVar("T")

ASK_TIMEOUT_S = 3.0
ORDER_TIMEOUT_S = 8.0
"""Of one order's exchange; the saga stops waiting for it long before."""
QUEUE = 64
WARM_CONNECTIONS = 3
"""An order's, a question's, and one more."""


class Gateway:
    """One venue's counter. ``run`` must be running before anything is sent."""

    def __init__(
        self,
        codec: VenueCodec,
        door: HttpDoor,
        world: World,
        *,
        health: Health | None = None,
        allowance: Allowance | None = None,
        stays_home: Callable[[], str] = lambda: "",
        hide: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            codec: how the venue speaks.
            door: the way to its REST side.
            world: for the wall clock.
            health: its error budget, where opening depends on it.
            allowance: told what every answer says of the venue's limits.
            stays_home: why no opening order may leave now, "" when it may; asked last of all.
            hide: told of every token, so that no log line shows it.
        """
        self.codec = codec
        self._hide = hide
        self._health = health
        self.allowance = allowance or Allowance(codec.venue, Gate())
        self._stays_home = stays_home
        self.venue = codec.venue
        self._door = door
        self._world = world
        self._queue, self._parcels = trio.open_memory_channel[Parcel](QUEUE)
        self._login_lock = trio.Lock()
        self._login_due_ms = 0
        self.offset_ms = 0
        """The venue's clock minus ours."""
        self.clock_error_ms = 0
        self.on_session_lost: Callable[[], None] = lambda: None
        """Called when the session was lost: whoever keeps it renews it."""
        self.on_wire = 0
        """Orders sent whose exchange has not ended."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry parcels for ever; started at once.

        Cancellation: what is on the wire is shielded by the door and ends by its own timeout.
        """
        async with trio.open_nursery() as sending:
            task_status.started()
            async for parcel in self._parcels:
                sending.start_soon(self._carry, parcel)

    def now_ms(self) -> int:
        """The venue's wall clock, as we estimate it."""
        return self._world.wall_ms() + self.offset_ms

    # ------------------------------------------------------------------------- asking

    async def ask(self, errand: Errand[T], *, timeout_s: float = ASK_TIMEOUT_S) -> T:
        """Run one errand that is not an order.

        Raises:
            Unreachable: no readable answer; it proves nothing.
            VenueRefused, AuthRefused, ProtocolViolation: what the answer says.

        Cancellation: waits for the exchange to end, at most ``timeout_s``.
        """
        outcome = await self._door.send(errand.request, timeout_s=timeout_s)
        if not isinstance(outcome, Answer):
            self._note(good=False)
            raise Unreachable(self.venue, outcome.why)
        self.allowance.note(errand.pool, outcome)
        try:
            value = errand.read(outcome)
        except ProtocolViolation as fault:
            self._note(good=False)
            if isinstance(fault, ApiChanged) and self._health:
                self._health.changed(fault.why)
            raise
        self._note(good=True)
        return value

    async def ask_signed_in(self, make: Callable[[int], Errand[T]]) -> T:
        """Run an errand that needs the session, signing in again once. Raises as ``ask``."""
        await self.sign_in()
        try:
            return await self.ask(make(self.now_ms()))
        except AuthRefused:
            self.codec.session_lost()
            self._login_due_ms = 0
            await self.sign_in()
            return await self.ask(make(self.now_ms()))

    @property
    def signed_in(self) -> bool:
        """Whether an order sent now would carry a session that nobody refused."""
        return self._login_due_ms > 0 and self.codec.holds_session()

    def lose_session(self) -> None:
        """An answer said that the session is no longer good: it is renewed at once."""
        self.codec.session_lost()
        self._login_due_ms = 0
        self.on_session_lost()

    async def sign_in(self) -> None:
        """Make sure that the session is good, renewing it when it is due.

        Raises:
            As ``ask``.
        """
        async with self._login_lock:
            if self.now_ms() < min(self._login_due_ms, self.codec.login_due_ms()):
                return
            for errand in self.codec.logins(self.now_ms()):
                await self.ask(errand)
                for secret in self.codec.secrets():
                    self._hide(secret.reveal())
            self._login_due_ms = self.codec.login_due_ms()

    async def sync_clock(self) -> None:
        """Measure the venue's clock against ours.

        Raises:
            As ``ask``.
        """
        before = self._world.wall_ms()
        venue_ms = await self.ask(self.codec.clock())
        after = self._world.wall_ms()
        self.offset_ms = venue_ms - (before + after) // 2
        self.clock_error_ms = (after - before + 1) // 2

    async def warm(self) -> None:
        """Have some connections open, so that no order waits for a handshake. Never raises."""
        request = self.codec.clock().request
        async with trio.open_nursery() as asking:
            for _ in range(WARM_CONNECTIONS):
                asking.start_soon(partial(self._door.send, request, timeout_s=ASK_TIMEOUT_S))

    async def markets(self) -> Sequence[Market]:
        """Every market the venue lists. Raises as ``ask``."""
        return await self.ask(self.codec.markets())

    async def state(self) -> str:
        """Why the venue takes no opening orders; "" when it does or has no word for it.

        Raises:
            As ``ask``.
        """
        errand = self.codec.state()
        return "" if errand is None else await self.ask(errand)

    async def account(self) -> Account:
        """The account. Raises as ``ask``."""
        return await self.ask_signed_in(self.codec.account)

    async def positions(self) -> Sequence[Position]:
        """Every open position. Raises as ``ask``."""
        return await self.ask_signed_in(self.codec.positions)

    async def set_leverage(self, symbol: str, value: int) -> None:
        """Set one symbol's leverage. Raises as ``ask``."""
        await self.ask_signed_in(lambda now_ms: self.codec.leverage(symbol, value, now_ms))

    async def open_orders(self) -> Sequence[OrderReport]:
        """Every open order. Raises as ``ask``."""
        return await self.ask_signed_in(self.codec.open_orders)

    async def find(self, order: Order) -> tuple[OrderReport | None, int]:
        """What became of an order, and the venue's clock when it said so. Raises as ``ask``.

        The clock is our estimate less its error, so that a "not found" never counts too early.
        """
        report = await self.ask_signed_in(lambda now_ms: self.codec.find(order, now_ms))
        return report, self.now_ms() - self.clock_error_ms

    async def fills(self, order: Order) -> Sequence[Fill]:
        """The fills of one order. Raises as ``ask``."""
        return await self.ask_signed_in(lambda now_ms: self.codec.fills(order, now_ms))

    async def cancel(self, report: OrderReport, window_ms: int) -> None:
        """Cancel one order; one that already ended is not an error. Raises as ``ask``."""
        await self.ask_signed_in(lambda now_ms: self.codec.cancel(report, now_ms, window_ms))

    async def cancel_everything(self, window_ms: int) -> int:
        """Cancel every open order of the account and return how many were seen.

        Raises:
            As ``ask``; orders not reached are still open.
        """
        everything = self.codec.cancel_all(self.now_ms())
        reports = await self.open_orders()
        if everything is not None and reports:
            await self.ask_signed_in(lambda now_ms: self.codec.cancel_all(now_ms) or everything)
        else:
            for report in reports:
                await self.cancel(report, window_ms)
        return len(reports)

    # ------------------------------------------------------------------------- sending

    def post(self, parcel: Parcel) -> None:
        """Hand over a signed, journaled order. Never blocks.

        Raises:
            trio.WouldBlock: the queue is full; nothing was sent.
        """
        self.on_wire += 1
        try:
            self._queue.send_nowait(parcel)
        except trio.WouldBlock:
            self.on_wire -= 1
            raise

    def _note(self, *, good: bool) -> None:
        if self._health is not None:
            self._health.good() if good else self._health.bad()

    async def _carry(self, parcel: Parcel) -> None:
        try:
            outcome, sent_at = await self._exchange(parcel)
        finally:
            self.on_wire -= 1
        parcel.answered(outcome, sent_at)

    async def _exchange(self, parcel: Parcel) -> tuple[PlaceOutcome, float | None]:
        # The last gate before the first byte: nothing opens after the stop sign or too late.
        if parcel.opens and (why := self._stays_home()):
            return NotSent(why), None
        if parcel.opens and trio.current_time() > parcel.deadline:
            return NotSent("the deadline passed before the first byte"), None
        parcel.sent()
        outcome = await self._door.send(parcel.errand.request, timeout_s=ORDER_TIMEOUT_S)
        match outcome:
            case NotSent():
                self._note(good=False)
                return outcome, None
            case InDoubt():
                self._note(good=False)
                return outcome, outcome.sent_at
            case Answer():
                self.allowance.note(parcel.errand.pool, outcome)
                said = parcel.errand.read(outcome)
                self._note(good=not isinstance(said, InDoubt))
                if isinstance(said, Refused) and outcome.status == 401:
                    self.lose_session()
                return said, outcome.sent_at


SAID: tuple[type[Exception], ...] = (Unreachable, VenueRefused, AuthRefused, ProtocolViolation)
"""What a question to a venue may end in; each proves nothing about orders or positions."""
