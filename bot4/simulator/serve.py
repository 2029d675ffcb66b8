"""HTTP/1.1 and WebSocket servers over any Trio stream: the simulator owns no socket here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import h11
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionTimeout,
    WebSocketConnection,
    wrap_server_stream,
)
from wsproto.utilities import ProtocolError

MAX_BODY_BYTES: Final = 1 << 20
RECEIVE_BYTES: Final = 1 << 16
BROKEN: Final = (
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.BusyResourceError,
    OSError,
)


@attrs.frozen
class HttpRequest:
    """One request. ``path`` is decoded and has no query; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@attrs.frozen
class HttpAnswer:
    """One answer; content-length is added by the server."""

    status: int
    headers: dict[str, str] = attrs.field(factory=dict)
    body: bytes = b""


@attrs.frozen
class Hang:
    """Say nothing more on this connection, and keep it open until the client gives up."""


HANG: Final = Hang()

Answered = HttpAnswer | Hang | None
HttpHandler = Callable[[HttpRequest], Awaitable[Answered]]
WebSocketHandler = Callable[[str, dict[str, str], WebSocketConnection], Awaitable[None]]


async def serve_http(stream: trio.abc.Stream, handler: HttpHandler) -> None:
    """Answer requests on one connection until either side ends it; always closes the stream.

    The handler returns an answer, ``HANG`` to let the client wait, or None to cut the
    connection at once. Requests on a connection are handled one after the other.

    Cancellation: closes the stream forcefully.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_BODY_BYTES)
    try:
        while True:
            request = await _read_request(stream, connection)
            if request is None:
                break
            answer = await handler(request)
            if isinstance(answer, Hang):
                await _wait_for_end(stream)
                break
            if answer is None or not await _send(stream, connection, answer):
                break
    except (*BROKEN, h11.RemoteProtocolError):
        pass  # The client hung up or spoke something else: nothing to answer to.
    finally:
        await trio.aclose_forcefully(stream)


async def _read_request(stream: trio.abc.Stream, connection: h11.Connection) -> HttpRequest | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                await stream.send_all(connection.send(go_on) or b"")
            connection.receive_data(bytes(await stream.receive_some(RECEIVE_BYTES)))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                return None
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _as_request(head, bytes(body))
        else:
            return None


def _as_request(head: h11.Request, body: bytes) -> HttpRequest:
    target = urlsplit(head.target.decode("latin-1"))
    return HttpRequest(
        method=head.method.decode("ascii"),
        path=unquote(target.path),
        query=dict(parse_qsl(target.query, keep_blank_values=True)),
        headers={n.decode("ascii"): v.decode("latin-1") for n, v in head.headers},
        body=body,
    )


async def _send(stream: trio.abc.Stream, connection: h11.Connection, answer: HttpAnswer) -> bool:
    """Send an answer; return whether the connection can carry another request."""
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    parts = [
        connection.send(h11.Response(status_code=answer.status, headers=list(headers.items()))),
        connection.send(h11.Data(data=answer.body)),
        connection.send(h11.EndOfMessage()),
    ]
    await stream.send_all(b"".join(part or b"" for part in parts))
    if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


async def _wait_for_end(stream: trio.abc.Stream) -> None:
    while await stream.receive_some(RECEIVE_BYTES):
        pass


async def serve_websocket(
    stream: trio.abc.Stream,
    handler: WebSocketHandler,
    *,
    refuse: Callable[[str, dict[str, str]], int | None] | None = None,
) -> None:
    """Serve one WebSocket connection; always closes the stream.

    The handler gets the request target (path and query), the lower-case headers and the open
    connection; when it returns the connection is closed with code 1000, unless it closed it
    with another one. A client that goes away ends the handler by ConnectionClosed, which is
    absorbed here.

    Args:
        stream: the connection, TLS already taken off.
        handler: talks to the client until one of them has enough.
        refuse: looks at target and headers before the handshake; an HTTP status refuses it.

    Cancellation: closes the stream forcefully, without a closing handshake.
    """
    try:
        # One nursery for each session: it also absorbs what trio-websocket's reader lets out.
        async with trio.open_nursery() as session:
            request = await wrap_server_stream(session, stream)
            headers = {n.decode("ascii").lower(): v.decode("latin-1") for n, v in request.headers}
            status = refuse(request.path, headers) if refuse is not None else None
            if status is not None:
                await request.reject(status, body=b"")
            else:
                connection = await request.accept()
                await handler(request.path, headers, connection)
                await connection.aclose()
            session.cancel_scope.cancel(reason="the session is over")
    except* (*BROKEN, ConnectionClosed, ConnectionTimeout, ProtocolError):
        pass  # The client went away, or never spoke WebSocket: nothing to tell it.
    finally:
        await trio.aclose_forcefully(stream)
