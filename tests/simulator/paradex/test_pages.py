"""Lists of more than a page: orders, fills and funding payments."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

ETH = "ETH-USD-PERP"
LISTS = {
    "/v1/orders-history": "/v1/orders-history?",
    "/v1/fills": "/v1/fills?",
    "/v1/funding/payments": f"/v1/funding/payments?market={ETH}&",
}


async def trade(rig, count):
    """Trade so often, each with a fill and a payment of its own."""
    rig.liquidity.asks = [(Decimal("0.5"), Decimal(100))]
    rig.liquidity.bids = [(Decimal("0.5"), Decimal(100))]
    for number in range(count):
        side, price = (("BUY", "2901"), ("SELL", "2899"))[number % 7 == 6]
        await rig.place(side=side, price=price)
        await trio.sleep(1)
    await trio.sleep(1)


@pytest.mark.parametrize("path", LISTS.values(), ids=LISTS)
@pytest.mark.ordinary("/v1/fills")
async def test_a_long_list_comes_in_pages_of_a_hundred(autojump_clock, logged_in, path):
    await trade(logged_in, 130)

    await logged_in.log_in()
    first = (await logged_in.rest("GET", path)).body
    second = (await logged_in.rest("GET", f"{path}cursor={first['next']}")).body
    small = (await logged_in.rest("GET", f"{path}page_size=7")).body

    assert len(first["results"]) == 100
    assert (second["next"], first["prev"]) == (None, None)
    ids = [row["id"] for row in (*first["results"], *second["results"])]
    assert len(set(ids)) == len(ids) >= 129
    times = [row["created_at"] for row in (*first["results"], *second["results"])]
    assert times == sorted(times, reverse=True)
    assert [row["id"] for row in small["results"]] == ids[:7]


async def test_a_cursor_is_signed_and_good_for_its_own_list(autojump_clock, logged_in):
    await trade(logged_in, 3)
    fills, orders = LISTS["/v1/fills"], LISTS["/v1/orders-history"]
    cursor = (await logged_in.rest("GET", f"{fills}page_size=1")).body["next"]
    old = "eyJtYXJrZXIiOiAiMSJ9"

    own = await logged_in.rest("GET", f"{fills}page_size=1&cursor={cursor}")
    other = await logged_in.rest("GET", f"{orders}page_size=1&cursor={cursor}")
    legacy = await logged_in.rest("GET", f"{fills}page_size=1&cursor={old}")

    assert (own.status, len(own.body["results"])) == (200, 1)
    assert [one.status for one in (other, legacy)] == [400, 400]
    assert other.body["error"] == legacy.body["error"] == "INVALID_REQUEST_PARAMETER"
