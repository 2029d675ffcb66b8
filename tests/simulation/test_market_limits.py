"""A venue's largest order, position limit and open-order limit: both legs keep to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.config.schema import ExecutionConfig, OnStop, SimulationConfig
from tests.simulation.test_hard_days import MARKETS, settled
from tests.simulation.test_outside import longest_naked_s

D = Decimal
CALM = SimulationConfig(profile="calm", seed=3)
FLATTEN = ExecutionConfig(on_stop=OnStop.FLATTEN)
ONE_ORDER_S = 1.0
LONG_S = 5000.0
BOTH_WAYS = pytest.mark.parametrize("bps", [45.0, -45.0], ids=["long Vest", "long Paradex"])


def limited(universe: Any, venue: str = "paradex", **limits: Any) -> None:
    """Hold a venue's BTC market to these limits from now on."""
    fault = {"venue": venue, "kind": "limits", "symbol": MARKETS[venue], "seconds": LONG_S}
    universe.box.faults.add({**fault, **limits})


def sizes(run: Any, purpose: str) -> list[Decimal]:
    return [D(one["size"]) for one in run.said("leg.sent") if one["purpose"] == purpose]


async def gaps(run: Any, seconds: float, bps: float = 45.0) -> None:
    """Show a gap for most of the time, again and again."""
    until = trio.current_time() + seconds
    while trio.current_time() < until:
        run.gap(bps, 8.0)
        await trio.sleep(20.0)


@BOTH_WAYS
@pytest.mark.parametrize("limit", ["order", "position"])
@pytest.mark.ordinary("order-long Vest", "position-long Paradex")
async def test_both_legs_of_an_entry_keep_to_what_the_venue_announces(
    play: Any, autojump_clock: Any, limit: str, bps: float
):
    async with play.universe(simulation=CALM) as universe:
        limited(universe, **{limit: "0.0021"})
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(bps, 60.0)
            assert await longest_naked_s(run, 10.0) < ONE_ORDER_S
            held = run.positions()

        assert sorted(held.values()) == [D("-0.0021"), D("0.0021")]
        assert run.said("leg.refused") == []
        assert run.code == 0


@BOTH_WAYS
@pytest.mark.parametrize("limits", [{"order": "0.0001"}, {"position": "0"}, {"open_orders": 0}])
@pytest.mark.ordinary("limits0-long Vest", "limits1-long Paradex", "limits2-long Vest")
async def test_nothing_is_sent_where_the_limits_leave_no_room(
    play: Any, autojump_clock: Any, limits: dict[str, Any], bps: float
):
    async with play.universe(simulation=CALM) as universe:
        limited(universe, **limits)
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            await gaps(run, 20.0, bps)
            held = [one for one in run.said("entry.held") if one["reason"] == "cap"]

        assert run.said("leg.sent") == []
        assert held
        assert "paradex" in held[0]["message"].lower()


@BOTH_WAYS
@pytest.mark.parametrize(
    ("venue", "limits"),
    [
        ("vest", {"position": "0.001"}),
        ("paradex", {"order": "0.0001"}),
        ("paradex", {"position": "0"}),
        ("paradex", {"open_orders": 0}),
    ],
)
@pytest.mark.ordinary("vest-limits0-long Vest")
async def test_a_size_that_is_refused_is_not_tried_again_after_every_pause(
    play: Any, autojump_clock: Any, venue: str, limits: dict[str, Any], bps: float
):
    """Nobody announced the limit, or not yet: after 60 s, 120 s and so on, not every ten."""
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            limited(universe, venue, **limits)
            await gaps(run, 200.0, bps)
            await settled(run)
            stopped = run.said("opening.stopped")

        assert 1 <= len(run.said("pair.opening")) <= 3
        assert any("size" in one["why"] and venue in one["why"] for one in stopped), stopped
        assert run.positions() == {}
        assert run.code == 0


async def test_a_limit_that_shrank_is_read_after_the_refusal_and_kept_to(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            limited(universe, order="0.0021")
            await gaps(run, 120.0)
            opened = run.said("pair.opened")

        assert len(run.said("leg.refused")) == 1
        assert opened
        assert {one["size"] for one in opened} == {"0.0021"}
        run.clean()


@pytest.mark.parametrize("bps", [45.0, -45.0])
@pytest.mark.ordinary("45.0")
async def test_a_pair_larger_than_the_largest_order_is_closed_in_clips(
    play: Any, autojump_clock: Any, bps: float
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(bps, 20.0)
            await run.until("pair.opened")
            limited(universe, order="0.001")
            assert await longest_naked_s(run, 60.0) < ONE_ORDER_S
            assert run.positions() == {}

        # One refusal may be the first to tell of the limit; the other leg then stays home.
        assert len(run.said("leg.refused")) <= 2
        clips = sizes(run, "exit")
        assert max(clips[2:]) <= D("0.001")
        assert run.said("pair.closed")
        assert run.code == 0


@pytest.mark.parametrize("bps", [45.0, -45.0])
@pytest.mark.ordinary("-45.0")
async def test_a_stop_closes_in_clips_too(play: Any, autojump_clock: Any, bps: float):
    async with play.universe(simulation=CALM, execution=FLATTEN) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(bps, 300.0)
            await run.until("pair.opened")
            limited(universe, order="0.001")
            run.stop()
            assert await longest_naked_s(run, 10.0) < ONE_ORDER_S

        assert run.positions() == {}
        assert run.code == 0


@pytest.mark.parametrize("bps", [45.0, -45.0])
@pytest.mark.ordinary("45.0")
async def test_a_leg_that_is_alone_is_taken_back_in_clips(
    play: Any, autojump_clock: Any, bps: float
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(bps, 300.0)
            await run.until("pair.opened")
            limited(universe, order="0.0005")
            run.fault("vest", "liquidate", market=MARKETS["vest"])
            assert await longest_naked_s(run, 20.0) < 8 * ONE_ORDER_S
            assert run.positions() == {}
            assert run.said("exposure.left") == []

        assert run.code == 0


async def test_a_leg_that_is_alone_is_never_halved_below_the_smallest_order(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 300.0)
            await run.until("pair.opened")
            limited(universe, order="0.00001", seconds=20)
            run.fault("vest", "liquidate", market=MARKETS["vest"])
            assert await longest_naked_s(run, 60.0) < 30.0

        assert len(run.said("leg.refused")) > 1
        assert run.code == 0
