"""``trio-run bot4 db vacuum``: finished trades leave the journal for the archive beside it."""

from __future__ import annotations

from typing import Final

import attrs

from bot4.config.schema import Config
from bot4.errors import StartRefused
from bot4.ports import Database, Entry, World
from bot4.report.account import account_of, totals_of
from bot4.storage.archive import Archive, Archived, ArchivedDay, Texts
from bot4.storage.compaction import compact, finished_before
from bot4.storage.mirror.outbox import lowest_cursor, move_cursors
from bot4.storage.reading import last_row
from bot4.transport.world import RealWorld
from bot4.wiring.files import journal_file
from bot4.wiring.history import archive_file, read_totals, write_totals
from bot4.wiring.mirror import CURSOR_FILE

DAY_MS: Final = 86_400_000


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

    The archive is durable before the journal is replaced; a crash in between only means that a
    trade is in both, and it is counted once.

    Args:
        config: says where.
        keep_days: trades younger than this stay in the journal.
        world: clock and disk.

    Raises:
        StartRefused: a bot is running, or there is no journal.
        JournalFault: a file cannot be used; the journal is as it was.
    """
    world = world or RealWorld()
    path = journal_file(config)
    if not path.exists():
        raise StartRefused(f"there is no journal in {config.state_dir}", "nothing is to be done")
    size = path.stat().st_size
    database = world.open_database(path)
    try:
        cursor = world.open_database(config.state_dir / CURSOR_FILE)
        try:
            return _vacuum(config, keep_days, world, database, cursor, size)
        finally:
            cursor.close()
    finally:
        database.close()


def _vacuum(
    config: Config, keep_days: int, world: World, database: Database, cursor: Database, size: int
) -> Vacuumed:
    path, last = journal_file(config), last_row(database)
    sent = lowest_cursor(cursor)
    before_ms = world.wall_ms() - keep_days * DAY_MS
    leaving = finished_before(database, before_ms, last if sent is None else sent)
    if not leaving:
        return Vacuumed(0, last, last, size, size)
    archive = Archive(world.open_database(archive_file(config)))
    try:
        archive.add(map(_archived, leaving.values()), _plus)
    finally:
        archive.close()
    # A cursor that is too low means sending again, one that is too high means never sending.
    move_cursors(cursor, 0)
    done = compact(world, database, path, set(leaving), last if sent is None else sent)
    if sent is not None:
        move_cursors(cursor, done.cursor)
    after = path.stat().st_size
    return Vacuumed(done.trades, done.rows_before, done.rows_after, size, after)


def _archived(entry: Entry) -> tuple[Archived, ArchivedDay]:
    one = account_of(entry.trade_id, entry.body)
    day = ArchivedDay(one.day, one.pair, one.long, one.short, write_totals(totals_of(one)))
    return Archived(one.trade_id, one.closed_ms, one.pair, entry.body), day


def _plus(known: Texts, more: Texts) -> Texts:
    return write_totals(read_totals(known).plus(read_totals(more)))
