"""``trio-run bot4 db export``: every finished trade and every fill, as two CSV files.

CSV and nothing else: every spreadsheet, database and library reads it, exactly, and no library of
hundred megabytes has to be installed for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from bot4.config.schema import Config
from bot4.errors import StartRefused
from bot4.ports import CLOSED, World
from bot4.report.account import Account, account_of, moment
from bot4.report.tables import LATENCY, TRADE, csv_lines, trade_record
from bot4.storage.archive import Archive
from bot4.storage.folding import FILL_COLUMNS, fills_of
from bot4.storage.reading import BUSTED, FILLED, RawRow
from bot4.transport.world import RealWorld
from bot4.wiring.files import archive_file
from bot4.wiring.history import Source, accounts_of

TRADES: Final = "trades.csv"
FILLS: Final = "fills.csv"
FILL: Final = ("at", "trade_id", *FILL_COLUMNS[:-1])
PAGE: Final = 1000

Fills = Sequence[Sequence[Any]]


@attrs.frozen
class Exported:
    """What was written."""

    trades: int
    fills: int
    folder: Path


async def export(config: Config, folder: Path, world: World | None = None) -> Exported:
    """Write what the archive and the journal have, oldest first; files that exist are replaced.

    Args:
        config: says where.
        folder: where to; it is made.
        world: clock and disk.

    Raises:
        StartRefused: the folder cannot be written, or a bot runs and cannot be asked.
        JournalFault: a file cannot be read.

    Cancellation: safe; files are whole or the old ones.
    """
    world = world or RealWorld()
    # The journal first: a trade that moves meanwhile is in both then, and never in neither.
    rows = await Source(config, world).rows(0, (CLOSED, FILLED, BUSTED))
    path = archive_file(config)
    archive = Archive(world.open_database(path)) if path.exists() else None
    try:
        _make(folder)
        trades = _write(folder / TRADES, (*TRADE, *LATENCY), _trades(archive, rows))
        fills = _write(folder / FILLS, FILL, _fills(archive, rows))
    except OSError as error:
        raise StartRefused(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            "name another folder with --to",
        ) from None
    finally:
        if archive is not None:
            archive.close()
    return Exported(trades, fills, folder)


def _trades(archive: Archive | None, rows: Sequence[RawRow]) -> Iterator[dict[str, Any]]:
    fresh = accounts_of(row for row in rows if row.kind == CLOSED)
    here = {one.trade_id for one in fresh}
    for account, _ in _archived(archive, here):
        yield trade_record(account)
    yield from map(trade_record, fresh)


def _fills(archive: Archive | None, rows: Sequence[RawRow]) -> Iterator[dict[str, Any]]:
    here = {row.trade_id for row in rows}
    for account, fills in _archived(archive, here):
        yield from (_record(account.trade_id, fill) for fill in fills)
    for trade_id, told in _by_trade(rows).items():
        yield from (_record(trade_id, fill) for fill in fills_of(told))


def _archived(archive: Archive | None, but: set[str]) -> Iterator[tuple[Account, Fills]]:
    after = (-1, "")
    while archive is not None and (page := archive.page(after, PAGE)):
        after = (page[-1].closed_ms, page[-1].trade_id)
        for one in page:
            if one.trade_id not in but:
                yield account_of(one.trade_id, one.body), one.fills


def _by_trade(rows: Iterable[RawRow]) -> dict[str, list[RawRow]]:
    found: dict[str, list[RawRow]] = {}
    for row in rows:
        found.setdefault(row.trade_id, []).append(row)
    return found


def _record(trade_id: str, fill: Sequence[Any]) -> dict[str, Any]:
    known = dict(zip(FILL_COLUMNS, fill, strict=True))
    at = moment(int(known.pop("time_ms"))).isoformat(timespec="milliseconds")
    return {"at": at, "trade_id": trade_id, **known}


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _write(path: Path, columns: Sequence[str], records: Iterable[dict[str, Any]]) -> int:
    draft = path.with_name(path.name + ".new")
    lines = -1  # The line of names.
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        os.fchmod(file.fileno(), 0o600)
        for line in csv_lines(records, columns):
            file.write(line + "\n")
            lines += 1
    draft.replace(path)
    return lines
