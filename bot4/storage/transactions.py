"""One transaction: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot4.errors import JournalFault
from bot4.ports import Database


@contextmanager
def transaction(database: Database, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Begin, and commit when the block ends well.

    Args:
        database: outside a transaction.
        kind: IMMEDIATE or EXCLUSIVE.

    Raises:
        JournalFault: it could not begin or not be kept; nothing of it is.
    """
    database.execute(f"BEGIN {kind}")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        _roll_back(database)
        raise


def _roll_back(database: Database) -> None:
    """Undo the open transaction; SQLite may have done so already."""
    try:
        database.execute("ROLLBACK")
    except JournalFault:
        return
