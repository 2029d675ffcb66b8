"""``trio-run bot4 db vacuum``: old trades leave the journal now, and its file gets small again."""

from __future__ import annotations

from typing import Final

import attrs

from bot4.config.schema import Config
from bot4.errors import StartRefused
from bot4.ports import Database, World
from bot4.storage.compaction import compact
from bot4.storage.folding import Keep, finished_trades
from bot4.storage.journal import SqliteJournal
from bot4.storage.mirror.outbox import lowest_cursor, move_cursors
from bot4.storage.reading import last_row
from bot4.storage.schema import read_header
from bot4.transport.world import RealWorld
from bot4.wiring.files import archive_file, cursor_file, journal_file
from bot4.wiring.retention import DAY_MS, archived, put_away

AT_ONCE: Final = 200
"""Trades moved in one transaction."""


@attrs.frozen
class Vacuumed:
    """What came of it."""

    trades: int
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int


def vacuum(config: Config, keep_days: int, world: World | None = None) -> Vacuumed:
    """Move trades that ended long ago, and were copied wherever rows are copied, to the archive.

    Args:
        config: says where.
        keep_days: trades younger than this stay in the journal.
        world: clock and disk.

    Raises:
        StartRefused: a bot is running, or there is no journal.
        JournalFault: a file cannot be used; no trade is lost.
    """
    world = world or RealWorld()
    path = journal_file(config)
    if not path.exists():
        raise StartRefused(f"there is no journal in {config.state_dir}", "nothing is to be done")
    size = path.stat().st_size
    database = world.open_database(path)
    try:
        cursor = world.open_database(cursor_file(config))
        try:
            return _vacuum(config, keep_days, world, database, cursor, size)
        finally:
            cursor.close()
    finally:
        database.close()


def _vacuum(
    config: Config, keep_days: int, world: World, database: Database, cursor: Database, size: int
) -> Vacuumed:
    path, sent = journal_file(config), lowest_cursor(cursor)
    header = read_header(database, path)
    if header is None:
        raise StartRefused(f"{path} is empty", "nothing is to be done")
    journal = SqliteJournal(world, database, path, header, power=True)
    before, last = _rows(database), last_row(database)
    until = last if sent is None else sent
    keep = Keep(world.wall_ms() - keep_days * DAY_MS)
    trades = 0
    while leaving := finished_trades(journal, keep, until, AT_ONCE):
        pairs, rows = archived(leaving)
        if not pairs:
            break
        put_away(world, archive_file(config), pairs)
        journal.forget(rows)
        trades += len(pairs)
    # A cursor that is too low means sending again, one that is too high means never sending.
    move_cursors(cursor, 0)
    done = compact(world, database, path, until)
    if sent is not None:
        move_cursors(cursor, done.cursor)
    return Vacuumed(trades, before, done.rows, size, path.stat().st_size)


def _rows(database: Database) -> int:
    return sum(int(count) for (count,) in database.execute("SELECT count(*) FROM entry"))
