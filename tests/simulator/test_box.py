from __future__ import annotations

import json
from decimal import Decimal

import trio


async def test_a_client_registers_reads_depth_places_an_order_and_sees_the_fill(
    autojump_clock, make_client
):
    client = await make_client()
    await client.register()
    key = await client.listen_key()
    async with client.vest_socket("BTC-PERP@depth", "account_private", key=key) as socket:
        frame = json.loads(await socket.get_message())
        assert frame["channel"] == "BTC-PERP@depth"
        best_ask = Decimal(frame["data"]["asks"][0][0])

        order_id = await client.place(size="0.0050", limitPrice=f"{best_ask + 50:.2f}")

        events = []
        while len(events) < 2:
            frame = json.loads(await socket.get_message())
            if frame["channel"] == "account_private":
                events.append(frame["data"]["args"])
    new, filled = events
    assert (new["id"], new["status"], new["nonce"]) == (order_id, "NEW", client.nonce)
    assert (filled["id"], filled["status"]) == (order_id, "FILLED")
    assert abs(Decimal(filled["avgFilledPrice"]) - best_ask) < 20
    assert client.position() == Decimal("0.005")


async def test_the_same_seed_gives_the_same_prices_and_keys(autojump_clock, make_client):
    worlds = []
    for seed in (5, 5, 6):
        client = await make_client(seed=seed, profile="demo", bases=("BTC", "ETH"))
        start = trio.current_time()
        prices = []
        for tenth in range(1, 50):
            await trio.sleep_until(start + tenth / 10 + 0.01)
            prices.append(client.box.model.mid("vest", "ETH"))
        worlds.append((client.box.credentials(), prices))

    assert worlds[0] == worlds[1]
    assert worlds[0][0] != worlds[2][0]
    assert worlds[0][1] != worlds[2][1]


async def test_an_order_in_flight_lands_while_the_box_closes(autojump_clock, client):
    order_id = await client.place()
    assert client.box.vest.orders[order_id].status == "NEW"

    await client.box.close()

    assert client.box.vest.orders[order_id].status == "FILLED"


async def test_a_closed_box_takes_no_more_connections(autojump_clock, client):
    await client.box.close()

    assert await client.vest("GET", "/exchangeInfo") is None


async def test_a_gap_can_be_forced_and_goes_away(autojump_clock, client):
    client.box.faults.add({"kind": "gap_jump", "bps": 40, "seconds": 2})

    await trio.sleep(1)
    assert 39 < client.box.model.gap_bps("BTC") < 41
    await trio.sleep(4)
    assert abs(client.box.model.gap_bps("BTC")) < 1


async def test_refused_connections_come_back_after_their_time(autojump_clock, client):
    client.box.faults.add({"venue": "vest", "kind": "refuse_connect", "seconds": 5})

    assert await client.vest("GET", "/exchangeInfo") is None
    await trio.sleep(6)
    reply = await client.vest("GET", "/exchangeInfo")
    assert reply.status == 200


async def test_a_script_of_faults_strikes_at_its_time(autojump_clock, make_client):
    script = ({"at_s": 3, "kind": "gap_jump", "bps": 30, "seconds": 9},)
    client = await make_client(faults=script)

    await trio.sleep(2)
    assert abs(client.box.model.gap_bps("BTC")) < 1
    await trio.sleep(2)
    assert client.box.model.gap_bps("BTC") > 29
