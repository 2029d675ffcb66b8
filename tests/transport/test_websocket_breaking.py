"""What a wire does when it cannot open or breaks, and what it never says."""

from __future__ import annotations

import traceback

import h11
import pytest
import trio
import trio.testing
import wsproto
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Ping,
    Request,
)

from bot4.errors import ConnectionLost, leaves
from bot4.logs.redact import REDACTOR, register_token
from bot4.transport.websocket import connect

KEY = "listen-key-8d1f"
URL = f"wss://venue.test/ws-api?listenKey={KEY}&version=1.0"


async def listen_only(connection):
    while True:
        await connection.get_message()


async def test_a_refused_dial_is_connection_lost(autojump_clock, memory_world):
    async def refuse():
        raise ConnectionRefusedError("nobody listens")

    memory_world.before_dial = refuse

    with pytest.raises(ConnectionLost, match="vest: ConnectionRefusedError: nobody listens"):
        async with connect(memory_world, "vest", URL):
            pass


@pytest.mark.parametrize("stage", ["dial", "handshake"])
async def test_silence_while_opening_ends_after_three_seconds(autojump_clock, memory_world, stage):
    async def silent(stream):
        await trio.sleep_forever()

    memory_world.serve = silent
    if stage == "dial":
        memory_world.before_dial = trio.sleep_forever
    before = trio.current_time()

    with pytest.raises(ConnectionLost, match="within 3 s"):
        async with connect(memory_world, "vest", URL):
            pass

    assert trio.current_time() - before == pytest.approx(3)


@pytest.mark.parametrize("how", ["close", "cut", "garbage"])
async def test_a_broken_handshake_ends_at_once(autojump_clock, memory_world, how):
    async def serve(stream):
        await stream.receive_some()
        if how == "close":
            await stream.aclose()
        elif how == "cut":
            stream.cut()
        else:
            await stream.send_all(b"what?\r\n\r\n")

    memory_world.serve = serve
    before = trio.current_time()

    with pytest.raises(ConnectionLost):
        async with connect(memory_world, "vest", URL):
            pass

    assert trio.current_time() == before


@pytest.mark.parametrize("status", [400, 401, 403, 429, 503])
@pytest.mark.parametrize("body", [b"", KEY.encode()])
async def test_a_refused_handshake_tells_the_status_and_no_more(
    autojump_clock, memory_world, status, body
):
    async def serve(stream):
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(await stream.receive_some())
        connection.next_event()
        headers = [("content-length", str(len(body))), ("x-echo", KEY)]
        await stream.send_all(
            connection.send(h11.Response(status_code=status, headers=headers))
            + connection.send(h11.Data(data=body))
        )
        await trio.sleep_forever()

    memory_world.serve = serve

    with pytest.raises(ConnectionLost, match=f"refused with HTTP {status}$") as caught:
        async with connect(memory_world, "vest", URL):
            pass

    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["ws://venue.test/", "https://venue.test/", "wss:///path"])
async def test_only_wss_is_let_through(memory_world, url):
    with pytest.raises(ValueError, match="wss"):
        async with connect(memory_world, "vest", url):
            pass


async def test_a_cut_is_connection_lost_for_receive_and_send(autojump_clock, memory_world, speak):
    memory_world.serve = speak(listen_only)

    async with connect(memory_world, "vest", URL) as wire:
        memory_world.clients[0].cut()
        with pytest.raises(ConnectionLost, match="vest: the connection broke"):
            await wire.receive()
        with pytest.raises(ConnectionLost, match="vest: the connection broke"):
            await wire.send("x")


async def test_what_came_before_the_close_is_still_read(autojump_clock, memory_world, speak):
    async def talk(connection):
        await connection.send_message("last words")
        await connection.aclose(1012, "restart")

    memory_world.serve = speak(talk)

    async with connect(memory_world, "vest", URL) as wire:
        assert (await wire.receive()).data == "last words"
        with pytest.raises(ConnectionLost, match="closed with 1012"):
            await wire.receive()


async def test_a_close_reason_is_told_without_our_key(autojump_clock, memory_world, speak):
    async def talk(connection):
        await connection.aclose(4001, f"expired: {KEY}")

    memory_world.serve = speak(talk)

    with pytest.raises(ConnectionLost, match=r"closed with 4001 .*expired: \.\.\.") as caught:
        async with connect(memory_world, "vest", URL) as wire:
            await wire.receive()

    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_a_close_reason_keeps_its_digits_beside_a_public_url(
    autojump_clock, memory_world, speak
):
    async def talk(connection):
        await connection.aclose(1012, "restart 12 of 21, node eu-1")

    memory_world.serve = speak(talk)

    public = "wss://venue.test/v1?sbeSchemaId=1&sbeSchemaVersion=2"
    words = r"closed with 1012 .*restart 12 of 21, node eu-1"
    with pytest.raises(ConnectionLost, match=words):
        async with connect(memory_world, "paradex", public) as wire:
            await wire.receive()


async def test_a_close_reason_that_repeats_another_key_is_told_without_it(
    autojump_clock, memory_world, speak
):
    other = "a-token-that-is-in-no-url-77"
    register_token(other)

    async def talk(connection):
        await connection.aclose(4001, f"expired: {other}")

    memory_world.serve = speak(talk)

    with pytest.raises(ConnectionLost) as caught:
        async with connect(memory_world, "vest", URL) as wire:
            await wire.receive()
    REDACTOR.clear()

    assert "closed with 4001" in str(caught.value)
    assert other not in str(caught.value)


async def test_a_message_beyond_one_mebibyte_is_connection_lost(
    autojump_clock, memory_world, speak
):
    async def talk(connection):
        await connection.send_message("x" * ((1 << 20) + 1))
        await listen_only(connection)

    memory_world.serve = speak(talk)

    async with connect(memory_world, "vest", URL) as wire:
        with pytest.raises(ConnectionLost, match="1009"):
            await wire.receive()


async def test_a_cancelled_send_leaves_the_wire_dead(autojump_clock, memory_world):
    connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)

    async def serve(stream):
        connection.receive_data(await stream.receive_some())
        await stream.send_all(connection.send(AcceptConnection()))
        await trio.sleep_forever()

    memory_world.serve = serve
    memory_world.capacity = 1000

    async with connect(memory_world, "vest", URL) as wire:
        with trio.move_on_after(1) as scope:
            await wire.send("x" * 5000)
        assert scope.cancelled_caught
        with pytest.raises(ConnectionLost, match="half way"):
            await wire.send("y")
        with pytest.raises(ConnectionLost, match="half way"):
            await wire.receive()
        before = trio.current_time()
    assert trio.current_time() == before


@pytest.mark.parametrize("opening", [b"\xff\xff\xff\xff", b"\x81\x02\xff\xfe", b"\x83\x00"])
async def test_a_broken_protocol_is_connection_lost(autojump_clock, memory_world, opening):
    connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)

    async def serve(stream):
        connection.receive_data(await stream.receive_some())
        await stream.send_all(connection.send(AcceptConnection()) + opening)
        await trio.sleep_forever()

    memory_world.serve = serve

    with pytest.raises(ConnectionLost):
        async with connect(memory_world, "vest", URL) as wire:
            await wire.receive()


def ping_between_the_closes(died):
    """A venue that pings after our close frame and before its own."""
    connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)

    async def serve(stream):
        while True:
            connection.receive_data(await stream.receive_some() or None)
            for event in connection.events():
                if isinstance(event, Request):
                    await stream.send_all(connection.send(AcceptConnection()))
                elif isinstance(event, CloseConnection):
                    # wsproto refuses to send a ping now; the frame by hand: FIN, ping, empty.
                    await stream.send_all(b"\x89\x00")
                    await trio.sleep(0.1)
                    with pytest.raises(trio.BrokenResourceError):
                        await stream.send_all(connection.send(event.response()))
                    died.append("before the venue waved back")
                    return

    return serve


async def test_a_ping_between_two_close_frames_harms_nobody_else(autojump_clock, memory_world):
    died = []
    memory_world.serve = ping_between_the_closes(died)
    reached = []

    async def sibling():
        await trio.sleep(5)
        reached.append("sibling")

    async with trio.open_nursery() as others:
        others.start_soon(sibling)
        async with connect(memory_world, "vest", URL):
            await trio.sleep(1)
        await trio.sleep(1)
        reached.append("after the block")

    assert reached == ["after the block", "sibling"]
    assert died == ["before the venue waved back"]


async def test_a_reader_that_dies_ends_the_block_by_connection_lost(
    autojump_clock, memory_world, monkeypatch
):
    connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)

    async def serve(stream):
        connection.receive_data(await stream.receive_some())
        await stream.send_all(connection.send(AcceptConnection()))
        await trio.sleep(1)
        await stream.send_all(connection.send(Ping()))

    def refuse(*_):
        raise wsproto.utilities.LocalProtocolError("cannot pong now")

    async def stay():
        async with connect(memory_world, "vest", URL) as wire:
            monkeypatch.setattr(wire.connection._wsproto, "send", refuse)
            await trio.sleep_forever()

    memory_world.serve = serve
    reached = []

    async with trio.open_nursery() as others:
        others.start_soon(trio.sleep, 5)
        with pytest.raises(ConnectionLost, match="cannot pong now"):
            await stay()
        reached.append("after")

    assert reached == ["after"]


async def test_a_group_raised_in_the_block_stays_a_group(autojump_clock, memory_world, speak):
    async def talk(connection):
        await connection.aclose(1001)

    memory_world.serve = speak(talk)

    async def read():
        async with connect(memory_world, "vest", URL) as wire:
            async with trio.open_nursery() as reading:
                reading.start_soon(wire.receive)
                reading.start_soon(trio.sleep_forever)

    with pytest.raises(ExceptionGroup) as caught:
        await read()

    assert [type(leaf) for leaf in leaves(caught.value)] == [ConnectionLost]
