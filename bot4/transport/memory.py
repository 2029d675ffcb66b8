"""A connection without a network: two streams joined by buffers, fit for a mocked clock."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio

CAPACITY_BYTES: Final = 1 << 16
"""What one direction holds before its sender waits, as a socket's buffers do."""
RECEIVE_BYTES: Final = 1 << 16


class _Pipe:
    """One direction: bytes in order, a possible end, and a possible break."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.data = bytearray()
        self.ended = False
        """The sender will send no more."""
        self.deaf = False
        """The receiver is gone."""
        self.cut = False
        self._waiting = trio.lowlevel.ParkingLot()

    @property
    def readable(self) -> bool:
        return bool(self.data) or self.ended or self.cut

    @property
    def room(self) -> int:
        return self.capacity - len(self.data)

    async def wait(self) -> None:
        await self._waiting.park()

    def wake(self) -> None:
        self._waiting.unpark_all()

    def break_off(self) -> None:
        self.cut = True
        self.data.clear()
        self.wake()


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
        self._sending = False
        self._receiving = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, waiting for room. Cancellation: leaves the link broken."""
        with self._alone_sending():
            await trio.lowlevel.checkpoint()
            self._check_sending()
            rest = memoryview(data)
            while rest:
                await self._wait_for_room()
                part = rest[: self._out.room]
                self._out.data += part
                self._out.wake()
                rest = rest[len(part) :]

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room. Cancellation: safe."""
        with self._alone_sending():
            await trio.lowlevel.checkpoint()
            self._check_sending()
            await self._wait_for_room()

    async def send_eof(self) -> None:
        """Send no more; the peer may still. Cancellation: safe."""
        with self._alone_sending():
            await trio.lowlevel.checkpoint()
            self._check_open()
            self._out.ended = True
            self._out.wake()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; empty at the end. Cancellation: safe."""
        if max_bytes is not None and operator.index(max_bytes) < 1:
            raise ValueError("at least one byte must be asked for")
        with self._alone_receiving():
            await trio.lowlevel.checkpoint()
            self._check_open()
            while not self._in.readable:
                await self._in.wait()
                self._check_open()
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

    @contextmanager
    def _alone_sending(self) -> Iterator[None]:
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this stream")
        self._sending = True
        try:
            yield
        finally:
            self._sending = False

    @contextmanager
    def _alone_receiving(self) -> Iterator[None]:
        if self._receiving:
            raise trio.BusyResourceError("another task is receiving on this stream")
        self._receiving = True
        try:
            yield
        finally:
            self._receiving = False

    def _check_sending(self) -> None:
        self._check_open()
        if self._out.ended:
            raise trio.ClosedResourceError("nothing may follow the end")
        if self._out.deaf:
            raise trio.BrokenResourceError("the peer closed the connection")

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this stream was closed")
        if self._out.cut or self._in.cut:
            raise trio.BrokenResourceError("the connection was cut")


def pair(capacity: int = CAPACITY_BYTES) -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of one connection, client first.

    Args:
        capacity: bytes that one direction holds before its sender waits.
    """
    up, down = _Pipe(capacity), _Pipe(capacity)
    return MemoryStream(up, down), MemoryStream(down, up)
