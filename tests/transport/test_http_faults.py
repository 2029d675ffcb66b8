"""The table of the door, row by row: what failed, how far it had got, and what it means."""

from __future__ import annotations

import gzip

import pytest
import trio
import trio.testing

from bot4.ports import InDoubt, NotSent, Request
from bot4.transport import http as door_module
from bot4.transport.http import HttpxDoor
from bot4.transport.pool import MAX_CONNECTIONS

ORDER = Request("POST", "/orders", {"Content-Type": "application/json"}, b'{"size":"1"}')


async def test_a_refused_connection_is_not_sent(autojump_clock, door, memory_world):
    async def refuse():
        raise ConnectionRefusedError("nobody listens")

    memory_world.before_dial = refuse

    outcome = await door.send(ORDER, timeout_s=2)

    assert outcome == NotSent("ConnectError: nobody listens")


async def test_a_connection_that_never_comes_is_not_sent(autojump_clock, door, memory_world):
    memory_world.before_dial = trio.sleep_forever
    before = trio.current_time()

    outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, NotSent)
    assert "ConnectTimeout" in outcome.why
    assert trio.current_time() - before == pytest.approx(2, abs=0.02)


async def test_no_free_slot_is_not_sent(autojump_clock, door, memory_world, http_server, nursery):
    async def answer(stream, request, body):
        await trio.sleep(10)
        return 200

    memory_world.serve = http_server(answer)
    for _ in range(MAX_CONNECTIONS):
        nursery.start_soon(lambda: door.send(ORDER, timeout_s=60))
    await trio.testing.wait_all_tasks_blocked()

    outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, NotSent)
    assert "PoolTimeout" in outcome.why


async def test_headers_that_cannot_be_written_are_not_sent(autojump_clock, door, memory_world):
    received = []

    async def serve(stream):
        received.append(await stream.receive_some())

    memory_world.serve = serve

    outcome = await door.send(Request("GET", "/x", {"x-bad": "a\nb"}), timeout_s=2)

    assert isinstance(outcome, NotSent)
    assert "LocalProtocolError" in outcome.why
    await trio.testing.wait_all_tasks_blocked()
    assert b"".join(received) == b""


async def test_a_closed_door_sends_nothing(autojump_clock, memory_world):
    door = HttpxDoor(memory_world, "https://venue.test")
    await door.aclose()

    assert isinstance(await door.send(ORDER, timeout_s=2), NotSent)
    assert memory_world.dialled == []


async def cut(stream):
    stream.cut()


async def hang_up(stream):
    await stream.aclose()


async def say_nothing(stream):
    await trio.sleep_forever()


def say(text):
    async def speak(stream):
        await stream.send_all(text)
        await stream.aclose()

    return speak


HEAD = b"HTTP/1.1 200 OK\r\n"
IN_DOUBT = {
    "the venue resets": (cut, "ReadError"),
    "the venue hangs up": (hang_up, "RemoteProtocolError"),
    "the venue says nothing": (say_nothing, "ReadTimeout"),
    "the answer is not HTTP": (say(b"\x00\x01 what?\r\n\r\n"), "RemoteProtocolError"),
    "the head is too long": (say(HEAD + b"x: " + b"y" * 200_000), "RemoteProtocolError"),
    "half a body": (say(HEAD + b"content-length: 9\r\n\r\nhalf"), "RemoteProtocolError"),
    "a broken chunk": (
        say(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n"),
        "RemoteProtocolError",
    ),
    "not packed as it says": (
        say(HEAD + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope"),
        "cannot be unpacked",
    ),
    "packed without an end": (
        say(
            HEAD
            + b"content-encoding: gzip\r\ncontent-length: 14\r\n\r\n"
            + gzip.compress(b"a" * 999)[:14]
        ),
        "no end",
    ),
    "packed some other way": (
        say(HEAD + b"content-encoding: br\r\ncontent-length: 4\r\n\r\nnope"),
        "encoding",
    ),
    "five MiB": (say(HEAD + b"\r\n" + b"x" * (5 << 20)), "too long"),
    "five MiB announced at once": (
        say(HEAD + b"content-length: 5242880\r\n\r\n" + b"x" * (5 << 20)),
        "too long",
    ),
    "five MiB packed": (
        say(HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"x" * (5 << 20))),
        "too long",
    ),
}


@pytest.mark.parametrize(("act", "words"), IN_DOUBT.values(), ids=IN_DOUBT)
async def test_from_the_first_byte_on_every_failure_is_in_doubt(
    autojump_clock, door, memory_world, http_server, act, words
):
    requests = []

    async def answer(stream, request, body):
        requests.append(body)
        await act(stream)

    memory_world.serve = http_server(answer)
    before = trio.current_time()

    outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, InDoubt)
    assert words in outcome.why
    assert outcome.sent_at == before
    assert requests == [ORDER.body]


async def test_a_request_that_the_venue_never_reads_is_in_doubt_and_unsent(
    autojump_clock, door, memory_world
):
    memory_world.serve = say_nothing
    memory_world.capacity = 100

    outcome = await door.send(Request("POST", "/orders", body=b"x" * 1000), timeout_s=2)

    assert isinstance(outcome, InDoubt)
    assert outcome.sent_at is None


async def test_an_unforeseen_error_after_the_first_byte_is_in_doubt(
    autojump_clock, door, memory_world, monkeypatch
):
    async def serve(stream):
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        await stream.aclose()

    def stumble(*_):
        raise KeyError("a bug")

    memory_world.serve = serve
    monkeypatch.setattr(door_module, "_decoded", stumble)

    assert isinstance(await door.send(ORDER, timeout_s=2), InDoubt)


async def test_an_endless_answer_is_not_read_to_its_end(
    autojump_clock, door, memory_world, http_server
):
    sent = []

    async def answer(stream, request, body):
        await stream.send_all(HEAD + b"\r\n")
        while len(sent) < 1000:
            await stream.send_all(b"x" * (1 << 16))
            sent.append(1 << 16)

    memory_world.serve = http_server(answer)

    outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, InDoubt)
    assert "too long" in outcome.why
    assert 4 << 20 <= sum(sent) < 5 << 20
