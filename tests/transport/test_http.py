"""The door over memory streams: what an answer carries, what is refused, what is never said."""

from __future__ import annotations

import gzip
import logging

import pytest
import trio
import trio.testing

from bot4.ports import Answer, Request
from bot4.transport.http import HttpxDoor

ORDER = Request("POST", "/orders", {"Content-Type": "application/json"}, b'{"size":"1"}')


async def test_an_answer_carries_status_headers_body_and_both_times(
    autojump_clock, door, memory_world, http_server
):
    seen = []

    async def answer(stream, request, body):
        seen.append((request.method, request.target, dict(request.headers), body))
        await trio.sleep(0.3)
        return 201, {"X-Thing": "yes"}, b'{"ok":true}'

    memory_world.serve = http_server(answer)
    before = trio.current_time()

    outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (201, b'{"ok":true}')
    assert outcome.headers["x-thing"] == "yes"
    assert outcome.sent_at == before
    assert outcome.received_at == pytest.approx(before + 0.3)
    method, target, headers, body = seen[0]
    assert (method, target, body) == (b"POST", b"/v1/orders", b'{"size":"1"}')
    assert headers[b"host"] == b"venue.test"
    assert headers[b"content-length"] == b"12"
    assert memory_world.dialled == [("venue.test", 443)]


async def test_head_and_body_leave_in_one_piece(autojump_clock, door, memory_world):
    pieces = []

    async def serve(stream):
        pieces.append(await stream.receive_some())
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await stream.receive_some()

    memory_world.serve = serve

    assert isinstance(await door.send(ORDER, timeout_s=2), Answer)
    assert pieces[0].startswith(b"POST /v1/orders HTTP/1.1\r\n")
    assert pieces[0].endswith(b'\r\n\r\n{"size":"1"}')


@pytest.mark.parametrize("status", [302, 400, 429, 500, 503])
async def test_every_status_is_an_answer_and_none_is_followed(
    autojump_clock, door, memory_world, http_server, status
):
    async def answer(stream, request, body):
        return status, {"Location": "https://elsewhere.test/"}, b""

    memory_world.serve = http_server(answer)

    outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, Answer)
    assert outcome.status == status
    assert len(memory_world.dialled) == 1


async def test_a_packed_answer_is_unpacked(autojump_clock, door, memory_world, http_server):
    async def answer(stream, request, body):
        assert dict(request.headers)[b"accept-encoding"] == b"gzip"
        return 200, {"Content-Encoding": "gzip"}, gzip.compress(b"markets " * 1000)

    memory_world.serve = http_server(answer)

    outcome = await door.send(Request("GET", "/markets"), timeout_s=2)

    assert isinstance(outcome, Answer)
    assert outcome.body == b"markets " * 1000


async def test_our_own_headers_yield_to_the_codecs(autojump_clock, door, memory_world, http_server):
    seen = []

    async def answer(stream, request, body):
        seen.extend(value for name, value in request.headers if name == b"user-agent")
        return 200

    memory_world.serve = http_server(answer)

    await door.send(Request("GET", "/x", {"User-Agent": "codec"}), timeout_s=2)

    assert seen == [b"codec"]


async def test_an_answer_before_the_request_was_read_is_an_answer(
    autojump_clock, door, memory_world
):
    async def serve(stream):
        await stream.receive_some(10)
        await stream.send_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await stream.aclose()

    memory_world.serve = serve
    memory_world.capacity = 1000

    outcome = await door.send(Request("POST", "/orders", body=b"x" * 10_000), timeout_s=2)

    assert isinstance(outcome, Answer)
    assert outcome.status == 413


async def test_nothing_is_logged_not_even_by_the_library(
    autojump_clock, door, memory_world, http_server, caplog
):
    caplog.set_level(logging.DEBUG)

    async def answer(stream, request, body):
        return 200

    memory_world.serve = http_server(answer)

    await door.send(Request("PUT", "/account/listenKey?key=s3cret"), timeout_s=2)

    assert [r for r in caplog.records if r.name.startswith("http")] == []
    assert "s3cret" not in repr(vars(door))


@pytest.mark.parametrize("url", ["http://venue.test", "wss://venue.test", "https://", "venue"])
async def test_only_https_is_let_through(autojump_clock, memory_world, url):
    with pytest.raises(ValueError, match="https"):
        HttpxDoor(memory_world, url)


async def test_a_path_must_be_absolute(autojump_clock, door):
    with pytest.raises(ValueError, match="slash"):
        await door.send(Request("GET", "orders"), timeout_s=2)


async def test_a_proxy_of_the_environment_is_not_asked(
    autojump_clock, memory_world, http_server, monkeypatch
):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.test:3128")
    dialled = []
    dial = memory_world.dial

    async def noted(host, port):
        dialled.append(host)
        return await dial(host, port)

    async def answer(*_):
        await trio.lowlevel.checkpoint()
        return 200, {}, b"{}"

    memory_world.dial = noted
    memory_world.serve = http_server(answer)
    door = HttpxDoor(memory_world, "https://venue.test/v1")

    outcome = await door.send(ORDER, timeout_s=2)
    await door.aclose()

    assert isinstance(outcome, Answer)
    assert dialled == ["venue.test"]
