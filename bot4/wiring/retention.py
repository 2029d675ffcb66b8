"""Old trades leave the journal for the archive beside it by themselves, a few at a time.

The archive has a trade, durably, before the journal lets go of it: after a crash in between it
is in both, and counted once. What was not copied to Supabase yet, where it is copied, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import structlog
import trio

from bot4.config.schema import Config
from bot4.errors import JournalFault, StartRefused
from bot4.ports import World
from bot4.report.account import account_of, day_of, read_totals, write_totals
from bot4.storage.archive import Archive, Archived, ArchivedDay, Texts, add_in_thread
from bot4.storage.folding import Finished, Keep, finished_trades
from bot4.storage.journal import SqliteJournal
from bot4.storage.mirror.outbox import lowest_cursor
from bot4.wiring.files import archive_file, cursor_file

log = structlog.get_logger()

DAY_MS: Final = 86_400_000
KEEP_DAYS: Final = 7
KEEP_TRADES: Final = 1000
"""More finished trades than this stay for a day only, not for a week."""
AT_ONCE: Final = 10
"""Trades a turn: few milliseconds."""
EVERY_S: Final = 300.0
BUSY_EVERY_S: Final = 10.0
"""While there is more than a turn can take."""
ASIDE_S: Final = 0.05
ASIDE_LIMIT: Final = 200

Pair = tuple[Archived, ArchivedDay]


def usual_keep(now_ms: int) -> Keep:
    """Return what stays when nobody says how much."""
    return Keep(now_ms - KEEP_DAYS * DAY_MS, KEEP_TRADES, now_ms - DAY_MS)


def sent_everywhere(config: Config, world: World, last_row: int) -> int:
    """Return the row up to which everything is copied wherever rows are copied.

    Raises:
        StartRefused, JournalFault: the cursors cannot be read.
    """
    path = cursor_file(config)
    if not path.exists():
        return last_row
    database = world.open_database(path)
    try:
        lowest = lowest_cursor(database)
    finally:
        database.close()
    return last_row if lowest is None else lowest


def archived(leaving: Iterable[Finished]) -> tuple[list[Pair], list[int]]:
    """Return what the archive takes, and the rows that it replaces; an unreadable trade stays."""
    pairs: list[Pair] = []
    rows: list[int] = []
    for finished in leaving:
        entry = finished.entry
        try:
            one = account_of(entry.trade_id, entry.body)
            day_said = day_of(entry.trade_id, entry.body)
        except ValueError:
            continue
        day = ArchivedDay(one.day, one.pair, one.long, one.short, write_totals(day_said.totals))
        kept = Archived(one.trade_id, one.closed_ms, one.pair, entry.body, finished.fills)
        pairs.append((kept, day))
        rows += finished.rows
    return pairs, rows


def plus(known: Texts, more: Texts) -> Texts:
    """Add two days."""
    return write_totals(read_totals(known).plus(read_totals(more)))


def put_away(world: World, path: Path, pairs: Sequence[Pair]) -> int:
    """Write trades into the archive, durably; return how many were new.

    Raises:
        StartRefused: somebody is reading it.
        JournalFault: nothing was written.
    """
    archive = Archive(world.open_database(path))
    try:
        return archive.add(pairs, plus)
    finally:
        archive.close()


@attrs.define
class Retention:
    """Folds old trades while the bot runs."""

    config: Config
    world: World
    journal: SqliteJournal
    sent: Callable[[], int]
    """The row up to which everything is copied wherever rows are copied."""
    busy: Callable[[], bool]
    """Whether orders are on the wire, or the folder is not ours any more."""
    _complained: bool = False

    async def keep(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Fold for ever. Started at once: nothing waits for it.

        Cancellation: safe; a trade may be in both files then, and is counted once.
        """
        task_status.started()
        while True:
            moved = await self.turn()
            await trio.sleep(BUSY_EVERY_S if moved == AT_ONCE else EVERY_S)

    async def turn(self) -> int:
        """Move some trades, when no order is on the wire; return how many.

        Cancellation: as above.
        """
        try:
            moved = await self._move()
        except StartRefused:
            return 0  # Somebody reads the archive just now.
        except JournalFault as fault:
            self._complain(fault)
            return 0
        if moved:
            log.info(
                "history.moved",
                message=f"[JOURNAL] {moved} old trades moved to {archive_file(self.config).name}",
                trades=moved,
            )
        return moved

    async def _move(self) -> int:
        if not await self._quiet():
            return 0
        keep = usual_keep(self.world.wall_ms())
        pairs, rows = archived(finished_trades(self.journal, keep, self.sent(), AT_ONCE))
        if not pairs:
            return 0
        write = partial(put_away, self.world, archive_file(self.config), pairs)
        await add_in_thread(write)
        if not await self._quiet():
            return 0  # They are in both now, counted once, and leave at a later turn.
        self.journal.forget(rows)
        return len(pairs)

    async def _quiet(self) -> bool:
        """Wait until no order is on the wire; False when that takes too long."""
        for _ in range(ASIDE_LIMIT):
            if not self.busy():
                return True
            await trio.sleep(ASIDE_S)
        return False

    def _complain(self, fault: JournalFault) -> None:
        if not self._complained:
            self._complained = True
            log.warning(
                "history.failed",
                message=f"[JOURNAL] Old trades could not be moved: {fault}",
                why=str(fault),
                do="nothing at once: they stay in the journal; look at the disk",
            )
