"""The largest order, the position limit and the most open orders of a market."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.box import TwoVenues
from bot4.simulator.options import Options
from bot4.simulator.paradex.markets import market

D = Decimal
ETH = "ETH-USD-PERP"
SMALL = {"max_order_size": "0.5", "position_limit": "0.8", "max_open_orders": 2}
REST = {"instruction": "GTC", "price": "2890", "size": "0.1"}


async def announced(rig):
    answer = await rig.rest("GET", f"/v1/markets?market={ETH}")
    [row] = answer.body["results"]
    return row["max_order_size"], row["position_limit"], row["max_open_orders"]


@pytest.mark.parametrize("switches", [SMALL])
async def test_the_market_says_its_limits(autojump_clock, logged_in):
    assert await announced(logged_in) == ("0.5", "0.8", 2)


async def test_btc_of_a_usual_world_takes_a_hundred_at_once_and_five_hundred_in_all(
    autojump_clock, nursery
):
    box = TwoVenues(Options(profile="calm"), wall_ms=lambda: 1)

    row = market(box.paradex, "BTC-USD-PERP")
    assert (row["max_order_size"], row["position_limit"]) == ("100", "500")
    assert row["max_open_orders"] == 100


@pytest.mark.parametrize("switches", [SMALL])
async def test_an_order_above_the_largest_is_refused_at_once(autojump_clock, logged_in):
    answer = await logged_in.place(size="0.5001")

    assert (answer.status, answer.body["error"]) == (400, "INVALID_ORDER_SIZE")
    assert (await logged_in.place(size="0.5")).status == 201


@pytest.mark.parametrize("switches", [SMALL])
async def test_an_order_beyond_the_position_limit_is_accepted_and_closed(autojump_clock, logged_in):
    first = await logged_in.landed(await logged_in.place(size="0.5"))
    second = await logged_in.landed(await logged_in.place(size="0.4"))
    third = await logged_in.landed(await logged_in.place(size="0.3"))

    assert (first["cancel_reason"], first["remaining_size"]) == ("", "0")
    assert second["cancel_reason"] == "ORDER_EXCEEDS_POSITION_LIMIT"
    assert (second["status"], second["remaining_size"]) == ("CLOSED", "0.4")
    assert third["cancel_reason"] == ""
    assert logged_in.venue.ledger.position(ETH).size == D("0.8")


@pytest.mark.parametrize("switches", [SMALL])
async def test_open_orders_of_the_same_side_count_as_position(autojump_clock, logged_in):
    await logged_in.place(instruction="GTC", price="2890", size="0.5")
    await trio.sleep(1)

    bought = await logged_in.landed(await logged_in.place(size="0.4"))
    sold = await logged_in.landed(await logged_in.place(side="SELL", price="2899", size="0.4"))

    assert bought["cancel_reason"] == "ORDER_EXCEEDS_POSITION_LIMIT"
    assert sold["cancel_reason"] == ""


@pytest.mark.parametrize("switches", [SMALL])
async def test_a_position_beyond_a_limit_that_shrank_can_be_closed(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="0.5"))
    logged_in.faults.add({"venue": "paradex", "kind": "limits", "position": "0.1", "seconds": 60})

    more = await logged_in.landed(await logged_in.place(size="0.1"))
    less = await logged_in.landed(await logged_in.place(side="SELL", price="2899", size="0.5"))

    assert more["cancel_reason"] == "ORDER_EXCEEDS_POSITION_LIMIT"
    assert less["cancel_reason"] == ""
    assert logged_in.venue.ledger.positions == {}


@pytest.mark.parametrize("switches", [SMALL])
async def test_one_open_order_too_many_is_refused_at_once(autojump_clock, logged_in):
    for _ in range(2):
        assert (await logged_in.place(**REST)).status == 201
    await trio.sleep(1)

    answer = await logged_in.place(**REST)

    assert (answer.status, answer.body["error"]) == (400, "REQUEST_NOT_ALLOWED")


@pytest.mark.parametrize("switches", [{**SMALL, "position_limit_reason": "TOO_BIG"}])
async def test_the_word_for_it_is_a_switch(autojump_clock, logged_in):
    first, second = [await logged_in.landed(await logged_in.place(size="0.5")) for _ in range(2)]

    assert (first["cancel_reason"], second["cancel_reason"]) == ("", "TOO_BIG")


async def test_limits_shrink_for_a_while_and_are_announced(autojump_clock, logged_in):
    usual = await announced(logged_in)
    limits = {"order": "0.2", "position": "0.3", "open_orders": 1}
    logged_in.faults.add({"venue": "paradex", "kind": "limits", "seconds": 5, **limits})

    assert await announced(logged_in) == ("0.2", "0.3", 1)
    assert (await logged_in.place(size="0.25")).body["error"] == "INVALID_ORDER_SIZE"
    await trio.sleep(5)
    assert await announced(logged_in) == usual
    assert (await logged_in.place(size="0.25")).status == 201


async def test_limits_may_shrink_without_a_word(autojump_clock, logged_in):
    usual = await announced(logged_in)
    silent = {"venue": "paradex", "kind": "limits", "order": "0.2", "told": False, "seconds": 5}
    logged_in.faults.add(silent)

    assert await announced(logged_in) == usual
    assert (await logged_in.place(size="0.25")).body["error"] == "INVALID_ORDER_SIZE"
    assert (await logged_in.place(size="0.2")).status == 201
