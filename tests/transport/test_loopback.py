"""Doors and wires on real loopback TLS: what memory streams cannot show."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from timeouts import LOOPBACK_S, PACE_S, REQUEST_S

from bot4.errors import ConnectionLost
from bot4.ports import Answer, InDoubt, NotSent, Request
from bot4.transport.http import HttpxDoor
from bot4.transport.pool import MAX_CONNECTIONS
from bot4.transport.websocket import connect

ORDER = Request("POST", "/orders", {"Content-Type": "application/json"}, b"{}")


async def test_an_order_is_answered_over_a_reused_connection(real_world, listen, http_server):
    connections = []

    async def answer(stream, request, body):
        connections.append(stream)
        return 200, {}, body

    with trio.fail_after(LOOPBACK_S):
        door = HttpxDoor(real_world, f"https://localhost:{await listen(http_server(answer))}/v1")
        outcomes = [await door.send(ORDER, timeout_s=REQUEST_S) for _ in range(3)]
        await door.aclose()

    assert [outcome.body for outcome in outcomes] == [b"{}"] * 3
    assert outcomes[0].sent_at <= outcomes[0].received_at
    assert len(set(connections)) == 1


async def test_a_connection_closed_by_the_server_is_not_used_again(real_world, listen, http_server):
    streams = []

    async def answer(stream, request, body):
        streams.append(stream)
        return 200

    with trio.fail_after(LOOPBACK_S):
        door = HttpxDoor(real_world, f"https://localhost:{await listen(http_server(answer))}")
        await door.send(ORDER, timeout_s=REQUEST_S)
        await trio.aclose_forcefully(streams[0])
        outcome = await door.send(ORDER, timeout_s=REQUEST_S)
        await door.aclose()

    assert isinstance(outcome, Answer)
    assert len(streams) == 2


async def test_a_stranger_at_the_address_gets_no_order(listen, http_server, real_world):
    asked = []

    async def answer(stream, request, body):
        asked.append(body)
        return 200

    with trio.fail_after(LOOPBACK_S):
        # The certificate names localhost, not this address.
        door = HttpxDoor(real_world, f"https://127.0.0.1:{await listen(http_server(answer))}")
        outcome = await door.send(ORDER, timeout_s=REQUEST_S)
        await door.aclose()

    assert isinstance(outcome, NotSent)
    assert "certificate" in outcome.why
    assert asked == []


@pytest.mark.slow
async def test_the_pool_survives_a_churn_of_cancellations_and_time_outs(
    real_world, listen, http_server
):
    rng = real_world.random

    async def answer(stream, request, body):
        await trio.sleep(rng.random() * 2 * PACE_S)
        return 200

    outcomes = []

    async def ask(patience_s=PACE_S / 5):
        # Too short on purpose: whatever ends first, the pool is whole afterwards.
        with trio.move_on_after(rng.random() * PACE_S):
            timeout_s = patience_s + rng.random() * 2 * PACE_S
            outcomes.append(await door.send(ORDER, timeout_s=timeout_s))

    with trio.fail_after(LOOPBACK_S):
        door = HttpxDoor(real_world, f"https://localhost:{await listen(http_server(answer))}")
        for _ in range(4):
            async with trio.open_nursery() as sending:
                for _ in range(MAX_CONNECTIONS + 4):
                    sending.start_soon(ask)
        assert {type(outcome) for outcome in outcomes} <= {Answer, InDoubt, NotSent}
        assert len(outcomes) == 4 * (MAX_CONNECTIONS + 4)

        outcomes.clear()
        async with trio.open_nursery() as sending:
            for _ in range(MAX_CONNECTIONS):
                sending.start_soon(ask, REQUEST_S)
        await door.aclose()

    assert all(isinstance(outcome, Answer) for outcome in outcomes)


async def test_a_websocket_talks_and_closes_with_1000(real_world, listen, speak):
    closed = trio.Event()

    async def talk(connection):
        await connection.send_message(await connection.get_message())
        try:
            await connection.get_message()
        finally:
            closed.set()

    with trio.fail_after(LOOPBACK_S):
        port = await listen(speak(talk))
        async with connect(real_world, "vest", f"wss://localhost:{port}/ws") as wire:
            await wire.send("hello")
            assert (await wire.receive()).data == "hello"
        await closed.wait()
        await trio.testing.wait_all_tasks_blocked(0.01)

    assert speak.codes == [1000]


async def test_a_websocket_cut_by_the_server_is_connection_lost(real_world, listen, speak):
    async def talk(connection):
        await trio.aclose_forcefully(connection._stream)

    with trio.fail_after(LOOPBACK_S):
        port = await listen(speak(talk))
        with pytest.raises(ConnectionLost, match="the connection broke"):
            async with connect(real_world, "vest", f"wss://localhost:{port}/ws") as wire:
                await wire.receive()
