"""The machine sleeps: our clock stands still, the venues' do not, and old books look young."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
SLEPT_S = 30
VENUES = ("vest", "paradex")
LINES = ("alive", "cut", "dead")
REFUSALS = {"vest": {"code": 3002}, "paradex": {"cancel_reason": "NOT_ENOUGH_MARGIN"}}


class Database:
    """A database during whose next commit of orders the machine can be made to sleep."""

    def __init__(self, inner: Any, machine: Machine) -> None:
        self._inner = inner
        self._machine = machine
        self._orders = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        self._orders = self._orders or "Intended" in parameters
        found = self._inner.execute(sql, parameters)
        if sql == "COMMIT":
            if self._orders:
                self._machine.committed()
            self._orders = False
        return found


class Machine:
    """A world that can sleep, beside venues that do not."""

    def __init__(self, universe: Any) -> None:
        self._universe = universe
        self.slept_s = 0.0
        self.woke_at = float("inf")
        self.sleeps_at_commit = self.sleeps_at_dial = False
        self._dialling = False
        self._rest: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._universe.world, name)

    def wall_ms(self) -> int:
        return self._universe.world.wall_ms() + round(self.slept_s * 1000)

    def suspended_s(self) -> float:
        return self.slept_s

    def open_database(self, path: Path) -> Database:
        return Database(self._universe.world.open_database(path), self)

    def committed(self) -> None:
        """Orders have just become durable."""
        if self.sleeps_at_commit:
            self.sleeps_at_commit = False
            self.sleep("alive")
        if self.sleeps_at_dial:
            self.sleeps_at_dial, self._dialling = False, True
            for stream in self._rest:
                stream.cut()  # So that they have to wait for a new connection.

    async def dial(self, host: str, port: int) -> Any:
        stream = await self._universe.world.dial(host, port)
        if host.endswith(".rest"):
            self._rest.append(stream)
            if self._dialling:
                self._dialling = False
                self.sleep("alive")
        return stream

    def sleep(self, lines: str) -> None:
        self.slept_s += SLEPT_S
        self.woke_at = trio.current_time()
        if self.slept_s > SLEPT_S:
            self._universe.box.faults.clear()  # The skew of the sleep before.
        for venue in VENUES:
            skew = {"venue": venue, "kind": "clock_skew", "ms": self.slept_s * 1000}
            self._universe.box.faults.add(skew)
            if lines == "cut":
                self._universe.strike({"venue": venue, "kind": "cut", "which": "all"})
            elif lines == "dead":
                self._universe.strike({"venue": venue, "kind": "net_half_open"})

    def at(self, venue_ms: int) -> float:
        """Trio time of what a venue stamped after the sleep."""
        return trio.current_time() - (self.wall_ms() - venue_ms) / 1000


@asynccontextmanager
async def machine(play: Any) -> Any:
    async with play.universe(simulation=CALM) as universe:
        made = Machine(universe)
        async with play.bot(attrs.evolve(universe, world=made)) as run:
            await run.until("feed.ready", 4)
            yield run, made


def sent_after(run: Any, made: Machine) -> list[float]:
    """When orders arrived that had not been there before the sleep; Trio times."""
    stamps = [order["received_ms"] for side in run.truth.values() for order in side["orders"]]
    return [at for at in map(made.at, stamps) if at >= made.woke_at - 0.001]


def fresh_at(run: Any, made: Machine) -> float:
    """When both books were known anew, over new connections."""
    ready = {
        line["feed"]: line["at"] for line in run.said("feed.ready") if line["at"] >= made.woke_at
    }
    return max(ready.get(f"{venue} public", float("inf")) for venue in VENUES)


def nothing_left_blind(run: Any, made: Machine) -> None:
    fresh = fresh_at(run, made)
    assert fresh < made.woke_at + 15, "the books were never read anew"
    early = [at for at in sent_after(run, made) if at < fresh]
    assert early == [], (early, fresh)


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.ordinary("alive")
async def test_a_gap_that_was_open_before_a_sleep_is_entered_on_new_books_only(
    play: Any, autojump_clock: Any, lines: str
):
    async with machine(play) as (run, made):
        run.gap(45.0, 60.0)
        await trio.sleep(0.35)
        assert run.said("pair.opening") == []
        made.sleep(lines)
        await trio.sleep(45)
        nothing_left_blind(run, made)
        assert len(run.said("pair.opened")) == 1

    assert run.code == 0
    run.clean()


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.ordinary("dead")
async def test_a_pair_that_could_be_closed_before_a_sleep_is_closed_on_new_books_only(
    play: Any, autojump_clock: Any, lines: str
):
    async with machine(play) as (run, made):
        run.gap(45.0, 60.0)
        await run.until("pair.opened")
        run.gap(0.0, 600.0)
        assert run.said("pair.closing") == []
        made.sleep(lines)
        await trio.sleep(45)
        nothing_left_blind(run, made)
        assert len(run.said("pair.closed")) == 1

    assert run.code == 0
    assert run.positions() == {}


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.ordinary("vest-dead", "paradex-cut")
async def test_a_leg_that_is_alone_at_a_sleep_is_taken_back_at_a_new_price_only(
    play: Any, autojump_clock: Any, venue: str, lines: str
):
    async with machine(play) as (run, made):
        run.fault(venue, "refuse", count=20, reduce_only=False, **REFUSALS[venue])
        run.gap(45.0, 6.0)
        await run.until("leg.filled")
        made.sleep(lines)
        await trio.sleep(45)
        nothing_left_blind(run, made)

    assert run.positions() == {}
    run.clean()


@pytest.mark.parametrize("where", ["sleeps_at_commit", "sleeps_at_dial"])
@pytest.mark.parametrize("when", ["entry", "exit"])
@pytest.mark.ordinary("entry-sleeps_at_dial", "exit-sleeps_at_commit")
async def test_orders_that_a_sleep_overtook_after_their_decision_stay_home(
    play: Any, autojump_clock: Any, when: str, where: str
):
    async with machine(play) as (run, made):
        if when == "exit":
            run.gap(45.0, 60.0)
            await run.until("pair.opened")
        setattr(made, where, True)
        run.gap(45.0 if when == "entry" else 0.0, 60.0)
        await trio.sleep(30)
        assert made.slept_s == SLEPT_S
        nothing_left_blind(run, made)
        if when == "exit":
            assert len(run.said("pair.closed")) == 1

    assert run.code == 0
    run.clean()


async def test_two_sleeps_in_a_row_are_two(play: Any, autojump_clock: Any):
    async with machine(play) as (run, made):
        run.gap(45.0, 90.0)
        await trio.sleep(0.35)
        made.sleep("alive")
        await trio.sleep(0.05)
        made.sleep("dead")
        await trio.sleep(45)
        nothing_left_blind(run, made)
        assert len(run.said("pair.opened")) == 1

    assert run.code == 0


async def test_a_universe_that_sleeps_finds_all_of_it_new_again(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        universe.strike({"venue": "machine", "kind": "suspend", "seconds": 600})
        slept_at = trio.current_time()
        await run.until("feed.ready", 8)
        assert trio.current_time() < slept_at + 15
        stopped = [line for line in run.said("opening.stopped") if line["reason"] == "suspend"]
        assert ["slept for 600 s" in line["why"] for line in stopped] == [True]
        await trio.sleep(10)
        assert [line["reason"] for line in run.said("opening.resumed")].count("suspend") == 1
        run.gap(45.0, 6.0)
        await run.until("pair.opened")

    assert run.code == 0
    run.clean()
