"""The files of a state folder: where they are, and whether they still are what was opened."""

from __future__ import annotations

import contextlib
from pathlib import Path

import attrs

from bot4.config.schema import Config
from bot4.errors import JournalFault
from bot4.transport.database import open_database


def journal_file(config: Config) -> Path:
    """The journal; whoever holds its lock is the one hand on the account."""
    return config.state_dir / "journal.db"


def archive_file(config: Config) -> Path:
    """Trades that left the journal."""
    return config.state_dir / "history.db"


def cursor_file(config: Config) -> Path:
    """How far the journal was copied to Supabase."""
    return config.state_dir / "mirror.db"


def refuse_second(config: Config) -> None:
    """Refuse early, before anything is started, while another process holds the journal.

    Raises:
        StartRefused: it does. What else is wrong with the file is said when it is opened.
    """
    path = journal_file(config)
    if path.exists():
        with contextlib.suppress(JournalFault):
            open_database(path).close()


def stop_file(config: Config) -> Path:
    """While it is there the bot stops, as after a Ctrl+C."""
    return config.state_dir / "STOP"


FileId = tuple[int, int]
"""Device and inode: what a path leads to, whatever it is called."""


def file_id(path: Path) -> FileId | None:
    """Return what a path leads to now; None when there is nothing, or it cannot be seen."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@attrs.define
class StateFiles:
    """The folder and the journal as they were opened. Cheap to ask: three looks at the disk.

    A journal that was deleted, moved or replaced goes on taking rows, and nobody will find them:
    whoever starts next knows nothing of what is open.
    """

    journal: Path
    _opened: dict[Path, FileId] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._learn(self.journal.parent)
        self._learn(self.journal)

    def lost(self) -> str:
        """Return which of them is no longer where it was opened; "" while all are."""
        self._learn(Path(f"{self.journal}-wal"))  # SQLite makes it with the first row.
        for path, opened in self._opened.items():
            found = file_id(path)
            if found != opened:
                what = "was deleted or moved" if found is None else "was replaced by another one"
                return f"{path} {what} while the bot runs"
        return ""

    def _learn(self, path: Path) -> None:
        if path not in self._opened and (found := file_id(path)) is not None:
            self._opened[path] = found
