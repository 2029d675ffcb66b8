"""The disk of the log file stops answering while the bot trades."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio

from bot4.config.schema import SimulationConfig
from bot4.logs.setup import close
from tests.hung_disk import Disk, under
from tests.simulation.screen_and_file import log_to

CALM = SimulationConfig(profile="calm", seed=3)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    with under(tmp_path / "logs" / "bot4.log", monkeypatch) as disk:
        yield disk
    close()
    structlog.reset_defaults()


async def test_a_trade_is_opened_and_closed_and_the_file_is_whole_when_it_answers_again(
    play: Any, autojump_clock: Any, disk: Disk
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        screen = log_to(disk.path, run, "json")
        await trio.sleep(3)
        disk.answers.clear()
        run.gap(45.0, 6.0)
        await run.until("pair.opened")
        await run.until("pair.closed", within_s=120)

        assert disk.kept_the_loop == 0
        assert not run.said("loop.stalled")
        shown = [json.loads(line)["event"] for line in screen.getvalue().splitlines()]
        assert {"pair.opened", "pair.closed"} <= set(shown)
        disk.answers.set()
    run.clean()
    close()

    filed = [json.loads(line)["event"] for line in disk.path.read_text().splitlines()]
    assert {"pair.opened", "pair.closed", "shutdown.clean"} <= set(filed)
