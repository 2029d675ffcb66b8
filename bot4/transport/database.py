"""SQLite for one process alone: an exclusive lock, private files, plain faults."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bot4.errors import JournalFault, StartRefused
from bot4.transport.process import locked_by

BUSY_LIMIT_S: Final = 0.2
"""How long to wait for another holder of the file. Source: ours."""
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
LOWEST_SQLITE: Final = (3, 37, 0)
"""STRICT tables. Source: sqlite.org, stricttables.html, seen 2026-11."""
_PRIMARY: Final = 0xFF
"""SQLite keeps the kind of an error in its low byte."""
_LYING: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""After these nobody knows what the disk holds: nothing more is tried on this connection."""
_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: make room",
    sqlite3.SQLITE_READONLY: "the file cannot be written: mend its owner and rights",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: mend its owner, rights and folder",
    sqlite3.SQLITE_IOERR: "the disk failed: check it before anything else",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: move it away with its -wal file, then restart",
    sqlite3.SQLITE_NOTADB: "the file is no database: move it away, then restart",
}


class SqliteDatabase:
    """One exclusive connection. Implements ``ports.Database``; autocommit outside BEGIN."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lying = ""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """Run one statement and return all its rows.

        Raises:
            JournalFault: it failed; names the file and what to do. After a failing disk or a
                damaged file every later call raises it too.
        """
        if self._lying:
            raise JournalFault(self._lying)
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            fault = _fault(self._path, error)
            if _kind(error) in _LYING:
                self._lying = str(fault)
            raise fault from error

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        self._connection.close()


def open_database(path: Path) -> SqliteDatabase:
    """Open or create a database file that this process alone may use.

    The folder becomes private (0700) and so does the file (0600).

    Raises:
        StartRefused: another process holds it, it is a symbolic link or no plain file, or
            this Python's SQLite is too old.
        JournalFault: it is not a usable database.
    """
    if sqlite3.sqlite_version_info < LOWEST_SQLITE:
        raise StartRefused(
            f"this Python has SQLite {sqlite3.sqlite_version}, 3.37 is needed",
            "use a newer Python",
        )
    with _naming(path):
        _prepare(path)
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=BUSY_LIMIT_S, isolation_level=None)
        _configure(connection)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        if _kind(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            holder = locked_by(path)
            raise StartRefused(
                f"another process is using {path}" + (f": {holder}" if holder else ""),
                "stop the other bot first, with Ctrl+C where it runs: two bots on one account "
                "trade against each other",
            ) from None
        raise _fault(path, error) from error
    return SqliteDatabase(path, connection)


def is_in_use(path: Path) -> bool | None:
    """Whether another process has the file open; None where it cannot even be read.

    Nothing is changed: a file or folder that cannot be written can still be asked.
    """
    connection: sqlite3.Connection | None = None
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        address = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, timeout=BUSY_LIMIT_S, uri=True)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except FileNotFoundError:
        return False
    except OSError:
        return None
    except sqlite3.Error as error:
        if _kind(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return True
        # The lock is looked at before the contents: what is damaged is not held.
        return False if os.access(path, os.R_OK) else None
    finally:
        if connection is not None:
            connection.close()
    return False


def _configure(connection: sqlite3.Connection) -> None:
    # The lock mode comes before the first look at the file: no shared memory file is made then,
    # and the lock taken below is kept until the connection ends.
    for pragma in (
        "locking_mode=EXCLUSIVE",
        "journal_mode=WAL",
        "synchronous=FULL",
        "fullfsync=ON",  # Where fsync alone leaves the drive's cache (macOS).
        "checkpoint_fullfsync=ON",
        "cell_size_check=ON",
        "trusted_schema=OFF",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("BEGIN EXCLUSIVE")
    connection.execute("COMMIT")


def _prepare(path: Path) -> None:
    """Create what is missing and make it private, without ever opening an existing file.

    Closing a second descriptor of the file would drop the locks that SQLite holds on it.
    """
    folder = path.parent
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & ~PRIVATE_FOLDER:
        folder.chmod(PRIVATE_FOLDER)
    for beside in (path, Path(f"{path}-wal"), Path(f"{path}-journal")):
        if beside.is_symlink():
            raise StartRefused(
                f"{beside} is a symbolic link", "put the file itself there, or remove the link"
            )
    try:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(path, flags, PRIVATE_FILE))
    except FileExistsError:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise StartRefused(f"{path} is no plain file", "move it away") from None
        if stat.S_IMODE(mode) & ~PRIVATE_FILE:
            path.chmod(PRIVATE_FILE)
        return
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable: without it a power loss may take the whole file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JournalFault(
            f"{path}: {error.strerror or type(error).__name__}; "
            "mend the folder's owner, rights or disk"
        ) from error


def _kind(error: sqlite3.Error) -> int:
    code = getattr(error, "sqlite_errorcode", None)  # Absent on errors of Python's own module.
    return -1 if code is None else code & _PRIMARY


def _fault(path: Path, error: sqlite3.Error) -> JournalFault:
    advice = _ADVICE.get(_kind(error), "nothing was written; restart, and look at the disk")
    return JournalFault(f"{path}: {error}; {advice}")
