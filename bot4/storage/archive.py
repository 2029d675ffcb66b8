"""Finished trades that left the journal: one row each, and what each day came to.

A file of its own, ``history.db``. A year of a trade a minute is half a gigabyte here, and the
last trades or the year's days are read in a moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
import trio

from bot4.ports import Database
from bot4.storage.transactions import transaction

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS trade (
        trade_id TEXT PRIMARY KEY,
        closed_ms INTEGER NOT NULL,
        pair TEXT NOT NULL,
        body TEXT NOT NULL,
        fills TEXT NOT NULL DEFAULT '[]'
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS trade_by_time ON trade (closed_ms)",
    """CREATE TABLE IF NOT EXISTS day (
        day TEXT, pair TEXT, long TEXT, short TEXT, totals TEXT NOT NULL,
        PRIMARY KEY (day, pair, long, short)
    ) STRICT, WITHOUT ROWID""",
)
_FILLS: Final = "ALTER TABLE trade ADD COLUMN fills TEXT NOT NULL DEFAULT '[]'"
_INSERT: Final = "INSERT INTO trade VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"
_DAY: Final = "SELECT totals FROM day WHERE day = ? AND pair = ? AND long = ? AND short = ?"


Texts = Mapping[str, str]
Plus = Callable[[Texts, Texts], Texts]
"""Adds two totals."""


@attrs.frozen
class Archived:
    """One trade as the journal's last row of it told it."""

    trade_id: str
    closed_ms: int
    pair: str
    body: Mapping[str, Any]
    fills: Sequence[Sequence[Any]] = ()
    """Empty where they were not asked for."""


@attrs.frozen
class ArchivedDay:
    """What one pair came to on one day in one direction, as plain texts."""

    day: str
    pair: str
    long: str
    short: str
    totals: Texts


class Archive:
    """One open ``history.db``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        for statement in TABLES:
            database.execute(statement)
        columns = database.execute("SELECT name FROM pragma_table_info('trade')")
        if "fills" not in {str(name) for (name,) in columns}:
            database.execute(_FILLS)

    def add(self, trades: Iterable[tuple[Archived, ArchivedDay]], plus: Plus) -> int:
        """Take trades in, each once, all or none; durable when it returns.

        Args:
            trades: each with what it adds to its day.
            plus: adds two days.

        Returns:
            How many were new.

        Raises:
            JournalFault: nothing was written.
        """
        database, new = self._database, 0
        with transaction(database):
            for trade, day in trades:
                body, fills = (
                    json.dumps(one, separators=(",", ":")) for one in (trade.body, trade.fills)
                )
                row = (trade.trade_id, trade.closed_ms, trade.pair, body, fills)
                if not list(database.execute(_INSERT, row)):
                    continue
                new += 1
                name = (day.day, day.pair, day.long, day.short)
                totals = day.totals
                for (known,) in database.execute(_DAY, name):
                    totals = plus(json.loads(known), totals)
                written = json.dumps(totals, separators=(",", ":"))
                database.execute(
                    "INSERT OR REPLACE INTO day VALUES (?, ?, ?, ?, ?)", (*name, written)
                )
        return new

    def trades(self, since_ms: int, pair: str | None, newest: int | None) -> list[Archived]:
        """Return trades closed since a time, oldest first; only the newest when told so."""
        sql = "SELECT trade_id, closed_ms, pair, body FROM trade WHERE closed_ms >= ?"
        parameters: list[object] = [since_ms]
        if pair is not None:
            sql += " AND pair = ?"
            parameters.append(pair)
        sql += " ORDER BY closed_ms DESC, trade_id DESC"
        if newest is not None:
            sql += " LIMIT ?"
            parameters.append(newest)
        rows: Sequence[Sequence[Any]] = list(self._database.execute(sql, parameters))
        return [Archived(name, ms, of, json.loads(body)) for name, ms, of, body in reversed(rows)]

    def page(self, after: tuple[int, str], limit: int) -> list[Archived]:
        """Return trades after one, oldest first, with their fills.

        Args:
            after: (when it closed, its name) of the last one that was read.
            limit: how many at most.
        """
        sql = "SELECT trade_id, closed_ms, pair, body, fills FROM trade"
        sql += " WHERE (closed_ms, trade_id) > (?, ?) ORDER BY closed_ms, trade_id LIMIT ?"
        return [
            Archived(name, ms, of, json.loads(body), json.loads(fills))
            for name, ms, of, body, fills in self._database.execute(sql, (*after, limit))
        ]

    def has(self, trade_id: str) -> bool:
        """Whether it is here."""
        found = self._database.execute("SELECT 1 FROM trade WHERE trade_id = ?", (trade_id,))
        return any(True for _ in found)

    def days(self, since_day: str, pair: str | None) -> list[ArchivedDay]:
        """Return what the days came to, oldest first."""
        sql = "SELECT day, pair, long, short, totals FROM day WHERE day >= ? ORDER BY day, pair"
        return [
            ArchivedDay(day, of, long, short, json.loads(totals))
            for day, of, long, short, totals in self._database.execute(sql, (since_day,))
            if pair is None or of == pair
        ]

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        self._database.close()


async def add_in_thread(write: Callable[[], int]) -> int:
    """Run what writes into the archive beside the event loop: its syncs keep no order waiting.

    Cancellation: waits for it to end.
    """
    return await trio.to_thread.run_sync(write)
