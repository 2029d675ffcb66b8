"""The cap on open interest, 3010."""

from __future__ import annotations

from decimal import Decimal

CAP = Decimal("0.0200")


async def landed_codes(client, *orders):
    found = []
    for order in orders:
        row = await client.settled(await client.place(**order))
        found.append(row["code"])
    return found


BUY = {"size": "0.0150"}
SELL = {"isBuy": False, "limitPrice": "80000.00", "size": "0.0150"}


async def test_an_order_beyond_the_cap_is_rejected_and_one_back_is_not(autojump_clock, make_client):
    client = await make_client(vest={"oi_cap": str(CAP)})
    await client.register()

    assert await landed_codes(client, BUY, BUY, SELL, SELL, SELL) == [None, 3010, None, None, 3010]
    assert client.position() == Decimal("-0.0150")


async def test_a_cap_below_what_is_held_stops_only_what_adds(autojump_clock, client):
    assert await landed_codes(client, BUY) == [None]
    client.fault("limits", position="0.0010", seconds=60)

    assert await landed_codes(client, BUY, {**SELL, "size": "0.0050"}) == [3010, None]


async def test_without_a_cap_nothing_is_rejected_for_it(autojump_clock, client):
    assert await landed_codes(client, BUY, BUY) == [None, None]


async def test_an_order_too_large_is_rejected_also_where_it_only_reduces(autojump_clock, client):
    assert await landed_codes(client, BUY) == [None]
    client.fault("limits", order="0.0100", seconds=60)

    reduce = {**SELL, "reduceOnly": True}
    assert await landed_codes(client, reduce, {**reduce, "size": "0.0100"}) == [3010, None]
