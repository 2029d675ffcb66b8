"""What the network of a universe does to bytes, and to whom."""

from __future__ import annotations

from random import Random

import pytest
import trio

from bot4.transport.wires import Wires

HOST = "vest.rest"


def troubled(kind: str, **args):
    wires = Wires(Random(1).uniform)
    client, server = wires.join(HOST)
    wires.strike({"venue": "vest", "kind": kind, **args})
    return wires, client, server


async def test_without_trouble_bytes_arrive_at_once():
    client, server = Wires(Random(1).uniform).join(HOST)
    await client.send_all(b"ab")

    assert await server.receive_some() == b"ab"


async def test_late_bytes_keep_their_order_and_come_before_the_end(autojump_clock):
    _, client, server = troubled("net_delay", ms=500, seconds=9)
    await client.send_all(b"ab")
    await client.send_all(b"cd")
    await client.aclose()

    assert not server.is_readable()
    got = b""
    while part := await server.receive_some():
        got += part
    assert got == b"abcd"
    assert 0 < trio.current_time() <= 1


async def test_connections_are_late_by_different_shares(autojump_clock):
    wires, _, _ = troubled("net_delay", ms=500, seconds=9)
    arrived = []

    async def read(server):
        await server.receive_some()
        arrived.append(trio.current_time())

    async with trio.open_nursery() as reading:
        for _ in range(3):
            client, server = wires.join(HOST)
            reading.start_soon(read, server)
            await client.send_all(b"x")
    assert len(set(arrived)) == 3


async def test_a_drip_gives_a_piece_at_a_time(autojump_clock):
    _, client, server = troubled("net_drip", piece=2, ms=10)
    await client.send_all(b"abcde")

    assert [await server.receive_some() for _ in range(3)] == [b"ab", b"cd", b"e"]
    assert trio.current_time() == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("when", "arrives"), [("before", b""), ("inside", b"ab"), ("after", b"abcd")]
)
async def test_a_cut_breaks_both_ends_and_leaves_what_arrived(when: str, arrives: bytes):
    wires, client, server = troubled("net_cut", when=when)
    with pytest.raises(trio.BrokenResourceError):
        await client.send_all(b"abcd")

    if arrives:
        assert await server.receive_some() == arrives
    with pytest.raises(trio.BrokenResourceError):
        await server.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await client.receive_some()
    client, server = wires.join(HOST)
    await client.send_all(b"again")
    assert await server.receive_some() == b"again"


async def test_a_cut_wakes_who_waits_for_the_answer():
    _, client, server = troubled("net_cut", when="before", way="down")

    async def wait():
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()

    async with trio.open_nursery() as waiting:
        waiting.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BrokenResourceError):
            await server.send_all(b"answer")


async def test_half_open_lines_lose_everything_and_new_ones_work(autojump_clock):
    wires, client, server = troubled("net_half_open")
    await client.send_all(b"lost")
    await client.aclose()

    with trio.move_on_after(60) as waited:
        await server.receive_some()
    assert waited.cancelled_caught
    client, server = wires.join(HOST)
    await client.send_all(b"new")
    assert await server.receive_some() == b"new"


async def test_only_the_lines_meant_are_struck():
    wires, _, _ = troubled("net_cut", which="ws", count=9)
    for host in (HOST, "paradex.ws"):
        client, server = wires.join(host)
        await client.send_all(b"fine")
        assert await server.receive_some() == b"fine"
    client, _ = wires.join("vest.ws")
    with pytest.raises(trio.BrokenResourceError):
        await client.send_all(b"x")
    wires.clear()
    client, server = wires.join("vest.ws")
    await client.send_all(b"fine")
    assert await server.receive_some() == b"fine"


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="net_flood"):
        Wires(Random(1).uniform).strike({"venue": "vest", "kind": "net_flood"})
