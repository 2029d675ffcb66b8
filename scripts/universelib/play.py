"""Plays one universe: the market, the troubles, the deaths; then an honest while; then the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import structlog
import trio
from exposurelib.clock import JumpClock

from bot4.config.schema import Config, ExecutionConfig, OnStop, SimulationConfig
from bot4.simulator.options import Options
from bot4.wiring.universe import open_universe, plain_config
from universelib.check import Ending, violations
from universelib.figures import Result, result_of
from universelib.life import Life, Log, Stage
from universelib.revive import Honest, watch
from universelib.rounds import rounds_of
from universelib.scheduler import seed_trio
from universelib.script import LATENCIES, Death, Script, draw
from universelib.situations import Situations
from universelib.troubled import TroubledDisk

NEVER_S: Final = 600.0
PROFILE: Final = "demo"
"""A compressed market: trades come often, and what they earn means nothing."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - private folders in it
VERIFY_EVERY: Final = 10
"""One signature in so many is checked by the venues: they cost most of an order."""
SECONDS: Final = 40.0
"""Of trouble: with the honest while after it a universe lasts a minute on average."""
BOOKS_PER_S: Final = 10.0
QUICK_SECONDS: Final = 10.0
QUICK_BOOKS_PER_S: Final = 4.0
"""Of the quick profile."""
LIGHTER: Final[Mapping[str, Any]] = {"levels": 6, "tick_s": 0.5}
"""What a universe on ``PROFILE`` shows and looks at less: six levels of 1,500 USD are far more
than the bot ever takes, and no order of it rests."""
EDITED: Final[Mapping[str, Mapping[str, Any]]] = {
    "notional": {"notional": Decimal(150)},
    "entry": {"spread_entry": Decimal("0.24")},
}


def play(
    seed: int,
    seconds: float,
    *,
    calm: bool = False,
    script: Script | None = None,
    books_per_s: float | None = BOOKS_PER_S,
    keep_log: bool = False,
    serial: bool = False,
    profile: str = PROFILE,
) -> Result:
    """Run one universe to its end, in this process.

    Args:
        seed: of the market, the scheduler, the bot's chance and the troubles.
        seconds: of trouble.
        calm: no trouble at all.
        script: these troubles, and not the seed's own.
        books_per_s: how often each venue shows its book; each venue's own pace when None.
        keep_log: return every log line with the figures.
        serial: whether the bot enters one leg after the other; only for the figures.
        profile: the kind of market.
    """
    seed_trio(seed)
    log, situations = Log(), Situations()
    structlog.configure(processors=[log], cache_logger_on_first_use=False)
    script = script or draw(seed, seconds, calm=calm)
    options = Options(
        seed=seed,
        profile=profile,
        bases=("BTC",),
        latency_scale=LATENCIES[script.latency],
        books_per_s=books_per_s,
        vest={"verify_every": VERIFY_EVERY},
        paradex={"verify_every": VERIFY_EVERY, "interactive": script.retail or "granted"},
        **(LIGHTER if profile == PROFILE else {}),
    )
    began_s = time.process_time()
    with (
        TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder,
        situations.listening(),
    ):
        config = _config(Path(folder), options, script)
        end = trio.run(
            _universe, config, seconds, script, options, log, situations, serial, clock=JumpClock()
        )
    result = result_of(seed, end, violations(end), log.trace, script, situations.cells)
    if keep_log:
        result.said = [
            f"{line['at']:8.2f} {line['event']} {line.get('message') or line}"
            for line in log.events
        ]
    result.cpu_s = time.process_time() - began_s
    return result


def _config(folder: Path, options: Options, script: Script) -> Config:
    plain = plain_config(folder / "state", options.seed)
    return attrs.evolve(
        plain,
        paradex=attrs.evolve(plain.paradex, profile="retail" if script.retail else "pro"),
        simulation=SimulationConfig(profile=options.profile, seed=options.seed),
        execution=ExecutionConfig(on_stop=OnStop(script.on_stop)),
    )


async def _universe(
    config: Config,
    seconds: float,
    script: Script,
    options: Options,
    log: Log,
    situations: Situations,
    serial: bool,  # noqa: FBT001 - trio.run passes no names
) -> Ending:
    clock = trio.lowlevel.current_clock()
    if not isinstance(clock, JumpClock):
        raise TypeError("a universe runs under a clock that jumps")
    seed, codes, errors = options.seed, list[int](), list[str]()
    async with open_universe(config, options) as opened, trio.open_nursery() as troubles:
        disk = TroubledDisk(clock.forward)
        universe = attrs.evolve(opened, world=opened.new_world(seed, disk.open))
        stage = Stage(universe, disk, log, situations, list(script.aimed))
        honest = Honest(stage)
        troubles.start_soon(stage.aim)
        troubles.start_soon(_trouble, stage, script)
        troubles.start_soon(watch, stage, honest)
        life = Life(stage)
        for number, death in enumerate(script.deaths):
            await _one(life, death)
            codes.append(life.code)
            errors += life.errors
            life = life.again(seed + number + 1, **_edited(stage.universe.config, death))
        while True:
            again = await honest.live(life, seconds)
            codes.append(life.code)
            errors += life.errors
            if not again:
                break
            life = life.again(seed + 70 + len(codes))
        if honest.held():
            # Whatever a stop left hedged is closed by a last, honest run.
            flatten = attrs.evolve(config.execution, on_stop=OnStop.FLATTEN)
            life = life.again(seed + 78, execution=flatten)
            await honest.close(life)
            codes.append(life.code)
            errors += life.errors
        situations.ended(universe.box)
        end = Ending(
            universe.box.truth(),
            log.events,
            codes,
            errors,
            honest.found,
            trio.current_time(),
            stage.struck,
            stage.dark,
            honest.eligible,
            honest.captured,
            honest.by_hand,
            rounds_of(universe.box, log.events, serial=serial),
        )
        troubles.cancel_scope.cancel()
    return end


async def _trouble(stage: Stage, script: Script) -> None:
    for at_s, fault in script.faults:
        await trio.sleep_until(at_s)
        stage.strike(fault)


async def _one(life: Life, death: Death) -> None:
    """Run one bot until its death; one that ends before it ends by itself."""
    async with trio.open_nursery() as living:
        living.start_soon(life.live)
        with trio.move_on_at(death.at_s):
            await life.ended.wait()
        if not life.ended.is_set():
            await _end(life, death.kind)


async def _end(life: Life, kind: str) -> None:
    if kind in ("kill", "power"):
        await life.die(power_lost=kind == "power")
        return
    life.signals.deliver(signal.SIGTERM if kind == "term" else signal.SIGINT)
    if kind == "hurry":
        await trio.sleep(1.1)
        life.signals.deliver(signal.SIGINT)
    with trio.fail_after(NEVER_S):
        await life.ended.wait()


def _edited(config: Config, death: Death) -> dict[str, Any]:
    """Return what a person changed in bot4.yaml between two runs."""
    if death.edit == "on_stop":
        hold = config.execution.on_stop is OnStop.HOLD
        on_stop = OnStop.FLATTEN if hold else OnStop.HOLD
        return {"execution": attrs.evolve(config.execution, on_stop=on_stop)}
    changes = EDITED.get(death.edit)
    if changes is None:
        return {}
    return {"pairs": tuple(attrs.evolve(pair, **changes) for pair in config.pairs)}
