"""The door's connections: reused, noticed dead, never left half used, never lost."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from bot4.ports import Answer, InDoubt, Request
from bot4.transport.pool import MAX_CONNECTIONS

ORDER = Request("POST", "/orders", {"Content-Type": "application/json"}, b'{"size":"1"}')


def pool_of(door):
    return door._line.client._transport._pool


HEAD = b"HTTP/1.1 200 OK\r\n"


async def test_a_connection_is_reused(autojump_clock, door, memory_world, http_server):
    async def answer(stream, request, body):
        return 200

    memory_world.serve = http_server(answer)

    for _ in range(5):
        assert isinstance(await door.send(ORDER, timeout_s=2), Answer)

    assert len(memory_world.dialled) == 1


async def test_a_connection_that_the_venue_closed_meanwhile_is_not_used_again(
    autojump_clock, door, memory_world, http_server
):
    async def answer(stream, request, body):
        return 200

    memory_world.serve = http_server(answer)
    await door.send(ORDER, timeout_s=2)
    memory_world.clients[0]._in.ended = True

    outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, Answer)
    assert len(memory_world.dialled) == 2


async def test_a_close_that_crosses_the_request_is_in_doubt_and_never_sent_again(
    autojump_clock, door, memory_world, http_server
):
    bodies = []

    async def answer(stream, request, body):
        bodies.append(body)
        if len(bodies) == 1:
            return 200
        await stream.aclose()
        return None

    memory_world.serve = http_server(answer)
    await door.send(ORDER, timeout_s=2)

    outcome = await door.send(ORDER, timeout_s=2)
    await trio.sleep(5)

    assert isinstance(outcome, InDoubt)
    assert len(bodies) == 2
    assert len(memory_world.dialled) == 1


async def test_warming_opens_connections_at_once_and_counts_the_answers(
    autojump_clock, door, memory_world, http_server
):
    async def answer(stream, request, body):
        await trio.sleep(0.1)
        return 200

    memory_world.serve = http_server(answer)

    assert await door.warm("/system/time", connections=3) == 3
    assert len(memory_world.dialled) == 3
    await door.send(ORDER, timeout_s=2)
    assert len(memory_world.dialled) == 3


async def test_silence_costs_one_connection_and_not_the_others(
    autojump_clock, door, memory_world, http_server
):
    async def answer(stream, request, body):
        if request.target == b"/v1/orders":
            await trio.sleep(0.1)
            return 200
        return None

    memory_world.serve = http_server(answer)
    async with trio.open_nursery() as sending:
        sending.start_soon(lambda: door.send(ORDER, timeout_s=2))
        sending.start_soon(lambda: door.send(Request("GET", "/silent"), timeout_s=2))
    line = door._line

    await door.send(ORDER, timeout_s=2)

    assert door._line is line
    assert len(memory_world.dialled) == 2


async def drip(stream):
    await stream.send_all(HEAD + b"content-length: 1000\r\n\r\n")
    for _ in range(1000):
        await stream.send_all(b"x")
        await trio.sleep(0.5)


async def test_a_dripping_answer_ends_at_the_total_bound_with_a_new_client(
    autojump_clock, door, memory_world, http_server
):
    async def answer(stream, request, body):
        if request.target == b"/v1/orders":
            await drip(stream)
        return 200

    memory_world.serve = http_server(answer)
    old, before = door._line, trio.current_time()

    outcome = await door.send(ORDER, timeout_s=2.2)

    assert trio.current_time() - before == pytest.approx(2.2, abs=0.01)
    assert outcome == InDoubt("no complete answer in time", before)
    assert door._line is not old
    assert old.client.is_closed
    assert isinstance(await door.send(Request("GET", "/x"), timeout_s=2), Answer)


async def test_requests_under_way_on_a_retired_client_still_end_well(
    autojump_clock, door, memory_world, http_server
):
    async def answer(stream, request, body):
        if request.target == b"/v1/orders":
            await drip(stream)
        await trio.sleep(4)
        return 200

    memory_world.serve = http_server(answer)
    outcomes = []

    async def ask():
        outcomes.append(await door.send(Request("GET", "/slow"), timeout_s=8))

    old = door._line
    async with trio.open_nursery() as sending:
        sending.start_soon(ask)
        await door.send(ORDER, timeout_s=2.2)
        assert not old.client.is_closed

    assert isinstance(outcomes[0], Answer)
    assert old.client.is_closed


async def test_a_cancelled_caller_still_gets_the_outcome(
    autojump_clock, door, memory_world, http_server
):
    async def answer(stream, request, body):
        await trio.sleep(1)
        return 200

    memory_world.serve = http_server(answer)
    outcome = None

    with trio.move_on_after(0.2):
        outcome = await door.send(ORDER, timeout_s=2)

    assert isinstance(outcome, Answer)


async def test_no_slot_is_lost_in_a_churn_of_cancellations(
    autojump_clock, door, memory_world, http_server
):
    rng = memory_world.random

    async def slow_dial():
        await trio.sleep(rng.random() * 0.3)

    async def answer(stream, request, body):
        await trio.sleep(rng.random() * 0.3)
        return 200

    async def ask():
        with trio.move_on_after(rng.random() * 0.2):
            await door.send(ORDER, timeout_s=0.05 + rng.random())

    memory_world.before_dial = slow_dial
    memory_world.serve = http_server(answer)

    for _ in range(10):
        async with trio.open_nursery() as sending:
            for _ in range(MAX_CONNECTIONS + 4):
                sending.start_soon(ask)

    memory_world.before_dial = None
    async with trio.open_nursery() as sending:
        for _ in range(MAX_CONNECTIONS):
            sending.start_soon(lambda: door.send(ORDER, timeout_s=2))
    assert "Requests: 0 active, 0 queued" in repr(pool_of(door))
    assert len(pool_of(door).connections) == MAX_CONNECTIONS
