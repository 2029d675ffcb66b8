"""Where finished lines go on a screen: a terminal, a pipe or a file. Writing never raises or waits.

A reader that stopped reading (a stalled ssh, a dead tmux, a paused pager) must not stop the bot.
Nothing tells for certain whether a terminal takes a line without waiting, and making it refuse to
wait would do the same to the shell that shares it. So a thread of its own writes there, and may
wait for ever. What it cannot write now is kept, up to a limit, and then dropped and counted.
"""

from __future__ import annotations

import atexit
import os
import stat
import threading
from collections import deque
from typing import Final, TextIO

PIECE: Final = 4096
"""Bytes written at once."""
BACKLOG_LIMIT: Final = 1024 * 1024
RESUME_AT: Final = BACKLOG_LIMIT // 2
"""Once lines were dropped, none is kept until so few bytes wait: one gap, not many."""
BUSY_AT: Final = 64 * 1024
DRAIN_LIMIT_S: Final = 0.5
"""How long closing waits for a slow reader."""


class LineWriter:
    """Writes lines to a file descriptor, blocking. A line that was begun is finished first.

    Args:
        number: the file descriptor; it stays open.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._rest = b""
        """Of a line whose beginning is written, and whose end could not be."""

        self._begun = 0
        self.fault: OSError | None = None
        """Why the last write failed; None when it did not."""

    @property
    def begun(self) -> int:
        """Bytes written of a line whose end could not be; 0 where all lines are whole."""
        return self._begun if self._rest else 0

    def forget(self) -> None:
        """The line that was begun has been taken out: do not finish it."""
        self._rest = b""

    def write(self, line: bytes) -> bool:
        """Write one line, newline included. Tell whether all of it is written, or all but its end.

        Never raises: the disk may be full, the reader gone.
        """
        if self._rest:
            left = self._left_of(self._rest)
            self._begun += len(self._rest) - len(left)
            self._rest = left
            if left:
                return False
        left = self._left_of(line)
        if len(left) == len(line):
            return not line
        self._rest, self._begun = left, len(line) - len(left)
        return True

    def _left_of(self, data: bytes) -> bytes:
        try:
            while data:
                data = data[os.write(self._number, data[:PIECE]) :]
            self.fault = None
        except OSError as error:
            self.fault = error
        return data


class DirectSink:
    """Writes lines to a regular file at once."""

    def __init__(self, number: int) -> None:
        self._writer = LineWriter(number)
        self.dropped = 0
        """Lines lost since the start."""

    @property
    def fault(self) -> OSError | None:
        """Why the last write failed."""
        return self._writer.fault

    def write(self, line: bytes) -> bool:
        """Write one line or drop it. Tell whether it is written."""
        written = self._writer.write(line)
        self.dropped += not written
        return written

    def close(self) -> None:
        """Do nothing: the file is not ours."""


class Sink:
    """Writes lines to a terminal or pipe, from a thread that is left behind when it waits."""

    def __init__(self, number: int) -> None:
        self.number = number
        """The file descriptor; it stays open."""
        self._writer = LineWriter(number)
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._full = False
        self._broken = False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self.dropped = 0
        """Lines lost since the start."""

    @property
    def fault(self) -> OSError | None:
        """Why the last write failed."""
        return self._writer.fault

    @property
    def waiting(self) -> bool:
        """Whether anything is not written yet."""
        return bool(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether so much waits that whoever can wait should."""
        return self._size > BUSY_AT

    def write(self, line: bytes) -> bool:
        """Keep one line, newline included, for the thread, or drop it.

        Tell whether it is kept, and nothing is known that would keep it from being written.
        """
        with self._change:
            if self._full and self._size > RESUME_AT:
                self.dropped += 1
                return False
            self._full = self._size + len(line) > BACKLOG_LIMIT
            if self._full:
                self.dropped += 1
                return False
            self._waiting.append(line)
            self._size += len(line)
            if self._thread is None:
                # A daemon: the process must not wait for it at its end.
                self._thread = threading.Thread(target=self._work, name="screen", daemon=True)
                self._thread.start()
            self._change.notify_all()
            return not self._broken

    def close(self) -> None:
        """Wait for what is kept, within a moment. A later line is kept again."""
        with self._change:
            self._change.wait_for(lambda: not self._waiting, DRAIN_LIMIT_S)

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._waiting))
                line = self._waiting[0]
            written = self._writer.write(line)
            with self._change:
                self._broken = not written
                self.dropped += not written
                self._waiting.popleft()
                self._size -= len(line)
                self._change.notify_all()


class TextSink:
    """Writes lines to a text stream without a file descriptor, as tests have."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.dropped = 0
        self.fault: OSError | None = None
        """Why the last write failed."""

    def write(self, line: bytes) -> bool:
        """Write one line or drop it. Tell whether it is written."""
        try:
            self._stream.write(line.decode())
            self._stream.flush()
        except (OSError, ValueError) as error:
            self.fault = error if isinstance(error, OSError) else None
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Do nothing: the stream is not ours."""


_sinks: dict[tuple[int, int, int], Sink] = {}


def drain() -> None:
    """Give every screen a moment for what is kept: the process ends, and the threads with it."""
    for sink in _sinks.values():
        sink.close()


atexit.register(drain)


def open_stream(stream: TextIO) -> Sink | DirectSink | TextSink:
    """Return a sink for stdout, stderr, or any text stream.

    A terminal or pipe has one sink for the life of the process: two threads would mix their lines.
    """
    try:
        stream.flush()
        number = stream.fileno()
        status = os.fstat(number)
    except (OSError, ValueError, AttributeError):
        return TextSink(stream)
    if stat.S_ISREG(status.st_mode):
        return DirectSink(number)
    return _sinks.setdefault((number, status.st_dev, status.st_ino), Sink(number))
