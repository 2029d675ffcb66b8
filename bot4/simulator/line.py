"""The line between a client and a venue's WebSocket: bytes come late, both ways, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

CHUNK_BYTES: Final = 1 << 16
MOST_MESSAGES: Final = 4096
"""On their way, each way; a sender waits when there are more."""
BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError)


async def serve_over_line(
    stream: trio.abc.Stream,
    way_s: Callable[[], float],
    serve: Callable[[trio.abc.Stream], Awaitable[None]],
) -> None:
    """Serve one connection whose bytes travel a line; closes the stream.

    Nothing overtakes on one connection: a slow trip holds up all that follows it. What was sent
    before the server closed still arrives.

    Args:
        stream: the connection, TLS already taken off.
        way_s: seconds of one trip, asked once for each message each way.
        serve: serves the connection and closes what it is given.

    Cancellation: closes the stream forcefully; what is on its way is lost.
    """
    line = LineStream(stream, Way(way_s), Way(way_s))
    try:
        async with trio.open_nursery() as tasks:
            tasks.start_soon(line.keep_receiving)
            tasks.start_soon(_serve, serve, line)
            await line.keep_sending()
            tasks.cancel_scope.cancel(reason="what was sent has arrived, or cannot")
    finally:
        await trio.aclose_forcefully(stream)


async def _serve(serve: Callable[[trio.abc.Stream], Awaitable[None]], line: LineStream) -> None:
    try:
        await serve(line)
    finally:
        await trio.aclose_forcefully(line)


@attrs.define(eq=False)
class Way:
    """Messages one way, oldest first, each with the Trio time at which it arrives."""

    _way_s: Callable[[], float]
    _sent: deque[tuple[float, bytes]] = attrs.field(factory=deque)
    _changed: trio.Event = attrs.field(factory=trio.Event)
    _last_at: float = 0.0
    ended: bool = False

    async def put(self, data: bytes) -> None:
        """Send a message on its way; waits for room. Cancellation: it is not sent."""
        await trio.lowlevel.checkpoint()
        while len(self._sent) >= MOST_MESSAGES and not self.ended:
            await self._changed.wait()
        if not self.ended:
            self._last_at = max(self._last_at, trio.current_time() + self._way_s())
            self._sent.append((self._last_at, data))
            self._wake()

    async def take(self) -> bytes:
        """Return the next message when it arrives, nothing after the last. Cancellation: safe."""
        await trio.lowlevel.checkpoint()
        while not self._sent:
            if self.ended:
                return b""
            await self._changed.wait()
        await trio.sleep_until(self._sent[0][0])
        _, data = self._sent.popleft()
        self._wake()
        return data

    def end(self) -> None:
        """Take nothing more; what is on its way still arrives."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


@attrs.define(eq=False)
class LineStream(trio.abc.Stream):
    """The server's end of a connection over a line."""

    _stream: trio.abc.Stream
    _up: Way
    """To the server."""
    _down: Way
    _left: bytes = b""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes on their way.

        Raises:
            BrokenResourceError: the client is gone, or this end was closed.
        """
        if self._down.ended:
            await trio.lowlevel.checkpoint()
            raise trio.BrokenResourceError
        await self._down.put(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        """Return at once: what waits, waits in ``send_all``."""
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return bytes that have arrived, none when the client has ended."""
        data = self._left or await self._up.take()
        most = len(data) if max_bytes is None else max_bytes
        self._left = data[most:]
        return data[:most]

    async def aclose(self) -> None:
        """Send nothing more. What is on its way still arrives, then the stream closes."""
        self._down.end()
        await trio.lowlevel.checkpoint()

    async def keep_receiving(self) -> None:
        """Put what the client sends on its way up, until the client ends."""
        try:
            while data := await self._stream.receive_some(CHUNK_BYTES):
                await self._up.put(bytes(data))
        except BROKEN:
            pass  # The client is gone: what it had sent still arrives.
        self._up.end()

    async def keep_sending(self) -> None:
        """Give the client what arrives there, until the server has closed and all is there."""
        try:
            while data := await self._down.take():
                await self._stream.send_all(data)
        except BROKEN:
            pass  # The client is gone: nobody is left to tell.
        self._down.end()
