"""Vest's liquidations, halts and limits."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
import trio_websocket


async def test_a_liquidation_stops_where_the_initial_margin_is_met(autojump_clock, client):
    await client.settled(await client.place(size="1.1000", limitPrice="99000.00"))
    waiting = await client.place(orderType="LIMIT", limitPrice="60000.00", size="0.0010")
    await trio.sleep(1)
    key = await client.listen_key()
    async with client.vest_socket("account_private", key=key) as socket:
        client.box.vest.setup.model._bases["BTC"].hidden *= 0.91
        events = [await client.next_event(socket) for _ in range(2)]
        await trio.sleep(1)

    ledger, mark = client.box.vest.ledger, client.box.vest.mark
    deleted, liquidated = sorted(events, key=lambda event: event["status"], reverse=True)
    assert (deleted["id"], deleted["code"]) == (waiting, 3008)
    assert (liquidated["orderType"], liquidated["reduceOnly"]) == ("LIQUIDATION", True)
    assert 0 < client.position() < Decimal("1.1")
    assert ledger.equity(mark) >= ledger.initial_margin(mark)
    assert Decimal(liquidated["fees"]) < 10  # The taker's fee; there is no penalty.


async def test_the_fault_liquidates_at_once_and_shows_in_the_orders(autojump_clock, client):
    await client.settled(await client.place())

    client.fault("liquidate", market="BTC-PERP")

    rows = (await client.vest("GET", "/orders?orderType=LIQUIDATION")).json
    assert [row["status"] for row in rows] == ["FILLED"]
    assert client.truth()["positions"] == {}


async def test_a_halted_market_takes_no_orders_and_says_so(autojump_clock, client):
    client.fault("halt", symbol="BTC-PERP", seconds=10)

    refused = await client.vest("POST", "/orders", client.order())
    [info] = (await client.vest("GET", "/exchangeInfo")).json["symbols"]
    [ticker] = (await client.vest("GET", "/ticker/latest")).json["tickers"]
    await trio.sleep(11)

    assert refused.json["code"] == 1148
    assert (info["tradingStatus"], ticker["status"]) == ("HALT", "HALT")
    assert (await client.settled(await client.place()))["status"] == "FILLED"


async def test_an_order_that_lands_in_a_halt_is_rejected(autojump_clock, client):
    order_id = await client.place()

    client.fault("halt")
    row = await client.settled(order_id)

    assert (row["status"], row["code"]) == ("REJECTED", 3024)


async def test_a_halt_may_be_told_late_instead(autojump_clock, client):
    client.fault("halt", code=3024)

    row = await client.settled(await client.place())

    assert (row["status"], row["code"]) == ("REJECTED", 3024)


async def test_a_resting_order_waits_for_the_end_of_a_halt(autojump_clock, client):
    order_id = await client.place(orderType="LIMIT", limitPrice="82000.00")
    await trio.sleep(1)
    client.fault("halt", seconds=5)
    client.box.vest.setup.model._bases["BTC"].hidden *= 0.98
    await trio.sleep(3)
    during = client.truth()["orders"][0]["status"]
    await trio.sleep(5)

    assert during == "NEW"
    assert (await client.settled(order_id))["status"] == "FILLED"


@pytest.mark.parametrize(("code", "status"), [(1003, 429), (429, 429)])
async def test_too_many_requests_are_refused_with_the_code_of_choice(
    autojump_clock, make_client, code, status
):
    client = await make_client(vest={"requests_per_s": 5, "too_many_code": code})
    await client.register(leverage=None)
    await trio.sleep(1)
    client.box.vest.latency._streams.clear()

    replies = []
    async with trio.open_nursery() as asking:
        for _ in range(8):
            asking.start_soon(_ask, client, "/account", replies)
    public = await client.vest("GET", "/exchangeInfo")

    assert sorted(reply.status for reply in replies) == [200] * 5 + [status] * 3
    assert {reply.json["code"] for reply in replies if reply.status != 200} == {code}
    assert public.status == 200


async def _ask(client, path, replies):
    replies.append(await client.vest("GET", path))


async def _drain(socket):
    while True:
        await socket.get_message()


@pytest.mark.parametrize("code", [1011, 1012])
async def test_a_connection_can_be_closed_with_a_code(autojump_clock, client, code):
    async with client.vest_socket("BTC-PERP@depth") as socket:
        client.fault("cut", code=code)
        with pytest.raises(trio_websocket.ConnectionClosed) as closed:
            await _drain(socket)

    assert closed.value.reason.code == code
