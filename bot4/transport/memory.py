"""A connection without a network: two streams joined by buffers, fit for a mocked clock."""

from __future__ import annotations

import operator
from collections import deque
from typing import Final, Protocol

import attrs
import trio

CAPACITY_BYTES: Final = 1 << 16
"""What one direction holds before its sender waits, as a socket's buffers do."""
RECEIVE_BYTES: Final = 1 << 16


@attrs.frozen
class Carried:
    """What becomes of some bytes on their way."""

    pieces: tuple[tuple[float, bytes], ...]
    """(seconds from now, bytes), in order; what is missing is lost."""
    cut: bool = False
    """The line breaks behind them."""


class Road(Protocol):
    """What lies between the two ends of one direction."""

    def carry(self, data: bytes) -> Carried | None:
        """Say what becomes of these bytes; None lets them arrive at once."""
        ...


class _Pipe:
    """One direction: bytes in order, a possible end, and a possible break."""

    def __init__(self, capacity: int, road: Road | None = None) -> None:
        self.capacity = capacity
        self.data = bytearray()
        self._road = road
        self._late: deque[tuple[float, bytes]] = deque()
        """Bytes on their way, by arrival in Trio time."""
        self._late_bytes = 0
        self.snapped = False
        """The line broke behind what is on its way."""
        self.lost = False
        """Nothing arrives any more, not even the end, and nobody is told."""
        self.ended = False
        """The sender will send no more."""
        self.deaf = False
        """The receiver is gone."""
        self.cut = False
        self._waiting = trio.lowlevel.ParkingLot()

    @property
    def readable(self) -> bool:
        if self._late:
            self._arrive()
        if self.data or self.cut:
            return True
        return not self._late and not self.lost and (self.ended or self.snapped)

    @property
    def room(self) -> int:
        return self.capacity - len(self.data) - self._late_bytes

    def put(self, data: memoryview) -> None:
        """Send bytes on their way."""
        carried = None if self._road is None else self._road.carry(bytes(data))
        if self.lost:
            return
        if carried is None and not self._late:
            self.data += data
        else:
            now = trio.current_time()
            for delay_s, piece in ((0.0, bytes(data)),) if carried is None else carried.pieces:
                last = self._late[-1][0] if self._late else now
                self._late.append((max(now + delay_s, last), piece))
                self._late_bytes += len(piece)
            self.snapped = carried is not None and carried.cut
        self.wake()

    async def wait(self) -> None:
        """Wait until somebody did something at the other end, or bytes are due."""
        if not self._late:
            await self._waiting.park()
            return
        with trio.move_on_at(self._late[0][0]):
            await self._waiting.park()
            return

    def _arrive(self) -> None:
        now = trio.current_time()
        while self._late and self._late[0][0] <= now:
            piece = self._late.popleft()[1]
            self._late_bytes -= len(piece)
            self.data += piece

    def wake(self) -> None:
        self._waiting.unpark_all()

    def break_off(self) -> None:
        self.cut = True
        self.data.clear()
        self._late.clear()
        self._late_bytes = 0
        self.wake()


class _OneAtATime:
    """Refuses a second task where one is inside. A class: it is passed for every few bytes."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._taken = False

    def __enter__(self) -> None:
        if self._taken:
            raise trio.BusyResourceError(f"another task is {self._doing} on this stream")
        self._taken = True

    def __exit__(self, *_: object) -> None:
        self._taken = False


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of a connection made by ``pair``. Implements ``ports.ByteStream``.

    Behaves as a TCP socket: ``aclose`` lets what was sent arrive, then the end; sending to a
    peer that closed breaks. Every method is a checkpoint.

    Raises, in every method: ``trio.BrokenResourceError`` when the link broke,
    ``trio.ClosedResourceError`` after ``aclose``, ``trio.BusyResourceError`` when two tasks
    send, or two receive, at once.
    """

    def __init__(self, outgoing: _Pipe, incoming: _Pipe) -> None:
        self._out = outgoing
        self._in = incoming
        self._closed = False
        self._sending = _OneAtATime("sending")
        self._receiving = _OneAtATime("receiving")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, waiting for room. Cancellation: leaves the link broken."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_sending()
            rest = memoryview(data)
            while rest:
                room = self._out.room
                if room <= 0:
                    await self._wait_for_room()
                    continue
                part = rest[:room]
                self._out.put(part)
                if self._out.snapped:
                    self._in.break_off()
                    self._check_open()
                rest = rest[len(part) :]

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room. Cancellation: safe."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_sending()
            await self._wait_for_room()

    async def send_eof(self) -> None:
        """Send no more; the peer may still. Cancellation: safe."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_open()
            self._out.ended = True
            self._out.wake()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; empty at the end. Cancellation: safe."""
        if max_bytes is not None and operator.index(max_bytes) < 1:
            raise ValueError("at least one byte must be asked for")
        with self._receiving:
            # As a socket: waiting is checkpoint enough.
            if self.is_readable():
                await trio.lowlevel.checkpoint()
            else:
                await self._in.wait()
            self._check_receiving()
            while not self._in.readable:
                await self._in.wait()
                self._check_receiving()
            if self._in.snapped and not self._in.data:
                raise trio.BrokenResourceError("the connection was cut")
            part = bytes(self._in.data[: max_bytes or RECEIVE_BYTES])
            del self._in.data[: len(part)]
            self._in.wake()
            return part

    async def aclose(self) -> None:
        """Close both directions. Cancellation: closes all the same."""
        self.hang_up()
        await trio.lowlevel.checkpoint()

    def is_readable(self) -> bool:
        """Whether bytes, or the end, already wait to be read."""
        return self._closed or self._in.readable

    @property
    def is_over(self) -> bool:
        """Whether nothing can be sent or received here any more."""
        return self._closed or self._out.cut or self._in.cut

    def hang_up(self) -> None:
        """Close both directions now, as a kernel does for a process that died."""
        self._closed = True
        self._out.ended = True
        self._in.deaf = True
        self._in.data.clear()
        self._out.wake()
        self._in.wake()

    def cut(self) -> None:
        """Break both directions at once, as a reset connection: what was under way is lost."""
        self._out.break_off()
        self._in.break_off()

    async def _wait_for_room(self) -> None:
        while self._out.room <= 0:
            await self._out.wait()
            self._check_sending()

    def _check_sending(self) -> None:
        self._check_open()
        if self._out.ended:
            raise trio.ClosedResourceError("nothing may follow the end")
        if self._out.deaf:
            raise trio.BrokenResourceError("the peer closed the connection")

    def vanish(self) -> None:
        """Lose whatever is sent from now on, both ways, and tell nobody."""
        self._out.lost = self._in.lost = True

    def _check_receiving(self) -> None:
        if self._in.snapped and not self._closed and not self._in.cut:
            return  # What came before the break may still be read.
        self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this stream was closed")
        if self._out.cut or self._in.cut:
            raise trio.BrokenResourceError("the connection was cut")


def pair(
    capacity: int = CAPACITY_BYTES, *, up: Road | None = None, down: Road | None = None
) -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of one connection, client first.

    Args:
        capacity: bytes that one direction holds before its sender waits.
        up: what the client's bytes meet on their way; None is nothing.
        down: the same for the server's.
    """
    upwards, downwards = _Pipe(capacity, up), _Pipe(capacity, down)
    return MemoryStream(upwards, downwards), MemoryStream(downwards, upwards)
