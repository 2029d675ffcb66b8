"""Liquidation and what comes before it."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.paradex.health import share_to_liquidate

D = Decimal
ETH = "ETH-USD-PERP"


async def holding(rig, size="150"):
    rig.liquidity.asks = [(D("0.5"), D(1000))]
    await rig.landed(await rig.place(size=size))


@pytest.mark.parametrize(
    ("value", "needed", "share"),
    [
        ("99", "100", "0.4"),
        ("60", "100", "1.0"),
        ("1", "100", "1.0"),
        ("-5", "100", "1.0"),
    ],
)
def test_the_share_is_the_smallest_that_brings_the_ratio_below_ninety_percent(value, needed, share):
    found = share_to_liquidate(D(value), D(needed))

    assert found == D(share)
    if found < 1:
        left = D(value) - found * D("0.7") * D(needed)
        assert D(needed) * (1 - found) < D("0.9") * left


async def test_the_account_is_looked_at_every_five_seconds(autojump_clock, logged_in):
    await holding(logged_in)
    await trio.sleep(1)
    looked = logged_in.venue._looked_at

    logged_in.model.prices["ETH"] = D(2860)
    await trio.sleep(looked + 4.8 - trio.current_time())
    before = logged_in.venue.ledger.position(ETH).size
    await trio.sleep(1)

    assert before == 150
    assert logged_in.venue.ledger.position(ETH).size == 30


async def test_a_liquidation_pays_its_penalty_and_is_listed(autojump_clock, logged_in):
    await holding(logged_in)

    logged_in.model.prices["ETH"] = D(2860)
    await trio.sleep(6)

    fills = [f for f in logged_in.venue.ledger.fills if f.extra["fill_type"] == "LIQUIDATION"]
    listed = (await logged_in.rest("GET", "/v1/liquidations")).body["results"]
    account = (await logged_in.rest("GET", "/v1/account")).body
    assert len(fills) == len(listed) == 1
    assert (fills[0].price, fills[0].size) == (2860, 120)
    assert fills[0].fee == 120 * 2860 * D("0.01") * D("0.7")
    assert account["status"] == "ACTIVE"


async def test_orders_that_add_risk_go_before_positions_do(autojump_clock, logged_in):
    await holding(logged_in, size="100")
    logged_in.liquidity.bids = []
    adds = await logged_in.place(instruction="GTC", price="2850", size="5")
    closes = await logged_in.place(
        side="SELL", instruction="GTC", price="2950", size="5", flags=["REDUCE_ONLY"]
    )
    await trio.sleep(1)
    held = (await logged_in.rest("GET", "/v1/account")).body
    assert D(held["account_value"]) > D(held["initial_margin_requirement"])

    logged_in.model.prices["ETH"] = D(2855)
    await trio.sleep(6)

    orders = logged_in.venue.orders
    assert orders[adds.body["id"]].reason == "DELEVERAGE"
    assert orders[closes.body["id"]].status == "OPEN"
    assert logged_in.venue.ledger.position(ETH).size == 100


async def test_the_account_says_liquidation_while_bites_are_taken(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="0.5"))
    logged_in.faults.add({"venue": "paradex", "kind": "liquidate", "bites": 3, "every_s": 2})

    seen = []
    for _ in range(4):
        seen.append((await logged_in.rest("GET", "/v1/account")).body["status"])
        await trio.sleep(1.5)

    assert seen == ["LIQUIDATION"] * 3 + ["ACTIVE"]


async def test_the_fault_liquidates_at_once(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="0.5"))
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "subscribe", channel="fills.ALL")
        logged_in.faults.add({"venue": "paradex", "kind": "liquidate", "share": "0.4"})
        first = await logged_in.event(ws, "fills.ALL")
        logged_in.faults.add({"venue": "paradex", "kind": "liquidate", "market": ETH})
        second = await logged_in.event(ws, "fills.ALL")

    assert (first["fill_type"], first["side"], first["size"]) == ("LIQUIDATION", "SELL", "0.2")
    assert (second["size"], second["client_id"]) == ("0.3", "")
    assert logged_in.venue.ledger.positions == {}
    logged_in.faults.add({"venue": "paradex", "kind": "liquidate"})  # Nothing is left to take.
