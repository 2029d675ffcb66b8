"""What Vest's account says of itself: whose it is, and what time it has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.app import run_bot
from bot4.cli.endings import exit_code
from bot4.config.schema import SimulationConfig
from bot4.errors import leaves
from bot4.signals import Signals
from bot4.simulator.options import Options
from bot4.wiring.house import open_house
from bot4.wiring.universe import Universe, open_universe, plain_config

CALM = SimulationConfig(profile="calm", seed=3)
STRANGER = "0x" + "ab" * 20


@asynccontextmanager
async def switched(path: Path, **vest: Any) -> AsyncIterator[Universe]:
    """Open a universe whose Vest is set otherwise."""
    config = attrs.evolve(plain_config(path / "state", 3), simulation=CALM)
    options = Options(seed=3, profile="calm", bases=("BTC",), books_per_s=10.0, vest=vest)
    async with open_universe(config, options) as opened:
        yield opened


async def test_the_account_of_somebody_else_is_refused_at_start(
    autojump_clock: Any, events: Any, tmp_path: Path
):
    codes, whys = [], []
    async with switched(tmp_path, account_address=STRANGER) as universe:
        with trio.move_on_after(20):
            try:
                async with open_house(universe.config, universe.secrets, universe.world) as house:
                    await run_bot(house, Signals(clock=trio.current_time))
            except* Exception as group:  # noqa: BLE001 - as the command line
                codes.append(int(exit_code(group)))
                whys += [str(leaf) for leaf in leaves(group)]

    assert codes == [4]
    assert STRANGER in whys[0]


@pytest.mark.parametrize("meaning", ["changed", "off"])
async def test_a_clock_that_two_places_tell_otherwise_opens_nothing_and_says_both(
    play: Any, autojump_clock: Any, tmp_path: Path, meaning: str
):
    async with switched(tmp_path, account_time=meaning) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            await trio.sleep(15)
            run.gap(45.0, 10.0)
            await trio.sleep(15)

        stopped = {line["reason"]: line["why"] for line in run.said("opening.stopped")}
        assert "Date header" in stopped.get("vest account status", "")
        assert "vest clock" not in stopped
        assert run.said("pair.opening") == []
        assert run.code == 0


async def test_what_is_open_is_closed_all_the_same_by_the_header(
    play: Any, autojump_clock: Any, tmp_path: Path
):
    async with switched(tmp_path) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 6.0)
            await run.until("pair.opened")
            venue = universe.box.vest
            venue.switches = attrs.evolve(
                venue.switches, account_time="off", account_time_off_ms=-60_000
            )
            await run.until("pair.closed", within_s=120)

        assert run.code == 0
        run.clean()
