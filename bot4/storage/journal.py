"""The journal: what the bot meant to do and what it saw, in order, before anything leaves.

One SQLite file in WAL mode, held by one exclusive connection. Rows are only ever added, and leave
only with all of their finished trade, once the archive has it. A commit
that is not synced survives our death; a synced one takes every earlier one with it, so what a
power loss leaves is always a prefix. Each row carries a link computed over itself and the row
before it: a row that was changed, or lost from the middle, is noticed at the next start.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from bot4.ports import Database, Entry, World
from bot4.storage import reading
from bot4.storage.gaps import allow_gaps, read_gaps, take_out
from bot4.storage.reading import RawRow
from bot4.storage.schema import Header, check_owner, create, damaged, link_after, read_header
from bot4.storage.transactions import transaction

BLOCK: Final = 100
"""Numbers reserved at once; a crash loses at most so many."""
PAGE_ROWS: Final = 500
POWER: Final = "power"
TWIN: Final = "~"
"""Behind a counter's name: its second copy. No link covers a counter, and one that a damaged disk
set back would give names a second time."""
_INSERT: Final = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"
_RESERVE: Final = (
    "INSERT INTO number VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET reserved = max(reserved, excluded.reserved)"
)


@attrs.frozen
class _End:
    """Where the journal ends: its last row and link."""

    row: int
    link: bytes


class SqliteJournal:
    """Implements ``ports.Journal``. Made by ``open_journal``."""

    def __init__(
        self, world: World, database: Database, path: Path, header: Header, *, power: bool
    ) -> None:
        self.tag = header.tag
        self._world = world
        self._database = database
        self._path = path
        self._header = header
        self._power = power
        self._synced = True
        """What the connection is set to: FULL as opened."""
        allow_gaps(database)
        self._end = self._verify()
        self._reserved = self._counters()
        self._given = dict(self._reserved)

    def append(self, entries: Iterable[Entry], *, durable: bool) -> None:
        """Write the entries in one transaction.

        Args:
            entries: rows in order; ``row`` and ``wall_ms`` are filled in here. Bodies hold what
                JSON holds: a Decimal is a text.
            durable: return only when a power loss cannot undo it (or our own death, when the
                journal was opened with ``durability="process"``).

        Raises:
            JournalFault: they were not written; nothing of them is kept.
            TypeError, ValueError: a body is no JSON; nothing was written.
        """
        wall_ms = self._world.wall_ms()
        row, link = self._end.row, self._end.link
        rows: list[tuple[object, ...]] = []
        for entry in entries:
            row += 1
            body = json.dumps(entry.body, separators=(",", ":"), allow_nan=False)
            fields = (row, wall_ms, entry.kind, entry.trade_id, entry.client_order_id, body)
            link = link_after(link, fields)
            rows.append((*fields, link))
        if not rows:
            return
        self._write([(_INSERT, parameters) for parameters in rows], sync=durable)
        self._end = _End(row, link)

    @property
    def last_row(self) -> int:
        """Number of the newest row, 0 when there is none."""
        return self._end.row

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield every row after one, oldest first, as of the moment each page is read.

        Raises:
            JournalFault: the file cannot be read.
        """
        while page := self.page(after):
            yield from page
            after = page[-1].row

    def page(self, after: int, limit: int = PAGE_ROWS) -> list[Entry]:
        """Return at most ``limit`` rows after one, oldest first.

        Raises:
            JournalFault: the file cannot be read.
        """
        return [
            Entry(
                kind=kind,
                trade_id=trade_id,
                body=json.loads(body),
                client_order_id=client_order_id,
                row=row,
                wall_ms=wall_ms,
            )
            for row, wall_ms, kind, trade_id, client_order_id, body, _ in self._page(after, limit)
        ]

    def span(
        self, after: int, until: int, kinds: Collection[str] = (), *, bare: bool = False
    ) -> list[RawRow]:
        """Return the rows after one up to another as they lie there; see ``read_span``.

        Raises:
            JournalFault: the file cannot be read.
        """
        return reading.read_span(self._database, after, until, kinds, bare=bare)

    def newest(self, kinds: Collection[str], count: int) -> list[RawRow]:
        """Return the newest rows of some kinds. Raises as ``span``."""
        return reading.read_newest(self._database, kinds, count)

    def of_trades(self, names: Collection[str], until: int) -> list[RawRow]:
        """Return the rows of some trades, up to one. Raises as ``span``."""
        return reading.read_trades(self._database, names, until)

    def closed(self, until: int, limit: int) -> list[tuple[int, int, str]]:
        """Return (row, time, trade) of the oldest rows that end a trade. Raises as ``span``."""
        return reading.read_closed(self._database, until, limit)

    def count_closed(self) -> int:
        """Return how many trades here are over. Raises as ``span``."""
        found = self._database.execute("SELECT count(*) FROM entry WHERE kind = 'Closed'")
        return sum(int(count) for (count,) in found)

    def forget(self, rows: Collection[int]) -> None:
        """Take rows out that are kept elsewhere, all or none; the newest must stay.

        Nothing is synced for it: a power loss may bring the rows back, and they leave again.

        Raises:
            JournalFault: none of them was taken out.
        """
        if not rows:
            return
        if max(rows) >= self._end.row:
            raise ValueError("the newest row of the journal stays")
        self._set_sync(sync=False)
        with transaction(self._database):
            take_out(self._database, rows)

    def known(self) -> bool:
        """Whether it was traded or compared with before; see ``read_known``."""
        return reading.read_known(self._database)

    def next_number(self, name: str, floor: int = 0) -> int:
        """Return a number larger than any given before under this name, and than ``floor``.

        A block is reserved before its first number is returned, so that our death never brings
        one back. The reservation is not synced by itself: it lies before the intent that uses
        the number, and that intent's synced commit, without which nothing is sent, takes it along.

        Raises:
            JournalFault: no number could be reserved.
        """
        number = max(self._given.get(name, 0), floor) + 1
        if number > self._reserved.get(name, 0):
            last = number + BLOCK - 1
            self._write([(_RESERVE, (one, last)) for one in (name, name + TWIN)], sync=False)
            self._reserved[name] = last
        self._given[name] = number
        return number

    def try_disk(self) -> None:
        """Commit durably what is known already, to see how long it takes. Raises as ``append``."""
        known = self._reserved.get("order", 0)
        self._write([(_RESERVE, (name, known)) for name in ("order", "order" + TWIN)], sync=True)

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        self._database.close()

    def _write(self, statements: list[tuple[str, tuple[object, ...]]], *, sync: bool) -> None:
        database = self._database
        self._set_sync(sync=sync and self._power)
        with transaction(database):
            for sql, parameters in statements:
                database.execute(sql, parameters)

    def _set_sync(self, *, sync: bool) -> None:
        if sync is not self._synced:
            self._database.execute(f"PRAGMA synchronous={'FULL' if sync else 'NORMAL'}")
            self._synced = sync

    def _page(
        self, after: int, limit: int = PAGE_ROWS
    ) -> list[tuple[int, int, str, str, str, str, bytes]]:
        sql = "SELECT * FROM entry WHERE row > ? ORDER BY row LIMIT ?"
        return [
            (row, wall_ms, kind, trade_id, client_order_id, body, link)
            for row, wall_ms, kind, trade_id, client_order_id, body, link in self._database.execute(
                sql, (after, limit)
            )
        ]

    def _counters(self) -> dict[str, int]:
        """Return what was reserved by name; both copies must agree."""
        rows = self._database.execute("SELECT * FROM number")
        found = {str(name): int(number) for name, number in rows}
        names = {name for name in found if not name.endswith(TWIN)}
        # A journal of before there were two copies has the first one only.
        for twin in found.keys() - names:
            name = twin.removesuffix(TWIN)
            if found.get(name) != found[twin]:
                raise damaged(self._path, f"the counter {name} was changed")
        return {name: found[name] for name in names}

    def _verify(self) -> _End:
        """Check file and chain, and return where they end."""
        for (verdict,) in self._database.execute("PRAGMA integrity_check(1)"):
            if verdict != "ok":
                raise damaged(self._path, " ".join(str(verdict).split()))
        end, gaps = _End(0, self._header.genesis()), read_gaps(self._database)
        while page := self._page(end.row):
            for *fields, link in page:
                if fields[0] != end.row + 1 and (gap := gaps.get(end.row + 1)):
                    end = _End(*gap)
                if fields[0] != end.row + 1:
                    raise damaged(self._path, f"row {end.row + 1} is missing")
                if link_after(end.link, fields) != link:
                    raise damaged(self._path, f"row {fields[0]} was changed")
                end = _End(fields[0], link)
        return end


def open_journal(
    world: World,
    path: Path,
    *,
    mode: str,
    identity: Mapping[str, str],
    durability: str = POWER,
) -> SqliteJournal:
    """Open the journal of one mode and account, or create it.

    Args:
        world: clock, chance and disk.
        path: the file; its folder is made private.
        mode: simulation, testnet or live.
        identity: venue -> public name of the account.
        durability: ``power``, or ``process``: then nothing waits for the disk.

    Raises:
        StartRefused: another process holds it, or it is another mode's, account's or version's.
        JournalFault: it cannot be read or believed; names the file and what to do.

    Closes: nothing by itself; call ``close``.
    """
    database = world.open_database(path)
    try:
        header = read_header(database, path)
        if header is None:
            header = create(
                database,
                mode=mode,
                identity=identity,
                created_ms=world.wall_ms(),
                random=world.random,
            )
        check_owner(header, path, mode=mode, identity=identity)
        return SqliteJournal(world, database, path, header, power=durability == POWER)
    except BaseException:
        database.close()
        raise
