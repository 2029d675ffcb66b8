"""Where finished lines go: a file, a pipe or a terminal. Writing never raises and never waits.

A reader that stopped reading (a paused pager, a stopped terminal) must not stop the bot: what
cannot be written now is kept for a moment, up to a limit, and then dropped and counted.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
from collections import deque
from pathlib import Path
from typing import Final, TextIO

from bot4.errors import ConfigError

PIECE: Final = 4096
"""A pipe that is ready takes this much without blocking. Source: POSIX, PIPE_BUF on Linux."""
BACKLOG_LIMIT: Final = 1024 * 1024
DRAIN_LIMIT_MS: Final = 500
"""How long closing waits for a slow reader."""


class Sink:
    """Writes lines to a file descriptor."""

    def __init__(self, number: int, *, owned: bool) -> None:
        self._number = number
        self._owned = owned
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self.dropped = 0
        """Lines lost since the start."""
        # An ordinary file is always ready, and epoll-like calls are a waste on it.
        self._polls: select.poll | None = None
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.fstat(number).st_mode):
                self._polls = select.poll()
                self._polls.register(number, select.POLLOUT)

    def write(self, line: bytes) -> bool:
        """Write one line, newline included, or keep or drop it. Tell whether all is written."""
        if self._waiting_size + len(line) > BACKLOG_LIMIT:
            self.dropped += 1
        else:
            self._waiting.append(line)
            self._waiting_size += len(line)
        return self._drain(0)

    def close(self) -> None:
        """Write what is kept, within a moment, and close what is ours."""
        self._drain(DRAIN_LIMIT_MS)
        self.dropped += len(self._waiting)
        self._waiting.clear()
        if self._owned:
            with contextlib.suppress(OSError):
                os.close(self._number)

    def _drain(self, patience_ms: int) -> bool:
        while self._waiting:
            line = self._waiting[0]
            piece = line[:PIECE]
            try:
                if self._polls is not None and not self._polls.poll(patience_ms):
                    return False
                written = os.write(self._number, piece)
            except BlockingIOError:
                return False
            except OSError:
                # The reader is gone or the disk is full: this line is lost, the next may not be.
                self._take(len(line))
                self._waiting.popleft()
                self.dropped += 1
                return False
            self._take(written)
            if written == len(line):
                self._waiting.popleft()
            else:
                self._waiting[0] = line[written:]
        return True

    def _take(self, size: int) -> None:
        self._waiting_size -= size


class TextSink:
    """Writes lines to a text stream without a file descriptor, as tests have."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.dropped = 0

    def write(self, line: bytes) -> bool:
        """Write one line or drop it. Tell whether it is written."""
        try:
            self._stream.write(line.decode())
            self._stream.flush()
        except (OSError, ValueError):
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Do nothing: the stream is not ours."""


def open_stream(stream: TextIO) -> Sink | TextSink:
    """Return a sink for stdout, stderr, or any text stream."""
    try:
        stream.flush()
        return Sink(stream.fileno(), owned=False)
    except (OSError, ValueError, AttributeError):
        return TextSink(stream)


def open_file(path: Path) -> Sink:
    """Open a log file for appending, ours alone. Its folder is made when it is missing.

    Raises:
        ConfigError: it cannot be opened, or is not an ordinary file.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(path, flags, 0o600)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise ConfigError([f"log file {path}: is not an ordinary file: name another one"])
        os.fchmod(number, 0o600)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name is not usable"
        raise ConfigError([f"log file {path}: cannot be opened: {why}"]) from None
    return Sink(number, owned=True)
