"""A market that vanishes at Vest."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import trio

D = Decimal
SELL = {"isBuy": False, "limitPrice": "80000.00"}


async def symbols(client, path="/exchangeInfo", name="symbols"):
    return [row["symbol"] for row in (await client.vest("GET", path)).json[name]]


@pytest.fixture
async def two(make_client):
    """A registered client where two markets are listed."""
    client = await make_client(bases=("BTC", "ETH"))
    await client.register()
    return client


async def test_a_delisted_market_is_in_no_list(autojump_clock, two):
    assert await symbols(two) == ["BTC-PERP", "ETH-PERP"]

    two.fault("delist", symbol="BTC-PERP")

    assert await symbols(two) == ["ETH-PERP"]
    assert await symbols(two, "/ticker/latest", "tickers") == ["ETH-PERP"]
    for path in ("/depth?symbol=BTC-PERP", "/exchangeInfo?symbols=BTC-PERP"):
        assert (await two.vest("GET", path)).json["code"] == 1121


async def test_its_orders_are_refused_and_those_that_rest_or_fly_end(autojump_clock, two):
    waiting = {"orderType": "LIMIT", "timeInForce": "GTC", "limitPrice": "70000.00"}
    resting = await two.place(**waiting)
    await trio.sleep(1)
    flying = await two.place()

    two.fault("delist", symbol="BTC-PERP")

    refused = await two.vest("POST", "/orders", two.order())
    await trio.sleep(1)
    ended = [two.box.vest.orders[one] for one in (resting, flying)]
    assert refused.json["code"] == 1121
    assert [(order.status, order.reason) for order in ended] == [
        ("CANCELLED", ""),
        ("REJECTED", "3024"),
    ]


async def test_its_position_is_settled_at_the_mark(autojump_clock, two):
    await two.settled(await two.place())

    two.fault("delist", symbol="BTC-PERP")

    fill = two.truth()["fills"][-1]
    assert two.truth()["positions"] == {}
    assert (fill["side"], D(fill["size"])) == ("sell", D("0.01"))
    assert abs(D(fill["price"]) - two.box.vest.mark("BTC-PERP")) <= D("0.01")


async def test_by_switch_it_is_kept_until_the_market_is_back(autojump_clock, make_client):
    client = await make_client(vest={"settles_delisted": False})
    await client.register()
    await client.settled(await client.place())

    client.fault("delist", symbol="BTC-PERP", seconds=10)
    assert (await client.vest("POST", "/orders", client.order(**SELL))).json["code"] == 1121
    assert client.position() == D("0.01")
    await trio.sleep(10)

    assert await symbols(client) == ["BTC-PERP"]
    await client.settled(await client.place(**SELL))
    assert client.truth()["positions"] == {}


async def test_a_delisted_market_is_shown_to_no_subscriber(autojump_clock, two):
    async with two.vest_socket("BTC-PERP@depth", "ETH-PERP@depth", "tickers") as socket:
        await trio.sleep(1)
        two.fault("delist", symbol="BTC-PERP")
        with trio.move_on_after(0.01):
            while True:
                await socket.get_message()
        seen = set()
        with trio.move_on_after(3):
            while True:
                frame = json.loads(await socket.get_message())
                rows = frame["data"] if frame["channel"] == "tickers" else []
                seen |= {frame["channel"], *(row["symbol"] for row in rows)}

    assert seen == {"ETH-PERP@depth", "tickers", "ETH-PERP"}
