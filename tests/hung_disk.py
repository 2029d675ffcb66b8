"""A disk that stops answering whoever writes to one file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from timeouts import COMMAND_S


class Disk:
    """One that does not answer keeps whoever writes to the file, but for the test itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers = threading.Event()
        self.answers.set()
        self.loop = threading.get_ident()
        self.kept_the_loop = 0

    def before(self, number: int) -> None:
        """What a write to a file descriptor meets first."""
        if self.answers.is_set() or not self._is_file(number):
            return
        if threading.get_ident() == self.loop:
            self.kept_the_loop += 1
        else:
            assert self.answers.wait(COMMAND_S)

    def _is_file(self, number: int) -> bool:
        there = self.path.stat() if self.path.exists() else None
        return there is not None and os.fstat(number).st_ino == there.st_ino


@contextmanager
def under(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Put such a disk under a file; it answers until it is told not to, and at the end."""
    disk, write = Disk(path), os.write

    def writing(number: int, data: bytes) -> int:
        disk.before(number)
        return write(number, data)

    monkeypatch.setattr(os, "write", writing)
    try:
        yield disk
    finally:
        disk.answers.set()
