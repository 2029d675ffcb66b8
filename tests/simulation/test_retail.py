"""The Retail profile where Paradex does not grant it, or does not show its fee."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.simulator.options import Options
from bot4.wiring.universe import Universe, open_universe, plain_config

D = Decimal
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


SMALL, LARGE = 27.0, 45.0
"""Gaps, bps: one pays without Paradex's fees only, the other with them too."""


@asynccontextmanager
async def priced(path: Path, profile: str, **switches: Any) -> AsyncIterator[Universe]:
    """Open a universe in which a small gap does not pay Pro fees."""
    config = attrs.evolve(plain_config(path / "state", 3), simulation=CALM)
    config = attrs.evolve(
        config,
        paradex=attrs.evolve(config.paradex, profile=profile),
        strategy=attrs.evolve(config.strategy, min_profit=D("0.15")),
    )
    options = Options(seed=3, profile="calm", bases=("BTC",), books_per_s=10.0, paradex=switches)
    async with open_universe(config, options) as opened:
        yield opened


async def traded(run: Any, bps: float) -> list[dict[str, Any]]:
    """Open a gap; return the accounts of the trades that came of it, once they are over."""
    before = len(run.said("pair.closed"))
    run.gap(bps, 6.0)
    await trio.sleep(30)
    return run.said("pair.closed")[before:]


async def test_fees_beyond_those_expected_are_told_once_and_counted_until_they_are_right_again(
    play: Any, autojump_clock: Any, tmp_path: Path
):
    async with priced(tmp_path, "retail") as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        assert len(await traded(run, SMALL)) == 1
        assert run.said("fees.differ") == []

        run.fault("paradex", "retail_lost", seconds=1e6)
        assert len(await traded(run, SMALL)) == 1  # nobody can know before the first fill
        assert await traded(run, SMALL) == []
        assert len(await traded(run, LARGE)) == 1
        assert await traded(run, SMALL) == []
        (told,) = run.said("fees.differ")
        assert told["level"] == "warning"
        assert "0.0450%" in told["message"]
        assert "interactive" in told["why"]
        assert "profile: pro" in told["do"]

        universe.box.faults.clear()
        assert len(await traded(run, LARGE)) == 1
        assert len(await traded(run, SMALL)) == 1
        assert len(run.said("fees.agree")) == 1
        assert len(run.said("fees.differ")) == 1
    run.clean()


async def test_a_token_that_the_venue_gives_and_ignores_is_told_at_the_first_fill(
    play: Any, autojump_clock: Any, tmp_path: Path
):
    async with priced(tmp_path, "retail", interactive="ignored") as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            assert len(await traded(run, SMALL)) == 1
            assert len(run.said("fees.differ")) == 1
            assert await traded(run, SMALL) == []
        run.clean()


async def test_fees_as_expected_are_not_spoken_of(play: Any, autojump_clock: Any, tmp_path: Path):
    async with priced(tmp_path, "pro") as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        assert await traded(run, SMALL) == []
        assert len(await traded(run, LARGE)) == 1
        assert run.said("fees.differ") == []
    run.clean()
