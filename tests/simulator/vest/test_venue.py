"""What becomes of an accepted order at Vest."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio


async def test_a_market_order_fills_whole_within_half_a_second(autojump_clock, client):
    order_id = await client.place(size="0.0300")
    received_ms = client.box.vest.orders[order_id].received_ms

    row = await client.settled(order_id)

    assert 100 < row["lastFilledTime"] - received_ms < 500
    assert (row["status"], row["lastFilledSize"]) == ("FILLED", "0.0300")
    assert (row["code"], row["limitPrice"]) == (None, "84000.00")
    assert client.position() == Decimal("0.03")


async def test_the_price_is_the_engine_s_on_arrival_and_grows_with_the_size(autojump_clock, client):
    small = await client.settled(await client.place(size="0.0010"))
    await trio.sleep(20)
    large = await client.settled(await client.place(size="0.3000"))

    mark = client.box.vest.mark("BTC-PERP")
    assert mark < Decimal(small["avgFilledPrice"]) < Decimal(large["avgFilledPrice"])


async def test_what_a_fill_took_comes_back_within_seconds(autojump_clock, client):
    def ask():
        return client.box.vest.book("BTC-PERP").asks[0][0] / client.box.vest.mark("BTC-PERP")

    before = ask()
    await client.settled(await client.place(size="0.1000"))
    during = ask()
    await trio.sleep(30)

    assert during > before + Decimal("0.00002")
    assert abs(ask() - before) < Decimal("0.00001")


async def test_fees_carry_a_premium_only_when_risk_is_added(autojump_clock, client):
    opened = await client.settled(await client.place())
    closed = await client.settled(
        await client.place(isBuy=False, limitPrice="82000.00", reduceOnly=True)
    )

    def notional(row):
        return Decimal(row["lastFilledSize"]) * Decimal(row["avgFilledPrice"])

    rate_in = Decimal(opened["fees"]) / notional(opened)
    rate_out = Decimal(closed["fees"]) / notional(closed)
    assert abs(rate_out - Decimal("0.0001")) < Decimal("0.000001")
    assert Decimal("0.00015") < rate_in < Decimal("0.00025")
    assert client.truth()["positions"] == {}


@pytest.mark.parametrize(("premium_in", "share"), [("fees", "1"), ("both", "0.5"), ("price", "0")])
async def test_the_premium_is_in_the_fees_or_the_price_by_switch(
    autojump_clock, make_client, premium_in, share
):
    client = await make_client(vest={"premium_in": premium_in, "premium_bps": "20"})
    await client.register()
    promised = client.box.vest.quote("BTC-PERP", "buy", Decimal("0.05")).average

    row = await client.settled(await client.place(size="0.0500", limitPrice="86000.00"))

    price, notional = Decimal(row["avgFilledPrice"]), Decimal("0.05") * promised
    charged = Decimal("0.002") * (1 + notional / 20_000)
    in_fees = Decimal(row["fees"]) / notional - Decimal("0.0001")
    assert abs(in_fees - charged * Decimal(share)) < Decimal("0.00001")
    assert abs(price / promised - 1 - charged * (1 - Decimal(share))) < Decimal("0.00005")


async def test_a_premium_in_the_price_keeps_to_the_limit(autojump_clock, make_client):
    client = await make_client(vest={"premium_in": "price", "premium_bps": "50"})
    await client.register()
    ask = client.box.vest.book("BTC-PERP").asks[0][0]

    row = await client.settled(await client.place(limitPrice=f"{ask * Decimal('1.002'):.2f}"))

    assert (row["status"], row["code"]) == ("REJECTED", 3001)
    assert client.truth()["positions"] == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"limitPrice": "82000.00"}, 3001),
        ({"limitPrice": "0.00"}, 3001),
        ({"size": "2.0000", "limitPrice": "99000.00"}, 3002),
        ({"reduceOnly": True}, 3018),
        ({"orderType": "LIMIT", "timeInForce": "FOK", "limitPrice": "80000.00"}, 3001),
    ],
)
async def test_the_engine_rejects_by_code(autojump_clock, client, changes, code):
    row = await client.settled(await client.place(**changes))

    assert (row["status"], row["code"], row["lastFilledSize"]) == ("REJECTED", code, None)
    assert client.truth()["positions"] == {}
    assert client.truth()["balance"] == "10000"


async def test_reduce_only_beyond_the_position_is_rejected(autojump_clock, client):
    await client.settled(await client.place(size="0.0100"))

    row = await client.settled(
        await client.place(size="0.0101", isBuy=False, limitPrice="1.00", reduceOnly=True)
    )

    assert row["code"] == 3019
    assert client.position() == Decimal("0.01")


async def test_a_symbol_without_leverage_cannot_be_traded(autojump_clock, make_client):
    client = await make_client()
    await client.register(leverage=None)

    row = await client.settled(await client.place())

    assert row["code"] == 3020


async def test_leverage_is_required_only_by_switch(autojump_clock, make_client):
    client = await make_client(vest={"leverage_required": False})
    await client.register(leverage=None)

    assert (await client.settled(await client.place()))["status"] == "FILLED"


async def test_a_limit_order_rests_until_the_index_reaches_it(autojump_clock, client):
    index = client.box.vest.index("BTC-PERP")
    order_id = await client.place(
        orderType="LIMIT", timeInForce="GTC", limitPrice=f"{index - 1:.2f}"
    )
    row = await client.settled(order_id)
    assert row["status"] == "NEW"
    assert [o["id"] for o in client.truth()["open_orders"]] == [order_id]

    prices = client.box.model._bases["BTC"]
    prices.hidden *= 0.999
    row = await client.settled(order_id)

    assert row["status"] == "FILLED"
    assert Decimal(row["avgFilledPrice"]) <= Decimal(row["limitPrice"])


async def test_a_marketable_limit_order_fills_at_once(autojump_clock, client):
    row = await client.settled(await client.place(orderType="LIMIT", timeInForce="FOK"))

    assert row["status"] == "FILLED"


async def test_a_killed_limit_order_may_be_cancelled_instead(autojump_clock, make_client):
    client = await make_client(vest={"limit_killed": "CANCELLED"})
    await client.register()

    row = await client.settled(
        await client.place(orderType="LIMIT", timeInForce="FOK", limitPrice="80000.00")
    )

    assert (row["status"], row["code"]) == ("CANCELLED", None)


async def test_a_resting_order_is_cancelled_and_told(autojump_clock, client):
    key = await client.listen_key()
    async with client.vest_socket("account_private", key=key) as socket:
        order_id = await client.place(orderType="LIMIT", limitPrice="80000.00")
        new = await client.next_event(socket)
        reply = await client.cancel(order_id)
        event = await client.next_event(socket)

    assert reply.json == {"id": order_id}
    assert event == {
        "id": order_id,
        "status": "CANCELLED",
        "postTime": new["postTime"],
        "nonce": new["nonce"],
    }
    assert client.truth()["open_orders"] == []
    assert (await client.cancel(order_id)).json["code"] == 3017


async def test_a_fill_may_win_against_a_cancel(autojump_clock, client):
    client.box.faults.add({"venue": "vest", "kind": "delay_landing", "ms": 0})
    order_id = await client.place()
    await trio.sleep(0.25)
    await client.cancel(order_id)

    status = (await client.settled(order_id))["status"]

    assert status in ("FILLED", "CANCELLED")
    assert client.position() == (Decimal("0.01") if status == "FILLED" else 0)


async def test_a_hand_may_close_the_position(autojump_clock, client):
    await client.settled(await client.place())
    key = await client.listen_key()
    async with client.vest_socket("account_private", key=key) as socket:
        client.fault("manual_close", market="BTC-PERP")
        event = await client.next_event(socket)

    assert (event["status"], event["isBuy"], event["reduceOnly"]) == ("FILLED", False, True)
    assert client.truth()["positions"] == {}


async def test_too_little_value_is_liquidated(autojump_clock, client):
    await client.settled(await client.place(size="1.1000", limitPrice="99000.00"))
    client.box.model._bases["BTC"].hidden *= 0.91

    await trio.sleep(5)

    kinds = [order["kind"] for order in client.truth()["orders"]]
    assert "LIQUIDATION" in kinds
    assert client.position() < Decimal("1.1")


async def test_funding_accrues_and_is_settled_with_a_trade(autojump_clock, client):
    await client.settled(await client.place(size="1.0000", limitPrice="99000.00"))
    rate = client.box.vest.hourly_funding("BTC-PERP")
    await trio.sleep(120)
    reply = await client.vest("GET", "/account")
    [position] = reply.json["positions"]

    await client.settled(
        await client.place(size="1.0000", isBuy=False, limitPrice="1.00", reduceOnly=True)
    )

    [opened, closed] = client.truth()["fills"]
    money = Decimal(10_000) - Decimal(opened["fee"]) - Decimal(closed["fee"])
    funding = Decimal(client.truth()["balance"]) - money - Decimal(closed["realized_pnl"])
    assert position["symbol"] == "BTC-PERP"
    assert rate != 0
    assert abs(funding + rate * 83_000 / 30) < abs(rate) * 83_000 / 300


@pytest.mark.parametrize(
    ("fault", "status", "filled"),
    [
        ({"kind": "refuse", "code": 3002}, "REJECTED", "0"),
        ({"kind": "no_fill"}, "REJECTED", "0"),
        ({"kind": "partial_fill", "fraction": "0.4"}, "CANCELLED", "0.004"),
        ({"kind": "refuse", "code": 3001, "side": "sell"}, "FILLED", "0.01"),
        ({"kind": "refuse", "code": 3001, "skip": 1}, "FILLED", "0.01"),
    ],
)
async def test_faults_of_the_engine(autojump_clock, client, fault, status, filled):
    client.fault(**fault)

    row = await client.settled(await client.place())

    assert row["status"] == status
    assert client.truth()["orders"][0]["filled"] == filled
    assert client.position() == Decimal(filled)


async def test_a_partial_fill_is_told_before_its_end(autojump_clock, client):
    key = await client.listen_key()
    client.fault("partial_fill", fraction="0.5")
    async with client.vest_socket("account_private", key=key) as socket:
        await client.place()
        events = [await client.next_event(socket) for _ in range(3)]

    assert [event["status"] for event in events] == ["NEW", "PARTIALLY_FILLED", "CANCELLED"]
    assert events[1]["lastFilledSize"] == "0.0050"


async def test_a_saved_venue_goes_on_where_it_was(autojump_clock, client, make_client):
    await client.settled(await client.place())
    resting = await client.place(orderType="LIMIT", limitPrice="80000.00")
    await client.settled(resting)
    flying = await client.place(size="0.0020")
    asked = await client.place(orderType="LIMIT", limitPrice="79000.00")
    client.box.vest.orders[asked].extra["cancel_asked"] = True
    venue = client.box.vest
    orders = [order.dump() for order in venue.orders.values()]
    fills = [fill.dump() for fill in venue.ledger.fills]

    again = await make_client()
    again.api_key = client.api_key
    again.box.vest.load(venue.dump(), orders, fills)
    row = await again.settled(flying)

    assert row["status"] == "FILLED"
    assert again.position() == Decimal("0.012")
    assert [order["id"] for order in again.truth()["open_orders"]] == [resting]
    assert len({fill["id"] for fill in again.truth()["fills"]}) == 2
