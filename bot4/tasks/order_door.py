"""A door for orders over a WebSocket, with REST behind it for when the socket is not there.

Which way an order goes is decided before its first byte, once. One that went over the socket and
whose reply did not come is in doubt, and is asked about; it is never sent again another way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Final

import attrs
import trio

from bot4.errors import ConnectionLost
from bot4.ports import (
    Acknowledged,
    Answer,
    Connect,
    Frame,
    HttpDoor,
    InDoubt,
    Notice,
    NotSent,
    OrderStreamCodec,
    Replied,
    Request,
    Wire,
)

FIRST_CALL: Final = 1000
"""Numbers of calls: above those of every greeting, never given twice."""
SUSPECT_S: Final = 1.0
"""A call unanswered for so long makes the socket suspect: the next order goes by REST."""
TURN_S: Final = 0.1
"""How long to wait for another call that is being written, before going by REST. Source: ours."""

HTTP_UNAUTHORIZED: Final = 401


@attrs.define(eq=False)
class _Trip:
    """One call on its way."""

    begun_at: float
    held: Callable[[], str]
    """As in ``ports.Request``."""
    scope: trio.CancelScope
    """Shields it, and ends it when its time is over."""
    begun: bool = False
    """Whether its first byte may have left."""
    sent_at: float | None = None
    answer: Answer | None = None
    lost: str = ""
    over: trio.Event = attrs.field(factory=trio.Event)

    def lose(self, why: str) -> None:
        """No reply will come."""
        self.lost = why
        self.over.set()

    @property
    def outcome(self) -> Answer | InDoubt:
        """What became of it."""
        if self.answer is not None:
            return self.answer
        return InDoubt(self.lost or "no reply in time", self.sent_at)


class WsOrderDoor:
    """Carries orders and cancels over one kept connection. Implements ``ports.HttpDoor``.

    It is also what that connection feeds: give ``dial`` and the door itself to a ``Connection``.
    Usable once every greeting was acknowledged, the dead-man switch among them.
    """

    useful_when_greeted = True

    def __init__(self, codec: OrderStreamCodec, connect: Connect, rest: HttpDoor) -> None:
        self.renew: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        """Signs in; called before each dial."""
        self.codec = codec
        self._connect = connect
        self._rest = rest
        self._wire: Wire | None = None
        self._reading = trio.CancelScope()
        self._acknowledged = 0
        self._reopen = ""
        """Why this connection takes no more calls; "" while it does."""
        self._trips: dict[int, _Trip] = {}
        self._turn = trio.Lock()
        self._last = FIRST_CALL
        self._leave_at = inf

    @property
    def up(self) -> bool:
        """Whether the next order would go over the socket."""
        if self._wire is None or self._reopen or self._acknowledged < self.codec.greetings:
            return False
        now = trio.current_time()
        return all(now - trip.begun_at <= SUSPECT_S for trip in self._open_trips())

    async def send(self, request: Request, *, timeout_s: float) -> Answer | NotSent | InDoubt:
        """Send one request and wait for its answer, at most ``timeout_s``.

        Never raises for a network fault. What the socket does not speak goes by REST, and so
        does everything while it is down, suspect, or busy.

        Cancellation: shielded; the outcome is returned all the same.
        """
        now = trio.current_time()
        deadline = min(now + timeout_s, self._leave_at)
        trip = _Trip(now, request.held, trio.CancelScope(shield=True, deadline=deadline))
        number = self._last = self._last + 1
        text = self.codec.call(request, number) if self.up else None
        if text is not None:
            with trip.scope:
                await self._write(number, text, trip)
                if trip.begun:
                    await trip.over.wait()
        if trip.begun:
            self._forget(number, trip)
            return trip.outcome
        left_s = max(deadline - trio.current_time(), 0.0)
        return await self._rest.send(request, timeout_s=left_s)

    def hurry(self, at: float) -> None:
        """Have every exchange, under way or to come, end by this Trio time: we are leaving."""
        self._leave_at = min(self._leave_at, at)
        for trip in self._open_trips():
            trip.scope.deadline = min(trip.scope.deadline, at)
        self._rest.hurry(at)

    def leave_connections(self) -> None:
        """Have REST leave its own; the socket is its keeper's to drop."""
        self._rest.leave_connections()

    async def aclose(self) -> None:
        """Give up every call under way. The connection itself is its keeper's to close."""
        await trio.lowlevel.checkpoint()
        self._lose_trips("the door was closed")

    # --------------------------------------------------------------------- the connection

    @asynccontextmanager
    async def dial(self, url: str) -> AsyncIterator[Wire]:
        """Open the connection for its keeper. Raises and closes as ``ports.Connect``."""
        async with self._connect(url) as wire:
            self._wire, self._acknowledged, self._reopen = wire, 0, ""
            try:
                yield _Listened(wire, self)
            finally:
                self._wire = None
                self._lose_trips("the connection was lost before the reply")

    async def prepare(self) -> None:
        """Sign in: the greeting carries a token. Raises as ``renew``."""
        await self.renew()

    def hear(self, notice: Notice, at: float) -> bool:
        """Hand a reply to whoever waits for it; count the greetings.

        Raises:
            ConnectionLost: the connection is of no more use and nobody waits for it.
        """
        if isinstance(notice, Acknowledged):
            self._acknowledged += 1
        elif isinstance(notice, Replied):
            trip = self._trips.get(notice.id)
            if trip is not None:
                sent_at = at if trip.sent_at is None else trip.sent_at
                trip.answer = Answer(notice.status, {}, notice.body, sent_at, at)
                trip.over.set()
            if notice.status == HTTP_UNAUTHORIZED:
                self._give_up("its token was refused")
        self.check_use()
        return False

    def lost(self) -> None:
        """The connection ended; ``dial`` has seen to it."""

    def check_use(self) -> None:
        """Raise when the connection takes no more calls and nobody waits for a reply.

        Raises:
            ConnectionLost: it is to be opened anew.
        """
        if self._reopen and not self._open_trips():
            raise ConnectionLost(self.codec.venue, f"opened anew: {self._reopen}")

    async def receive(self, wire: Wire) -> Frame:
        """Read the next message. As ``Wire.receive``; also raises as ``check_use``, at any time."""
        self.check_use()
        with trio.CancelScope() as self._reading:
            return await wire.receive()
        raise ConnectionLost(self.codec.venue, f"opened anew: {self._reopen}")

    # --------------------------------------------------------------------------- insides

    async def _write(self, number: int, text: str, trip: _Trip) -> None:
        """Write one call; it is not begun when the socket is gone or another call takes long."""
        with trio.move_on_after(TURN_S) as patience:
            await self._turn.acquire()
        if patience.cancelled_caught:
            return
        try:
            wire = self._wire
            if wire is None or not self.up or trip.held():
                return  # REST says why it is held.
            trip.begun = True
            self._trips[number] = trip
            await wire.send(text)
            trip.sent_at = trio.current_time()
        except ConnectionLost as lost:
            trip.lose(f"lost while it was sent: {lost.why}")
            self._give_up("a call could not be written")
        finally:
            self._turn.release()

    def _open_trips(self) -> list[_Trip]:
        return [trip for trip in self._trips.values() if not trip.over.is_set()]

    def _lose_trips(self, why: str) -> None:
        for trip in self._open_trips():
            trip.lose(why)

    def _give_up(self, why: str) -> None:
        self._reopen = self._reopen or why

    def _forget(self, number: int, trip: _Trip) -> None:
        del self._trips[number]
        if trip.answer is None and not trip.lost:
            self._give_up("a reply did not come in time")
        if self._reopen and not self._open_trips():
            self._reading.cancel(reason=self._reopen)


class _Listened:
    """The wire as its keeper sees it: reading ends when the door has no more use for it."""

    def __init__(self, wire: Wire, door: WsOrderDoor) -> None:
        self._wire = wire
        self._door = door

    async def send(self, text: str) -> None:
        await self._wire.send(text)

    async def receive(self) -> Frame:
        return await self._door.receive(self._wire)
