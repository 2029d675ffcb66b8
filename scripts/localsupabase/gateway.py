"""Supabase's front door: TLS, ``/rest/v1``, keys to roles; and whatever can go wrong on the way."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import h11
import trio
import trustme

from localsupabase.stack import Stack, role_token

SECRET_KEY: Final = "sb_secret_only_on_this_machine"  # noqa: S105 - opens a test database
PUBLISHABLE_KEY: Final = "sb_publishable_only_on_this_machine"
MOUNT: Final = "/rest/v1"
HOP: Final = frozenset(
    {b"host", b"connection", b"transfer-encoding", b"apikey", b"accept-encoding", b"authorization"}
)
"""Headers that end here."""
PIECE: Final = 65_536


@attrs.frozen
class Fault:
    """What to do to a request instead of answering it."""

    kind: str
    """``drop_before``: cut without passing it on; ``drop_after``: pass it on, then cut;
    ``delay``: wait ``seconds`` and for ``until`` first; ``answer``: this status and body."""
    seconds: float = 0.0
    until: trio.Event | None = None
    status: int = 503
    body: bytes = b""
    content_type: str = "text/html"


@attrs.define
class Gateway:
    """One open front door. Change ``down`` and ``faults`` at any time."""

    stack: Stack
    url: str = ""
    ca_file: Path = Path()
    down: bool = False
    """Every connection is cut at once, new ones too."""
    faults: list[tuple[str, Fault]] = attrs.field(factory=list)
    """(part of the path, fault): the first that fits is used up by a request."""
    always: Fault | None = None
    """For every request, until taken away."""
    seen: list[tuple[str, str, int]] = attrs.field(factory=list)
    """(method, path, status) of each request; status 0 when it was cut."""
    sent: list[bytes] = attrs.field(factory=list)
    """Bodies of the requests, for looking for what must not be there."""
    _open: set[trio.SSLStream[trio.SocketStream]] = attrs.field(factory=set)
    _keys: dict[str, str] = attrs.field(init=False)

    @_keys.default
    def _sign(self) -> dict[str, str]:
        return {SECRET_KEY: role_token("service_role"), PUBLISHABLE_KEY: role_token("anon")}

    def fail(self, kind: str, *, path: str = "", times: int = 1, **how: object) -> None:
        """Do this to the next requests whose path contains ``path``."""
        self.faults += [(path, Fault(kind, **how))] * times  # type: ignore[arg-type]

    async def cut(self) -> None:
        """Be down: cut what is open, refuse what comes, until ``down`` is taken back."""
        self.down = True
        for stream in tuple(self._open):
            await trio.aclose_forcefully(stream.transport_stream)

    async def serve(self, stream: trio.SSLStream[trio.SocketStream]) -> None:
        """Serve one connection."""
        self._open.add(stream)
        try:
            connection = h11.Connection(h11.SERVER)
            while not self.down and await self._exchange(stream, connection):
                connection.start_next_cycle()
        except (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError):
            return
        finally:
            self._open.discard(stream)
            await trio.aclose_forcefully(stream.transport_stream)

    async def _exchange(
        self, stream: trio.SSLStream[trio.SocketStream], connection: h11.Connection
    ) -> bool:
        request, body = await _read_request(stream, connection)
        if request is None:
            return False
        path = request.target.decode()
        self.sent.append(body)
        fault = self._fault(path)
        kind = "" if fault is None else fault.kind
        if fault is not None and kind == "delay":
            await trio.sleep(fault.seconds)
            if fault.until is not None:
                await fault.until.wait()
        if self.down or kind == "drop_before":
            self.seen.append((request.method.decode(), path, 0))
            return False
        if fault is not None and kind == "answer":
            answer = _plain(fault.status, fault.body, fault.content_type)
        else:
            answer = await self._answer(request, body)
        if self.down or kind == "drop_after":
            self.seen.append((request.method.decode(), path, 0))
            return False
        head, content = answer
        self.seen.append((request.method.decode(), path, head.status_code))
        data = connection.send(head) or b""
        if request.method != b"HEAD":
            data += connection.send(h11.Data(content)) or b""
        data += connection.send(h11.EndOfMessage()) or b""
        await stream.send_all(data)
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    def _fault(self, path: str) -> Fault | None:
        for number, (part, fault) in enumerate(self.faults):
            if part in path:
                del self.faults[number]
                return fault
        return self.always

    async def _answer(self, request: h11.Request, body: bytes) -> tuple[h11.Response, bytes]:
        headers = dict(request.headers)
        key = headers.get(b"apikey", b"").decode()
        role = self._keys.get(key)
        if role is None or headers.get(b"authorization") != f"Bearer {key}".encode():
            return _json(401, {"message": "Invalid API key", "hint": "Double check your API key."})
        path = request.target.decode()
        if not path.startswith(f"{MOUNT}/"):
            return _json(404, {"message": "no such service"})
        return await self._pass_on(request, path.removeprefix(MOUNT), body, role)

    async def _pass_on(
        self, request: h11.Request, path: str, body: bytes, role: str
    ) -> tuple[h11.Response, bytes]:
        kept = [(name, value) for name, value in request.headers if name not in HOP]
        headers = [(b"host", b"api"), (b"authorization", f"Bearer {role}".encode()), *kept]
        async with await trio.open_unix_socket(str(self.stack.api)) as upstream:
            connection = h11.Connection(h11.CLIENT)
            wanted = h11.Request(method=request.method, target=path, headers=headers)
            data = (connection.send(wanted) or b"") + (connection.send(h11.Data(body)) or b"")
            await upstream.send_all(data + (connection.send(h11.EndOfMessage()) or b""))
            head: h11.Response | None = None
            content = b""
            while not isinstance(event := await _next(upstream, connection), h11.EndOfMessage):
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    content += event.data
        if head is None:
            return _plain(502, b"", "text/plain")
        own = {b"transfer-encoding", b"content-length", b"connection"}
        kept = [(name, value) for name, value in head.headers if name not in own]
        length = (b"content-length", str(len(content)).encode())
        return h11.Response(status_code=head.status_code, headers=[*kept, length]), content


@asynccontextmanager
async def open_gateway(stack: Stack, folder: Path) -> AsyncIterator[Gateway]:
    """Open a front door on a free port of this machine; its CA's certificate lies in ``folder``.

    Closes: the door and every connection through it.
    """
    authority = trustme.CA()
    gateway = Gateway(stack)
    gateway.ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(gateway.ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    async with trio.open_nursery() as serving:
        plain = await trio.open_tcp_listeners(0, host="127.0.0.1")
        listeners = [trio.SSLListener(listener, context) for listener in plain]
        gateway.url = f"https://127.0.0.1:{plain[0].socket.getsockname()[1]}"
        # The listeners listen already.
        serving.start_soon(trio.serve_listeners, gateway.serve, listeners)  # noqa: ASYNC113
        yield gateway
        serving.cancel_scope.cancel(reason="the test is over")


async def _read_request(
    stream: trio.SSLStream[trio.SocketStream], connection: h11.Connection
) -> tuple[h11.Request | None, bytes]:
    request: h11.Request | None = None
    body = b""
    while not isinstance(event := await _next(stream, connection), h11.EndOfMessage):
        if isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            return None, b""
    return request, body


async def _next(stream: trio.abc.ReceiveStream, connection: h11.Connection) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(bytes(await stream.receive_some(PIECE)))
    return event


def _plain(status: int, body: bytes, content_type: str) -> tuple[h11.Response, bytes]:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    return h11.Response(status_code=status, headers=headers), body


def _json(status: int, body: object) -> tuple[h11.Response, bytes]:
    return _plain(status, json.dumps(body).encode(), "application/json")
