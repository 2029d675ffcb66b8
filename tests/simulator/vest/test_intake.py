"""Every check of an order before it is accepted, and their order."""

from __future__ import annotations

import pytest
import trio


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"isBuy": 1}, 1130),
        ({"time": "1"}, 1130),
        ({"nonce": True}, 1130),
        ({"nonce": -1}, 1130),
        ({"size": 1}, 1130),
        ({"size": "-1.0000"}, 1130),
        ({"size": "NaN"}, 1130),
        ({"size": "1e-2"}, 1130),
        ({"size": "."}, 1130),
        ({"size": "\u0661.0000"}, 1130),
        ({"symbol": "\ud800"}, 1121),
        ({"size": "0.0000"}, 1130),
        ({"symbol": "NONE-PERP"}, 1121),
        ({"orderType": "TAKE_PROFIT"}, 1116),
        ({"orderType": "LIMIT", "timeInForce": "IOC"}, 1133),
        ({"orderType": "LIMIT", "timeInForce": "DAY"}, 1133),
        ({"orderType": "LIMIT", "tpPrice": "90000.00"}, 1145),
        ({"size": "0.01"}, 1111),
        ({"size": "0.01000"}, 1111),
        ({"limitPrice": "84000"}, 1111),
        ({"limitPrice": "84000.0"}, 1111),
        ({"limitPrice": "84000.000"}, 1111),
    ],
)
async def test_a_bad_field_is_refused_by_its_code(autojump_clock, client, changes, code):
    body = client.order()
    body["order"] |= changes

    reply = await client.vest("POST", "/orders", body)

    assert (reply.status, reply.json["code"]) == (400, code)
    assert client.truth()["orders"] == []


@pytest.mark.parametrize("window", [0, -5, 10**9, "5000", 5000.5, True])
async def test_a_bad_window_is_refused(autojump_clock, client, window):
    body = client.order()
    body["recvWindow"] = window

    assert (await client.vest("POST", "/orders", body)).json["code"] == 1131


async def test_an_order_after_its_window_is_expired(autojump_clock, client):
    early = client.order(window=1000)
    default = client.order(window=None)
    await trio.sleep(2)

    assert (await client.vest("POST", "/orders", early)).json["code"] == 1132
    assert (await client.vest("POST", "/orders", default)).status == 200
    await trio.sleep(4)
    late = client.order(window=None, time=client.now_ms - 5001)
    assert (await client.vest("POST", "/orders", late)).json["code"] == 1132


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "0.0200"},
        {"limitPrice": "84000.01"},
        {"isBuy": False},
        {"reduceOnly": True},
        {"nonce": 5},
    ],
)
async def test_the_signature_covers_the_literal_fields(autojump_clock, client, changes):
    body = client.order()
    body["order"] |= changes

    assert (await client.vest("POST", "/orders", body)).json["code"] == 1022


@pytest.mark.parametrize(
    "signature", ["", "0x", None, 5, "zz", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64]
)
async def test_a_signature_that_is_none_is_refused(autojump_clock, client, signature):
    body = client.order()
    body["signature"] = signature

    assert (await client.vest("POST", "/orders", body)).json["code"] == 1022


async def test_a_signature_needs_its_prefix_and_a_v_of_27_or_28(autojump_clock, client):
    body = client.order()
    good = body["signature"]

    body["signature"] = good.removeprefix("0x")
    assert (await client.vest("POST", "/orders", body)).json["code"] == 1022
    body["signature"] = f"{good[:-2]}{int(good[-2:], 16) - 27:02x}"
    assert (await client.vest("POST", "/orders", body)).json["code"] == 1022
    body["signature"] = good
    assert (await client.vest("POST", "/orders", body)).status == 200


async def test_a_signing_key_ends_with_its_proof(autojump_clock, make_client):
    client = await make_client()
    body = client.registration(expiryTime=client.now_ms + 10_000)
    client.api_key = (await client.vest("POST", "/register", body)).json["apiKey"]
    await trio.sleep(11)

    assert (await client.vest("POST", "/orders", client.order())).json["code"] == 1022


async def test_a_copy_of_an_order_is_a_duplicate(autojump_clock, client):
    body = client.order()

    first = await client.vest("POST", "/orders", body)
    copy = await client.vest("POST", "/orders", body)
    await trio.sleep(1)

    assert first.status == 200
    assert copy.json["code"] == 3015
    assert len(client.truth()["orders"]) == 1


async def test_the_first_failing_check_decides(autojump_clock, client):
    body = client.order(symbol="NONE-PERP", orderType="TAKE_PROFIT", size="0.01")
    await trio.sleep(61)

    async def code():
        return (await client.vest("POST", "/orders", body)).json["code"]

    assert await code() == 1121
    body["order"]["symbol"] = "BTC-PERP"
    assert await code() == 1116
    body["order"] |= {"orderType": "LIMIT", "timeInForce": "DAY"}
    assert await code() == 1133
    body["order"]["timeInForce"] = "FOK"
    assert await code() == 1111
    body["order"]["size"] = "0.0100"
    assert await code() == 1132


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"5", b'{"order":5}', b"[" * 5000])
async def test_nonsense_is_refused_with_1130(autojump_clock, client, body):
    for path in ("/orders", "/orders/cancel?time=1"):
        reply = await client.vest("POST", path, body)
        assert (reply.status, reply.json["code"]) == (400, 1130)


async def test_gtc_on_a_market_order_is_ignored(autojump_clock, client):
    body = client.order()
    body["order"]["timeInForce"] = "GTC"  # not signed

    assert (await client.vest("POST", "/orders", body)).status == 200


async def test_ioc_is_taken_by_switch(autojump_clock, make_client):
    client = await make_client(vest={"ioc_accepted": True})
    await client.register()

    body = client.order(orderType="LIMIT")
    body["order"]["timeInForce"] = "IOC"

    assert (await client.vest("POST", "/orders", body)).status == 200


async def test_a_cancel_is_checked_like_an_order(autojump_clock, client):
    order_id = await client.place(orderType="LIMIT", limitPrice="80000.00")

    assert (await client.cancel("0x" + "00" * 32)).json["code"] == 3017
    bad = {"order": {"time": client.now_ms, "nonce": 1, "id": order_id}, "signature": "0x"}
    assert (await client.vest("POST", "/orders/cancel?time=1", bad)).json["code"] == 1022
    bad["order"]["time"] -= 10_000
    assert (await client.vest("POST", "/orders/cancel?time=1", bad)).json["code"] == 1132
    bad["order"]["id"] = "\ud800"
    assert (await client.vest("POST", "/orders/cancel?time=1", bad)).json["code"] == 1130
    bad["order"]["id"] = 5
    assert (await client.vest("POST", "/orders/cancel?time=1", bad)).json["code"] == 1130
    assert len(client.truth()["open_orders"]) == 1
