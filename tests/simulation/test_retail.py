"""The Retail profile where Paradex does not grant it, or does not show its fee."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.simulator.options import Options
from bot4.wiring.universe import open_universe, plain_config

CALM = SimulationConfig(profile="calm", seed=3)


@pytest.mark.parametrize("switch", [{"interactive": "refused"}, {"interactive_fee_shown": False}])
async def test_a_retail_that_is_not_granted_or_priced_trades_all_the_same(
    play: Any, autojump_clock: Any, tmp_path: Path, switch: dict[str, Any]
):
    config = attrs.evolve(plain_config(tmp_path / "state", 3), simulation=CALM)
    config = attrs.evolve(config, paradex=attrs.evolve(config.paradex, profile="retail"))
    options = Options(seed=3, profile="calm", bases=("BTC",), books_per_s=10.0, paradex=switch)
    async with open_universe(config, options) as universe:
        async with play.bot(universe) as run:
            with trio.move_on_after(60):
                await run.until("feed.ready", 4)
                run.gap(45.0, 6.0)
                await run.until("pair.closed", within_s=90)
            closed = run.said("pair.closed")

        refused = "interactive" in switch
        assert len(closed) == 1
        assert (float(closed[0]["fees_usdc"]) > 0.2) is refused
        assert ["as Pro" in line["why"] for line in run.said("profile.refused")] == [True] * refused
        assert run.code == 0
        run.clean()
