"""Paradex serves an older binary version than we ask for, or none: the bot asks for less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.simulator.options import Options
from bot4.wiring.doctor import examine_all
from bot4.wiring.snapshot import read_status
from bot4.wiring.universe import open_universe, plain_config

CALM = SimulationConfig(profile="calm", seed=3)
SPOKEN = [(2, "v1 sbe 1:2"), (1, "v1 sbe 1:1"), (0, "v1 sbe 1:0"), ("none", "v1 json")]


def served(path: Path, most: Any, **paradex: Any) -> Any:
    """Open a universe whose Paradex serves versions up to ``most``."""
    config = attrs.evolve(plain_config(path / "state", 3), simulation=CALM)
    config = attrs.evolve(config, paradex=attrs.evolve(config.paradex, **paradex))
    switches = {"sbe_versions_to": most}
    options = Options(seed=3, profile="calm", bases=("BTC",), books_per_s=10.0, paradex=switches)
    return open_universe(config, options)


@pytest.mark.parametrize("orders", ["rest", "ws"])
@pytest.mark.parametrize(("most", "spoken"), SPOKEN)
@pytest.mark.ordinary(
    "2-v1 sbe 1:2-rest", "1-v1 sbe 1:1-ws", "0-v1 sbe 1:0-rest", "none-v1 json-ws"
)
async def test_the_bot_steps_down_to_what_is_served_and_says_so(
    play: Any, autojump_clock: Any, tmp_path: Path, most: Any, spoken: str, orders: str
):
    async with served(tmp_path, most, orders=orders) as universe:
        async with play.bot(universe) as run:
            with trio.move_on_after(40):
                await run.until("feed.ready", 4)
                await trio.sleep(3)
            up = {line["feed"] for line in run.said("feed.ready")}
            told = read_status(universe.config) or {}
            if len(up) >= 4:
                run.gap(45.0, 6.0)
                await run.until("pair.closed", within_s=60)

        assert {"paradex public", "paradex private"} <= up
        assert told["venues"]["paradex"]["api"] == spoken
        assert bool(run.said("feed.stepped_down")) is (spoken != "v1 sbe 1:2")
        assert run.code == 0


async def test_the_doctor_steps_down_and_names_what_is_spoken(autojump_clock: Any, tmp_path: Path):
    steps: list[Any] = []
    async with served(tmp_path, 0) as universe:
        await examine_all(
            universe.config,
            universe.secrets,
            universe.world,
            ("paradex",),
            steps.append,
            probe_orders=False,
        )

    (books,) = [step for step in steps if step.name == "public stream"]
    assert books.ok, books.said
    assert "v1 sbe 1:0" in books.said
