"""Two worlds to dial in: memory under a mocked clock, and loopback TLS."""

from __future__ import annotations

import random
import ssl

import h11
import pytest
import trio
import trustme
from trio_websocket import ConnectionClosed, wrap_server_stream

from bot4.transport.http import HttpxDoor
from bot4.transport.memory import pair
from bot4.transport.world import RealWorld


class MemoryWorld:
    """Every dial is met by ``serve(stream)`` in the test's nursery."""

    def __init__(self, nursery):
        self.random = random.Random(1)
        self.nursery = nursery
        self.serve = None
        self.capacity = 1 << 16
        self.before_dial = None
        self.clients = []
        self.dialled = []

    async def dial(self, host, port):
        self.dialled.append((host, port))
        if self.before_dial is not None:
            await self.before_dial()
        client, server = pair(self.capacity)
        self.clients.append(client)
        self.nursery.start_soon(self.serve, server)
        return client

    def wall_ms(self):
        return 1_700_000_000_000 + int(trio.current_time() * 1000)


@pytest.fixture
def memory_world(nursery):
    return MemoryWorld(nursery)


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def server_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def real_world(ca_file):
    return RealWorld(ca_file=ca_file, environ={})


@pytest.fixture
def listen(nursery, server_tls):
    """Serve a handler on loopback TLS and return the port."""

    async def start(handler, tls=server_tls):
        async def serve(stream):
            try:
                await handler(stream)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            finally:
                await trio.aclose_forcefully(stream)

        if tls is None:
            listeners = await nursery.start(trio.serve_tcp, serve, 0)
        else:
            listeners = await nursery.start(trio.serve_ssl_over_tcp, serve, 0, tls)
        listener = getattr(listeners[0], "transport_listener", listeners[0])
        return listener.socket.getsockname()[1]

    return start


@pytest.fixture
def http_server():
    """Make a server of ``answer(stream, request, body)``.

    The answer is a status, or (status, headers, body), or None for "already seen to": then the
    connection ends when the client ends it.
    """

    def make(answer):
        async def serve(stream):
            connection = h11.Connection(h11.SERVER)
            try:
                while True:
                    request, body = None, b""
                    while True:
                        event = connection.next_event()
                        if event is h11.NEED_DATA:
                            connection.receive_data(await stream.receive_some(1 << 16))
                        elif isinstance(event, h11.Request):
                            request = event
                        elif isinstance(event, h11.Data):
                            body += bytes(event.data)
                        else:
                            break
                    if request is None:
                        return
                    said = await answer(stream, request, body)
                    if said is None:
                        while await stream.receive_some(1 << 16):
                            pass
                        return
                    status, headers, text = said if isinstance(said, tuple) else (said, {}, b"")
                    headers = {"Content-Length": str(len(text)), **headers}
                    await stream.send_all(
                        connection.send(
                            h11.Response(status_code=status, headers=[*headers.items()])
                        )
                        + connection.send(h11.Data(data=text))
                        + connection.send(h11.EndOfMessage())
                    )
                    connection.start_next_cycle()
            except (trio.BrokenResourceError, trio.ClosedResourceError, h11.ProtocolError):
                pass
            finally:
                await trio.aclose_forcefully(stream)

        return serve

    return make


@pytest.fixture
def speak():
    """Make a server of ``talk(connection)``; the code it saw at the end is in ``codes``."""
    codes = []

    def make(talk):
        async def serve(stream):
            try:
                async with trio.open_nursery() as session:
                    request = await wrap_server_stream(session, stream)
                    connection = await request.accept()
                    try:
                        await talk(connection)
                    except ConnectionClosed as closed:
                        codes.append(closed.reason.code)
                    else:
                        await connection.aclose()
                    session.cancel_scope.cancel()
            except* (ConnectionClosed, trio.BrokenResourceError):
                pass
            finally:
                await trio.aclose_forcefully(stream)

        return serve

    make.codes = codes
    return make


@pytest.fixture
async def door(memory_world):
    door = HttpxDoor(memory_world, "https://venue.test/v1")
    yield door
    await door.aclose()
