"""A leg near its liquidation: nothing opens, half is closed, and nothing stays on unwatched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import trio

from bot4.domain.order import Purpose
from bot4.domain.position import Account
from bot4.strategy.saga import State
from bot4.tasks.margin import MARGIN, SHARES

D = Decimal
SIZE = D("0.0040")


async def hedged(bench: Any) -> None:
    bench.enter(SIZE)
    await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
    await bench.until(lambda: bench.desk.reconciled)


async def read(bench: Any) -> None:
    for session in bench.sessions.values():
        await session.read_account()
    bench.margin.look()


async def test_a_leg_within_the_warning_stops_opening_and_is_left_on(
    bench: Any, autojump_clock: Any
):
    async with bench.running():
        await hedged(bench)
        bench.vest.liquidation = D(77000)  # 7.2 % below
        await read(bench)
        await trio.sleep(5)

        assert "vest:BTC-PERP is 7.2% from its liquidation" in bench.gate.reasons[MARGIN]
        assert bench.vest.position == SIZE
        bench.vest.liquidation = D(70000)
        await read(bench)
        assert MARGIN not in bench.gate.reasons


async def test_half_of_a_pair_near_liquidation_is_closed_until_it_is_far_enough(
    bench: Any, autojump_clock: Any
):
    async with bench.running():
        await hedged(bench)
        bench.paradex.liquidation = D(86000)  # short, 3.4 % above
        await read(bench)
        await bench.until(lambda: bench.vest.position == SIZE / 2, within_s=10)
        bench.paradex.liquidation = D(95000)
        await read(bench)
        await trio.sleep(10)

        assert bench.vest.position == -bench.paradex.position == SIZE / 2
        assert bench.desk.trade.state is State.HEDGED
        assert {order.reduce_only for order in bench.vest.orders(Purpose.EXIT)} == {True}


async def test_a_pair_in_danger_does_not_stay_on_after_a_stop(bench: Any, autojump_clock: Any):
    async with bench.running():
        await hedged(bench)
        bench.vest.liquidation = D(77000)
        await read(bench)
        await bench.settle()

    assert bench.vest.position == bench.paradex.position == 0


async def test_a_venue_with_little_of_the_money_stops_opening(bench: Any, autojump_clock: Any):
    rich = Account("vest", D(1000), D(1000), D(0))
    bench.accounts.post("vest", rich, (), 0.0)
    bench.margin.look()
    assert bench.gate.open  # one venue alone says nothing
    bench.accounts.post("paradex", attrs.evolve(rich, venue="paradex", equity=D(300)), (), 0.0)
    bench.margin.look()

    assert bench.gate.reasons[SHARES] == "paradex holds 23% of 1300 USDC"
