"""The log file: whole lines, one writer, and a bounded size however long the bot runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

from bot4.errors import ConfigError
from bot4.logs.archive import tidy
from bot4.logs.sink import BACKLOG_LIMIT, LineWriter, Queue, files

FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
DAY_MS: Final = 86_400_000
CLOSE_LIMIT_S: Final = 2.0
"""How long closing waits for the disk."""


@attrs.frozen
class Limits:
    """When the log file turns over, and how much of the past stays."""

    max_bytes: int = 10_000_000
    keep: int = 14
    """Compressed files beside the one that is written."""


class LogFile:
    """Appends lines to a file that is ours while we hold its lock. Writing never raises.

    While another process holds the lock (the bot that runs in this state folder), lines wait here:
    they are written once it lets go, and never get into its log when this process ends before.

    The file turns over at its size limit and at the first line of a day (UTC): it gets a name with
    the time, is compressed by a thread, and the oldest go. When the path has become another file
    or none, as logrotate leaves it, that one is opened or made.

    Args:
        path: of the file, which is made when missing.
        limits: of its size and its past.
        now_ms: our wall clock, ms since the epoch.

    Raises:
        OSError, ValueError: the file cannot be opened.
        ConfigError: it is not an ordinary file.
    """

    _number: int
    _identity: tuple[int, int]
    """Device and inode: which file the descriptor leads to."""
    _locked: bool
    _writer: LineWriter
    _size: int
    _day: int
    """Of the newest line, counted from the epoch; 0 where there is none."""
    _turn_at: int

    def __init__(self, path: Path, limits: Limits, now_ms: Callable[[], int]) -> None:
        self.path, self._limits, self._now_ms = path, limits, now_ms
        self._held: deque[bytes] = deque()
        self._held_size = 0
        self.held_since_ms: int | None = None
        """Since when lines wait for another process to let go of the file."""
        self.dropped = 0
        """Lines lost since the start."""
        self._take(_open(path))
        self._try_lock()

    def write(self, line: bytes) -> bool:
        """Write one line, newline included, keep it back, or drop it. Tell whether it is not lost.

        Waits for the disk.
        """
        self._follow()
        if not self._locked and not self._try_lock():
            return self._hold(line)
        while self._held:
            waited = self._held.popleft()
            self._held_size -= len(waited)
            self._append(waited)
        self.held_since_ms = None
        return self._append(line)

    def close(self) -> None:
        """Write what waited, where the file is free by now, and let go of it."""
        if self._held and self._try_lock():
            for line in self._held:
                self._append(line)
        self._held.clear()
        if self._number >= 0:
            with contextlib.suppress(OSError):
                os.close(self._number)
        self._number = -1

    def _append(self, line: bytes) -> bool:
        now_ms = self._now_ms()
        day = now_ms // DAY_MS
        if self._size and (self._size + len(line) > self._turn_at or day > self._day):
            self._turn_over(now_ms)
        self._day = max(day, self._day)
        written = self._writer.write(line)
        if self._writer.begun:
            # The disk is full: every line that stands there must be whole.
            with contextlib.suppress(OSError):
                size = os.fstat(self._number).st_size
                os.ftruncate(self._number, size - self._writer.begun)
                self._writer.forget()
                written = False
        self._size += len(line) if written else 0
        self.dropped += not written
        return written

    def _hold(self, line: bytes) -> bool:
        if self.held_since_ms is None:
            self.held_since_ms = self._now_ms()
        if self._held_size + len(line) > BACKLOG_LIMIT:
            self.dropped += 1
            return False
        self._held.append(line)
        self._held_size += len(line)
        return True

    def _try_lock(self) -> bool:
        self._locked = self._number >= 0 and _lock(self._number)
        if self._locked:
            tidy(self.path, self._limits.keep)
            self._end_torn_line()
        return self._locked

    def _end_torn_line(self) -> None:
        """A line that a power cut tore must not swallow the next one."""
        with contextlib.suppress(OSError):
            self._measure(os.fstat(self._number))
            if self._size and os.pread(self._number, 1, self._size - 1) != b"\n":
                self._writer.write(b"\n")

    def _follow(self) -> None:
        """Open the file anew when its path no longer leads to it."""
        with contextlib.suppress(OSError, ValueError, ConfigError):
            try:
                there = self.path.stat(follow_symlinks=False)
            except FileNotFoundError:
                there = None
            if self._number < 0:
                return
            if there and (there.st_dev, there.st_ino) == self._identity:
                self._size = there.st_size  # somebody may have emptied it
                return
            number = _open(self.path)
            os.close(self._number)
            self._take(number)

    def _turn_over(self, now_ms: int) -> None:
        """Begin a new file. Where that fails, go on with this one until it has doubled."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now_ms / 1000))
        draft = self.path.with_name(f"{self.path.name}.new")
        if self._writer.begun:
            return
        self._turn_at = self._size + self._limits.max_bytes
        try:
            draft.unlink(missing_ok=True)
            number = _open(draft)
            _lock(number)
            self.path.rename(self.path.with_name(f"{self.path.name}.{stamp}-{now_ms % 1000:03}"))
            draft.rename(self.path)
        except (OSError, ConfigError):
            return
        os.close(self._number)
        self._take(number)
        self._locked = True
        tidy(self.path, self._limits.keep)

    def _take(self, number: int) -> None:
        status = os.fstat(number)
        self._number = number
        self._locked = False
        self._identity = (status.st_dev, status.st_ino)
        self._writer = LineWriter(number)
        self._measure(status)
        self._turn_at = self._limits.max_bytes

    def _measure(self, status: os.stat_result) -> None:
        """Note what stands there: whoever had the lock before may have written since."""
        self._size = status.st_size
        self._day = int(status.st_mtime * 1000) // DAY_MS if self._size else 0


class QueuedFile(Queue):
    """A log file that nobody waits for: not even for a disk that never answers."""

    def __init__(self, file: LogFile) -> None:
        super().__init__(file, "log file")
        self._file = file
        self.path = file.path
        files.add(self)

    @property
    def held_since_ms(self) -> int | None:
        """Since when lines wait for another process to let go of the file."""
        return self._file.held_since_ms

    def close(self) -> int:
        """Let the file go once all is written; return how many lines could not be in time.

        A disk that does not answer by then keeps the file open until the process ends.
        """
        self.drain(CLOSE_LIMIT_S)
        self.end()
        files.discard(self)
        if not self.waiting:
            self._file.close()
        return self.waiting


def open_file(path: Path, limits: Limits, now_ms: Callable[[], int]) -> QueuedFile:
    """Open a log file for appending, ours alone. Its folder is made when it is missing.

    Raises:
        ConfigError: it cannot be opened, or is not an ordinary file.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return QueuedFile(LogFile(path, limits, now_ms))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name is not usable"
        raise ConfigError([f"log file {path}: cannot be opened: {why}"]) from None


def _open(path: Path) -> int:
    number = os.open(path, FLAGS, 0o600)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise ConfigError([f"log file {path}: is not an ordinary file: name another one"])
    try:
        os.fchmod(number, 0o600)
    except OSError:
        os.close(number)
        raise
    return number


def _lock(number: int) -> bool:
    """Take the lock, which the system takes back when we die. Where there are none: as if taken."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True
