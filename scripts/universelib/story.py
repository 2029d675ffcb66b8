"""Plays one scenario; a process may be stopped on the way, and then another one takes over."""

from __future__ import annotations

import json
import signal
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

import attrs
import trio

from bot4.config.schema import ExecutionConfig, OnStop, SimulationConfig
from bot4.signals import Signals
from bot4.simulator import profiles
from bot4.simulator.options import Options
from bot4.strategy.saga import State
from bot4.tasks.gate import RECONCILE
from bot4.wiring.universe import Universe, open_universe, plain_config
from universelib.disk import Disk
from universelib.play import LIGHTER, VERIFY_EVERY
from universelib.process import FarWorld, Log, Process, bot, flatten
from universelib.scenarios import DARK, Later, Scenario

QUIET: Final = "quiet"
# Calm, and with fewer pictures: nothing happens here unless a fault makes it happen.
profiles.PROFILES.setdefault(
    QUIET, attrs.evolve(profiles.CALM, name=QUIET, picture_every_s=(0.3, 0.5))
)
FRAME_S: Final = 0.25
"""Between two frames of Paradex's book. The strategy wants one a second at least."""
GAP_BPS: Final = 45.0
HANGS_S: Final = 90.0
"""A process that has not ended so long after it was stopped never will."""
PRESSES_S: Final = 30.0
"""A story whose end does not come is ended all the same."""
LOOKS_S: Final = 8.0
"""How long a process that knows of nothing looks at what it finds, with a spread to enter at."""
SETTLES_S: Final = 60.0
"""What the next process gets to settle everything before it is stopped in its turn."""
DELAYS_S: Final = (0.05, 0.3, 1.1)
"""Between the death of a process and the next one."""
OVER: Final = ("pair.closed", "pair.unwound", "pair.missed")
LAST_S: Final = 0.6
"""After the last process has gone, for whatever still flies."""


@attrs.define
class Stopped:
    """How the first process was stopped from outside."""

    mode: str
    step: int
    at_s: float
    what: str = ""


@attrs.define
class Story:
    """One scenario as it unfolds, and everything the proof needs afterwards."""

    scenario: Scenario
    folder: Path
    seed: int
    log: Log = attrs.field(factory=Log)
    again: Callable[[Process], Awaitable[int]] = bot
    """Which command is run at the end; for a scenario of flatten it is also what is stopped."""
    stopped: Stopped | None = None
    processes: list[Process] = attrs.field(factory=list)
    left: Disk | None = None
    """What the one that was killed left on the disk."""
    skew_s: float = 0.0
    pressed: bool = False
    """Whether the scenario's own Ctrl+C came before."""
    from_step: Callable[[], None] = lambda: None
    """Called when the gap opens."""
    exit_truth: dict[str, Any] | None = None
    truth: dict[str, Any] = attrs.field(factory=dict)
    lasted_s: float = 0.0
    hangs: list[str] = attrs.field(factory=list)
    nursery: trio.Nursery = attrs.field(init=False)
    over: Callable[[], None] = lambda: None
    """Called when everything is known; the universe is only taken down afterwards."""

    @property
    def flattens(self) -> bool:
        """Whether flatten is what is stopped here."""
        return self.again is flatten

    @property
    def subject(self) -> Process:
        """The process that is stopped."""
        return self.processes[1 if self.flattens else 0]

    async def play(self) -> None:
        """Run it to its end. Cancellation: leaves everything."""
        options = Options(
            seed=self.seed,
            profile=QUIET,
            bases=("BTC",),
            vest={"verify_every": VERIFY_EVERY},
            paradex={"verify_every": VERIFY_EVERY, "frame_s": FRAME_S},
            **LIGHTER,
        )
        config = attrs.evolve(
            plain_config(self.folder / "1", self.seed),
            simulation=SimulationConfig(profile=QUIET, seed=self.seed),
            execution=ExecutionConfig(on_stop=OnStop(self.scenario.on_stop)),
        )
        async with (
            open_universe(config, options) as universe,
            trio.open_nursery() as self.nursery,
        ):
            disk = await self._first(universe)
            if self.flattens:
                disk = await self._run(universe, disk, flatten)
            if self.scenario.forgets and self.stopped is None:
                disk = await self._look_around(universe, disk)
            if self._something_left():
                await trio.sleep(self._random.choice(DELAYS_S))
                await self._last(universe, disk)
            await trio.sleep(LAST_S)
            self.truth = universe.box.truth()
            self.lasted_s = trio.current_time()
            self.over()
            self.nursery.cancel_scope.cancel()

    def journal(self) -> list[tuple[Any, ...]]:
        """Return the rows that the last process left: kind, trade, body."""
        left = self.processes[-1].disk.left(power_lost=False).open(Path("journal.db"))
        rows = left.execute("SELECT kind, trade_id, body FROM entry ORDER BY row")
        return [(kind, trade_id, json.loads(body)) for kind, trade_id, body in rows]

    @property
    def _random(self) -> Random:
        stop = self.stopped
        where = f"{stop.mode}/{stop.step}" if stop else "whole"
        return Random(f"{self.seed}/{self.scenario.name}/{where}")  # noqa: S311

    async def _look_around(self, universe: Universe, disk: Disk) -> Disk:
        """A process with an empty journal meets what the last one held, and flatten ends it."""
        self.left = None
        process = self._process(universe, disk, bot)
        with trio.move_on_after(LOOKS_S):
            await process.ended.wait()
        process.signals.deliver(signal.SIGINT)
        await self._wait_end(process)
        self.again = flatten
        return Disk()

    def _something_left(self) -> bool:
        """Whether there is anything that another process could take over."""
        if self.stopped is None or self.exit_truth is None or self.subject.code:
            return True
        resting = any(
            not order["foreign"]
            for state in self.exit_truth.values()
            for order in state["open_orders"]
        )
        return resting or bool(held(self.exit_truth))

    def _process(
        self, universe: Universe, disk: Disk, main: Callable[[Process], Awaitable[int]]
    ) -> Process:
        number = len(self.processes) + 1
        state_dir = self.folder / str(number)
        config = universe.config
        if number > 1:
            config = attrs.evolve(config, execution=ExecutionConfig(on_stop=OnStop.FLATTEN))
        there = attrs.evolve(universe, config=attrs.evolve(config, state_dir=state_dir))
        world = FarWorld(universe, self.nursery, self.seed + 1000 * number, disk.open)
        signals = Signals(clock=lambda: trio.current_time() + self.skew_s)
        process = Process(number, there, world, disk, self.log, main, signals)
        self.processes.append(process)
        process.start(self.nursery)
        return process

    async def _first(self, universe: Universe) -> Disk:
        """The bot from its start to its exit or death; returns the disk it leaves."""
        disk = Disk()
        one = self._process(universe, disk, bot)
        async with trio.open_nursery() as around:
            around.start_soon(self._trouble, universe)
            around.start_soon(self._press, one)
            await self._wait_end(one)
            around.cancel_scope.cancel()
        return self._after(universe, one)

    async def _run(
        self, universe: Universe, disk: Disk, main: Callable[[Process], Awaitable[int]]
    ) -> Disk:
        process = self._process(universe, disk, main)
        self.from_step()
        await self._wait_end(process)
        return self._after(universe, process)

    def _after(self, universe: Universe, process: Process) -> Disk:
        if process.number == (2 if self.flattens else 1) and process.code != -9:
            self.exit_truth = universe.box.truth()
        return self.left or process.disk.left(power_lost=False)

    async def _wait_end(self, process: Process) -> None:
        """Wait for the exit; once it was stopped there is a limit."""
        while not process.ended.is_set():
            with trio.move_on_after(HANGS_S):
                await process.ended.wait()
            if not process.ended.is_set():
                self.hangs.append(f"process {process.number} does not end")
                self.left = process.die(power_lost=False)

    async def _trouble(self, universe: Universe) -> None:
        faults, scenario = universe.box.faults, self.scenario
        await self.log.wait("feed.ready", 1, 4)
        await trio.sleep(0.3)

        async def later(one: Later) -> None:
            await self.log.wait(one.event, 1)
            await trio.sleep(one.after_s)
            if one.fault["kind"] == DARK:
                self.processes[0].world.lose(one.fault["venue"])
            else:
                faults.add(one.fault)

        async with trio.open_nursery() as strikes:
            for one in scenario.later:
                strikes.start_soon(later, one)
            for fault in scenario.faults:
                faults.add(fault)
            if not self.flattens:
                self.from_step()
            if scenario.gap_s:
                gap = {"bps": GAP_BPS, "seconds": scenario.gap_s}
                faults.add({"venue": "vest", "kind": "gap_jump", **gap})

    async def _press(self, process: Process) -> None:
        """Ctrl+C where the scenario says so, unless one came before; a kill for flatten's."""
        with trio.move_on_after(PRESSES_S):
            await self._until(*self.scenario.until)
        if self.flattens:
            self.left = process.die(power_lost=False)
        elif self.scenario.forgets and self.stopped is None:
            process.die(power_lost=False)
            self.left = Disk()
        elif self.stopped is None or self.stopped.mode == "error":
            # An error may be one that the bot lives with.
            self.pressed = True
            process.signals.deliver(signal.SIGINT)

    async def _until(self, event: str, after_s: float) -> None:
        if event == "trade over":
            while not any(self.log.said(one, 1) for one in OVER):  # noqa: ASYNC110 - any of three
                await trio.sleep(0.05)
        else:
            await self.log.wait(event, 1, 4 if event == "feed.ready" else 1)
        await trio.sleep(after_s)

    async def _last(self, universe: Universe, disk: Disk) -> None:
        """The next process: it settles what it finds, and closes everything when it is stopped."""
        self.left = None
        process = self._process(universe, disk, self.again)
        if self.flattens:
            await self._wait_end(process)
            return
        with trio.move_on_after(SETTLES_S) as patience:
            while not process.ended.is_set() and not settled(process):  # noqa: ASYNC110
                await trio.sleep(0.05)
        if patience.cancelled_caught:
            self.hangs.append(f"not settled {SETTLES_S:g} s after the restart")
        process.signals.deliver(signal.SIGINT)
        await self._wait_end(process)


def settled(process: Process) -> bool:
    """Whether positions are compared, and no trade is anything but hedged."""
    rooms = process.rooms
    if rooms is None or not rooms.recovered or RECONCILE in rooms.gate.reasons:
        return False
    return all(trade.state is State.HEDGED for trade in rooms.ledger.trades)


def held(truth: dict[str, Any]) -> dict[str, Decimal]:
    """Return what the venues hold, zeros left out."""
    sizes = {
        f"{venue} {symbol}": Decimal(size)
        for venue, state in truth.items()
        for symbol, size in state["positions"].items()
    }
    return {name: size for name, size in sizes.items() if size}
