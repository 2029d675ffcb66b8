"""Runs one command, shows what it says while it says it, and ends it with all its children."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SCREEN: Final = struct.pack("HHHH", 50, 200, 0, 0)
"""Rows and columns of the screen that a command believes to have."""
LISTEN_S: Final = 0.5
LINGER_S: Final = 2.0
"""How long to hear on after the end: a child may have the last word."""


class Stopped(BaseException):
    """Ctrl+C, or another request to end; like KeyboardInterrupt, no ordinary error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass
class Heard:
    """What a command said and how it ended."""

    code: int = 0
    lines: list[str] = field(default_factory=list)
    """Without colours."""
    times: list[float] = field(default_factory=list)
    """Seconds from the start, one for each line."""
    seconds: float = 0.0
    too_long: bool = False


def follow(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    limit_s: float,
    screen: bool = False,
    show: Callable[[str], None] | None = None,
    hide: Callable[[str], str] = str,
) -> Heard:
    """Run a command to its end.

    Args:
        command: the command; it gets a session of its own and nothing to read.
        environment: all of its environment variables.
        limit_s: after so many seconds it is ended.
        screen: whether it is to believe that a person looks on.
        show: is given each line; default: printed, indented.
        hide: is given each line before anything else is, and returns what may be seen of it.

    Returns:
        Its lines and its exit code, that of a signal as a negative number.
    """
    heard = Heard()
    ours, theirs = os.openpty() if screen else os.pipe()
    if screen:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, SCREEN)
    began = time.monotonic()
    child = subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        os.close(theirs)
        for line in _lines(ours, child, began + limit_s):
            seen = hide(line)
            heard.lines.append(COLOURS.sub("", seen))
            heard.times.append(time.monotonic() - began)
            (show or indented)(seen)
        heard.too_long = child.poll() is None
    finally:
        end(child)
        os.close(ours)
    heard.code, heard.seconds = child.returncode, time.monotonic() - began
    return heard


def end(child: subprocess.Popen[bytes]) -> None:
    """Kill what still runs. With its first process a pid namespace dies whole."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def indented(line: str) -> None:
    """Print a line of the inside, in its colours where there is a screen for them."""
    text = line if sys.stdout.isatty() else COLOURS.sub("", line)
    print(f"    {text}", flush=True)


@contextmanager
def stopping() -> Iterator[None]:
    """Turn the signals that ask for an end into Stopped."""
    before = {number: signal.signal(number, _stop) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ignoring_signals() -> Iterator[None]:
    """Let no signal end what has to be finished."""
    before = {number: signal.signal(number, lambda *_: None) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> None:
    raise Stopped(number)


def _lines(fd: int, child: subprocess.Popen[bytes], until: float) -> Iterator[str]:
    rest, ended_at = b"", None
    while time.monotonic() < until:
        if ended_at is None and child.poll() is not None:
            ended_at = time.monotonic()
        if select.select([fd], [], [], LISTEN_S)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:  # how a screen says that nobody is left to write on it
                got = b""
            if not got:
                break
            *whole, rest = (rest + got).split(b"\n")
            yield from (_text(line) for line in whole)
        elif ended_at is not None and time.monotonic() > ended_at + LINGER_S:
            break
    if rest:
        yield _text(rest)
    with suppress(subprocess.TimeoutExpired):
        child.wait(max(0.0, min(LINGER_S, until - time.monotonic())))


def _text(line: bytes) -> str:
    """Read a line; of what a progress bar wrote over itself, the last state."""
    return line.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode(errors="replace")
