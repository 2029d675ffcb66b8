"""Vest's WebSocket: close codes, subscriptions, frames and the faults of streams."""

from __future__ import annotations

import json

import pytest
import trio
from trio_websocket import ConnectionClosed

BASE = "/ws-api?version=1.0&xwebsocketserver=restserver0"


async def close_code(client, target, *messages):
    async with client.socket(target) as socket:
        for message in messages:
            await socket.send_message(message)
        try:
            while True:
                await socket.get_message()
        except ConnectionClosed as closed:
            return None if closed.reason is None else closed.reason.code


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/ws-api?version=2.0&xwebsocketserver=restserver0", 4000),
        ("/ws-api", 4000),
        ("/ws-api?version=1.0", 4002),
        ("/ws-api?version=1.0&xwebsocketserver=nonsense", 4002),
        ("/ws-api?version=1.0&xwebsocketserver=restserver9", 4001),
        (f"{BASE}&listenKey=unknown", 4004),
    ],
)
async def test_a_bad_url_earns_its_close_code(autojump_clock, client, target, code):
    assert await close_code(client, target) == code


async def test_private_events_need_a_listen_key(autojump_clock, client):
    asked = json.dumps({"method": "SUBSCRIBE", "params": ["account_private"], "id": 1})

    assert await close_code(client, BASE, asked) == 4003


async def test_a_lapsed_listen_key_closes_the_socket(autojump_clock, make_client):
    client = await make_client(vest={"listen_key_s": 60})
    await client.register()
    key = await client.listen_key()
    start = trio.current_time()

    code = await close_code(client, f"{BASE}&listenKey={key}")

    assert code == 4005
    assert 59 < trio.current_time() - start < 61
    assert await close_code(client, f"{BASE}&listenKey={key}") == 4005


async def test_the_other_spelling_of_the_group_is_taken(autojump_clock, client):
    async with client.socket("/ws-api?version=1.0&websocketserver=restserver0") as socket:
        await socket.send_message('{"method":"PING","params":[],"id":0}')
        assert json.loads(await socket.get_message()) == {"data": "PONG"}


@pytest.mark.parametrize("message", ["nonsense", "[]", '{"method":"SHOUT"}', '{"method":1}', "{}"])
async def test_nonsense_is_answered_and_the_connection_lives(autojump_clock, client, message):
    async with client.socket(BASE) as socket:
        await socket.send_message(message)
        assert json.loads(await socket.get_message())["error"]["code"] == 1130
        await socket.send_message('{"method":"PING","params":[],"id":0}')
        assert json.loads(await socket.get_message()) == {"data": "PONG"}


async def test_depth_comes_several_times_a_second_until_unsubscribed(autojump_clock, client):
    async with client.vest_socket("BTC-PERP@depth") as socket:
        start = trio.current_time()
        for _ in range(20):
            data = await client.next_event(socket, "BTC-PERP@depth")
            assert len(data["bids"]) == len(data["asks"]) == 20
        assert 1.5 < trio.current_time() - start < 5

        asked = {"method": "UNSUBSCRIBE", "params": ["BTC-PERP@depth"], "id": 2}
        await socket.send_message(json.dumps(asked))
        while json.loads(await socket.get_message()).get("id") != 2:
            pass
        with trio.move_on_after(5) as waiting:
            await socket.get_message()

    assert waiting.cancelled_caught


async def test_tickers_come_for_all_symbols(autojump_clock, client):
    async with client.vest_socket("tickers") as socket:
        data = await client.next_event(socket, "tickers")

    assert [row["symbol"] for row in data] == ["BTC-PERP"]


@pytest.mark.parametrize(
    ("frames", "kinds"), [("text", {str}), ("binary", {bytes}), ("mixed", {str, bytes})]
)
async def test_frames_travel_as_switched(autojump_clock, make_client, frames, kinds):
    client = await make_client(vest={"frames": frames})
    async with client.vest_socket("BTC-PERP@depth") as socket:
        seen = {type(await socket.get_message()) for _ in range(30)}

    assert seen == kinds


async def test_a_cut_drops_the_links_it_names(autojump_clock, client):
    key = await client.listen_key()
    async with client.vest_socket("tickers") as public:
        async with client.vest_socket("account_private", key=key) as private:
            client.fault("cut", which="private")
            with pytest.raises(ConnectionClosed):
                await private.get_message()
        await client.next_event(public, "tickers")
        client.fault("cut", which="all")
        with pytest.raises(ConnectionClosed):
            await client.next_event(public, "tickers")


async def test_silence_stops_data_but_not_the_heartbeat(autojump_clock, client):
    async with client.vest_socket("BTC-PERP@depth") as socket:
        client.fault("silence", seconds=8)
        await trio.sleep(0.5)
        with trio.move_on_after(0.1):
            while True:
                await socket.get_message()
        start = trio.current_time()
        await socket.send_message('{"method":"PING","params":[],"id":7}')
        assert json.loads(await socket.get_message()) == {"data": "PONG"}

        await client.next_event(socket, "BTC-PERP@depth")

    assert trio.current_time() - start > 7


async def test_a_book_can_be_crossed_once_and_a_frame_spoiled(autojump_clock, client):
    client.fault("crossed", skip=2)
    client.fault("garbage", skip=4)
    books, spoiled = [], 0
    async with client.vest_socket("BTC-PERP@depth") as socket:
        while len(books) < 8:
            try:
                frame = json.loads(await socket.get_message())
            except ValueError:
                spoiled += 1
                continue
            books.append(frame["data"])
    crossed = [float(b["bids"][0][0]) > float(b["asks"][0][0]) for b in books]

    assert crossed.count(True) == 1
    assert spoiled == 1


async def test_muted_and_doubled_and_late_events(autojump_clock, client):
    key = await client.listen_key()
    client.fault("mute_private")
    async with client.vest_socket("account_private", key=key) as socket:
        await client.place()
        assert (await client.next_event(socket))["status"] == "FILLED"

        client.fault("double_event")
        await client.place()
        statuses = [(await client.next_event(socket))["status"] for _ in range(3)]
        assert statuses == ["NEW", "NEW", "FILLED"]

        client.fault("delay_event", ms=2000)
        await client.place()
        statuses = [(await client.next_event(socket))["status"] for _ in range(2)]
        assert statuses == ["FILLED", "NEW"]


async def test_maintenance_restarts_the_service(autojump_clock, client):
    async with client.vest_socket("tickers") as socket:
        client.fault("maintenance", seconds=3)
        with pytest.raises(ConnectionClosed) as closed:
            await client.next_event(socket, "nothing")

    assert closed.value.reason.code == 1012


async def test_a_client_that_reads_nothing_does_not_hold_the_venue_up(autojump_clock, client):
    async with client.vest_socket("BTC-PERP@depth"):
        order_id = await client.place()
        await trio.sleep(60)

        assert (await client.settled(order_id))["status"] == "FILLED"
