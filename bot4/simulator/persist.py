"""The world of both venues in one SQLite file, so that a restart meets the same venues.

Everything a venue acknowledges is in the file before the answer leaves. Commits are not synced
to the disk: killing the process loses nothing, a power cut may lose the last seconds, which is
fair for a simulated venue.
"""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from bot4.simulator.ledger import SimFill
from bot4.simulator.orders import SimOrder

LOCK_WAIT_S: Final = 60.0
"""A child whose bot was killed still lets its orders land: the next one waits for it, a second or
two, and longer on a busy machine."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS world (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, venue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (venue, id)
);
CREATE TABLE IF NOT EXISTS fills (
    number INTEGER PRIMARY KEY, venue TEXT NOT NULL, body TEXT NOT NULL
);
"""


class WorldBusy(Exception):
    """Another simulator has this world open."""


class WorldStore:
    """One open world file. Only one process can have it open."""

    def __init__(self, path: Path) -> None:
        """Open or create the file (mode 0600).

        Raises:
            WorldBusy: another process kept it open for ``LOCK_WAIT_S``.
        """
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._database = sqlite3.connect(path, isolation_level=None, timeout=LOCK_WAIT_S)
        try:
            self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=OFF")
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("COMMIT")
            self._database.executescript(SCHEMA)
        except sqlite3.OperationalError as error:
            self._database.close()
            raise WorldBusy(f"{path}: {error}") from error

    def value(self, name: str) -> Any:
        """Return a saved value, None when there is none."""
        found = self._database.execute("SELECT value FROM world WHERE name = ?", (name,)).fetchone()
        return None if found is None else json.loads(found[0])

    def put(self, name: str, value: Any) -> None:
        """Save a JSON value by name."""
        self._database.execute(
            "INSERT INTO world VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, _text(value)),
        )

    def orders(self, venue: str) -> list[dict[str, Any]]:
        """Return a venue's saved orders, oldest first."""
        return self._rows("SELECT body FROM orders WHERE venue = ? ORDER BY number", venue)

    def fills(self, venue: str) -> list[dict[str, Any]]:
        """Return a venue's saved fills, oldest first."""
        return self._rows("SELECT body FROM fills WHERE venue = ? ORDER BY number", venue)

    def save(
        self,
        venue: str,
        order: SimOrder | None,
        fills: list[SimFill],
        values: dict[str, Any],
    ) -> None:
        """Save one change in one commit: an order, new fills and whatever goes with them."""
        self._database.execute("BEGIN IMMEDIATE")
        if order is not None:
            self._database.execute(
                "INSERT INTO orders (venue, id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (venue, id) DO UPDATE SET body = excluded.body",
                (venue, order.id, _text(order.dump())),
            )
        self._database.executemany(
            "INSERT INTO fills (venue, body) VALUES (?, ?)",
            [(venue, _text(fill.dump())) for fill in fills],
        )
        for name, value in values.items():
            self.put(name, value)
        self._database.execute("COMMIT")

    def forget(self) -> None:
        """Empty the world: the next box begins a new one."""
        self._database.executescript("DELETE FROM world; DELETE FROM orders; DELETE FROM fills;")

    def close(self) -> None:
        """Close the file and let the next simulator have it. Idempotent."""
        self._database.close()

    def _rows(self, sql: str, venue: str) -> list[dict[str, Any]]:
        return [json.loads(body) for (body,) in self._database.execute(sql, (venue,))]


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
