"""Finished trades that left the journal: one row each, and what each day came to.

A file of its own, ``history.db``. A year of a trade a minute is half a gigabyte here, and the
last trades or the year's days are read in a moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from bot4.ports import Database
from bot4.storage.schema import roll_back

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS trade (
        trade_id TEXT PRIMARY KEY,
        closed_ms INTEGER NOT NULL,
        pair TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS trade_by_time ON trade (closed_ms)",
    """CREATE TABLE IF NOT EXISTS day (
        day TEXT, pair TEXT, long TEXT, short TEXT, totals TEXT NOT NULL,
        PRIMARY KEY (day, pair, long, short)
    ) STRICT, WITHOUT ROWID""",
)
_INSERT: Final = "INSERT INTO trade VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"
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
        database.execute("BEGIN IMMEDIATE")
        try:
            for trade, day in trades:
                body = json.dumps(trade.body, separators=(",", ":"))
                row = (trade.trade_id, trade.closed_ms, trade.pair, body)
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
            database.execute("COMMIT")
        except BaseException:
            roll_back(database)
            raise
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
