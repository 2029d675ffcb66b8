"""Corners of the engine: self-trade modes, stops, restarts, thin books."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.paradex.venue import ParadexVenue

ETH = "ETH-USD-PERP"


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("EXPIRE_TAKER", "OPEN", ("SELF_TRADE", "0.1")),
        ("EXPIRE_MAKER", "CLOSED", ("", "0")),
        ("EXPIRE_BOTH", "CLOSED", ("SELF_TRADE", "0.1")),
    ],
)
async def test_self_trade_prevention_ends_the_side_it_names(
    autojump_clock, logged_in, mode, maker, taker
):
    resting = await logged_in.place(side="SELL", instruction="GTC", price="2900.6")
    await trio.sleep(1)

    order = await logged_in.landed(await logged_in.place(stp=mode))

    assert logged_in.venue.orders[resting.body["id"]].status == maker
    assert (order["cancel_reason"], order["remaining_size"]) == taker


@pytest.mark.parametrize(
    ("kind", "flags", "trigger", "price", "triggers"),
    [
        ("STOP_MARKET", [], "2910", 2911, True),
        ("STOP_MARKET", [], "2910", 2889, False),
        ("TAKE_PROFIT_MARKET", [], "2890", 2889, True),
        ("TAKE_PROFIT_MARKET", [], "2890", 2911, False),
        ("STOP_MARKET", ["STOP_CONDITION_BELOW_TRIGGER"], "2890", 2889, True),
        ("STOP_MARKET", ["STOP_CONDITION_ABOVE_TRIGGER"], "2910", 2889, False),
    ],
)
async def test_a_buy_trigger_fires_on_its_own_side_only(
    autojump_clock, logged_in, kind, flags, trigger, price, triggers
):
    answer = await logged_in.place(type=kind, price=None, trigger_price=trigger, flags=flags)
    await trio.sleep(1)

    logged_in.model.prices["ETH"] = Decimal(price)
    await trio.sleep(1)

    status = logged_in.venue.orders[answer.body["id"]].status
    assert status == ("CLOSED" if triggers else "UNTRIGGERED")


async def test_a_resting_reduce_only_order_goes_when_the_position_goes(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="0.5"))
    above = {"side": "SELL", "instruction": "GTC", "price": "2950", "size": "0.5"}
    resting = await logged_in.place(**above, flags=["REDUCE_ONLY"])
    await trio.sleep(1)

    await logged_in.landed(await logged_in.place(side="SELL", price="2899", size="0.3"))

    order = logged_in.venue.orders[resting.body["id"]]
    assert (order.status, order.reason, order.filled) == ("CLOSED", "REDUCE_ONLY", 0)


async def test_a_resting_order_filled_in_part_stays_open(autojump_clock, logged_in):
    answer = await logged_in.place(instruction="GTC", price="2890", size="1.5")
    await trio.sleep(1)
    logged_in.liquidity.budget = Decimal(1)

    logged_in.model.prices["ETH"] = Decimal("2889.4")
    await trio.sleep(1)

    order = (await logged_in.rest("GET", f"/v1/orders/{answer.body['id']}")).body
    assert (order["status"], order["remaining_size"]) == ("OPEN", "0.5")


async def test_a_gtc_order_cancelled_on_its_way_never_rests(autojump_clock, logged_in):
    answer = await logged_in.place(instruction="GTC", price="2890")
    await logged_in.rest("DELETE", f"/v1/orders/{answer.body['id']}")

    order = await logged_in.landed(answer)

    assert (order["status"], order["cancel_reason"]) == ("CLOSED", "USER_CANCELED")


async def test_a_promised_cancel_survives_a_restart(autojump_clock, logged_in):
    answer = await logged_in.place(instruction="GTC", price="2890")
    await trio.sleep(1)
    await logged_in.rest("DELETE", "/v1/orders")
    row = next(
        save[1].dump() for save in logged_in.saved if save[1] and save[1].extra.get("cancel_asked")
    )
    row |= {"status": "OPEN", "resting": True, "done": False, "reason": ""}

    twin = ParadexVenue(logged_in.venue.setup)
    twin.load(logged_in.venue.dump(), [row], [])
    await logged_in.nursery.start(twin.run)
    await trio.sleep(0.01)

    assert twin.orders[answer.body["id"]].reason == "USER_CANCELED"


async def test_the_account_survives_a_restart(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place())
    order = next(iter(logged_in.venue.orders.values()))
    fills = [fill.dump() for fill in logged_in.venue.ledger.fills]

    logged_in.venue = twin = ParadexVenue(logged_in.venue.setup)
    twin.load(logged_in.saved[-1][3], [order.dump()], fills)

    position = (await logged_in.rest("GET", "/v1/positions")).body["results"][0]
    assert (position["size"], position["last_fill_id"]) == ("0.1", fills[0]["id"])
    assert (await logged_in.rest("GET", "/v1/fills")).body["results"][0]["size"] == "0.1"


async def test_a_house_order_fills_whole_on_a_thin_book(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="1"))
    logged_in.liquidity.bids = [(Decimal("0.5"), Decimal("0.4"))]

    logged_in.faults.add({"venue": "paradex", "kind": "manual_close", "market": ETH})

    page = (await logged_in.rest("GET", "/v1/fills")).body["results"]
    assert sorted((fill["size"], fill["price"]) for fill in page[:2]) == [
        ("0.4", "2899.5"),
        ("0.6", "2871"),
    ]
    assert logged_in.venue.ledger.positions == {}


async def test_realised_profit_and_the_exit_price_are_remembered(autojump_clock, logged_in):
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "subscribe", channel="positions")
        await logged_in.landed(await logged_in.place(size="1"))
        await logged_in.landed(await logged_in.place(side="SELL", price="2899", size="1"))
        opened = await logged_in.event(ws, "positions")
        closed = await logged_in.event(ws, "positions")

    assert (opened["status"], opened["size"]) == ("OPEN", "1")
    assert (closed["status"], closed["size"], closed["side"]) == ("CLOSED", "0", "LONG")
    assert closed["realized_positional_pnl"] == "-1"
    assert closed["average_exit_price"] == "2899.5"
    assert closed["closed_at"] >= closed["created_at"] > 0
