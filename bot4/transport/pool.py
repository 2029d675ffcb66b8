"""httpx over our own streams: httpcore's connection pool, dialling through ``ports.World``.

httpx's own transport takes no network backend, so this is the little that lies between the two.
TLS is the world's affair: a stream that ``dial`` returns is encrypted already, and httpcore's
wish to start TLS is answered with the same stream.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any, Final, Self, cast

import httpcore
import httpx
import trio

from bot4.ports import ByteStream, World

MAX_CONNECTIONS: Final = 16
"""Orders, cancels and questions at once, with room for a fast retry. Source: ours."""
KEEPALIVE_S: Final = 240.0
"""How long an idle connection stays usable: a bot that trades every few minutes must not pay a
handshake before an order. A connection that the venue closed is noticed before it is used."""

_HTTPX_OF: Final[dict[type[Exception], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}
"""httpcore raises these, and no subclass of them."""


def open_client(world: World) -> httpx.AsyncClient:
    """Return a client whose connections are the world's; HTTP/1.1, no environment, no redirects.

    Closes: nothing by itself; the caller closes the client.
    """
    return httpx.AsyncClient(
        transport=_PoolTransport(world), trust_env=False, follow_redirects=False
    )


class _PoolTransport(httpx.AsyncBaseTransport):
    def __init__(self, world: World) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            # Never used (see start_tls), but without one httpcore builds a full context, 40 ms.
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_S,
            http1=True,
            http2=False,
            retries=0,
            network_backend=_WorldBackend(world),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        with _as_httpx():
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=url.raw_scheme,
                        host=url.raw_host,
                        port=url.port,
                        target=url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=_Piece(request.content),
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Piece:
    """A request's body, whole.

    Not an asynchronous generator, as httpx's and httpcore's own are: one that a failed connection
    never finished would be left to the collector.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces([self._body] if self._body else [])


class _Pieces:
    def __init__(self, left: list[bytes]) -> None:
        self._left = left

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


class _Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """The answer's body, part by part; an iterator, because a generator can be left behind."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response
        self._parts = aiter(cast("AsyncIterable[bytes]", response.stream))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        with _as_httpx():
            return await anext(self._parts)

    async def aclose(self) -> None:
        await self._response.aclose()


class _WorldBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, world: World) -> None:
        self._world = world

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        with _as_httpcore(httpcore.ConnectError, httpcore.ConnectTimeout):
            with trio.fail_after(inf if timeout is None else timeout):
                return _WorldStream(await self._world.dial(host, port))

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)


class _WorldStream(httpcore.AsyncNetworkStream):
    """Adapts a ``ByteStream``, and sends head and body of a request as one piece.

    httpcore writes the head, the body and, as the end of the message, nothing. What is written is
    kept until that empty write, or until somebody wants to read: one TLS record and one system
    call less for each request.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._unsent = bytearray()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        await self._flush(timeout)
        with _as_httpcore(httpcore.ReadError, httpcore.ReadTimeout):
            with trio.fail_after(inf if timeout is None else timeout):
                return bytes(await self._stream.receive_some(max_bytes))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._unsent += buffer
        if not buffer:
            await self._flush(timeout)

    async def _flush(self, timeout: float | None) -> None:  # noqa: ASYNC109
        if not self._unsent:
            return
        piece, self._unsent = self._unsent, bytearray()
        with _as_httpcore(httpcore.WriteError, httpcore.WriteTimeout):
            with trio.fail_after(inf if timeout is None else timeout):
                await self._stream.send_all(piece)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.is_readable() if info == "is_readable" else None


@contextmanager
def _as_httpcore(broken: type[Exception], late: type[Exception]) -> Iterator[None]:
    try:
        yield
    except trio.TooSlowError:
        raise late from None
    except (trio.BrokenResourceError, trio.ClosedResourceError, OSError) as error:
        raise broken(str(error)) from error


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except tuple(_HTTPX_OF) as error:
        raise _HTTPX_OF[type(error)](str(error)) from error
