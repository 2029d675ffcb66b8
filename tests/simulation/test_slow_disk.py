"""A disk that takes long to keep an order: told at the start, and only the deadline counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import Durability, ExecutionConfig, SimulationConfig
from bot4.wiring.universe import plain_config

CALM = SimulationConfig(profile="calm", seed=3)


class Slow:
    """A database whose synced commits keep the whole process waiting."""

    def __init__(self, inner: Any, wait: Callable[[], None]) -> None:
        self._inner = inner
        self._wait = wait
        self._syncs = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        if sql.startswith("PRAGMA synchronous="):
            self._syncs = sql.endswith("FULL")
        found = self._inner.execute(sql, parameters)
        if sql == "COMMIT" and self._syncs:
            self._wait()
        return found


@attrs.define
class Machine:
    """A world whose disk takes its time."""

    inner: Any
    clock: Any
    ms: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def open_database(self, path: Path) -> Slow:
        return Slow(self.inner.open_database(path), lambda: self.clock.jump(self.ms / 1000))


@pytest.fixture
def slow(play: Any, autojump_clock: Any, tmp_path: Path) -> Any:
    """A universe and its machine, with a disk of so many milliseconds."""

    def opened(universe: Any, ms: float) -> tuple[Any, Machine]:
        machine = Machine(universe.world, autojump_clock, ms)
        return attrs.evolve(universe, world=machine), machine

    return opened


@pytest.mark.parametrize("ms", [120, 200, 350])
@pytest.mark.ordinary("350")
async def test_a_disk_slower_than_a_tenth_of_a_second_still_trades(
    play: Any, slow: Any, autojump_clock: Any, ms: float
):
    async with play.universe(simulation=CALM) as universe:
        here, _ = slow(universe, ms)
        async with play.bot(here) as run:
            await run.until("feed.ready", 4)
            run.gap(60.0, 8.0)
            await trio.sleep(30)

    assert len(run.said("pair.opened")) == len(run.said("pair.closed")) == 1
    assert run.code == 0
    run.clean()


async def test_entries_that_came_too_late_to_leave_count_for_no_pause_and_no_breaker(
    play: Any, slow: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        here, machine = slow(universe, 0)
        async with play.bot(here) as run:
            await run.until("feed.ready", 4)
            machine.ms = 800
            for _ in range(12):
                run.gap(60.0, 2.0)
                await trio.sleep(8)
            late = len(run.said("pair.missed"))
            sent = [order for state in run.truth.values() for order in state["orders"]]
            machine.ms = 0
            run.gap(60.0, 6.0)
            await trio.sleep(8)

    assert late >= 9
    assert sent == []
    assert len(run.said("pair.opened")) == 1
    held = {line["reason"] for line in run.said("entry.held")}
    assert not held & {"breaker", "cooldown"}, held
    run.clean()


@pytest.mark.parametrize(("ms", "level"), [(0, "info"), (120, "info"), (400, "warning")])
async def test_what_the_disk_takes_is_told_at_the_start_and_warned_of_when_it_is_much(
    play: Any, slow: Any, autojump_clock: Any, ms: float, level: str
):
    async with play.universe(simulation=CALM) as universe:
        here, _ = slow(universe, ms)
        async with play.bot(here) as run:
            await run.until("feed.ready", 4)

    told = [line for line in run.events if f"takes {ms} ms to keep an order" in line["message"]]
    assert [line["level"] for line in told] == [level]
    assert level == "info" or "execution.deadline_ms" in told[0]["do"]


async def test_nothing_is_said_of_a_disk_that_no_entry_waits_for(
    play: Any, slow: Any, autojump_clock: Any, tmp_path: Path
):
    config = plain_config(tmp_path / "state", 3)
    execution = ExecutionConfig(durability=Durability.PROCESS)
    async with play.universe(config, simulation=CALM, execution=execution) as universe:
        here, _ = slow(universe, 400)
        async with play.bot(here) as run:
            await run.until("feed.ready", 4)

    assert [line for line in run.events if "to keep an order" in line["message"]] == []
