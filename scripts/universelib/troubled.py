"""A disk that is full for a while, or slow to sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from bot4.errors import JournalFault
from universelib.disk import Disk, DiskFile

_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "CREATE")


@attrs.define
class Weather:
    """What is wrong with the disk, in Trio time."""

    full_until: float = 0.0
    slow_until: float = 0.0
    slow_ms: float = 0.0


@attrs.define
class TroubledFile:
    """One SQLite file on a troubled disk. Implements ``ports.Database``."""

    _disk: TroubledDisk
    _file: DiskFile
    _syncs: bool = True

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """Run one statement and return its rows. Raises JournalFault when it fails."""
        weather, now = self._disk.weather, trio.current_time()
        if now < weather.full_until and sql.startswith(_WRITES):
            raise JournalFault("database or disk is full; the disk is full: make room")
        if sql.startswith("PRAGMA synchronous="):
            self._syncs = sql.endswith("FULL")
        rows = self._file.execute(sql, parameters)
        if sql == "COMMIT" and self._syncs and now < weather.slow_until:
            self._disk.stall(weather.slow_ms / 1000)
        return rows

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


@attrs.define
class TroubledDisk:
    """One machine's disk: its files, and its weather, which outlives the process."""

    stall: Callable[[float], None]
    """Keeps the whole process from running for so many seconds."""
    files: Disk = attrs.field(factory=Disk)
    weather: Weather = attrs.field(factory=Weather)

    def open(self, path: Path) -> TroubledFile:
        """Open or create a file."""
        return TroubledFile(self, self.files.open(path))

    def strike(self, fault: Mapping[str, Any]) -> None:
        """Let something go wrong for ``seconds``: ``disk_full``, or ``disk_slow`` by ``ms``.

        Raises:
            ValueError: no such kind.
        """
        until = trio.current_time() + float(fault.get("seconds", 2))
        match fault["kind"]:
            case "disk_full":
                self.weather.full_until = until
            case "disk_slow":
                self.weather.slow_until, self.weather.slow_ms = until, float(fault["ms"])
            case kind:
                raise ValueError(f"the disk knows no fault {kind!r}")

    def clear(self) -> None:
        """Let everything go well from now on."""
        self.weather.full_until = self.weather.slow_until = 0.0

    def left(self, *, power_lost: bool) -> TroubledDisk:
        """Return the disk as the next process finds it."""
        files = self.files.left(power_lost=power_lost)
        return TroubledDisk(self.stall, files, self.weather)
