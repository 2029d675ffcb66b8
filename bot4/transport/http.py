"""The HTTP door: a Request goes in; an Answer, NotSent or InDoubt comes out.

What became of a request that failed is told by how far it had got, never by the error's name:

=====================================================  =========
failed                                                 outcome
=====================================================  =========
before its head was handed over: no connection, no     NotSent
free slot, refused by our own HTTP library
from the first byte on: cut, timed out, unreadable,    InDoubt
undecodable, too long, no answer
=====================================================  =========

Nothing is ever sent twice. A kept connection that the venue closed meanwhile is noticed before
it is used; when the close and the request cross, the request is in doubt.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from bot4.ports import Answer, InDoubt, NotSent, Request, World

if TYPE_CHECKING:
    import httpx

BIGGEST_ANSWER_BYTES: Final = 4 << 20
"""A longer answer is not read to its end. Source: ours; a list of all markets takes 0.3 MiB."""
CLOSE_LIMIT_S: Final = 1.0
MARGIN_S: Final = 0.01
"""httpx's own limits end this much before the total one: they cost one connection, it costs all."""
_HEADERS: Final = {
    "user-agent": "bot4",
    "accept": "*/*",
    "accept-encoding": "gzip",
}


class HttpxDoor:
    """Requests to one venue over warm connections. Implements ``ports.HttpDoor``."""

    def __init__(self, world: World, base_url: str) -> None:
        """Prepare; nothing is dialled before the first request.

        Args:
            world: the way out.
            base_url: ``https://host[:port][/path]``, what every request's path is appended to.

        Raises:
            ValueError: not an https URL.
        """
        import httpx  # Slow to import, and not needed by every command.

        # httpx tells whole URLs at INFO, and one of ours carries a key.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        if not base_url.startswith("https://") or not httpx.URL(base_url).host:
            raise ValueError("the door needs an https URL")
        self._world = world
        self._base_url = base_url.rstrip("/")
        self._urls: dict[str, httpx.URL] = {}
        self._line = self._new_line()
        self._left: list[_Line] = []
        """Retired while idle: closed after the next exchange, so that it need not wait."""
        self._leave_at = inf
        self._under_way: set[trio.CancelScope] = set()

    async def send(self, request: Request, *, timeout_s: float) -> Answer | NotSent | InDoubt:
        """Send one request and wait for its answer, at most ``timeout_s``.

        Never raises for a network fault.

        Raises:
            ValueError: the request's path or headers cannot be written (a bug of the codec).

        Cancellation: shielded; the outcome is returned all the same. May take ``timeout_s``, and
        a moment more where a broken connection must be closed.
        """
        until = min(trio.current_time() + timeout_s, self._leave_at)
        exchange = _Exchange(until, request.held)
        message = self._message(request, exchange)
        line = self._line
        outcome: Answer | NotSent | InDoubt | None = None
        line.users += 1
        scope = trio.CancelScope(shield=True, deadline=exchange.deadline)
        self._under_way.add(scope)
        try:
            with scope:
                outcome = await exchange.run(line.client, message)
        finally:
            self._under_way.discard(scope)
            line.users -= 1
        if outcome is None:
            # Cancelling inside httpcore can lose a slot for ever: this pool takes no more.
            self._retire(line)
            outcome = exchange.failed("no complete answer in time")
        idle, self._left = self._left, []
        for over in {line, *idle}:
            if over.retired and not over.users:
                await _close(over)
        return outcome

    def hurry(self, at: float) -> None:
        """Have every exchange, under way or to come, end by this Trio time: we are leaving."""
        self._leave_at = min(self._leave_at, at)
        for scope in self._under_way:
            scope.deadline = min(scope.deadline, at)

    def leave_connections(self) -> None:
        """Send what comes next over new connections; what is under way ends where it is."""
        self._left.append(self._line)
        self._retire(self._line)

    async def warm(self, path: str, *, connections: int = 1, timeout_s: float = 3.0) -> int:
        """Ask for a harmless path over several connections at once; return how many answered.

        Cancellation: shielded as ``send`` is.
        """
        answered: list[Answer] = []

        async def ask() -> None:
            outcome = await self.send(Request("GET", path), timeout_s=timeout_s)
            if isinstance(outcome, Answer):
                answered.append(outcome)

        async with trio.open_nursery() as asking:
            for _ in range(connections):
                asking.start_soon(ask)
        return len(answered)

    async def aclose(self) -> None:
        """Close every connection; requests under way end as they may.

        Cancellation: may take ``CLOSE_LIMIT_S``, and closes all the same.
        """
        self._line.retired = True
        for line in (self._line, *self._left):
            await _close(line)

    def _message(self, request: Request, exchange: _Exchange) -> httpx.Request:
        import httpx

        url = self._urls.get(request.path)
        if url is None:
            if not request.path.startswith("/"):
                raise ValueError("a request's path starts with a slash")
            url = httpx.URL(self._base_url + request.path)
            if "?" not in request.path:  # Queries are all different, and may carry a key.
                self._urls[request.path] = url
        given = {name.lower() for name in request.headers}
        headers = {name: text for name, text in _HEADERS.items() if name not in given}
        return httpx.Request(
            request.method,
            url,
            headers={**headers, **request.headers},
            content=request.body or None,
            extensions={"timeout": exchange.timeouts, "trace": exchange.trace},
        )

    def _new_line(self) -> _Line:
        from bot4.transport.pool import open_client

        return _Line(open_client(self._world))

    def _retire(self, line: _Line) -> None:
        line.retired = True
        if line is self._line:
            self._line = self._new_line()


@attrs.define(eq=False)
class _Line:
    """A client with its pool, and how many requests are on it."""

    client: httpx.AsyncClient
    users: int = 0
    retired: bool = False
    """No new request; closed when its last one has ended."""


async def _close(line: _Line) -> None:
    with trio.move_on_after(CLOSE_LIMIT_S, shield=True):
        await line.client.aclose()


class _Unreadable(Exception):
    """The answer came and cannot be used."""


_TOO_LONG: Final = "the answer is too long"


def _decoded(raw: bytes, encoding: str) -> bytes:
    """Undo the one encoding that we ask for, never growing beyond the limit."""
    if len(raw) > BIGGEST_ANSWER_BYTES:
        raise _Unreadable(_TOO_LONG)
    if not raw or encoding in {"", "identity"}:
        return raw
    if encoding != "gzip":
        raise _Unreadable("the answer has an encoding we did not ask for")
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # With gzip's header.
    try:
        body = unpacking.decompress(raw, BIGGEST_ANSWER_BYTES + 1)
    except zlib.error:
        raise _Unreadable("the answer cannot be unpacked") from None
    if len(body) > BIGGEST_ANSWER_BYTES:
        raise _Unreadable(_TOO_LONG)
    if not unpacking.eof:
        raise _Unreadable("the packed answer has no end")
    return body


class _Held(Exception):
    """Its sender wants the request to stay here after all; nothing of it has left."""


class _Exchange:
    """One request on its way: how far it got, and how long each step may still take."""

    def __init__(self, deadline: float, held: Callable[[], str]) -> None:
        self.deadline = deadline
        self._held = held
        self.timeouts: dict[str, float] = {}
        self._begun = False
        self._sent_at: float | None = None
        self._give_time()

    async def run(
        self, client: httpx.AsyncClient, message: httpx.Request
    ) -> Answer | NotSent | InDoubt:
        import httpx

        raw = bytearray()
        try:
            response = await client.send(message, stream=True)
            try:
                async for part in response.aiter_raw():
                    raw += part
                    if len(raw) > BIGGEST_ANSWER_BYTES:
                        # Not a return: the generators below would be left to the collector. The
                        # next read ends them all.
                        await response.extensions["network_stream"].aclose()
            finally:
                await response.aclose()
            body = _decoded(bytes(raw), response.headers.get("content-encoding", ""))
        except httpx.HTTPError as error:
            too_long = len(raw) > BIGGEST_ANSWER_BYTES
            return self.failed(_TOO_LONG if too_long else f"{type(error).__name__}: {error}")
        except (_Unreadable, _Held) as error:
            return self.failed(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, bytes may have left
            return self.failed(type(error).__name__)
        received_at = trio.current_time()
        return Answer(
            status=response.status_code,
            headers={name.lower(): text for name, text in response.headers.items()},
            body=body,
            # A venue may answer before it has read everything.
            sent_at=received_at if self._sent_at is None else self._sent_at,
            received_at=received_at,
        )

    def failed(self, why: str) -> NotSent | InDoubt:
        """Return what a failure at this point means."""
        return InDoubt(why, self._sent_at) if self._begun else NotSent(why)

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Follow httpcore's steps. Source: httpcore docs, Extensions, "trace", seen 2026-11."""
        if event == "http11.send_request_headers.started":
            # A connection may have had to be opened first: much may have changed meanwhile.
            if why := self._held():
                raise _Held(why)
            self._begun = True
        elif event == "http11.send_request_headers.failed":
            # Headers that h11 refuses to write: the only failure in which nothing was written.
            self._begun = type(info["exception"]).__name__ != "LocalProtocolError"
        elif event == "http11.send_request_body.complete":
            self._sent_at = trio.current_time()
        self._give_time()

    def _give_time(self) -> None:
        left_s = max(self.deadline - trio.current_time() - MARGIN_S, 0.0)
        # httpcore looks these up at the start of each step.
        for step in ("connect", "pool", "write", "read"):
            self.timeouts[step] = left_s
