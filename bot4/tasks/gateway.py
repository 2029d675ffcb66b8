"""Our counter at one venue: ask, sign, send, find, cancel. One class for both venues.

What differs between venues is in the codec. Orders are carried by the gateway's own nursery, so
nobody who waits for an order can cancel its sending.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import attrs
import trio

from bot4.ports import (
    Accepted,
    Answer,
    HttpDoor,
    InDoubt,
    NotSent,
    PlaceOutcome,
    Refused,
    Retry,
    VenueCodec,
    World,
)
from bot4.strategy.receiving import ReceiveWindow
from bot4.tasks.gate import Gate
from bot4.tasks.health import Health
from bot4.tasks.inquiries import Inquiries
from bot4.tasks.parcel import Parcel
from bot4.tasks.refused_markets import RefusedMarkets, RefusedSizes
from bot4.tasks.suspend import SuspendWatch

T = TypeVar("T")

ORDER_TIMEOUT_S = 8.0
"""Of one order's exchange; the saga stops waiting for it long before."""
QUEUE = 64


class Gateway(Inquiries):
    """One venue's counter. ``run`` must be running before anything is sent."""

    def __init__(
        self,
        codec: VenueCodec,
        door: HttpDoor,
        world: World,
        *,
        health: Health | None = None,
        window_ms: int = 2000,
        gate: Gate | None = None,
        stays_home: Callable[[], str] = lambda: "",
        hide: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            codec: how the venue speaks.
            door: the way to its REST side.
            world: for the wall clock.
            health: its error budget, where opening depends on it.
            window_ms: receive window of orders until enough of them were measured.
            gate: stops opening for what answers say; None where nothing opens.
            stays_home: why no opening order may leave now, "" when it may; asked last of all.
            hide: told of every token, so that no log line shows it.
        """
        super().__init__(codec, door, world, health=health, gate=gate, hide=hide)
        self._stays_home = stays_home
        self.refused_markets = RefusedMarkets(codec.venue, self.gate)
        self.suspend = SuspendWatch(world.suspended_s)
        """Notices that the machine slept; whoever decides shares it with the gate below."""
        self.refused_sizes = RefusedSizes(codec.venue, self.gate)
        self._queue, self._parcels = trio.open_memory_channel[Parcel](QUEUE)
        self.window = ReceiveWindow(window_ms)
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

    def wake(self) -> None:
        """The machine slept: connections of before are not used again, the clock is measured."""
        self._door.leave_connections()
        self.doubt_clock()

    def take_refusal(self, retry: Retry, symbol: str, why: str) -> None:
        """Note what a refused order, at once or later, says of our own time or of its market."""
        if retry is Retry.RESIGN:
            self.window.expired()
            self.doubt_clock()
        elif retry is Retry.SHUT:
            self.refused_markets.refused(symbol, why)
        elif retry is Retry.LIMIT:
            self.refused_sizes.refused(symbol, why)
            self.on_trouble()  # the limits are read anew at once

    async def _carry(self, parcel: Parcel) -> None:
        try:
            outcome, sent_at = await self._exchange(parcel)
        finally:
            self.on_wire -= 1
        parcel.answered(outcome, sent_at)

    def _held(self, parcel: Parcel) -> str:
        """The last gate, here and once more where the first byte leaves; "" lets it pass.

        Nothing leaves that was decided on a picture of before a sleep, and nothing opens after
        the stop sign or too late.
        """
        if self.suspend.look() != parcel.slept:
            return "this machine slept since the order was decided"
        if parcel.opens and (why := self._stays_home()):
            return why
        if parcel.opens and trio.current_time() > parcel.deadline:
            return "the deadline passed before the first byte"
        return ""

    async def _exchange(self, parcel: Parcel) -> tuple[PlaceOutcome, float | None]:
        if parcel.wait is not None and (why := await parcel.wait()):
            return NotSent(why), None
        if why := self._held(parcel):
            return NotSent(why), None
        parcel.sent()
        request = attrs.evolve(parcel.errand.request, held=partial(self._held, parcel))
        outcome = await self._door.send(request, timeout_s=ORDER_TIMEOUT_S)
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
                lost = outcome.status == 401 or not self.codec.holds_session()
                if lost:
                    self.lose_session()
                if isinstance(said, Refused) and not (lost and said.retry is Retry.RESIGN):
                    self.take_refusal(said.retry, parcel.order.key.symbol, said.why)
                elif isinstance(said, Accepted):
                    # A venue that does not say when it received it had it before it answered.
                    received_ms = said.received_ms or self.now_ms()
                    self.window.took(received_ms - parcel.order.signed_ms)
                    self.refused_markets.accepted(parcel.order.key.symbol)
                return said, outcome.sent_at
