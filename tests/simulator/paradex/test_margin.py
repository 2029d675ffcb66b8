"""What positions, open orders and fees require of the account."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

D = Decimal
ETH = "ETH-USD-PERP"
FEE, IMF = D("0.00045"), D("0.02")


async def margins(rig):
    row = (await rig.rest("GET", "/v1/account")).body
    names = ("initial_margin_requirement", "maintenance_margin_requirement", "free_collateral")
    return tuple(D(row[name]) for name in names)


async def rest(rig, **over):
    answer = await rig.place(instruction="GTC", **over)
    await trio.sleep(1)
    assert rig.venue.orders[answer.body["id"]].status == "OPEN"


async def test_a_position_requires_its_fee_too(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="1"))

    initial, maintenance, free = await margins(logged_in)

    assert initial == 2900 * (IMF + FEE)
    assert maintenance == 2900 * (IMF / 2 + FEE)
    assert free == pytest.approx(logged_in.venue.ledger.equity(logged_in.venue.mark) - initial)


async def test_an_open_order_requires_margin_as_a_position_does(autojump_clock, logged_in):
    before = await margins(logged_in)

    await rest(logged_in, price="2890", size="2")

    initial, maintenance, free = await margins(logged_in)
    assert before == (0, 0, 10_000)
    assert (initial, maintenance) == (2 * 2900 * (IMF + FEE), 0)
    assert free == 10_000 - initial


async def test_of_both_sides_the_larger_one_counts(autojump_clock, logged_in):
    await rest(logged_in, price="2890", size="2")
    await rest(logged_in, side="SELL", price="2910", size="3")

    assert (await margins(logged_in))[0] == 3 * 2900 * (IMF + FEE)


async def test_what_closes_a_position_requires_nothing_more(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="1"))
    held = (await margins(logged_in))[0]

    await rest(logged_in, side="SELL", price="2910", size="1")
    assert (await margins(logged_in))[0] == held
    await rest(logged_in, price="2890", size="0.5")
    assert (await margins(logged_in))[0] == D("1.5") * 2900 * (IMF + FEE)


async def test_open_orders_leave_no_room_for_another(autojump_clock, logged_in):
    # 10 000 USDC carry 168 ETH at this price and ratio, fees included.
    await rest(logged_in, price="2890", size="160")

    refused = await logged_in.landed(await logged_in.place(size="10", instruction="IOC"))
    closing = await logged_in.landed(await logged_in.place(side="SELL", price="2899", size="1"))

    assert refused["cancel_reason"] == "NOT_ENOUGH_MARGIN"
    assert closing["cancel_reason"] == ""


async def test_the_fee_alone_can_be_what_lacks(autojump_clock, logged_in):
    logged_in.liquidity.asks = [(D("0.5"), D(1000))]
    # 171 x 2900 x 0.02 is 9918; the provision for fees is 223 more.
    order = await logged_in.landed(await logged_in.place(size="171"))

    assert order["cancel_reason"] == "NOT_ENOUGH_MARGIN"
    assert 171 * 2900 * IMF < 10_000


async def test_a_price_worse_than_the_mark_is_a_loss_that_counts(autojump_clock, logged_in):
    logged_in.liquidity.asks = [(D("0.5"), D(1000))]
    far = await logged_in.landed(await logged_in.place(size="150", price="2990"))
    near = await logged_in.landed(await logged_in.place(size="150", price="2901"))

    assert (far["cancel_reason"], near["cancel_reason"]) == ("NOT_ENOUGH_MARGIN", "")
