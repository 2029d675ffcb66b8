"""Where rows of finished trades were taken out of the journal, so that the chain goes on over them.

A gap remembers its first and last row and the link of the last: the row after it continues that
link. A row that is missing without a gap is a damage, as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bot4.ports import Database
from bot4.storage.transactions import transaction

GAP_TABLE: Final = """CREATE TABLE gap (
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL,
        link BLOB NOT NULL
    ) STRICT"""
ENTRY_STAYS: Final = """CREATE TRIGGER entry_stays BEFORE DELETE ON entry
    WHEN NOT EXISTS (SELECT 1 FROM gap WHERE OLD.row BETWEEN first AND last)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"""
CLOSED_INDEX: Final = "CREATE INDEX entry_closed ON entry (row) WHERE kind = 'Closed'"
"""For the oldest finished trades; only the row that ends a trade pays for it."""


def allow_gaps(database: Database) -> None:
    """Add what an older journal lacks, in one transaction; nothing where it is there.

    Raises:
        JournalFault: it could not be added; nothing was.
    """
    known = {str(name) for (name,) in database.execute("SELECT name FROM sqlite_schema")}
    if "gap" in known:
        return
    with transaction(database, "EXCLUSIVE"):
        database.execute(GAP_TABLE)
        database.execute("DROP TRIGGER IF EXISTS entry_stays")
        database.execute(ENTRY_STAYS)
        database.execute(CLOSED_INDEX)


def read_gaps(database: Database) -> dict[int, tuple[int, bytes]]:
    """Return every gap: first row -> (last row, its link). Raises JournalFault."""
    return {
        int(first): (int(last), bytes(link))
        for first, last, link in database.execute("SELECT first, last, link FROM gap")
    }


def take_out(database: Database, rows: Iterable[int]) -> None:
    """Delete rows and note the gaps, inside the open transaction. Raises JournalFault."""
    for first, last in _runs(sorted(rows)):
        (link,) = next(iter(database.execute("SELECT link FROM entry WHERE row = ?", (last,))))
        begins, ends = first, last
        beside = "SELECT first, last, link FROM gap WHERE last = ? OR first = ?"
        for one in list(database.execute(beside, (first - 1, last + 1))):
            begins = min(begins, int(one[0]))
            if int(one[1]) > ends:
                ends, link = int(one[1]), one[2]
            database.execute("DELETE FROM gap WHERE first = ?", (one[0],))
        database.execute("INSERT INTO gap VALUES (?, ?, ?)", (begins, ends, link))
        database.execute("DELETE FROM entry WHERE row BETWEEN ? AND ?", (first, last))


def _runs(rows: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield neighbouring rows together: (first, last)."""
    begun: list[int] = []
    for row in rows:
        if begun and row != begun[-1] + 1:
            yield begun[0], begun[-1]
            begun = []
        begun = [begun[0], row] if begun else [row]
    if begun:
        yield begun[0], begun[-1]
