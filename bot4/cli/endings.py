"""How an error that reached the command line is told, and which exit code it ends with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from bot4.errors import (
    AuthRefused,
    ConfigError,
    ExitCode,
    ExposureLeft,
    JournalFault,
    MirrorFault,
    MirrorUnusable,
    StartRefused,
    VenuesGone,
    leaves,
)
from bot4.invocation import command
from bot4.signals import Signals

LOUDNESS: Final = (
    ExitCode.LEFT_OPEN,
    ExitCode.CRASHED,
    ExitCode.REFUSED,
    ExitCode.CONFIG,
)
"""Loudest first: of several errors at once, the loudest names the code."""

CODES: Final = (
    (ExposureLeft, ExitCode.LEFT_OPEN),
    (StartRefused, ExitCode.REFUSED),
    (VenuesGone, ExitCode.CRASHED),
    (JournalFault, ExitCode.REFUSED),
    (ConfigError, ExitCode.CONFIG),
    (MirrorUnusable, ExitCode.CONFIG),
    (MirrorFault, ExitCode.REFUSED),
    (AuthRefused, ExitCode.CONFIG),
)


def exit_code(error: BaseException) -> int:
    """Return what the process should say for this error, groups included."""
    codes = set()
    for leaf in leaves(error):
        if isinstance(leaf, SystemExit):
            return leaf.code if isinstance(leaf.code, int) else int(leaf.code is not None)
        known = (code for kind, code in CODES if isinstance(leaf, kind))
        codes.add(next(known, ExitCode.CRASHED))
    return next(code for code in LOUDNESS if code in codes)


def mend() -> str:
    """Return what to do about a setting that cannot be used."""
    return f"mend it; {command('check-config')} says every fault at once"


async def logged(command: Callable[[], Awaitable[int]]) -> int:
    """Run a command; what nobody caught becomes log lines and a code, no stack on a screen.

    The log is closed at the end. Cancellation: as the command says.
    """
    from bot4.logs.setup import close

    code: int = ExitCode.CRASHED
    try:
        code = await command()
    except* Exception as group:  # noqa: BLE001  the outermost place that can log
        code = exit_code(group)
        for error in leaves(group):
            _tell(error)
    finally:
        close()
    return code


async def until_signal(
    command: Callable[[], Awaitable[int]], signals: Signals, *, stopped: ExitCode
) -> int:
    """Run a command, cancel it at the first signal. Cancellation: as the command says."""
    code: int = stopped

    async def cancel_at_first() -> None:
        await signals.wait_first()
        nursery.cancel_scope.cancel(reason=f"{signals.names[0]} arrived")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cancel_at_first)
        code = await command()
        nursery.cancel_scope.cancel(reason="the command has ended")
    return code


def _call() -> str:
    return f"run {command('flatten')} if a trade was open; send this line and the log file"


def _tell(error: BaseException) -> None:
    import structlog

    log = structlog.get_logger()
    if isinstance(error, ConfigError):
        for fault in error.faults:
            log.error(
                "config.invalid", message=f"[CONFIG] {fault}", why=fault, do=error.do or mend()
            )
    elif isinstance(error, StartRefused):
        log.error("start.refused", message=f"[START] {error.why}", why=error.why, do=error.do)
    elif isinstance(error, VenuesGone):
        log.error("simulator.died", message=f"[SIMULATION] {error}", why=error.why, do=error.do)
    elif isinstance(error, MirrorFault):
        log.error("mirror.unusable", message=f"[MIRROR] {error}", why=error.why, do=error.do)
    elif isinstance(error, AuthRefused):
        log.error("config.invalid", message=f"[CONFIG] {error}", why=str(error), do="check .env")
    else:
        text = f"{type(error).__name__}: {error}"
        log.error("bot.crashed", message=f"[FATAL] {text}", why=text, do=_call(), exc_info=error)
