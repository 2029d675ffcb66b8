"""Runs one scenario once and forks at each step: a child stops the process there and goes on."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import attrs
import structlog
import trio
from exposurelib.clock import JumpClock

from universelib.process import bot, flatten
from universelib.scenarios import EVERY, FLATTENED, Scenario
from universelib.scheduler import seed_trio
from universelib.stopping import Steps, fork, stop
from universelib.story import Story
from universelib.verdict import Injected, print_log, verdict_of

MEMORY: Final = "/dev/shm"  # noqa: S108 - only where it exists; the names are made by mkdtemp
CHILD_LIMIT_S: Final = 60
"""CPU seconds after which a child that goes round in circles is ended by the system."""
ASLEEP_LIMIT_S: Final = 3600
"""Real seconds after which a child that waits for nobody is ended; it may have been paused."""
PIECE: Final = 1 << 16


@attrs.frozen
class Wanted:
    """Which injections to make."""

    seed: int
    modes: tuple[str, ...]
    first: int = 0
    """0: from where the scenario begins in earnest."""
    last: int = 1 << 30
    every: int = 1
    """Only each so manieth step, shifted from mode to mode."""
    jobs: int = 2
    log: bool = False
    """Whether a child prints its log."""
    until_broken: bool = False
    """Whether the first violation is enough."""


@attrs.define
class _Child:
    mode: str
    step: int
    moment: tuple[object, ...]
    pid: int = 0
    pipe: int = -1
    same: list[int] = attrs.field(factory=list)
    """Later steps at which stopping leaves the same world."""
    result: Injected | None = None


@attrs.define
class Base:
    """One scenario run to its end in this process, and the children it forked."""

    scenario: Scenario
    wanted: Wanted
    results: list[Injected] = attrs.field(factory=list)
    steps: int = 0
    begins: int = 0
    """The step at which the scenario begins in earnest."""
    _running: list[_Child] = attrs.field(factory=list)
    _latest: dict[str, _Child] = attrs.field(factory=dict)
    _story: Story | None = None
    _counter: Steps | None = None
    _mine: tuple[int, _Child] | None = None
    """In a child: its pipe."""
    _cpu_0: float = 0.0

    def run(self) -> list[Injected]:
        """Run the scenario and every injection wanted; the undisturbed run comes first."""
        folder = Path(mkdtemp(prefix="u", dir=MEMORY if Path(MEMORY).is_dir() else None))
        try:
            self._play(folder)
        finally:
            if self._mine is None:
                # The children's state folders lie in this one.
                while self._running:
                    self._collect()
                shutil.rmtree(folder, ignore_errors=True)
        return sorted(self.results, key=lambda one: (one.step, one.mode))

    def _play(self, folder: Path) -> None:
        seed_trio(self.wanted.seed)
        flattens = self.scenario in FLATTENED
        story = self._story = Story(
            self.scenario, folder, self.wanted.seed, again=flatten if flattens else bot
        )
        story.from_step, story.over = self._mark, lambda: self._tell(story, None)
        self._counter = Steps(2 if flattens else 1, self._reach)
        structlog.configure(processors=[story.log], cache_logger_on_first_use=False)
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            trio.run(story.play, clock=JumpClock(), instruments=[self._counter])
        except BaseException as error:
            if self._mine is not None:
                self._tell(story, error)
            raise
        finally:
            gc.enable()
        self.steps = self._counter.count
        if self._counter.error is not None:
            raise self._counter.error

    def _mark(self) -> None:
        if self._counter is not None and self._mine is None and not self.scenario.whole:
            self.begins = self._counter.count

    def _reach(self, step: int, task: trio.lowlevel.Task) -> None:
        wanted, story = self.wanted, self._story
        begun = self.begins or self.scenario.whole or (story and len(story.processes) > 1)
        if step > wanted.last or story is None or story.subject.ended.is_set():
            return
        if wanted.until_broken and any(one.broken for one in self.results):
            return
        if step < wanted.first or not (begun or wanted.first):
            return
        for shift, mode in enumerate(wanted.modes):
            if (step + shift) % wanted.every:
                continue
            moment = self._moment(mode, step)
            known = self._latest.get(mode)
            if known is not None and known.moment == moment:
                self._add_same(known, step)
                continue
            while len(self._running) >= wanted.jobs:
                self._collect()
            if self._fork(story, _Child(mode, step, moment), task):
                return

    def _fork(self, story: Story, child: _Child, task: trio.lowlevel.Task) -> bool:
        """Stop the process in a child of this one; return True there."""
        child.pipe, write = os.pipe()
        child.pid = fork()
        if child.pid:
            os.close(write)
            self._latest[child.mode] = child
            self._running.append(child)
            return False
        os.close(child.pipe)
        signal.setitimer(signal.ITIMER_PROF, CHILD_LIMIT_S)
        signal.alarm(ASLEEP_LIMIT_S)
        self._mine, self._cpu_0 = (write, child), time.process_time()
        if self._counter is not None:
            with suppress(KeyError):
                trio.lowlevel.remove_instrument(self._counter)
        story.folder = story.folder / str(os.getpid())
        stop(story, child.mode, child.step, task)
        return True

    def _moment(self, mode: str, step: int) -> tuple[object, ...]:
        """Return what the world after stopping here depends on: the step itself unless proven less.

        A kill leaves the disk, the bytes under way and the venues; a signal only wakes a task,
        which runs in the next batch, whose order does not depend on who woke first.
        """
        counter, story = self._counter, self._story
        if counter is None or story is None or mode in ("cancel", "error"):
            return (step,)
        if mode in ("sigint", "sigint2"):
            return (counter.batch,)
        process = story.subject
        return counter.others, trio.current_time(), process.disk.changes(), process.world.moved()

    def _add_same(self, child: _Child, step: int) -> None:
        if child.result is None:
            child.same.append(step)
        else:
            self.results.append(attrs.evolve(child.result, step=step, same=True))

    def _tell(self, story: Story, error: BaseException | None) -> None:
        """Judge the story; a child hands its verdict over and ends here."""
        if self._mine is None:
            self.results.append(verdict_of(story, "", 0, self._cpu_0))
            return
        pipe, child = self._mine
        try:
            result = verdict_of(story, child.mode, child.step, self._cpu_0)
            if self.wanted.log:
                print_log(story)
            if error is not None:
                said = "".join(traceback.format_exception(error))[-1500:]
                result = attrs.evolve(result, broken=(f"the universe broke: {said}",))
            os.write(pipe, json.dumps(attrs.asdict(result)).encode()[: PIECE - 1])
            shutil.rmtree(story.folder, ignore_errors=True)
        finally:
            sys.stdout.flush()
            os._exit(0)

    def _collect(self) -> None:
        """Wait for the oldest child, and take what it says."""
        child = self._running.pop(0)
        said = bytearray()
        while piece := os.read(child.pipe, PIECE):
            said += piece
        os.close(child.pipe)
        os.waitpid(child.pid, 0)
        try:
            row: dict[str, Any] = json.loads(said)
            result = Injected(**{**row, "broken": tuple(row["broken"])})
        except ValueError:
            lost = ("the universe died without a word",)
            name = self.scenario.name
            result = Injected(name, child.mode, child.step, lost, -1, 0, "plain", "", 0, 0)
        child.result = result
        self.results.append(result)
        for step in child.same:
            self._add_same(child, step)


def warm_up(seed: int) -> None:
    """Play some stories once, so that no child has to load and compile what all of them need."""
    from bot4.strategy.journal_format import prepare

    prepare()
    for name in ("held", "flatten-hedged"):
        Base(EVERY[name], Wanted(seed, ())).run()


def inject(scenarios: Sequence[Scenario], wanted: Wanted) -> Iterator[tuple[Base, list[Injected]]]:
    """Run scenario after scenario; yield each with its results."""
    warm_up(wanted.seed)
    for scenario in scenarios:
        base = Base(scenario, wanted)
        yield base, base.run()
