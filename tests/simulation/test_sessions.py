"""Keys that a venue forgot, and addresses that it does not want: how long a leg is alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.simulator.options import Options
from bot4.wiring.universe import Universe, open_universe, plain_config

CALM = SimulationConfig(profile="calm", seed=3)
BOUND_S = 9.4
"""What ``bound.stated`` says with the usual settings."""


@asynccontextmanager
async def switched(path: Path, **switches: Any) -> AsyncIterator[Universe]:
    """Open a universe whose venues are set otherwise: ``paradex={...}, vest={...}``."""
    config = attrs.evolve(plain_config(path / "state", 3), simulation=CALM)
    options = Options(seed=3, profile="calm", bases=("BTC",), books_per_s=10.0, **switches)
    async with open_universe(config, options) as opened:
        yield opened


async def alone_s(run: Any, within_s: float = 40.0) -> float:
    """Watch for so long; return how long the venues held a leg alone."""
    step, alone = 0.1, 0.0
    for _ in range(int(within_s / step)):
        await trio.sleep(step)
        alone += step if run.net() else 0.0
    return alone


@pytest.mark.parametrize("how", ["401", "403", "401_plain", "403_plain"])
@pytest.mark.ordinary("401")
async def test_a_key_that_died_is_replaced_and_the_order_looked_up(
    play: Any, autojump_clock: Any, tmp_path: Path, how: str
):
    async with switched(tmp_path, vest={"dead_key": how, "keys": "another"}) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 4.0)
            await run.until("pair.opening")
            run.fault("vest", "expire_token", which="api_key")
            assert await alone_s(run) < BOUND_S
            run.gap(45.0, 6.0)
            await run.until("pair.closed", within_s=90)

        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest")
async def test_an_address_turned_away_while_entering_leaves_no_leg_alone(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 4.0)
            await run.until("pair.opening")
            run.fault(venue, "blocked", seconds=45)
            assert await alone_s(run) < BOUND_S
            await trio.sleep(20)

        stopped = [line for line in run.said("opening.stopped") if "address" in line["reason"]]
        assert stopped
        assert f"{venue} turns this address away" in stopped[0]["why"]
        assert "VPN" in stopped[0]["do"]
        assert run.code == 0
        run.clean()


async def test_a_venue_that_turns_us_away_is_named_at_start(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        for venue in ("vest", "paradex"):
            universe.box.faults.add({"venue": venue, "kind": "blocked", "seconds": 15})
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)

        named = {line["venue"]: line for line in reversed(run.said("venue.unreachable"))}
        for venue in ("vest", "paradex"):
            assert "this address is turned away" in named[venue]["why"]
            assert "VPN" in named[venue]["do"]
        assert run.code == 0


async def test_a_stray_order_at_vest_is_cancelled_where_a_cancel_must_name_the_time(
    play: Any, autojump_clock: Any, tmp_path: Path
):
    async with switched(tmp_path, vest={"cancel_needs_time": True}) as universe:
        universe.box.faults.add({"venue": "vest", "kind": "foreign_order"})
        async with play.bot(universe) as run:
            await run.until("exposure.found", within_s=20)
            await trio.sleep(2)
            assert run.truth["vest"]["open_orders"] == []

        assert run.code == 0
