"""Reading the journal without writing to it: some rows at a time, as they lie there."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Final

import attrs

from bot4.ports import CLOSED, Database, Entry

FILLED: Final = "Filled"
BUSTED: Final = "Busted"
INTENDED: Final = "Intended"
PLANNED: Final = "Planned"
COMPARED: Final = "compared"
"""A counter of the journal: it is there once both venues were compared with it."""
SPAN: Final = 500
"""Rows looked at between two moments in which something else may run."""


@attrs.frozen
class RawRow:
    """One row; its body is still text."""

    row: int
    wall_ms: int
    kind: str
    trade_id: str
    client_order_id: str
    body: str

    def entry(self) -> Entry:
        """Read the body."""
        return Entry(
            kind=self.kind,
            trade_id=self.trade_id,
            body=json.loads(self.body),
            client_order_id=self.client_order_id,
            row=self.row,
            wall_ms=self.wall_ms,
        )


def read_span(
    database: Database, after: int, until: int, kinds: Collection[str] = (), *, bare: bool = False
) -> list[RawRow]:
    """Return the rows after one up to another, of some kinds only when named; bare: no bodies.

    Raises:
        JournalFault: the file cannot be read.
    """
    where = f"row > ? AND row <= ?{_of(kinds)} ORDER BY row"
    return _rows(database, where, (after, until, *kinds), bare=bare)


def read_newest(database: Database, kinds: Collection[str], count: int) -> list[RawRow]:
    """Return the newest rows of some kinds, oldest of them first. Raises as ``read_span``."""
    where = f"TRUE{_of(kinds)} ORDER BY row DESC LIMIT ?"
    return _rows(database, where, (*kinds, count))[::-1]


def read_trades(database: Database, names: Collection[str], until: int) -> list[RawRow]:
    """Return the rows of some trades, up to one. Raises as ``read_span``."""
    where = f"row <= ? AND trade_id IN ({', '.join('?' * len(names))}) ORDER BY row"
    return _rows(database, where, (until, *names))


def _of(kinds: Collection[str]) -> str:
    if tuple(kinds) == (CLOSED,):
        # Said in so many words, or the index of these rows would not be used.
        return f" AND kind = '{CLOSED}' AND kind = ?"
    return f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""


def _rows(
    database: Database, where: str, parameters: Sequence[object], *, bare: bool = False
) -> list[RawRow]:
    body = "''" if bare else "body"
    sql = f"SELECT row, wall_ms, kind, trade_id, client_order_id, {body} FROM entry WHERE {where}"  # noqa: S608 - our own words
    found = database.execute(sql, parameters)
    return [RawRow(*row) for row in found]


def last_row(database: Database) -> int:
    """Return the number of the newest row, 0 when there is none. Raises as ``read_span``."""
    return max(
        (int(row) for (row,) in database.execute("SELECT max(row) FROM entry") if row), default=0
    )


def read_closed(database: Database, until: int, limit: int) -> list[tuple[int, int, str]]:
    """Return (row, time, trade) of the oldest rows that end a trade. Raises as ``read_span``."""
    sql = "SELECT row, wall_ms, trade_id FROM entry WHERE kind = 'Closed' AND row <= ?"
    found = database.execute(f"{sql} ORDER BY row LIMIT ?", (until, limit))
    return [(int(row), int(wall_ms), str(name)) for row, wall_ms, name in found]


def read_known(database: Database) -> bool:
    """Return whether a bot has traded or compared positions with this journal. Raises as above.

    One that is new says nothing of what is held: an older one may have been lost.
    """
    sql = "SELECT EXISTS (SELECT 1 FROM entry) OR EXISTS (SELECT 1 FROM number WHERE name = ?)"
    return any(bool(known) for (known,) in database.execute(sql, (COMPARED,)))
