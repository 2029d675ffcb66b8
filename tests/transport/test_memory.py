"""The connection without a network behaves as a socket does."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from bot4.transport.memory import pair


async def test_bytes_arrive_in_order_and_in_pieces():
    client, server = pair()

    await client.send_all(b"abc")
    await client.send_all(bytearray(b"def"))

    assert await server.receive_some(4) == b"abcd"
    assert await server.receive_some() == b"ef"


async def test_a_reader_waits_for_bytes(autojump_clock):
    client, server = pair()
    got = []

    async def read():
        got.append((await server.receive_some(), trio.current_time()))

    async with trio.open_nursery() as reading:
        reading.start_soon(read)
        await trio.sleep(2)
        await client.send_all(b"late")

    assert got[0][0] == b"late"
    assert got[0][1] == trio.current_time()


async def test_a_full_buffer_makes_the_sender_wait_for_the_reader():
    client, server = pair(capacity=10)
    done = []

    async def send():
        await client.send_all(b"x" * 25)
        done.append(True)

    async with trio.open_nursery() as sending:
        sending.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        assert done == []
        received = b""
        while len(received) < 25:
            received += await server.receive_some(7)

    assert received == b"x" * 25
    assert done == [True]


async def test_waiting_for_room_ends_when_there_is_some():
    client, server = pair(capacity=3)
    await client.send_all(b"xxx")

    async with trio.open_nursery() as waiting:
        waiting.start_soon(client.wait_send_all_might_not_block)
        await trio.testing.wait_all_tasks_blocked()
        assert len(waiting.child_tasks) == 1
        await server.receive_some()

    await client.wait_send_all_might_not_block()


async def test_closing_lets_what_was_sent_arrive_and_then_the_end():
    client, server = pair()
    await client.send_all(b"last")

    await client.aclose()

    assert await server.receive_some() == b"last"
    assert await server.receive_some() == b""
    with pytest.raises(trio.BrokenResourceError):
        await server.send_all(b"x")


async def test_half_a_close_leaves_the_other_direction_open():
    client, server = pair()

    await client.send_eof()
    await server.send_all(b"still here")

    assert await server.receive_some() == b""
    assert await client.receive_some() == b"still here"
    with pytest.raises(trio.ClosedResourceError):
        await client.send_all(b"more")


async def test_closing_wakes_a_reader_of_the_same_end():
    client, _server = pair()

    async def read():
        with pytest.raises(trio.ClosedResourceError):
            await client.receive_some()

    async with trio.open_nursery() as reading:
        reading.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        await client.aclose()


async def test_nothing_works_on_a_closed_end():
    client, _server = pair()
    await client.aclose()

    for act in (client.receive_some, client.send_eof, client.wait_send_all_might_not_block):
        with pytest.raises(trio.ClosedResourceError):
            await act()
    with pytest.raises(trio.ClosedResourceError):
        await client.send_all(b"")


async def test_a_cut_breaks_both_ends_and_loses_what_was_under_way():
    client, server = pair(capacity=3)
    await server.send_all(b"abc")

    async def send():
        with pytest.raises(trio.BrokenResourceError):
            await client.send_all(b"x" * 9)

    async with trio.open_nursery() as sending:
        sending.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        client.cut()

    for end in (client, server):
        with pytest.raises(trio.BrokenResourceError):
            await end.receive_some()


async def test_readable_means_bytes_or_an_end_or_a_break():
    client, server = pair()
    assert not client.is_readable()

    await server.send_all(b"x")
    assert client.is_readable()

    await client.receive_some()
    assert not client.is_readable()
    await server.aclose()
    assert client.is_readable()

    client, server = pair()
    server.cut()
    assert client.is_readable()


async def test_two_tasks_at_once_are_refused():
    client, _server = pair(capacity=1)

    async with trio.open_nursery() as busy:
        busy.start_soon(client.send_all, b"xx")
        busy.start_soon(client.receive_some)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await client.send_all(b"y")
        with pytest.raises(trio.BusyResourceError):
            await client.receive_some()
        busy.cancel_scope.cancel()


async def test_every_call_is_a_checkpoint_that_can_be_cancelled():
    client, server = pair()
    await server.send_all(b"kept")

    for act in (
        client.receive_some,
        client.send_eof,
        client.wait_send_all_might_not_block,
        lambda: client.send_all(b"x"),
    ):
        with trio.CancelScope() as scope:
            scope.cancel()
            await act()
        assert scope.cancelled_caught
    assert await client.receive_some() == b"kept"


async def test_it_passes_trios_own_stream_checks():
    async def make():
        return pair()

    async def make_clogged():
        client, server = pair(capacity=1)
        await client.send_all(b"x")
        await server.send_all(b"x")
        return client, server

    await trio.testing.check_half_closeable_stream(make, make_clogged)
