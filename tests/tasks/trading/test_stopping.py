"""The stop sign and the end of patience, at any moment of a pair's life."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.config.schema import OnStop
from bot4.domain.fill import Fill
from bot4.domain.order import Purpose, Side
from bot4.ports import InDoubt
from bot4.strategy.saga import State

D = Decimal
SIZE = D("0.0030")


@pytest.mark.parametrize("after_ms", [0, 10, 49, 50, 51, 60, 120, 400])
@pytest.mark.parametrize("fails", ["neither", "vest", "paradex"])
async def test_a_stop_at_any_moment_of_an_entry_ends_hedged_or_flat(
    bench: Any, autojump_clock: Any, refused: Any, after_ms: int, fails: str
):
    if fails != "neither":
        bench.venues[fails].ways.append(refused)
    async with bench.running():
        bench.enter()
        await trio.sleep(after_ms / 1000)
        await bench.settle()
        trades = bench.ledger.trades

    assert bench.net == 0
    assert all(trade.state is State.HEDGED for trade in trades)


async def test_a_stop_in_doubt_waits_for_the_proof(bench: Any, autojump_clock: Any, way: Any):
    bench.paradex.ways.append(way(InDoubt("cut"), lands=False))
    async with bench.running():
        bench.enter()
        await trio.sleep(0.2)
        await bench.settle()

    assert bench.ledger.trades == ()
    assert bench.vest.position == 0


async def test_a_stop_while_one_leg_is_taken_back_finishes_taking_it_back(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.paradex.usual = way(fills=D(0))
    bench.vest.ways.extend([way(), way(fills=D(0)), way(fills=D(0))])
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.vest.orders(Purpose.UNWIND))
        await bench.settle()

    assert bench.vest.position == 0


async def test_a_hedged_pair_is_held_at_the_stop_and_said_so(
    bench: Any, autojump_clock: Any, lines: Any
):
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
        await bench.settle()

    assert [line for line in lines if line["event"] == "pair.held"]
    assert bench.vest.position == SIZE


async def test_a_hedged_pair_is_closed_at_the_stop_when_the_config_says_so(
    make_bench: Any, autojump_clock: Any
):
    bench = make_bench(on_stop=OnStop.FLATTEN)
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
        await bench.settle()

    assert bench.vest.position == bench.paradex.position == 0


async def test_a_hedged_pair_that_was_not_compared_is_held_without_a_claim(
    bench: Any, autojump_clock: Any, lines: Any
):
    bench.comparing = False
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
        bench.desk.doubt_positions()
        await bench.settle()

    [said] = [line for line in lines if line["event"] == "pair.held"]
    assert said["level"] == "warning"
    assert "could not be compared" in said["message"]


async def test_a_pair_that_a_person_touched_is_compared_before_it_is_left(
    bench: Any, autojump_clock: Any, lines: Any
):
    """One leg closed by hand just before the stop: the other is not said to be hedged."""
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
        for session in bench.sessions.values():
            await session.read_account()
        bench.paradex.position = D(0)
        bench.ledger.hear(
            Fill("paradex", "9", "", "9", "BTC-USD-PERP", Side.BUY, D(83000), D("0.0030"), D(0))
        )
        await bench.settle()

    assert bench.vest.position == 0
    assert not [line for line in lines if line["event"] == "pair.held"]


async def test_a_leg_that_cannot_be_closed_is_cried_about_and_tried_for_ever(
    make_bench: Any, autojump_clock: Any, way: Any, lines: Any
):
    bench = make_bench(unwind_attempts=2)
    bench.paradex.usual = way(fills=D(0))
    bench.vest.ways.extend([way(), *[way(fills=D(0))] * 8])
    async with bench.running():
        bench.enter()
        await bench.until(lambda: any(line["event"] == "exposure.left" for line in lines))
        cried = next(line for line in lines if line["event"] == "exposure.left")
        await bench.over(within_s=120)

    assert cried["level"] in ("critical", "error")
    assert cried["do"]
    assert bench.vest.position == 0


@pytest.mark.parametrize("after_ms", range(0, 3200, 160))
async def test_cancelled_anywhere_and_run_again_it_settles(
    bench: Any, autojump_clock: Any, way: Any, after_ms: int
):
    """The task is cancelled in the midst of doubt and mending; what is on the wire goes on."""
    bench.paradex.ways.append(way(InDoubt("cut"), lands=False))
    bench.paradex.trouble("find", InDoubt("cut"), 1)
    async with trio.open_nursery() as nursery:
        for gateway in bench.gateways.values():
            await nursery.start(gateway.run)
        nursery.start_soon(bench.feed)
        bench.enter()
        with trio.move_on_after(after_ms / 1000):
            await bench.task.keep()
        nursery.start_soon(bench.task.keep)
        await bench.until(lambda: bench.ledger.results.newest)
        nursery.cancel_scope.cancel()

    assert bench.vest.position == bench.paradex.position == 0
    assert len(bench.paradex.orders(Purpose.ENTER)) == 1
