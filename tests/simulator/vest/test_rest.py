"""Vest's HTTP side: who gets in, what is refused, and the faults of the wire."""

from __future__ import annotations

import email.utils
from decimal import Decimal

import pytest
import trio


async def test_registration_gives_a_key_and_a_group(autojump_clock, make_client):
    client = await make_client()

    first = await client.vest("POST", "/register", client.registration())
    again = await client.vest("POST", "/register", client.registration())

    assert first.json["accGroup"] == 0
    assert first.json == again.json


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"networkType": 1}, 1024),
        ({"networkType": "0"}, 1024),
        ({"primaryAddr": "0xC68Cf431459E0864B845D8b332cEe24BbCD28D52"}, 1130),
        ({"signingAddr": 5}, 1130),
        ({"expiryTime": 1}, 1130),
        ({"expiryTime": "1"}, 1130),
        ({"signature": "0x00"}, 1022),
        ({"signature": "0x" + "11" * 64 + "1b"}, 1022),
        ({"contract": "0x919386306C47b2Fe1036e3B4F7C40D22D2461a23"}, 1022),
        ({"primaryAddr": "0x" + "ab" * 20}, 1022),
    ],
)
async def test_a_bad_registration_is_refused(autojump_clock, make_client, changes, code):
    client = await make_client()
    body = client.registration(**{n: v for n, v in changes.items() if n == "contract"})
    body |= {n: v for n, v in changes.items() if n != "contract"}

    reply = await client.vest("POST", "/register", body)

    assert (reply.status, reply.json["code"]) == (400, code)


async def test_the_production_contract_is_a_switch(autojump_clock, make_client):
    client = await make_client(vest={"contract": "prod"})
    body = client.registration(contract="0x919386306C47b2Fe1036e3B4F7C40D22D2461a23")

    assert (await client.vest("POST", "/register", body)).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account"),
        ("GET", "/account/nonce"),
        ("GET", "/orders"),
        ("POST", "/orders"),
        ("POST", "/orders/cancel"),
        ("POST", "/account/leverage"),
        ("POST", "/account/listenKey"),
        ("PUT", "/account/listenKey"),
        ("DELETE", "/account/listenKey"),
    ],
)
async def test_private_calls_need_key_and_group(autojump_clock, client, method, path):
    body = None if method == "GET" else {}
    without = await client.vest(method, path, body, **{"X-API-KEY": "nobody"})
    elsewhere = await client.vest(method, path, body, xrestservermm="restserver3")

    assert (without.status, without.json["code"]) == (401, 1002)
    assert (elsewhere.status, elsewhere.json["code"]) == (400, 1146)


async def test_old_mistakes_are_not_found(autojump_clock, client):
    assert (await client.vest("DELETE", "/order", {})).status == 404
    assert (await client.vest("DELETE", "/orders", {})).status == 405


async def test_every_answer_carries_the_wall_clock(autojump_clock, client):
    reply = await client.vest("GET", "/nowhere")

    date = email.utils.parsedate_to_datetime(reply.headers["date"])
    assert abs(date.timestamp() * 1000 - client.now_ms) < 2000


async def test_listen_keys_are_made_extended_and_closed(autojump_clock, make_client):
    client = await make_client(vest={"listen_key_s": 60})
    await client.register()
    assert (await client.vest("PUT", "/account/listenKey")).json["code"] == 1125
    key = await client.listen_key()
    await trio.sleep(50)
    assert await client.listen_key() == key
    await trio.sleep(50)
    assert (await client.vest("PUT", "/account/listenKey")).json == {"listenKey": key}
    assert (await client.vest("DELETE", "/account/listenKey")).json == {}
    assert await client.listen_key() != key


async def test_the_account_shows_the_position(autojump_clock, client):
    await client.settled(await client.place(isBuy=False, limitPrice="82000.00"))

    account = (await client.vest("GET", f"/account?time={client.now_ms}")).json

    [position] = account["positions"]
    assert (position["symbol"], position["isLong"]) == ("BTC-PERP", False)
    assert (position["size"], position["initMarginRatio"]) == ("0.0100", "0.1000")
    assert Decimal(position["liqPrice"]) > 100_000
    assert account["leverages"] == [{"symbol": "BTC-PERP", "value": 10}]
    spare = Decimal(account["totalAccountValue"]) - Decimal(position["initMargin"])
    assert abs(Decimal(account["withdrawable"]) - spare) < Decimal("0.01")
    assert (await client.vest("GET", "/account/nonce?time=1")).json == {"lastNonce": client.nonce}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"time": 1, "symbol": "BTC-PERP", "value": 0}, 1130),
        ({"time": 1, "symbol": "BTC-PERP", "value": 26}, 1130),
        ({"time": 1, "symbol": "BTC-PERP", "value": "5"}, 1130),
        ({"time": 1, "symbol": "NONE-PERP", "value": 5}, 1121),
        ({"time": 1, "symbol": "BTC-PERP", "value": 5}, 3021),
    ],
)
async def test_leverage_has_limits(autojump_clock, client, body, code):
    await client.settled(await client.place())

    reply = await client.vest("POST", "/account/leverage", body)

    assert reply.json["code"] == code


async def test_orders_are_found_by_every_filter(autojump_clock, client):
    first = await client.place()
    nonce = client.nonce
    await trio.sleep(2)
    later_ms = client.now_ms - 1000
    second = await client.place(orderType="LIMIT", limitPrice="80000.00")
    await trio.sleep(1)

    async def found(query):
        return [row["id"] for row in (await client.vest("GET", f"/orders?{query}")).json]

    assert await found("") == [second, first]
    assert await found(f"id={first},0x77") == [first]
    assert await found(f"nonce={nonce}") == [first]
    assert await found("symbol=ETH-PERP") == []
    assert await found("status=NEW") == [second]
    assert await found("orderType=MARKET") == [first]
    assert await found(f"startTime={later_ms}") == [second]
    assert await found(f"endTime={later_ms}") == [first]
    assert await found("limit=1") == [second]
    assert (await client.vest("GET", "/orders?limit=0")).json["code"] == 1130
    assert (await client.vest("GET", "/orders?nonce=x")).json["code"] == 1130


async def test_public_data_has_the_documented_shapes(autojump_clock, client):
    info = (await client.vest("GET", "/exchangeInfo")).json
    depth = (await client.vest("GET", "/depth?symbol=BTC-PERP&limit=5")).json
    tickers = (await client.vest("GET", "/ticker/latest?symbols=BTC-PERP")).json
    interest = (await client.vest("GET", "/oi")).json

    [symbol] = info["symbols"]
    assert (symbol["sizeDecimals"], symbol["priceDecimals"]) == (4, 2)
    assert len(depth["bids"]) == len(depth["asks"]) == 5
    assert Decimal(depth["bids"][0][0]) < Decimal(depth["asks"][0][0])
    assert tickers["tickers"][0]["status"] == "TRADING"
    assert Decimal(interest["ois"][0]["longOi"]) > 0
    assert (await client.vest("GET", "/depth?symbol=X")).json["code"] == 1121
    assert (await client.vest("GET", "/depth?symbol=BTC-PERP&limit=x")).json["code"] == 1130
    assert (await client.vest("GET", "/exchangeInfo?symbols=X")).json["code"] == 1121


@pytest.mark.parametrize(("shape", "status"), [("detail", 400), ("ok", 200), ("plain", 400)])
async def test_errors_come_in_three_shapes(autojump_clock, make_client, shape, status):
    client = await make_client(vest={"errors": shape})

    reply = await client.vest("GET", "/depth?symbol=X")

    body = reply.json["detail"] if shape == "detail" else reply.json
    assert (reply.status, body["code"]) == (status, 1121)


@pytest.mark.parametrize(
    ("fault", "status", "orders"),
    [
        ({"kind": "refuse", "code": 1003}, 429, 0),
        ({"kind": "refuse", "code": 1132, "status": 418}, 418, 0),
        ({"kind": "http_error", "status": 502}, 502, 0),
        ({"kind": "http_error", "status": 504, "with_effect": True, "html": False}, 504, 1),
        ({"kind": "lose_request", "how": "cut"}, None, 0),
        ({"kind": "lose_answer", "how": "cut"}, None, 1),
    ],
)
async def test_faults_of_the_wire(autojump_clock, client, fault, status, orders):
    client.fault(**fault)

    reply = await client.vest("POST", "/orders", client.order())
    await trio.sleep(1)

    assert (None if reply is None else reply.status) == status
    assert len(client.truth()["orders"]) == orders
    assert (await client.vest("POST", "/orders", client.order())).status == 200


@pytest.mark.parametrize(("kind", "orders"), [("lose_request", 0), ("lose_answer", 1)])
async def test_a_lost_exchange_hangs(autojump_clock, client, kind, orders):
    client.fault(kind)

    with trio.move_on_after(60) as waiting:
        await client.vest("POST", "/orders", client.order())

    assert waiting.cancelled_caught
    assert len(client.truth()["orders"]) == orders


async def test_a_late_request_misses_its_window(autojump_clock, client):
    client.fault("delay_request", ms=6000)

    reply = await client.vest("POST", "/orders", client.order(window=5000))

    assert reply.json["code"] == 1132
    assert client.truth()["orders"] == []


async def test_answers_and_landings_can_be_late(autojump_clock, client):
    client.fault("delay_answer", ms=3000)
    client.fault("delay_landing", ms=5000)
    start = trio.current_time()

    order_id = await client.place()

    assert 3 < trio.current_time() - start < 3.2
    assert client.box.vest.orders[order_id].status == "NEW"
    await trio.sleep(2.5)
    assert client.box.vest.orders[order_id].status == "FILLED"


async def test_reads_fail_when_told(autojump_clock, client):
    order_id = await client.place()
    client.fault("http_error", status=503, request="query")

    assert (await client.vest("GET", f"/orders?id={order_id}")).status == 503
    assert (await client.vest("GET", f"/orders?id={order_id}")).status == 200


async def test_expired_keys_are_refused_until_registering_again(autojump_clock, client):
    client.fault("expire_token")

    assert (await client.vest("GET", "/account")).status == 401
    await client.register()
    assert (await client.vest("GET", "/account")).status == 200


async def test_maintenance_answers_html_and_ends(autojump_clock, client):
    client.fault("maintenance", seconds=5)

    reply = await client.vest("GET", "/exchangeInfo")
    assert (reply.status, reply.headers["content-type"]) == (503, "text/html")
    await trio.sleep(6)
    assert (await client.vest("GET", "/exchangeInfo")).status == 200
