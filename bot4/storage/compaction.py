"""Writes the journal anew without the room of what left it: same name, tag and chain rules.

Only while no bot runs. The old file is replaced in one step, so that a crash leaves the one or
the other, whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from bot4.errors import JournalFault
from bot4.ports import Database, World
from bot4.storage.journal import SqliteJournal
from bot4.storage.reading import SPAN, RawRow, last_row, read_span
from bot4.storage.schema import Header, link_after, read_header, write_tables
from bot4.storage.transactions import transaction

NEW_SUFFIX: Final = ".new"
_INSERT: Final = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"


@attrs.frozen
class Compacted:
    """What came of it."""

    rows: int
    cursor: int
    """Where a cursor over the old rows stands in the new ones."""


def compact(world: World, database: Database, path: Path, cursor: int) -> Compacted:
    """Write the journal anew, and put it in its place.

    Args:
        world: its disk.
        database: the journal, held by us; it is closed at the end.
        path: its file.
        cursor: of the mirror, a row of the old file.

    Raises:
        JournalFault: the old file is damaged, or the new one could not be written; the old one
            is in its place.
    """
    header = read_header(database, path)
    if header is None:
        raise JournalFault(f"{path} is empty")
    SqliteJournal(world, database, path, header, power=True)  # Reads it all, and believes it.
    draft = path.with_name(path.name + NEW_SUFFIX)
    for beside in (draft, Path(f"{draft}-wal")):
        beside.unlink(missing_ok=True)
    new = world.open_database(draft)
    try:
        rows, moved = _copy(database, new, header, cursor)
        list(new.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    finally:
        new.close()
    list(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    try:
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise JournalFault(f"{path} could not be replaced: {error.strerror}") from error
    database.close()
    return Compacted(rows, moved)


def _copy(old: Database, new: Database, header: Header, cursor: int) -> tuple[int, int]:
    row, moved, link = 0, 0, header.genesis()
    with transaction(new, "EXCLUSIVE"):
        write_tables(new, header)
        for name, reserved in old.execute("SELECT name, reserved FROM number"):
            new.execute("INSERT INTO number VALUES (?, ?)", (name, reserved))
        for raw in _rows(old):
            row += 1
            fields = (row, raw.wall_ms, raw.kind, raw.trade_id, raw.client_order_id, raw.body)
            link = link_after(link, fields)
            new.execute(_INSERT, (*fields, link))
            if raw.row <= cursor:
                moved = row
    return row, moved


def _rows(database: Database) -> Iterator[RawRow]:
    for after in range(0, last_row(database), SPAN):
        yield from read_span(database, after, after + SPAN)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
