"""What each command does, up to the door of ``bot4.wiring``."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TextIO

import trio

from bot4 import __version__
from bot4.cli.arguments import CheckOptions, help_text
from bot4.cli.endings import logged, mend, until_signal
from bot4.cli.hardening import forbid_dumps, foreign_owner, harden, other_authorities
from bot4.cli.history import check, export, pnl, positions, release, trades, vacuum
from bot4.cli.looking import derive, doctor, status
from bot4.config.load import Loaded, read_config
from bot4.config.options import FlattenOptions, GuardOptions, RunOptions, SimulateOptions
from bot4.config.schema import Mode
from bot4.errors import ConfigError, ExitCode
from bot4.signals import Signals

LOG_FILE: Final = "bot4.log"
GUARD_LOG_FILE: Final = "guard.log"
"""Of its own: a log file has one writer, and the guard watches while the bot runs."""


async def run(options: RunOptions, signals: Signals) -> int:
    """Set up the log, check the config, trade."""
    loaded = _begin(options.config, options.log, options.log_file, live=options.live)
    if isinstance(loaded, ExitCode):
        return loaded

    async def trade() -> int:
        from bot4.wiring.run import run as run_bot

        return await run_bot(options, signals)

    return await logged(trade)


async def flatten(options: FlattenOptions, signals: Signals) -> int:
    """Set up the log, check the config, flatten. A signal ends it: it can be run again."""
    loaded = _begin(options.config, options.log, None, live=options.live, emergency=True)
    if isinstance(loaded, ExitCode):
        return loaded

    async def work() -> int:
        from bot4.wiring.flatten import run_flatten

        return await run_flatten(options)

    return await logged(lambda: until_signal(work, signals, stopped=ExitCode.LEFT_OPEN))


async def guard(options: GuardOptions, signals: Signals) -> int:
    """Set up the log, check the config, watch the bot until a signal."""
    loaded = _begin(
        options.config,
        options.log,
        None,
        live=options.live,
        name=GUARD_LOG_FILE,
        emergency=True,
    )
    if isinstance(loaded, ExitCode):
        return loaded

    async def watch() -> int:
        from bot4.wiring.guard import run_guard

        return await run_guard(options, signals)

    return await logged(watch)


async def simulate(options: SimulateOptions, signals: Signals) -> int:
    """Serve the simulated venues until a signal. Its log goes to stderr: stdout has one line."""
    _configure(sys.stderr, None, None)

    async def serve() -> int:
        from bot4.wiring.simulate import run_simulator

        return await run_simulator(options)

    return await logged(lambda: until_signal(serve, signals, stopped=ExitCode.CLEAN))


async def check_config(options: CheckOptions, _signals: Signals) -> int:
    """Say that the config and the keys are usable, with warnings, or every fault."""
    await trio.lowlevel.checkpoint()
    try:
        # Checking is no trading: the word in the file is enough here.
        loaded = read_config(options.config, live_flag=True)
        config = loaded.config
        if config.mode is not Mode.SIMULATION:
            from bot4.config.env import load_secrets

            load_secrets(config, options.config.parent)
    except ConfigError as error:
        print("\n".join(error.faults))
        return ExitCode.CONFIG
    names = ", ".join(pair.name for pair in config.pairs)
    count = f"{len(config.pairs)} pair{'s' if len(config.pairs) > 1 else ''}"
    print(f"{options.config.name}: ok, mode {config.mode}, {count}: {names}")
    for warning in loaded.warnings:
        print(f"warning: {warning}")
    if config.mode is Mode.LIVE:
        print("mode live moves real money: starting also needs --live")
    return ExitCode.CLEAN


async def say_help(_options: object, _signals: Signals) -> int:
    """Print every command."""
    await trio.lowlevel.checkpoint()
    print(help_text())
    return ExitCode.CLEAN


async def say_version(_options: object, _signals: Signals) -> int:
    """Print the version."""
    await trio.lowlevel.checkpoint()
    print(f"bot4 {__version__}")
    return ExitCode.CLEAN


COMMANDS: Final[dict[str, Callable[[Any, Signals], Awaitable[int]]]] = {
    "run": run,
    "check-config": check_config,
    "status": status,
    "doctor": doctor,
    "keys derive": derive,
    "positions": positions,
    "trades": trades,
    "pnl": pnl,
    "db check": check,
    "db vacuum": vacuum,
    "db export": export,
    "db release": release,
    "flatten": flatten,
    "guard": guard,
    "simulate": simulate,
    "help": say_help,
    "version": say_version,
}


def _configure(stream: TextIO, form: str | None, file: Path | None, **more: Any) -> None:
    from bot4.logs.setup import configure

    if form is None:
        form = "pretty" if stream.isatty() else "json"
    configure(mode="pretty" if form == "pretty" else "json", stream=stream, file=file, **more)


def _begin(
    config: Path,
    form: str | None,
    log_file: Path | None,
    *,
    live: bool,
    name: str = LOG_FILE,
    emergency: bool = False,
) -> Loaded | ExitCode:
    """Read the config once for its faults, its warnings and the place of the log file.

    Args:
        config: the file.
        form: of the lines on the screen, or None for what suits it.
        log_file: instead of the one in the state folder.
        live: whether ``--live`` stood on the command line.
        name: of the one in the state folder.
        emergency: go on without a log file where there can be none, and in another user's folder.

    Returns:
        The code to end with when it cannot be used; every fault is logged then.
    """
    import structlog

    from bot4.logs.file import Limits
    from bot4.logs.setup import install_hooks

    log = structlog.get_logger()
    _configure(sys.stdout, form, None)
    install_hooks()
    harden()
    try:
        loaded = read_config(config, live_flag=live)
        _refuse_disagreement(loaded.config.mode, config.name, live=live)
        if not emergency and (foreign := foreign_owner(loaded.config.state_dir)):
            folder, owner = foreign
            why = f"{folder} belongs to user {owner}, and this is root"
            do = f"start as that user: what root writes there they could not use; or chown {folder}"
            log.error("start.refused", message=f"[START] {why}", why=why, do=do)
            return ExitCode.REFUSED
        limits = Limits(loaded.config.log.max_mb * 1_000_000, loaded.config.log.keep)
        file = log_file or loaded.config.state_dir / name
        _configure(sys.stdout, form, file, limits=limits, best_effort=emergency)
    except ConfigError as error:
        for fault in error.faults:
            log.error("config.invalid", message=f"[CONFIG] {fault}", why=fault, do=mend())
        return ExitCode.CONFIG
    log.info(
        "config.loaded",
        message=f"[CONFIG] {config.name} is usable, mode {loaded.config.mode}",
        mode=loaded.config.mode,
        pairs=[pair.name for pair in loaded.config.pairs],
        file=str(config),
    )
    for warning in loaded.warnings:
        log.warning("config.questioned", message=f"[CONFIG] {warning}", why=warning)
    if loaded.config.mode is not Mode.SIMULATION:
        forbid_dumps()
        for told in other_authorities(os.environ):
            why = f"{told} decides which certificates of a venue are good, not the system's list"
            do = "unset it, unless you set it yourself"
            log.warning("config.questioned", message=f"[CONFIG] {why}", why=why, do=do)
    return loaded


def _refuse_disagreement(mode: Mode, name: str, *, live: bool) -> None:
    """Two words that disagree about real money: neither is followed."""
    if live and mode is not Mode.LIVE:
        why = f"--live was given, and {name} says mode: {mode}: leave --live out, or mend the mode"
        raise ConfigError([why])
