"""Plays one universe: the market, the troubles, the deaths; then an honest while; then the end."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
from collections.abc import Mapping, MutableMapping
from heapq import heappush
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import structlog
import trio
from trio.testing import MockClock

from bot4.app import run_bot
from bot4.config.schema import ExecutionConfig, OnStop, SimulationConfig
from bot4.signals import Signals
from bot4.wiring.house import open_house
from bot4.wiring.universe import Universe, open_universe, plain_config
from universelib.check import Ending, violations
from universelib.script import Death, Script, draw

HONEST_S: Final = 25.0
"""After the last trouble the world is honest for so long before the end."""
NEVER_S: Final = 600.0
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - private folders in it; what a disk would cost is a fault
NO_SOCKETS: Final = shutil.ignore_patterns("*.sock")


@attrs.define
class Result:
    """One universe, as figures."""

    seed: int
    violations: list[str]
    seconds: float
    """Simulated."""
    trades: int
    faults: int
    deaths: int
    opened: int
    naked_s: list[float]
    naked_usd_s: list[float]
    net_usdc: float
    trace: str
    """A hash over every log line: the same seed gives the same."""


class _Log:
    """Every event, in order, and a hash over them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._hash = hashlib.sha256()

    def __call__(
        self, _logger: object, level: str, event: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        line = {"level": level, **{k: v for k, v in event.items() if k != "exc_info"}}
        self.events.append(line)
        self._hash.update(json.dumps(line, default=str, sort_keys=True).encode())
        raise structlog.DropEvent

    @property
    def trace(self) -> str:
        return self._hash.hexdigest()[:16]


def play(seed: int, seconds: float, *, calm: bool = False) -> Result:
    """Run one universe to its end, in this process."""
    seed_trio(seed)
    log = _Log()
    structlog.configure(processors=[log], cache_logger_on_first_use=False)
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        clock = MockClock(autojump_threshold=0)
        end, lasted = trio.run(
            _universe, seed, seconds, draw(seed, seconds, calm=calm), Path(folder), log, clock=clock
        )
    closed = [line for line in log.events if line["event"] in ("pair.closed", "pair.unwound")]
    booked = [*closed, *(line for line in log.events if line["event"] == "pair.missed")]
    script = draw(seed, seconds, calm=calm)
    return Result(
        seed=seed,
        violations=violations(end),
        seconds=lasted,
        trades=len(booked),
        faults=len(script.faults),
        deaths=len(script.deaths),
        opened=sum(line["event"] == "pair.opened" for line in log.events),
        naked_s=[float(line["naked_s"]) for line in closed],
        naked_usd_s=[float(line["naked_usd_s"]) for line in closed],
        net_usdc=sum(float(line["net_usdc"]) for line in booked),
        trace=log.trace,
    )


def seed_trio(seed: int) -> None:
    """Make Trio's scheduler a function of the seed: private names of a pinned version.

    Tasks of one batch are shuffled by a seeded random, and deadlines that fall together fire in
    the order in which they were set, where Trio goes by the address of the scope.
    """
    from trio._core import _run

    _run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # noqa: SLF001
    _run._r.seed(seed)  # noqa: SLF001
    order = count()

    def add(deadlines: Any, deadline: float, scope: Any) -> None:
        heappush(deadlines._heap, (deadline, next(order), scope))  # noqa: SLF001
        deadlines._active += 1  # noqa: SLF001

    _run.Deadlines.add = add  # type: ignore[assignment]


async def _universe(
    seed: int, seconds: float, script: Script, folder: Path, log: _Log
) -> tuple[Ending, float]:
    config = attrs.evolve(
        plain_config(folder / "0", seed),
        simulation=SimulationConfig(profile="demo", seed=seed),
        execution=ExecutionConfig(on_stop=OnStop(script.on_stop)),
    )
    codes: list[int] = []
    async with open_universe(config) as first, trio.open_nursery() as troubles:
        universe = first
        troubles.start_soon(_trouble, universe, script)
        for number, death in enumerate((*script.deaths, None)):
            until_s = seconds + HONEST_S if death is None else death.at_s
            codes.append(await _live(universe, death, until_s, seed + number))
            if death is not None:
                universe = _reborn(universe, folder / str(number + 1), seed + number)
        # Whatever a stop left hedged is closed by a last, honest run.
        last = attrs.evolve(universe.config, execution=ExecutionConfig(on_stop=OnStop.FLATTEN))
        universe = _reborn(attrs.evolve(universe, config=last), folder / "last", seed + 77)
        codes.append(await _live(universe, None, trio.current_time() + HONEST_S, seed + 78))
        truth = universe.box.truth()
        lasted = trio.current_time()
        troubles.cancel_scope.cancel()
    return Ending(truth, log.events, codes), lasted


async def _trouble(universe: Universe, script: Script) -> None:
    for at_s, fault in script.faults:
        await trio.sleep_until(at_s)
        universe.box.faults.add(fault)


async def _live(universe: Universe, death: Death | None, until_s: float, seed: int) -> int:
    """Run one bot until a time, then end it as its death says; -9 for a kill."""
    del seed
    signals = Signals(clock=trio.current_time)
    code = -9
    async with trio.open_nursery() as living:

        async def live() -> None:
            nonlocal code
            async with open_house(universe.config, universe.secrets, universe.world) as house:
                code = int(await run_bot(house, signals))
            living.cancel_scope.cancel()

        living.start_soon(live)
        await trio.sleep_until(until_s)
        if death is not None and death.kind == "kill":
            universe.world.die()
            dead = _after(universe.config.state_dir)
            shutil.copytree(universe.config.state_dir, dead, ignore=NO_SOCKETS)
            living.cancel_scope.cancel()
        else:
            if death is None:
                universe.box.faults.clear()
            signals.deliver(signal.SIGINT)
            if death is not None and death.kind == "hurry":
                await trio.sleep(1.1)
                signals.deliver(signal.SIGINT)
            with trio.fail_after(NEVER_S):
                await trio.sleep_forever()
    return -9 if death is not None and death.kind == "kill" else code


def _after(state_dir: Path) -> Path:
    return state_dir.with_name(state_dir.name + ".dead")


def _reborn(universe: Universe, state_dir: Path, seed: int) -> Universe:
    """The same venues, a new process, and the disk as the last one left it."""
    dead = _after(universe.config.state_dir)
    source = dead if dead.exists() else universe.config.state_dir
    if source.exists():
        shutil.copytree(source, state_dir, ignore=NO_SOCKETS)
    config = attrs.evolve(universe.config, state_dir=state_dir)
    return attrs.evolve(universe, config=config, world=universe.new_world(seed))
