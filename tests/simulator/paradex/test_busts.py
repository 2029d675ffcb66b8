"""A fill that is taken back: announced, and position and money are as if it never was."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.simulator.faults import UnknownFault

ETH = "ETH-USD-PERP"
FUNDING = Decimal("0.00001")
"""What a second of funding may cost; a bust does not give it back."""
SELL = {"side": "SELL", "price": "2899"}


def bust(rig, **args):
    rig.faults.add({"venue": "paradex", "kind": "bust", **args})


async def test_a_bust_undoes_the_opening_fill_and_is_announced(autojump_clock, logged_in):
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        for channel in ("tradebusts", "positions"):
            await logged_in.call(ws, "subscribe", channel=channel)
        await logged_in.landed(await logged_in.place())
        held = await logged_in.event(ws, "positions")
        fill = logged_in.venue.ledger.fills[0]
        bust(logged_in)
        told = await logged_in.event(ws, "tradebusts")
        position = await logged_in.event(ws, "positions")

    page = (await logged_in.rest("GET", "/v1/tradebusts")).body["results"]
    assert held["size"] == "0.1"
    assert page == [told]
    assert (told["busted_fill_id"], told["account"]) == (fill.id, logged_in.venue.account)
    assert (position["size"], position["status"]) == ("0", "CLOSED")
    assert (await logged_in.rest("GET", "/v1/positions")).body["results"] == []
    assert abs(logged_in.venue.ledger.collateral - 10_000) < FUNDING
    assert logged_in.venue.ledger.fees == 0
    payments = (await logged_in.rest("GET", f"/v1/funding/payments?market={ETH}")).body["results"]
    assert [row["fill_id"] for row in payments] == [fill.id]


async def test_a_bust_of_a_closing_fill_brings_the_position_back(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="1"))
    before = logged_in.venue.ledger.collateral
    close = await logged_in.place(**SELL, size="1", flags=["REDUCE_ONLY"])
    await logged_in.landed(close)

    bust(logged_in, market=ETH)

    ledger = logged_in.venue.ledger
    funding = ledger.position(ETH).settled_funding
    assert ledger.position(ETH).size == 1
    assert ledger.position(ETH).entry == Decimal("2900.5")
    assert abs(ledger.collateral - before - funding) < Decimal("0.001")
    [position] = (await logged_in.rest("GET", "/v1/positions")).body["results"]
    assert (position["size"], position["side"], position["closed_at"]) == ("1", "LONG", 0)


async def test_a_bust_in_the_middle_leaves_the_others_standing(autojump_clock, logged_in):
    for size, price in (("1", "2901"), ("1", "2902")):
        await logged_in.landed(await logged_in.place(size=size, price=price))
    first, second = logged_in.venue.ledger.fills

    bust(logged_in, fill_id=first.id)

    held = logged_in.venue.ledger.position(ETH)
    assert (held.size, held.entry) == (second.size, second.price)
    assert logged_in.venue.ledger.fees == second.fee
    assert [fill.id for fill in logged_in.venue.ledger.standing] == [second.id]


async def test_several_may_be_taken_back_at_once(autojump_clock, logged_in):
    for _ in range(3):
        await logged_in.landed(await logged_in.place())

    bust(logged_in, count=2)

    assert logged_in.venue.ledger.position(ETH).size == Decimal("0.1")
    assert len((await logged_in.rest("GET", "/v1/tradebusts")).body["results"]) == 2


@pytest.mark.parametrize(
    ("switches", "listed"),
    [({"busted_fills_shown": True}, 1), ({"busted_fills_shown": False}, 0)],
)
async def test_a_switch_says_whether_the_fill_is_still_listed(
    autojump_clock, logged_in, switches, listed
):
    await logged_in.landed(await logged_in.place())

    bust(logged_in)

    assert len((await logged_in.rest("GET", "/v1/fills")).body["results"]) == listed


async def test_a_bust_of_nothing_is_unknown(autojump_clock, logged_in):
    with pytest.raises(UnknownFault, match="no such fill"):
        bust(logged_in)


async def test_a_bust_survives_a_restart(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place())
    bust(logged_in)
    venue = logged_in.venue
    orders = [order.dump() for order in venue.orders.values()]
    fills = [fill.dump() for fill in venue.ledger.fills]

    twin = type(venue)(venue.setup)
    twin.load(logged_in.saved[-1][3], orders, fills)

    assert twin.ledger.standing == []
    assert twin.ledger.positions == {}
    assert abs(twin.ledger.collateral - 10_000) < FUNDING
