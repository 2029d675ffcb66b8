"""What we say we earned against what the venues' own fills say, and the promises on prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot4.config.schema import ExecutionConfig, OnStop, SimulationConfig

D = Decimal


def cash(run: Any) -> Decimal:
    """What every fill at both venues moved, fees included; the positions must be flat."""
    total = D(0)
    for state in run.truth.values():
        for fill in state["fills"]:
            sign = -1 if fill["side"].lower() == "buy" else 1
            total += sign * D(fill["size"]) * D(fill["price"]) - D(fill["fee"])
    return total


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.ordinary("1")
async def test_our_account_of_the_money_is_the_venues_and_naked_times_are_short(
    play: Any, autojump_clock: Any, seed: int
):
    world = SimulationConfig(profile="demo", seed=seed)
    flatten = ExecutionConfig(on_stop=OnStop.FLATTEN)
    async with play.universe(simulation=world, execution=flatten) as universe:
        async with play.bot(universe, for_ready_s=90.0) as run:
            pass

        assert run.code == 0
        assert run.positions() == {}
        booked = [
            *run.said("pair.closed"),
            *run.said("pair.unwound"),
            *run.said("pair.missed"),
        ]
        said = sum((D(line["net_usdc"]) for line in booked), D(0))
        assert abs(said - cash(run)) < D("0.001")
        for line in run.said("pair.opened"):
            if not line["mended"]:
                spread, target = (
                    D(line[name].rstrip("%")) for name in ("spread_percent", "target_percent")
                )
                assert spread >= target - D("0.02")
        times = [line["naked_s"] for line in booked if line["event"] != "pair.missed"]
        assert times
        assert max(times) < 3.0
        assert run.said("exposure.left") == []
