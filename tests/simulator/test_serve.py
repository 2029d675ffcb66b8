from __future__ import annotations

from functools import partial

import pytest
import trio
import trio.lowlevel
from trio.testing import memory_stream_pair
from trio_websocket import ConnectionClosed, wrap_client_stream

from bot4.simulator.serve import HANG, HttpAnswer, serve_http, serve_websocket


@pytest.fixture
def http(nursery):
    """Serve a handler over a memory stream and return the client's end."""

    def serve(handler):
        ours, theirs = memory_stream_pair()
        nursery.start_soon(serve_http, theirs, handler)
        return ours

    return serve


async def read_all(stream):
    data = b""
    with trio.move_on_after(1):
        while part := await stream.receive_some(4096):
            data += part
    return data


async def test_requests_are_answered_one_after_the_other_on_one_connection(autojump_clock, http):
    seen = []

    async def handler(request):
        seen.append((request.method, request.path, request.query, request.body))
        await trio.lowlevel.checkpoint()
        return HttpAnswer(200, {"X-Number": str(len(seen))}, b"hello")

    stream = http(handler)
    first = b"POST /a%20b?x=1&y= HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
    await stream.send_all(first + b"GET /two HTTP/1.1\r\nHost: h\r\n\r\n")
    data = await read_all(stream)

    assert seen == [("POST", "/a b", {"x": "1", "y": ""}, b"hi"), ("GET", "/two", {}, b"")]
    assert data.count(b"hello") == 2
    assert data.index(b"X-Number: 1") < data.index(b"X-Number: 2")


async def test_a_connection_closes_when_asked(autojump_clock, http):
    async def handler(request):
        await trio.lowlevel.checkpoint()
        return HttpAnswer(200, {}, request.headers["connection"].encode())

    stream = http(handler)
    await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")

    assert (await read_all(stream)).endswith(b"close")
    assert await stream.receive_some(1) == b""


async def test_none_cuts_and_hang_waits_for_the_client(autojump_clock, http):
    async def cut(_):
        await trio.lowlevel.checkpoint()

    async def hang(_):
        await trio.lowlevel.checkpoint()
        return HANG

    request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    stream = http(cut)
    await stream.send_all(request)
    with trio.fail_after(1):
        assert await stream.receive_some(1) == b""

    stream = http(hang)
    await stream.send_all(request)
    with trio.move_on_after(100) as waiting:
        await stream.receive_some(1)
    assert waiting.cancelled_caught
    await stream.aclose()


@pytest.mark.parametrize(
    "data", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n", b""]
)
async def test_a_client_that_speaks_nonsense_is_dropped(autojump_clock, http, data):
    async def handler(_):
        raise AssertionError("nothing to handle")

    stream = http(handler)
    if data:
        await stream.send_all(data)
    await stream.send_eof()

    with trio.fail_after(1):
        assert await stream.receive_some(1) == b""


async def send_slowly(stream):
    for _ in range(40):
        await stream.send_all(b"x" * 65536)
        await trio.sleep(0.01)


async def test_a_body_may_not_be_endless(autojump_clock, http):
    async def handler(_):
        raise AssertionError("nothing to handle")

    stream = http(handler)
    await stream.send_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n")
    with pytest.raises(trio.BrokenResourceError):
        await send_slowly(stream)


async def test_a_websocket_gets_its_target_and_a_polite_close(autojump_clock, nursery):
    ours, theirs = memory_stream_pair()

    async def handler(target, headers, connection):
        await connection.send_message(target)

    nursery.start_soon(serve_websocket, theirs, handler)
    connection = await wrap_client_stream(nursery, ours, "somewhere", "/path?x=1")

    assert await connection.get_message() == "/path?x=1"
    with pytest.raises(ConnectionClosed) as closed:
        await connection.get_message()
    assert closed.value.reason.code == 1000


async def test_a_websocket_can_be_refused_by_http(autojump_clock, nursery):
    ours, theirs = memory_stream_pair()

    async def handler(*_):
        raise AssertionError("refused before")

    def refuse(target, _):
        return 400 if target == "/bad" else None

    nursery.start_soon(partial(serve_websocket, theirs, handler, refuse=refuse))
    await ours.send_all(
        b"GET /bad HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )

    assert (await read_all(ours)).startswith(b"HTTP/1.1 400")


async def test_a_client_that_vanishes_ends_the_session(autojump_clock):
    ours, theirs = memory_stream_pair()

    async def handler(_target, _headers, connection):
        await connection.get_message()

    with trio.fail_after(10):
        async with trio.open_nursery() as serving:
            serving.start_soon(serve_websocket, theirs, handler)
            connection = await wrap_client_stream(serving, ours, "h", "/")
            await trio.aclose_forcefully(ours)
            with pytest.raises(ConnectionClosed):
                await connection.get_message()
