"""Finds trades that may leave the journal: over long enough, copied elsewhere, with all rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Protocol

import attrs

from bot4.ports import CLOSED, Entry
from bot4.storage.reading import BUSTED, FILLED, INTENDED, RawRow

LATE_ROWS: Final = 3000
"""How far beyond a trade's closing row its late words are looked for."""
FILL_COLUMNS: Final = (
    "venue",
    "fill_id",
    "market",
    "side",
    "price",
    "size",
    "fee",
    "funding",
    "kind",
    "client_order_id",
    "time_ms",
)
"""What the archive keeps of a fill, in this order."""

Fill = Sequence[Any]


class Rows(Protocol):
    """What is needed of the journal."""

    @property
    def last_row(self) -> int:
        """Number of the newest row."""

    def closed(self, until: int, limit: int) -> list[tuple[int, int, str]]:
        """Return (row, time, trade) of the oldest closing rows."""

    def count_closed(self) -> int:
        """Return how many closing rows there are."""

    def of_trades(self, names: Collection[str], until: int) -> list[RawRow]:
        """Return the rows of some trades, up to one."""


@attrs.frozen
class Keep:
    """What stays in the journal."""

    before_ms: int
    """Trades that closed before this leave."""
    trades: int | None = None
    """More than so many finished trades never stay..."""
    surely_ms: int = 0
    """...but for those that closed since this."""


@attrs.frozen
class Finished:
    """A trade that may leave."""

    entry: Entry
    """Its closing row: the account."""
    fills: tuple[Fill, ...]
    """As ``FILL_COLUMNS`` says."""
    rows: tuple[int, ...]


def finished_trades(journal: Rows, keep: Keep, sent: int, limit: int) -> list[Finished]:
    """Return the oldest trades that may leave, at most so many.

    Args:
        journal: where they are.
        keep: what stays.
        sent: trades with a row after this one stay.
        limit: bounds the work, too.

    Raises:
        JournalFault: the file cannot be read.
    """
    # The newest row carries the chain's end.
    last = min(sent, journal.last_row - 1)
    over = 0 if keep.trades is None else journal.count_closed() - keep.trades
    # A trade that went on after its end has two closing rows: the newer one tells it all.
    closed = {
        name: row
        for number, (row, at_ms, name) in enumerate(journal.closed(last, limit))
        if at_ms < keep.before_ms or (number < over and at_ms < keep.surely_ms)
    }
    if not closed:
        return []
    found: dict[str, list[RawRow]] = {name: [] for name in closed}
    for raw in journal.of_trades(found, max(closed.values()) + LATE_ROWS):
        found[raw.trade_id].append(raw)
    return [_finished(rows) for rows in found.values() if _over(rows) and rows[-1].row <= last]


def _over(rows: Sequence[RawRow]) -> bool:
    """Whether nothing was meant after its end: what went on is not over."""
    ends = [raw.kind for raw in rows if raw.kind in (CLOSED, INTENDED)]
    return ends[-1] == CLOSED


def _finished(rows: Sequence[RawRow]) -> Finished:
    entry = [raw for raw in rows if raw.kind == CLOSED][-1].entry()
    return Finished(entry, tuple(fills_of(rows)), tuple(raw.row for raw in rows))


def fills_of(rows: Iterable[RawRow]) -> list[Fill]:
    """Return the fills that rows tell of, each once, without those that were taken back."""
    fills: dict[tuple[str, str, str], Fill] = {}
    for raw in rows:
        if raw.kind == FILLED:
            # Told again with its funding, it is one fill all the same.
            fill = fill_of(raw)
            fills[raw.trade_id, fill[9], fill[1]] = fill
        elif raw.kind == BUSTED:
            body = json.loads(raw.body)
            fills.pop((raw.trade_id, body["client_order_id"], body["fill_id"]), None)
    return list(fills.values())


def fill_of(raw: RawRow) -> Fill:
    """Return the fill that a row of the journal tells of, as ``FILL_COLUMNS`` says."""
    body = json.loads(raw.body)
    fill = body["fill"]
    return [
        fill["venue"],
        fill["fill_id"],
        fill["symbol"],
        *(fill.get(name) for name in ("side", "price", "size", "fee", "funding", "kind")),
        body["client_order_id"],
        fill.get("venue_time_ms") or raw.wall_ms,
    ]
