"""Where finished lines go: a terminal, a pipe or a file. Writing never raises or waits.

A reader that stopped reading (a stalled ssh, a dead tmux, a paused pager) must not stop the bot,
and no more a disk that does not answer. Nothing tells for certain whether a line is taken without
waiting, and making a terminal refuse to wait would do the same to the shell that shares it. So a
thread of its own writes to each, and may wait for ever. What it cannot write now is kept, up to a
limit, and then dropped and counted.
"""

from __future__ import annotations

import atexit
import os
import stat
import threading
from collections import deque
from typing import Final, Protocol, TextIO

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
        self.dropped = 0
        """Lines lost since the start."""
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
                self.dropped += 1
                return False
        left = self._left_of(line)
        if len(left) == len(line):
            self.dropped += bool(line)
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


class Writer(Protocol):
    """What a queue's thread writes to; it may wait for ever."""

    dropped: int
    """Lines lost since the start."""

    def write(self, line: bytes) -> bool:
        """Write one line, newline included, and tell whether it is not lost. Never raises."""


class Queue:
    """Hands lines to a writer, from a thread that is left behind when it waits.

    Args:
        writer: used by the thread alone.
        name: of the thread.
    """

    def __init__(self, writer: Writer, name: str) -> None:
        self._writer = writer
        self._name = name
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._full = False
        self._broken = False
        self._ended = False
        self._overflow = 0
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self.handled = 0
        """Lines that the writer has written or lost."""

    @property
    def dropped(self) -> int:
        """Lines lost since the start."""
        return self._overflow + self._writer.dropped

    @property
    def waiting(self) -> int:
        """Lines that are not written yet."""
        return len(self._waiting)

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
                self._overflow += 1
                return False
            self._full = self._size + len(line) > BACKLOG_LIMIT
            if self._full:
                self._overflow += 1
                return False
            self._waiting.append(line)
            self._size += len(line)
            if self._thread is None:
                # A daemon: the process must not wait for it at its end.
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._change.notify_all()
            return not self._broken

    def drain(self, limit_s: float) -> None:
        """Wait for what is kept, at most so long."""
        with self._change:
            self._change.wait_for(lambda: not self._waiting, limit_s)

    def end(self) -> None:
        """Have the thread end once it has written what is kept; no line comes any more."""
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                line = self._waiting[0]
            written = self._writer.write(line)
            with self._change:
                self._broken = not written
                self.handled += 1
                self._waiting.popleft()
                self._size -= len(line)
                self._change.notify_all()


class Sink(Queue):
    """Writes lines to a terminal, a pipe or a regular file.

    Args:
        number: the file descriptor; it stays open.
    """

    def __init__(self, number: int, *, regular: bool = False) -> None:
        self._lines = LineWriter(number)
        super().__init__(self._lines, "screen")
        self.regular = regular
        """Whether it is a file: one that has a disk is waited for by a command that ends."""

    @property
    def fault(self) -> OSError | None:
        """Why the last write failed."""
        return self._lines.fault

    def close(self) -> None:
        """Wait for what is kept, within a moment. A later line is kept again."""
        self.drain(DRAIN_LIMIT_S)


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
files: Final[set[Queue]] = set()
"""Log files that are written now."""


def drain() -> None:
    """Give every screen and file a moment: the process ends, and the threads with it."""
    for queue in (*_sinks.values(), *files):
        queue.drain(DRAIN_LIMIT_S)


atexit.register(drain)


def open_stream(stream: TextIO) -> Sink | TextSink:
    """Return a sink for stdout, stderr, or any text stream.

    Each has one sink for the life of the process: two threads would mix their lines.
    """
    try:
        stream.flush()
        number = stream.fileno()
        status = os.fstat(number)
    except (OSError, ValueError, AttributeError):
        return TextSink(stream)
    sink = Sink(number, regular=stat.S_ISREG(status.st_mode))
    return _sinks.setdefault((number, status.st_dev, status.st_ino), sink)
