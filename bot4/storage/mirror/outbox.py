"""What has not been sent: the journal's rows after a cursor that survives us.

The cursor lies in a file of its own beside the journal, under the names of journal and project.
It may be older than the truth, never newer: sending a row twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import attrs
import trio

from bot4.ports import Database, Entry
from bot4.storage.mirror.fold import Fold, Told
from bot4.storage.mirror.rows import event_key, rows_of

SLICE: Final = 10
"""Rows read between two moments in which everything else may run."""
TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS cursor (journal TEXT, project TEXT, row INTEGER NOT NULL,"
    " PRIMARY KEY (journal, project)) STRICT, WITHOUT ROWID"
)
RESET: Final = "UPDATE cursor SET row = ?"
WRITE: Final = "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)"
READ: Final = "SELECT row FROM cursor WHERE journal = ? AND project = ?"


def move_cursors(database: Database, row: int) -> None:
    """The journal was written anew: every cursor over it stands here now."""
    database.execute(TABLE)
    database.execute(RESET, (row,))


def lowest_cursor(database: Database) -> int | None:
    """Return how far the rows have been sent everywhere; None when they are sent nowhere."""
    database.execute(TABLE)
    found = [int(row) for (row,) in database.execute("SELECT row FROM cursor")]
    return min(found, default=None)


class Rows(Protocol):
    """What the outbox needs of the journal."""

    tag: str

    @property
    def last_row(self) -> int:
        """Number of the newest row."""

    def page(self, after: int, limit: int) -> list[Entry]:
        """Return at most ``limit`` rows after one, oldest first."""


@attrs.frozen
class Batch:
    """Rows of tables that tell of some rows of the journal."""

    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    last_row: int
    last_event: str
    """Key of the last event in it; empty when there is none."""


class Outbox:
    """Reads the journal behind the trade, a few rows at a time."""

    def __init__(self, journal: Rows, database: Database, account: str, project: str) -> None:
        self._journal = journal
        self._database = database
        self._account = account
        self._names = (journal.tag, project)
        # A lost commit only means sending again, so nothing here waits for the disk.
        database.execute("PRAGMA synchronous=OFF")
        database.execute(TABLE)
        found = [int(row) for (row,) in database.execute(READ, self._names)]
        self.cursor = found[0] if found else 0
        """Every row up to this one has arrived."""
        self._fold = Fold()
        self._read = 0
        self._last_event = ""
        self._told: list[Told] = []
        self._batch: Batch | None = None

    @property
    def lag_rows(self) -> int:
        """Rows that have not arrived."""
        return self._journal.last_row - self.cursor

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest row that has not arrived was written; None when all have."""
        page = self._journal.page(self.cursor, 1)
        return page[0].wall_ms if page else None

    async def catch_up(self) -> str:
        """Read what was sent before, to know what its trades are; return the last event's key.

        Cancellation: safe; call it again.
        """
        while self._read < self.cursor:
            told = await self._take(min(SLICE, self.cursor - self._read))
            if told:
                self._last_event = self._key(told[-1])
        return self._last_event

    def start_over(self) -> None:
        """Send everything again: the project does not have what we sent."""
        self._set(0)
        self._fold, self._read, self._last_event = Fold(), 0, ""
        self._told, self._batch = [], None

    async def next(self, limit: int) -> Batch | None:
        """Return the next rows to send, the same until they are confirmed; None when all are.

        Cancellation: safe.
        """
        if self._batch is None:
            await self.catch_up()
            while len(self._told) < limit:
                before = self._read
                self._told += await self._take(min(SLICE, limit - len(self._told)))
                if self._read == before:
                    break
            if self._read > self.cursor:
                tables = rows_of(self._told, self._account, self._journal.tag)
                last = self._key(self._told[-1]) if self._told else self._last_event
                self._batch = Batch(tables, self._read, last)
                self._told = []
        return self._batch

    def confirm(self, batch: Batch) -> None:
        """These rows have arrived."""
        self._set(batch.last_row)
        self._last_event = batch.last_event
        self._batch = None

    def close(self) -> None:
        """Give the cursor's file back. Safe to call twice."""
        self._database.close()

    async def _take(self, limit: int) -> list[Told]:
        await trio.lowlevel.checkpoint()
        told = []
        for entry in self._journal.page(self._read, limit):
            one = self._fold.read(entry)
            self._read = entry.row
            if one is not None:
                told.append(one)
        return told

    def _set(self, row: int) -> None:
        self.cursor = row
        self._database.execute(WRITE, (*self._names, row))

    def _key(self, told: Told) -> str:
        return event_key(self._account, told.entry.trade_id, told.seq)
