"""trio-websocket behind ``ports.Wire``. The only module of the bot that imports it.

One session is one nursery: the library's reader task lives in it, and whatever kills the reader
(a ping between two close frames does, upstream issue 184) ends this session and nothing else.
No URL reaches an exception: Vest's private one carries the listen key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, cast
from urllib.parse import parse_qsl, urlsplit

import attrs
import trio
import trio_websocket
from wsproto.utilities import ProtocolError

from bot4.errors import ConnectionLost, HandshakeRefused, leaves
from bot4.ports import ByteStream, Frame, World
from bot4.secret import mask

CONNECT_LIMIT_S: Final = 3.0
"""Dial and handshake together. Source: ours; a reconnection has 5 s in all."""
CLOSE_LIMIT_S: Final = 1.0
"""For the venue to wave back."""
QUEUE_FRAMES: Final = 64
"""Above 1, so that one slow frame does not stop the library from answering pings."""
BIGGEST_MESSAGE_BYTES: Final = 1 << 20
HTTPS_PORT: Final = 443
ABNORMAL: Final = 1006
"""Never on the wire: the link ended without a farewell. Source: RFC 6455, 7.4.1."""
LEAST_SECRET: Final = 8
"""Characters. A shorter value of a URL's query is a word that everybody may see."""
_BROKEN: Final = (
    trio_websocket.ConnectionClosed,
    trio_websocket.HandshakeError,
    ProtocolError,  # Both sides' kind: the library lets wsproto's own through.
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    OSError,
)


@attrs.frozen
class _Place:
    """Where a URL leads, and what of it must not be repeated."""

    host: str
    port: int
    resource: str = attrs.field(repr=False)
    hidden: tuple[str, ...] = attrs.field(repr=False)

    @property
    def host_header(self) -> str:
        return self.host if self.port == HTTPS_PORT else f"{self.host}:{self.port}"

    def clean(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, "...")
        return mask(text)


class _Link(trio.abc.Stream):
    """A dialled stream that notes when it last brought bytes, and tells of its end.

    The library waits for ever for a handshake that ended without an answer; ``on_end`` does not.
    """

    def __init__(self, stream: ByteStream, on_end: Callable[[], None]) -> None:
        self._stream = stream
        self._on_end = on_end
        self.read_at = trio.current_time()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        try:
            data = await self._stream.receive_some(max_bytes)
        except trio.BrokenResourceError:
            self._on_end()
            raise
        self.read_at = trio.current_time()
        if not data:
            self._on_end()
        return data

    async def aclose(self) -> None:
        self._on_end()
        await self._stream.aclose()


class WebSocketWire:
    """One open WebSocket connection. Implements ``ports.Wire``."""

    def __init__(
        self,
        venue: str,
        place: _Place,
        link: _Link,
        connection: trio_websocket.WebSocketConnection,
    ) -> None:
        self._venue = venue
        self._place = place
        self._link = link
        self.connection = connection
        self.dead = False
        """A send was cancelled half way: nothing more can be said or believed."""

    async def send(self, text: str) -> None:
        """Send one text message.

        Raises:
            ConnectionLost: the link broke, was closed, or an earlier send was cancelled.

        Cancellation: leaves the link broken; abandon it.
        """
        self._check_alive()
        try:
            with _as_connection_lost(self._venue, self._place):
                await self.connection.send_message(text)
        except trio.Cancelled:
            self.dead = True
            raise

    async def receive(self) -> Frame:
        """Wait for the next message.

        ``received_at`` is when its last bytes were read from the network, at most: a frame that
        waited in the queue behind a full one is never younger than it says.

        Raises:
            ConnectionLost: the link broke or was closed.

        Cancellation: safe.
        """
        self._check_alive()
        with _as_connection_lost(self._venue, self._place):
            message = await self.connection.get_message()
        return Frame(message, self._link.read_at)

    def _check_alive(self) -> None:
        if self.dead:
            raise ConnectionLost(self._venue, "a message was abandoned half way")


@asynccontextmanager
async def connect(world: World, venue: str, url: str) -> AsyncIterator[WebSocketWire]:
    """Open a WebSocket; leaving the block normally closes it with 1000 and waits briefly.

    An exception or a cancellation ends the connection at once, without a farewell. Should the
    library's reader die of something, the block is ended too, by ``ConnectionLost``.

    Raises:
        ConnectionLost: no connection within ``CONNECT_LIMIT_S``, or the venue refused it.
        ValueError: not a wss URL.

    Cancellation: leaves the link broken.
    """
    place = _place_of(url)
    deadline = trio.current_time() + CONNECT_LIMIT_S
    stream = await _dial(world, venue, place, deadline)
    failure: Exception | None = None
    left = False
    try:
        async with trio.open_nursery() as session:
            try:
                wire = await _shake_hands(session, stream, venue, place, deadline)
                yield wire
            except Exception as error:  # noqa: BLE001 - carried past the nursery's group
                failure = error
            else:
                left = True
                await _say_goodbye(wire)
            session.cancel_scope.cancel(reason="the session was left")
    except* Exception as deaths:  # noqa: BLE001 - see below
        # What the block raised is in ``failure``, so this is the library's reader, which lets
        # wsproto's and h11's errors through. It no longer matters when the block had ended.
        if failure is None and not left:
            failure = _lost(venue, next(leaves(deaths)), place)
    finally:
        await trio.aclose_forcefully(cast("trio.abc.AsyncResource", stream))
    if failure is not None:
        raise failure


def _place_of(url: str) -> _Place:
    parts = urlsplit(url)
    if parts.scheme != "wss" or not parts.hostname:
        raise ValueError("a WebSocket needs a wss URL")
    resource = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    values = [pair.partition("=")[2] for pair in parts.query.split("&")]
    values += [value for _, value in parse_qsl(parts.query)]
    # A version or a flag is no secret, and hiding it would eat every digit of the venue's words.
    # Longest first: a text inside another must not leave the other's ends standing.
    secrets = {value for value in values if len(value) >= LEAST_SECRET}
    return _Place(
        host=parts.hostname,
        port=parts.port or HTTPS_PORT,
        resource=resource,
        hidden=tuple(sorted(secrets, key=lambda text: (-len(text), text))),
    )


async def _dial(world: World, venue: str, place: _Place, deadline: float) -> ByteStream:
    with trio.CancelScope(deadline=deadline):
        with _as_connection_lost(venue, place):
            return await world.dial(place.host, place.port)
    raise ConnectionLost(venue, f"no connection within {CONNECT_LIMIT_S:g} s")


async def _shake_hands(
    session: trio.Nursery, stream: ByteStream, venue: str, place: _Place, deadline: float
) -> WebSocketWire:
    with trio.CancelScope(deadline=deadline) as opening:
        link = _Link(stream, opening.cancel)
        connection = await trio_websocket.wrap_client_stream(
            session,
            # Its annotation is narrower than its documentation: any stream will do.
            cast("trio.SocketStream", link),
            place.host_header,
            place.resource,
            extra_headers=[(b"user-agent", b"bot4")],
            message_queue_size=QUEUE_FRAMES,
            max_message_size=BIGGEST_MESSAGE_BYTES,
            receive_buffer_size=None,
        )
        return WebSocketWire(venue, place, link, connection)
    if trio.current_time() < deadline:
        raise ConnectionLost(venue, "hung up during the handshake")
    raise ConnectionLost(venue, f"no WebSocket within {CONNECT_LIMIT_S:g} s")


async def _say_goodbye(wire: WebSocketWire) -> None:
    if not wire.dead:
        with trio.move_on_after(CLOSE_LIMIT_S):
            await wire.connection.aclose()


@contextmanager
def _as_connection_lost(venue: str, place: _Place) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        # From None: the library's exceptions carry headers and bodies.
        raise _lost(venue, error, place) from None


def _lost(venue: str, error: BaseException, place: _Place) -> ConnectionLost:
    why = _why(error, place)
    if isinstance(error, trio_websocket.ConnectionRejected):
        return HandshakeRefused(venue, why, error.status_code)
    return ConnectionLost(venue, why)


def _why(error: BaseException, place: _Place) -> str:
    """Say what happened in words of ours: nothing of the URL, no header, no body."""
    if isinstance(error, trio_websocket.ConnectionRejected):
        return f"the handshake was refused with HTTP {error.status_code}"
    if isinstance(error, trio_websocket.ConnectionClosed):
        reason = error.reason
        if reason is None or reason.code == ABNORMAL:
            return "the connection broke"
        words = f": {reason.reason}" if reason.reason else ""
        return place.clean(f"closed with {reason.code} {reason.name}{words}")
    return place.clean(f"{type(error).__name__}: {error}")
