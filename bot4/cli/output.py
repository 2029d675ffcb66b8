"""What a command answers, on standard output: nothing in it can forge a line or hold up the end."""

from __future__ import annotations

import errno
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import Final

import trio

from bot4.logs.render import visible
from bot4.logs.sink import Sink, open_stream

PAUSE_S: Final = 0.02
"""How often a slow reader is looked at; it tells nobody when it has read."""
GONE: Final = frozenset({errno.EPIPE, errno.EIO, errno.EBADF})
"""The reader has what it wanted, or has left: that is no fault of the command."""


def say(*lines: str) -> None:
    """Print lines without waiting for their reader; a terminal may have stopped reading.

    Whatever could move the cursor or begin another line is made visible.

    Raises:
        OSError: they cannot be written: the disk is full.
    """
    sink = open_stream(sys.stdout)
    for line in lines:
        if not sink.write(visible(line.expandtabs()).encode() + b"\n"):
            _judge(sink.fault)
    if isinstance(sink, Sink) and sink.regular:
        sink.close()
        _judge(sink.fault)


async def show(lines: Iterable[str]) -> None:
    """Print lines as fast as they are read, and return when they are.

    Raises:
        OSError: they cannot be written: the disk is full.

    Cancellation: what was not read by then may be missing. A paused pager holds up no Ctrl+C.
    """
    sink = open_stream(sys.stdout)
    for line in lines:
        if isinstance(sink, Sink):
            while sink.busy:  # noqa: ASYNC110 - a reader tells nobody
                await trio.sleep(PAUSE_S)
        if not sink.write(visible(line.expandtabs()).encode() + b"\n"):
            _judge(sink.fault)
            return
    if isinstance(sink, Sink):
        while sink.waiting:  # noqa: ASYNC110 - as above
            await trio.sleep(PAUSE_S)
        _judge(sink.fault)
    await trio.lowlevel.checkpoint()


def width() -> int | None:
    """Return how many characters a line of the terminal has; None where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def folded(lines: Iterable[str], columns: int | None) -> list[str]:
    """Break sentences between words where a line of the terminal is shorter; None breaks none."""
    if columns is None:
        return list(lines)
    return [part for line in lines for part in textwrap.wrap(line, columns) or [""]]


def _judge(fault: OSError | None) -> None:
    if fault is not None and fault.errno not in GONE:
        raise fault
