"""A venue or one market executes no orders while a pair is hedged: neither leg goes alone."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import ExecutionConfig, OnStop, SimulationConfig, StrategyConfig
from bot4.wiring.universe import plain_config
from tests.simulation.test_hard_days import DUST, MARKETS, hedged
from tests.simulation.test_outside import longest_naked_s

D = Decimal
CALM = SimulationConfig(profile="calm", seed=3)
FLATTEN = ExecutionConfig(on_stop=OnStop.FLATTEN)
SHUT = {
    "paradex maintained": ("paradex", {"kind": "maintenance"}),
    "paradex post-only": ("paradex", {"kind": "maintenance", "state": "post_only"}),
    "paradex cancel-only": ("paradex", {"kind": "maintenance", "state": "cancel_only"}),
    "paradex market halted": ("paradex", {"kind": "halt", "symbol": MARKETS["paradex"]}),
    "vest market halted": ("vest", {"kind": "halt", "symbol": MARKETS["vest"]}),
}
OUTAGE_S = 25.0


def shut(run: Any, what: str, seconds: float) -> None:
    venue, fault = SHUT[what]
    run.fault(venue, seconds=seconds, **fault)


@pytest.mark.parametrize("what", SHUT)
@pytest.mark.ordinary("vest market halted", "paradex post-only")
async def test_a_pair_at_its_target_waits_for_both_venues(
    play: Any, autojump_clock: Any, what: str
):
    """The gap closes while one venue executes nothing."""
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run, gap_s=6.0)
            shut(run, what, OUTAGE_S)
            assert await longest_naked_s(run, OUTAGE_S - 1) == 0
            assert len(run.positions()) == 2
            assert run.said("exit.held")
            await run.until("pair.closed", within_s=30)

        assert run.code == 0
        assert run.positions() == {}


@pytest.mark.parametrize("what", SHUT)
@pytest.mark.ordinary("vest market halted", "paradex maintained")
async def test_an_exit_by_time_waits_for_both_venues(play: Any, autojump_clock: Any, what: str):
    hours = StrategyConfig(max_hold_hours=D(10) / 3600, spread_exit=D(5))
    async with play.universe(simulation=CALM, strategy=hours) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            shut(run, what, OUTAGE_S)
            assert await longest_naked_s(run, OUTAGE_S - 1) == 0
            await run.until("pair.closed", within_s=30)

        assert run.code == 0


@pytest.mark.parametrize("what", SHUT)
@pytest.mark.ordinary("vest market halted", "paradex cancel-only")
async def test_a_stop_that_would_flatten_keeps_both_legs_and_says_which_venue_is_shut(
    play: Any, autojump_clock: Any, what: str
):
    async with play.universe(simulation=CALM, execution=FLATTEN) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            shut(run, what, OUTAGE_S)
            await trio.sleep(0.5)
            run.stop()
            naked_s = await longest_naked_s(run, 12.0)

        assert naked_s == 0
        assert run.code == 3
        (line,) = run.said("shutdown.left")
        assert "still on, hedged" in line["message"]
        assert SHUT[what][0] in line["message"]
        assert len(run.positions()) == 2


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("paradex")
async def test_a_halted_market_stops_its_own_pair_only_and_says_so(
    play: Any, autojump_clock: Any, venue: str
):
    btc = plain_config(Path(), 1).pairs[0]
    eth = attrs.evolve(btc, name="ETH", vest="ETH-PERP", paradex="ETH-USD-PERP")
    async with play.universe(simulation=CALM, pairs=(btc, eth)) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            symbol = {"vest": "ETH-PERP", "paradex": "ETH-USD-PERP"}[venue]
            run.fault(venue, "halt", symbol=symbol, seconds=200)
            run.gap(45.0, 10.0, base="ETH")
            await trio.sleep(50)
            run.gap(45.0, 10.0, base="BTC")
            await run.until("pair.opened", within_s=20)

        assert {line["pair"] for line in run.said("pair.opened")} == {"BTC"}
        assert run.said("exposure.left") == []
        assert abs(run.net()) < DUST


@pytest.mark.parametrize("bps", [45.0, -45.0], ids=["long Vest", "long Paradex"])
@pytest.mark.parametrize("args", [{}, {"code": 3024}], ids=["at the door", "on landing"])
@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest-at the door-long Vest", "paradex-on landing-long Paradex")
async def test_an_entry_on_a_halted_market_is_taken_back_and_not_tried_again_at_once(
    play: Any, autojump_clock: Any, venue: str, args: dict[str, Any], bps: float
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "halt", symbol=MARKETS[venue], seconds=60, **args)
            run.gap(bps, 58.0)
            assert await longest_naked_s(run, 55.0) < 2.0
            tried = [line["at"] for line in run.said("pair.opening")]
            assert run.positions() == {}

        assert len(tried) in (1, 2)
        assert all(later - one >= 30 for one, later in pairwise(tried))
        assert {one["purpose"] for one in run.said("leg.sent")} <= {"enter", "unwind"}
        assert run.code == 0
