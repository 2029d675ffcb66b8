"""Orders at Vest that no client of ours sent, and fills that look odd."""

from __future__ import annotations

import pytest
import trio

SHAPES = ("tpsl", "unknown_status", "unknown_type", "null_nonce", "null_field", "looks_like_ours")


async def listed(client, query=""):
    answer = await client.vest("GET", f"/orders?{query}&time={client.now_ms}")
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.ordinary("tpsl", "null_nonce", "unknown_status")
async def test_a_foreign_order_rests_until_it_is_cancelled(autojump_clock, client, shape):
    async with client.vest_socket("account_private", key=await client.listen_key()) as socket:
        spec = {"venue": "vest", "kind": "foreign_order", "shape": shape}
        assert (await client.request("control", "POST", "/fault", spec)).status == 200
        event = await client.next_event(socket)
        await trio.sleep(60)
        rows = await listed(client)

        for row in rows:
            assert (await client.cancel(row["id"])).status == 200
        await trio.sleep(2)

    expected = {
        "tpsl": [("STOP_LOSS", "NEW"), ("TAKE_PROFIT", "NEW")],
        "unknown_status": [("LIMIT", "ARMED")],
        "unknown_type": [("TRAILING_STOP", "NEW")],
    }.get(shape, [("LIMIT", "NEW")])
    assert [(row["orderType"], row["status"]) for row in rows] == expected
    assert [row["nonce"] is None for row in rows] == [shape in ("tpsl", "null_nonce")] * len(rows)
    assert [row["limitPrice"] is None for row in rows] == [shape == "null_field"] * len(rows)
    assert event["id"] in {row["id"] for row in rows}
    assert all(row["foreign"] and row["filled"] == "0" for row in client.truth()["orders"])
    assert client.truth()["open_orders"] == []


async def test_a_pair_on_a_position_would_close_it(autojump_clock, client):
    await client.settled(await client.place(isBuy=False, limitPrice="80000.00"))

    client.fault("foreign_order", shape="tpsl")

    stop, profit = await listed(client, "status=NEW")
    assert (stop["isBuy"], stop["size"], stop["reduceOnly"]) == (True, "0.0100", True)
    assert float(profit["limitPrice"]) < 83_000 < float(stop["limitPrice"])


async def test_a_cancel_can_be_refused_for_ever(autojump_clock, client):
    client.fault("foreign_order", cancel="refused", code=3017)
    [row] = await listed(client)

    answers = [await client.cancel(row["id"]) for _ in range(3)]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(400, 3017)] * 3
    assert [one["status"] for one in await listed(client)] == ["NEW"]


@pytest.mark.parametrize(
    ("request_kind", "path"),
    [("query", "/orders?time=1"), ("account", "/account?time=1"), ("public", "/exchangeInfo")],
)
async def test_other_requests_can_be_refused_too(autojump_clock, client, request_kind, path):
    client.fault("refuse", request=request_kind, code=1003)

    answers = [await client.vest("GET", path) for _ in range(2)]

    assert [answer.status for answer in answers] == [429, 200]


async def test_a_cancel_of_our_own_can_be_refused(autojump_clock, client):
    order_id = await client.place(orderType="LIMIT", limitPrice="60000.00")
    client.fault("refuse", request="cancel", code=1003)

    first = await client.cancel(order_id)
    second = await client.cancel(order_id)

    assert (first.status, second.status) == (429, 200)


@pytest.mark.parametrize(("given", "nonce_is_null"), [({}, False), ({"house_nonce": False}, True)])
async def test_a_liquidation_has_a_nonce_or_none(autojump_clock, make_client, given, nonce_is_null):
    client = await make_client(vest=given)
    await client.register()
    await client.settled(await client.place())

    client.fault("liquidate", market="BTC-PERP")
    await trio.sleep(1)

    newest = (await listed(client))[0]
    assert (newest["orderType"], newest["status"]) == ("LIQUIDATION", "FILLED")
    assert (newest["nonce"] is None) is nonce_is_null


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("zero_price", {"lastFilledPrice": "0", "avgFilledPrice": "0"}),
        ("no_side", {"isBuy": None}),
        ("no_fee", {"fees": None}),
    ],
)
async def test_a_fill_can_look_odd_in_lists_and_in_events(autojump_clock, client, shape, fields):
    client.fault("odd_fill", shape=shape)
    async with client.vest_socket("account_private", key=await client.listen_key()) as socket:
        order_id = await client.place()
        event = {}
        while event.get("status") != "FILLED":
            event = await client.next_event(socket)
        row = await client.settled(order_id)
        plain = await client.settled(await client.place())

    assert {name: row[name] for name in fields} == fields
    assert {name: event[name] for name in fields} == fields
    assert {name: plain[name] for name in fields} != fields
    assert client.truth()["positions"] == {"BTC-PERP": "0.02"}


@pytest.mark.parametrize(
    "args",
    [{"shape": "none"}, {"market": "NONE-PERP"}, {"side": "up"}, {"size": "-1"}, {"size": "some"}],
)
async def test_a_foreign_order_that_cannot_be_is_named(autojump_clock, client, args):
    spec = {"venue": "vest", "kind": "foreign_order", **args}

    reply = await client.request("control", "POST", "/fault", spec)

    assert (reply.status, set(reply.json)) == (400, {"error"})
    assert client.truth()["orders"] == []
