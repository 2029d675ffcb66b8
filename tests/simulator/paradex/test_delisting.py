"""A market that vanishes, and the states that the whole venue can be in."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.faults import UnknownFault

D = Decimal
ETH, BTC = "ETH-USD-PERP", "BTC-USD-PERP"


def delist(rig, **args):
    rig.faults.add({"venue": "paradex", "kind": "delist", "symbol": ETH, **args})


async def listed(rig, path):
    rows = (await rig.rest("GET", path)).body["results"]
    return [row["symbol"] for row in rows]


async def test_a_delisted_market_is_in_no_list(autojump_clock, logged_in):
    assert await listed(logged_in, "/v1/markets") == [ETH, BTC]

    delist(logged_in)

    assert await listed(logged_in, "/v1/markets") == [BTC]
    assert await listed(logged_in, "/v1/markets/summary?market=ALL") == [BTC]
    answer = await logged_in.rest("GET", f"/v1/orderbook/{ETH}")
    assert (answer.status, answer.body["error"]) == (404, "MARKET_NOT_FOUND")


async def test_its_orders_are_refused_and_those_that_rest_or_fly_end(autojump_clock, logged_in):
    resting = await logged_in.place(instruction="GTC", price="2890")
    await trio.sleep(1)
    flying = await logged_in.place()

    delist(logged_in)

    late = await logged_in.place()
    other = await logged_in.place(market=BTC, price="83010", size="0.01")
    await trio.sleep(1)
    orders = logged_in.venue.orders
    ended = [orders[one.body["id"]] for one in (resting, flying)]
    assert [(o.status, o.reason) for o in ended] == [("CLOSED", "MARKET_NOT_OPEN")] * 2
    assert (late.status, late.body["error"]) == (404, "MARKET_NOT_FOUND")
    assert other.status == 201


async def test_its_position_is_settled_at_the_mark_for_a_fee(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="0.5"))
    logged_in.model.prices["ETH"] = D(2950)

    delist(logged_in)

    assert logged_in.venue.ledger.positions == {}
    row = (await logged_in.rest("GET", "/v1/fills")).body["results"][0]
    assert (row["fill_type"], row["side"], row["size"]) == ("SETTLE_MARKET", "SELL", "0.5")
    assert (D(row["price"]), D(row["fee"])) == (2950, 2950 * D("0.5") * D("0.00015"))


@pytest.mark.parametrize("switches", [{"settles_delisted": False}])
async def test_by_switch_it_is_kept_until_the_market_is_back(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="0.5"))

    delist(logged_in, seconds=10)
    refused = await logged_in.place(side="SELL", price="2899", size="0.5", flags=["REDUCE_ONLY"])
    assert refused.status == 404
    assert logged_in.venue.ledger.position(ETH).size == D("0.5")
    await trio.sleep(10)

    assert await listed(logged_in, "/v1/markets") == [ETH, BTC]
    await logged_in.landed(await logged_in.place(side="SELL", price="2899", size="0.5"))
    assert logged_in.venue.ledger.positions == {}


async def test_a_delisted_market_is_shown_to_no_subscriber(autojump_clock, logged_in):
    async with logged_in.ws() as ws:
        for market in (ETH, BTC):
            await logged_in.call(ws, "subscribe", channel=f"bbo.{market}")
            await logged_in.call(ws, "subscribe", channel=f"order_book.{market}.deltas")
        delist(logged_in)
        logged_in.inbox.clear()
        with trio.move_on_after(2):
            while True:
                logged_in.model.prices = {one: p + 1 for one, p in logged_in.model.prices.items()}
                frame = await logged_in.event(ws)
                assert ETH not in frame
        assert BTC in frame


async def test_a_market_that_does_not_exist_cannot_be_delisted(autojump_clock, rig):
    with pytest.raises(UnknownFault):
        rig.faults.add({"venue": "paradex", "kind": "delist", "symbol": "MOON"})
    assert list(rig.venue.listed()) == [ETH, BTC]


@pytest.mark.parametrize(
    ("state", "instruction", "code"),
    [
        ("cancel_only", "POST_ONLY", "SYSTEM_STATUS_CANCEL_ONLY"),
        ("cancel_only", "IOC", "SYSTEM_STATUS_CANCEL_ONLY"),
        ("post_only", "IOC", "SYSTEM_STATUS_POST_ONLY"),
        ("post_only", "POST_ONLY", None),
    ],
)
async def test_each_state_of_the_venue_can_be_had_alone(
    autojump_clock, logged_in, state, instruction, code
):
    logged_in.faults.add({"venue": "paradex", "kind": state, "seconds": 5})

    shown = (await logged_in.rest("GET", "/v1/system/state")).body["status"]
    answer = await logged_in.place(instruction=instruction, price="2890")

    assert shown == state
    assert answer.body.get("error") == code
    await trio.sleep(5)
    assert (await logged_in.rest("GET", "/v1/system/state")).body["status"] == "ok"
    assert (await logged_in.place()).status == 201


@pytest.mark.parametrize("state", ["cancel_only", "post_only"])
async def test_vest_has_no_such_state(autojump_clock, rig, state):
    with pytest.raises(UnknownFault):
        rig.faults.add({"venue": "vest", "kind": state})
