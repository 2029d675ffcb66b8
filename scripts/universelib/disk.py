"""A machine's disk in memory: what a process wrote, and what of it a power loss leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot4.errors import JournalFault


class DiskFile:
    """One SQLite file. Implements ``ports.Database``; keeps an image of the last synced commit."""

    def __init__(self, image: bytes) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        if image:
            self._connection.deserialize(image)
        self._full = True
        self._gone = False
        self.synced = image
        self._written = False

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """Run one statement and return its rows. Raises JournalFault when it fails."""
        if self._gone:
            raise JournalFault("the process is dead")
        try:
            rows = self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise JournalFault(str(error)) from error
        if sql.startswith("PRAGMA synchronous="):
            self._full = sql.endswith("FULL")
        elif sql == "COMMIT" and self._full:
            self.synced = self.image()
        return rows

    def image(self) -> bytes:
        """Return what a reader of the file would find now."""
        return self._connection.serialize()

    @property
    def changes(self) -> int:
        """How many rows were changed so far."""
        return self._connection.total_changes

    def die(self) -> None:
        """Take no statement any more: whoever holds the file is dead."""
        self._gone = True

    def close(self) -> None:
        """Do nothing: what was written is there for the next one."""


class Disk:
    """The files of one machine, by name."""

    def __init__(self, images: Mapping[str, bytes] | None = None) -> None:
        self._images = dict(images or {})
        self._files: dict[str, DiskFile] = {}

    def open(self, path: Path) -> DiskFile:
        """Open or create a file; the folder does not matter."""
        file = self._files[path.name] = DiskFile(self._images.get(path.name, b""))
        return file

    def changes(self) -> int:
        """How many rows of all files were changed so far."""
        return sum(file.changes for file in self._files.values())

    def left(self, *, power_lost: bool) -> Disk:
        """Return the disk as the next process finds it; the present one writes no more to it."""
        images = dict(self._images)
        for name, file in self._files.items():
            images[name] = file.synced if power_lost else file.image()
            file.die()
        return Disk({name: image for name, image in images.items() if image})
