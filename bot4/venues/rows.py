"""Lists read row by row: a row that cannot be read costs itself alone, and is told of.

A list of which nothing at all can be read, not even what its rows are called, is another matter:
then the venue's API is not the one that we know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from bot4.ports import Unread
from bot4.venues.reading import (
    FAULTS,
    NewToUs,
    Row,
    Unreadable,
    as_row,
    read_whole,
    words,
)

T = TypeVar("T")

NAMES: Final = {"order": "id", "fill": "id", "payment": "id"}
"""The field that tells rows of a kind apart; others have no more than their market."""


def as_list(value: object) -> list[object]:
    """Return a JSON array.

    Raises:
        Unreadable: it is something else.
    """
    if not isinstance(value, list):
        raise (Unreadable if value is None else NewToUs)("not an array")
    return value


def unread(venue: str, what: str, row: object, fault: BaseException) -> Unread:
    """Return what is known of a row that could not be read."""
    known: Row = row if isinstance(row, dict) else {}
    return Unread(
        venue=venue,
        what=what,
        row_id=_name(known, NAMES.get(what, "")),
        why=str(fault) if isinstance(fault, Unreadable) else "malformed",
        client_order_id=_name(known, "client_id") or _name(known, "nonce"),
        symbol=_name(known, "market") or _name(known, "symbol") or _name(known, "token"),
        new=isinstance(fault, NewToUs),
    )


def read_rows(
    venue: str, what: str, rows: Iterable[object], read: Callable[[Row], T | None]
) -> Sequence[T | Unread]:
    """Read every row with ``read``, whose None leaves it out.

    Raises:
        Unreadable: there are rows, and not one can be read or has a name. ``NewToUs`` where one
            of them is of a kind that we do not know.
    """
    found: list[T | Unread] = []
    nameless: list[BaseException] = []
    total = 0
    for row in rows:
        total += 1
        try:
            one = read(as_row(row))
        except FAULTS as fault:
            left_out = unread(venue, what, row, fault)
            found.append(left_out)
            if not left_out.row_id and not left_out.symbol:
                nameless.append(fault)
        else:
            if one is not None:
                found.append(one)
    if nameless and len(nameless) == total:
        new = any(isinstance(fault, NewToUs) for fault in nameless)
        raise (NewToUs if new else Unreadable)(f"no {what} of the list is readable")
    return found


def _name(row: Row, field: str) -> str:
    value = row.get(field)
    if type(value) is int:
        try:
            return str(read_whole(row, field))
        except Unreadable:
            return ""
    return words(value)
