"""Configures structlog, once, and takes in what libraries log."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import structlog

from bot4.errors import ConfigError
from bot4.logs.desk import Desk
from bot4.logs.file import Limits, QueuedFile, open_file
from bot4.logs.plain import error_text
from bot4.logs.redact import register_secret
from bot4.logs.sink import open_stream

NOISY: Final = ("httpx", "httpcore", "trio-websocket", "hpack", "asyncio")
"""Libraries that log addresses, headers or frames below WARNING."""

LIMITS: Final = Limits()

LogMode = Literal["json", "pretty"]

_desks: list[Desk] = []


def wall_ms() -> int:
    """Return our wall clock, ms since the epoch."""
    return time.time_ns() // 1_000_000


def configure(
    *,
    mode: LogMode,
    stream: TextIO,
    file: Path | None = None,
    limits: Limits = LIMITS,
    best_effort: bool = False,
    secrets: Iterable[str] = (),
    strict: bool = False,
    now_ms: Callable[[], int] = wall_ms,
) -> None:
    """Send every event of this process to ``stream``, and as JSON to ``file``.

    May be called again (the file's place is known only once the config is read): the earlier file
    is closed then. Secrets registered before stay registered.

    Args:
        mode: how the stream reads; the file is always JSON, and also gets what is below info.
        stream: where a person or a pipe reads; lines are coloured when it is a terminal.
        file: appended to, mode 0600; its folder is made when missing.
        limits: when the file turns over, and how much of the past stays.
        best_effort: a file that cannot be opened is one warning on the screen, and no error: what
            ends an emergency must not wait for a disk.
        secrets: texts that may never appear.
        strict: raise ValueError for an event off the list, or a warning without ``why``. For tests.
        now_ms: the wall clock, for the time of each line.

    Raises:
        ConfigError: the file cannot be opened, unless ``best_effort``.
    """
    for secret in secrets:
        register_secret(secret)
    opened: QueuedFile | None = None
    unusable = ""
    try:
        opened = open_file(file, limits, now_ms) if file else None
    except ConfigError as error:
        if not best_effort:
            raise
        unusable = error.faults[0]
    desk = Desk(
        screen=open_stream(stream),
        file=opened,
        pretty=mode == "pretty",
        colours=mode == "pretty" and stream.isatty() and _wants_colours(),
        strict=strict,
        now_ms=now_ms,
    )
    close()
    _desks.append(desk)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _add_level, _hand_over],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if opened else logging.INFO
        ),
        logger_factory=lambda *_: desk,
        # A cached logger would go on writing to a file that was closed.
        cache_logger_on_first_use=False,
    )
    _take_in_libraries()
    if unusable:
        structlog.get_logger().warning(
            "log.dropped",
            message=f"[LOG] {unusable}",
            why=unusable,
            do="go on: the lines are here only; look at the disk afterwards",
        )


def _wants_colours() -> bool:
    # Source: no-color.org, any value but an empty one; and the terminals that can show none.
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def close() -> None:
    """Write what is kept and close the log file. Later events go nowhere until ``configure``."""
    while _desks:
        _desks.pop().close()
    structlog.reset_defaults()
    structlog.configure(logger_factory=lambda *_: _Nowhere(), processors=[_hand_over])
    for handler in [h for h in logging.root.handlers if isinstance(h, _Library)]:
        logging.root.removeHandler(handler)
    logging.captureWarnings(capture=False)


def dropped_lines() -> int:
    """Return how many lines could not be written, screen and file together."""
    return sum(d.screen.dropped + (d.file.dropped if d.file else 0) for d in _desks)


def _add_level(_logger: Any, method: str, event: Any) -> Any:
    event["level"] = "error" if method == "exception" else method
    return event


def _hand_over(_logger: Any, _method: str, event: Any) -> tuple[tuple[Any], dict[str, Any]]:
    return (event,), {}


class _Nowhere:
    def write(self, event: Any) -> None:
        """Drop it."""

    debug = info = warning = error = critical = exception = write


class _Library(logging.Handler):
    """Turns a record of the standard library's logging into an event."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001  a library's broken format is not our end
            text = "a message that cannot be shown"
        log = structlog.get_logger()
        tell = log.error if record.levelno >= logging.ERROR else log.warning
        tell(
            "library.warned",
            message=f"[{record.name}] {text}",
            library=record.name,
            why=text or record.name,
            exc_info=record.exc_info,
        )


def _take_in_libraries() -> None:
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.root.addHandler(_Library(logging.WARNING))
    logging.captureWarnings(capture=True)


def install_hooks() -> None:
    """Turn errors that no code can catch into events: no trace of the stack on the screen."""

    def unraisable(args: Any) -> None:
        _ignored(args.exc_value, f"in {type(args.object).__name__}")

    def thread(args: Any) -> None:
        _ignored(args.exc_value, f"in thread {getattr(args.thread, 'name', '')}")

    import threading

    sys.unraisablehook = unraisable
    threading.excepthook = thread


def _ignored(error: BaseException | None, where: str) -> None:
    structlog.get_logger().warning(
        "error.ignored",
        message=f"[ERROR] ignored {where}",
        why=error_text(error) if error else "it cannot be shown",
        where=where,
        exc_info=error,
    )
