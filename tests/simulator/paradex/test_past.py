"""What Paradex remembers: klines, the tape, funding rates and funding paid."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

ETH = "ETH-USD-PERP"


async def test_klines_follow_the_price_minute_by_minute(autojump_clock, rig):
    for price in (2900, 2950, 2880):
        rig.model.prices["ETH"] = Decimal(price)
        await trio.sleep(60)
    query = f"symbol={ETH}&start_at=0&end_at={rig.now_ms}"

    minutes = (await rig.rest("GET", f"/v1/markets/klines?{query}&resolution=1")).body["results"]
    hour = (await rig.rest("GET", f"/v1/markets/klines?{query}&resolution=60")).body["results"]

    assert [bar[0] % 60_000 for bar in minutes] == [0] * len(minutes)
    assert [bar[0] for bar in minutes] == sorted({bar[0] for bar in minutes})
    assert max(bar[2] for bar in minutes) >= 2950
    assert sum(bar[5] for bar in minutes) == pytest.approx(sum(bar[5] for bar in hour))
    assert min(bar[3] for bar in hour) == min(bar[3] for bar in minutes)
    assert minutes[-1][4] == hour[-1][4]


async def test_klines_keep_to_the_times_asked_for(autojump_clock, rig):
    await trio.sleep(200)
    start = rig.now_ms - 120_000
    path = f"/v1/markets/klines?symbol={ETH}&resolution=1&start_at={start}&end_at={rig.now_ms}"

    bars = (await rig.rest("GET", path)).body["results"]
    wrong = await rig.rest("GET", path.replace("resolution=1", "resolution=7"))
    nowhere = await rig.rest("GET", f"/v1/markets/klines?symbol={ETH}&resolution=1")

    assert bars
    assert all(start <= bar[0] <= rig.now_ms for bar in bars)
    assert wrong.status == nowhere.status == 400


async def test_the_tape_comes_newest_first_and_in_pages(autojump_clock, rig):
    await trio.sleep(60)
    path = f"/v1/trades?market={ETH}&page_size=3"

    first = (await rig.rest("GET", path)).body
    second = (await rig.rest("GET", f"{path}&cursor={first['next']}")).body

    ids = [trade["id"] for trade in (*first["results"], *second["results"])]
    assert len(set(ids)) == 6
    assert ids == sorted(ids, reverse=True)
    assert (await rig.rest("GET", f"{path}0000")).status == 400


async def test_funding_has_a_past(autojump_clock, rig):
    await trio.sleep(130)

    rows = (await rig.rest("GET", f"/v1/funding/data?market={ETH}")).body["results"]

    assert len(rows) >= 3
    indexes = [Decimal(row["funding_index"]) for row in rows]
    assert indexes == sorted(indexes, reverse=True)
    assert indexes[0] > 0


async def test_funding_is_paid_with_each_change_of_a_position(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="1"))
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "subscribe", channel=f"funding_payments.{ETH}")
        await trio.sleep(600)
        await logged_in.log_in()
        await logged_in.place(side="SELL", price="2899", size="1", flags=["REDUCE_ONLY"])
        event = await logged_in.event(ws, f"funding_payments.{ETH}")

    page = (await logged_in.rest("GET", f"/v1/funding/payments?market={ETH}")).body["results"]
    missing = await logged_in.rest("GET", "/v1/funding/payments")
    fills = logged_in.venue.ledger.fills
    paid = Decimal(10_000) + sum(fill.realized_pnl - fill.fee for fill in fills)
    assert page == [event]
    assert Decimal(event["payment"]) < 0  # The rate is positive: longs pay.
    assert abs(logged_in.venue.ledger.collateral - paid - Decimal(event["payment"])) < Decimal(
        "0.0000001"
    )
    assert (event["fill_id"], event["market"]) == (fills[-1].id, ETH)
    assert missing.status == 400


async def test_the_day_has_a_volume_and_a_last_price(autojump_clock, rig):
    await trio.sleep(60)

    [row] = (await rig.rest("GET", f"/v1/markets/summary?market={ETH}")).body["results"]

    assert Decimal(row["volume_24h"]) > 0
    assert row["last_traded_price"] in ("2899.5", "2900.5")


async def test_other_public_lists_are_there(autojump_clock, rig):
    announced = await rig.rest("GET", "/v1/system/announcements")
    insured = await rig.rest("GET", "/v1/insurance")
    impact = await rig.rest("GET", f"/v1/orderbook/{ETH}/impact-price")

    assert announced.body == {"results": []}
    assert Decimal(insured.body["account_value"]) > 0
    assert (impact.body["impact_bid_price"], impact.body["impact_ask_price"]) == (
        "2899.5",
        "2900.5",
    )
