"""The machine lets the bot down: one clear line, nothing opens, and closing goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
HOUR_MS = 3_600_000
FULL = "PRAGMA max_page_count = 1"
READ_ONLY = "PRAGMA query_only = ON"
"""What makes SQLite itself say so: 1 page is less than there are, so no page can be added."""
WORDS = {FULL: "the disk is full: make room", READ_ONLY: "cannot be written"}


class Database:
    """A real database that can be made to fail as on a full or a read-only disk."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def hurt(self, how: str) -> None:
        self._inner.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._inner.execute(how)


class Machine:
    """A world whose disk and wall clock can fail."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.ahead_ms = 0
        self.databases: list[Database] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def wall_ms(self) -> int:
        return self._inner.wall_ms() + self.ahead_ms

    def open_database(self, path: Any) -> Database:
        self.databases.append(Database(self._inner.open_database(path)))
        return self.databases[-1]

    def hurt(self, how: str) -> None:
        for database in self.databases:
            database.hurt(how)


@asynccontextmanager
async def machine(play: Any) -> AsyncIterator[tuple[Any, Machine]]:
    """A universe on a machine that can fail."""
    async with play.universe(simulation=CALM) as universe:
        weak = Machine(universe.world)
        yield attrs.evolve(universe, world=weak), weak


async def hedged(run: Any, seconds: float = 5.0) -> None:
    await run.until("feed.ready", 4)
    run.gap(45.0, seconds)
    await run.until("pair.opened")


def words(run: Any, how: str) -> None:
    """The disk is named, with the way to mend it, in one line for each thing it stopped."""
    (line,) = [line for line in run.said("opening.stopped") if line["reason"] == "journal"]
    assert WORDS[how] in line["why"]
    assert line["do"]
    assert "\n" not in line["message"]


@pytest.mark.parametrize("how", WORDS, ids=["full", "read-only"])
@pytest.mark.ordinary("full")
async def test_a_disk_that_fails_while_hedged_stops_opening_and_the_pair_is_closed(
    play: Any, autojump_clock: Any, how: str
):
    async with machine(play) as (universe, weak), play.bot(universe) as run:
        await hedged(run)
        weak.hurt(how)
        await run.until("pair.closed")
        await trio.sleep(35)
        run.gap(45.0, 5.0)
        await trio.sleep(10)

    assert run.code == 0
    assert run.positions() == {}
    assert len(run.said("pair.opening")) == 1
    assert len(run.said("journal.failed")) == 1
    words(run, how)


async def test_on_a_disk_that_failed_before_nothing_is_sent(play: Any, autojump_clock: Any):
    async with machine(play) as (universe, weak), play.bot(universe) as run:
        await run.until("feed.ready", 4)
        weak.hurt(READ_ONLY)  # A full one may still have room for one trade in its last page.
        run.gap(45.0, 5.0)
        await trio.sleep(20)

    assert run.code == 0
    assert [state["orders"] for state in run.truth.values()] == [[], []]
    words(run, READ_ONLY)


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_a_disk_that_fails_while_a_leg_is_taken_back_does_not_keep_it_on(
    play: Any, autojump_clock: Any, venue: str
):
    refusal = {"code": 3002} if venue == "vest" else {"cancel_reason": "NOT_ENOUGH_MARGIN"}
    async with machine(play) as (universe, weak), play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, "refuse", count=20, reduce_only=False, **refusal)
        run.gap(45.0, 6.0)
        await run.until("leg.filled")
        weak.hurt(FULL)
        await run.until("pair.unwound")

    assert run.code == 0
    assert run.positions() == {}
    run.clean()


async def test_what_was_closed_from_memory_is_understood_by_the_next_start(
    play: Any, autojump_clock: Any
):
    async with machine(play) as (universe, weak):
        async with play.bot(universe) as run:
            await hedged(run)
            weak.hurt(FULL)
            await run.until("pair.closed")
        assert run.positions() == {}
        run.events.clear()

        # There is room again. The journal knows the entry and nothing of the exit.
        healed = attrs.evolve(universe, world=universe.new_world(7))
        async with play.bot(healed) as again:
            await again.until("trade.recovered")
            await again.until("pair.closed")
            await trio.sleep(35)
            again.gap(45.0, 5.0)
            await again.until("pair.opened")

        assert again.code == 0
        again.clean()


@pytest.mark.parametrize("ms", [HOUR_MS, -HOUR_MS], ids=["an hour ahead", "an hour back"])
@pytest.mark.ordinary("an hour ahead")
async def test_a_wall_clock_that_jumps_while_hedged_closes_the_pair_and_opens_when_it_is_right(
    play: Any, autojump_clock: Any, ms: int
):
    async with machine(play) as (universe, weak), play.bot(universe) as run:
        await hedged(run)
        weak.ahead_ms += ms
        await run.until("pair.closed")
        await trio.sleep(35)
        run.gap(45.0, 5.0)
        await trio.sleep(10)
        assert len(run.said("pair.opening")) == 1
        weak.ahead_ms = 0
        await trio.sleep(45)
        run.gap(45.0, 5.0)
        await run.until("pair.opened", 2)

    assert run.code == 0
    run.clean()
    stopped = [line for line in run.said("opening.stopped") if line["reason"] == "clocks"]
    assert ["clock jumped by" in line["why"] for line in stopped] == [True, True]
    off = [line["why"] for line in run.said("opening.stopped") if line["reason"] == "vest clock"]
    assert len(off) == 1
    # Ages and deadlines are counted by another clock: no book grew old, no line was opened anew.
    assert run.said("feed.lost") == []
    assert run.said("leg.in_doubt") == []
    assert len(run.said("leg.refused")) <= 2


@pytest.mark.parametrize("ms", [HOUR_MS, -HOUR_MS], ids=["an hour ahead", "an hour back"])
@pytest.mark.ordinary("an hour back")
async def test_a_wall_clock_that_jumps_in_the_middle_of_an_entry_leaves_flat_or_hedged(
    play: Any, autojump_clock: Any, ms: int
):
    async with machine(play) as (universe, weak), play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.gap(45.0, 5.0)
        await run.until("pair.opening")
        weak.ahead_ms += ms
        await trio.sleep(30)

    assert run.code == 0
    run.clean()


@pytest.mark.parametrize("slept_s", [30, 600])
@pytest.mark.ordinary("600")
async def test_after_a_suspend_everything_is_new_before_anything_opens(
    play: Any, autojump_clock: Any, slept_s: int
):
    async with machine(play) as (universe, weak), play.bot(universe) as run:
        await hedged(run, 3.0)
        # The wall clock went on, ours stood still; tokens lapsed and the venues hung up.
        weak.ahead_ms += slept_s * 1000
        for venue in ("vest", "paradex"):
            run.fault(venue, "clock_skew", ms=slept_s * 1000)
            run.fault(venue, "expire_token")
            run.fault(venue, "cut", which="all")
        await run.until("feed.ready", 8)
        await run.until("pair.closed")
        await trio.sleep(35)
        run.gap(45.0, 5.0)
        await run.until("pair.opened", 2)

    assert run.code == 0
    run.clean()
    assert len(run.said("feed.lost")) >= 4


async def test_a_loop_that_stood_still_for_ten_minutes_trades_on_no_old_book(
    play: Any, autojump_clock: Any
):
    async with machine(play) as (universe, _), play.bot(universe) as run:
        await hedged(run, 3.0)
        autojump_clock.jump(600)
        await run.until("pair.closed")
        await trio.sleep(35)
        run.gap(45.0, 5.0)
        await run.until("pair.opened", 2)

    assert run.code == 0
    run.clean()
    assert run.said("loop.stalled")
