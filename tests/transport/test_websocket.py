"""The wire's promises over memory streams: open, talk, close, break; and what it never says."""

from __future__ import annotations

import pytest
import trio
import trio.testing
import wsproto
from wsproto.events import (
    AcceptConnection,
)

from bot4.errors import ConnectionLost
from bot4.transport.websocket import QUEUE_FRAMES, connect

KEY = "listen-key-8d1f"
URL = f"wss://venue.test/ws-api?listenKey={KEY}&version=1.0"


async def listen_only(connection):
    while True:
        await connection.get_message()


async def echo(connection):
    while True:
        await connection.send_message(await connection.get_message())


async def test_text_and_binary_come_through_stamped_with_their_arrival(
    autojump_clock, memory_world, speak
):
    async def talk(connection):
        assert await connection.get_message() == "subscribe"
        await trio.sleep(0.5)
        await connection.send_message("text")
        await trio.sleep(0.25)
        await connection.send_message(b"binary")
        await listen_only(connection)

    memory_world.serve = speak(talk)

    async with connect(memory_world, "vest", URL) as wire:
        await wire.send("subscribe")
        start = trio.current_time()
        first = await wire.receive()
        second = await wire.receive()

    assert (first.data, first.received_at) == ("text", start + 0.5)
    assert (second.data, second.received_at) == (b"binary", start + 0.75)
    assert memory_world.dialled == [("venue.test", 443)]


async def test_a_frame_read_late_still_says_when_it_came(autojump_clock, memory_world, speak):
    async def talk(connection):
        await connection.send_message("early")
        await listen_only(connection)

    memory_world.serve = speak(talk)

    async with connect(memory_world, "vest", URL) as wire:
        came = trio.current_time()
        await trio.sleep(3)
        assert (await wire.receive()).received_at == came


async def test_the_venue_is_asked_for_the_whole_resource_and_told_our_name(
    autojump_clock, memory_world
):
    heads = []

    async def serve(stream):
        heads.append(bytes(await stream.receive_some()))
        await stream.aclose()

    memory_world.serve = serve

    with pytest.raises(ConnectionLost):
        async with connect(memory_world, "vest", URL.replace("test/", "test:8443/")):
            pass

    head = heads[0].lower()
    assert head.startswith(f"get /ws-api?listenkey={KEY}&version=1.0 http/1.1".encode())
    assert b"host: venue.test:8443\r\n" in head
    assert b"user-agent: bot4\r\n" in head
    assert b"extensions" not in head


async def test_pings_are_answered_while_frames_wait(autojump_clock, memory_world, speak):
    async def talk(connection):
        for number in range(QUEUE_FRAMES):
            await connection.send_message(str(number))
        with trio.fail_after(1):
            await connection.ping()
        await connection.send_message("answered")
        await listen_only(connection)

    memory_world.serve = speak(talk)

    async with connect(memory_world, "vest", URL) as wire:
        await trio.sleep(2)
        frames = [(await wire.receive()).data for _ in range(QUEUE_FRAMES + 1)]

    assert frames[-1] == "answered"


async def test_a_cancelled_receive_loses_nothing(autojump_clock, memory_world, speak):
    async def talk(connection):
        await trio.sleep(1)
        await connection.send_message("late")
        await listen_only(connection)

    memory_world.serve = speak(talk)

    async with connect(memory_world, "vest", URL) as wire:
        with trio.move_on_after(0.5):
            await wire.receive()
        assert (await wire.receive()).data == "late"


async def test_leaving_the_block_closes_with_1000(autojump_clock, memory_world, speak):
    memory_world.serve = speak(listen_only)

    async with connect(memory_world, "vest", URL):
        pass
    await trio.testing.wait_all_tasks_blocked()

    assert speak.codes == [1000]


async def test_leaving_by_an_inner_scope_closes_with_1000(autojump_clock, memory_world, speak):
    memory_world.serve = speak(listen_only)

    async with connect(memory_world, "vest", URL) as wire:
        with trio.move_on_after(1):
            await wire.receive()
    await trio.testing.wait_all_tasks_blocked()

    assert speak.codes == [1000]


async def test_a_venue_that_does_not_wave_back_is_waited_for_briefly(autojump_clock, memory_world):
    connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)

    async def serve(stream):
        connection.receive_data(await stream.receive_some())
        await stream.send_all(connection.send(AcceptConnection()))
        await trio.sleep_forever()

    memory_world.serve = serve

    async with connect(memory_world, "vest", URL):
        before = trio.current_time()

    assert trio.current_time() - before == pytest.approx(1.0)
    with pytest.raises(trio.ClosedResourceError):
        await memory_world.clients[0].send_all(b"x")


async def test_an_error_in_the_block_comes_out_as_it_is_and_closes_rudely(
    autojump_clock, memory_world, speak
):
    memory_world.serve = speak(listen_only)
    error = RuntimeError("ours")

    with pytest.raises(RuntimeError) as caught:
        async with connect(memory_world, "vest", URL):
            raise error
    await trio.testing.wait_all_tasks_blocked()

    assert caught.value is error
    assert speak.codes == [1006]


async def test_cancelling_from_outside_ends_at_once(autojump_clock, memory_world, speak):
    memory_world.serve = speak(listen_only)

    with trio.move_on_after(2) as scope:
        async with connect(memory_world, "vest", URL) as wire:
            before = trio.current_time()
            await wire.receive()
    await trio.testing.wait_all_tasks_blocked()

    assert scope.cancelled_caught
    assert trio.current_time() - before == pytest.approx(2)
    assert speak.codes == [1006]


async def test_echoes_come_back_in_order(autojump_clock, memory_world, speak):
    memory_world.serve = speak(echo)

    async with connect(memory_world, "vest", URL) as wire:
        for number in range(20):
            await wire.send(str(number))
        assert [(await wire.receive()).data for _ in range(20)] == [str(n) for n in range(20)]
