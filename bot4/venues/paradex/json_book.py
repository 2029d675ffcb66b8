"""Paradex's book events of a JSON session: the hot path when ``book_encoding`` is json.

The usual event is decoded in C; whatever else is readable goes the slow way.

Source: Paradex docs, WebSocket order_book, seen 2026-09.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from bot4.domain.book import BookUpdate, Ladder, Levels
from bot4.venues.reading import (
    MAX_LEVELS,
    NewToUs,
    Row,
    ShortNumber,
    Unreadable,
    as_rows,
    e8_column,
    quick_e8_column,
    read_text,
    read_whole,
)

CHANNEL: Final = "order_book."
_MOST_ROWS: Final = 2 * MAX_LEVELS
_BUY: Final = "BUY"

_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Level(msgspec.Struct, gc=False):
    side: Literal["BUY", "SELL"]
    price: ShortNumber
    size: ShortNumber


class _Data(msgspec.Struct, gc=False):
    market: str
    update_type: Literal["s", "d"]
    seq_no: _Whole
    last_updated_at: _Whole = 0
    deletes: list[_Level] = []
    updates: list[_Level] = []
    inserts: list[_Level] = []


class _Params(msgspec.Struct, gc=False):
    channel: str
    data: _Data


class _Event(msgspec.Struct, gc=False):
    method: Literal["subscription"]
    params: _Params


_DECODER: Final = msgspec.json.Decoder(_Event)


def quick_json_book(text: str) -> BookUpdate | None:
    """Read a usual book event; None for anything else, which may still be readable.

    Raises:
        msgspec.DecodeError: it is not JSON.
    """
    try:
        params = _DECODER.decode(text).params
    except msgspec.ValidationError:
        return None
    data = params.data
    # In this order a level that is deleted and inserted anew in one event is there at its end.
    gone, kept = data.deletes, data.updates + data.inserts
    levels = gone + kept
    if not params.channel.startswith(CHANNEL) or len(levels) > _MOST_ROWS:
        return None
    if gone and data.update_type == "s":
        return None
    numbers = quick_e8_column([one.price for one in levels] + [one.size for one in kept])
    if numbers is None:
        return None
    prices = numbers[: len(levels)]
    sizes = (0,) * len(gone) + numbers[len(levels) :]
    bids, asks = _sides([one.side for one in levels], prices, sizes)
    return BookUpdate(
        symbol=data.market,
        snapshot=data.update_type == "s",
        bids=bids,
        asks=asks,
        sequence=data.seq_no,
        venue_time_ms=data.last_updated_at or None,
    )


def _sides(
    sides: list[str], prices: tuple[int, ...], sizes: tuple[int, ...]
) -> tuple[Levels, Levels]:
    """Part the columns; at one stroke when all bids stand before all asks, as in a whole book."""
    middle = sides.count(_BUY)
    if _BUY not in sides[middle:]:
        return Ladder(prices[:middle], sizes[:middle]), Ladder(prices[middle:], sizes[middle:])
    bids: list[tuple[int, int]] = []
    asks: list[tuple[int, int]] = []
    for side, price, size in zip(sides, prices, sizes, strict=True):
        (bids if side == _BUY else asks).append((price, size))
    return bids, asks


def read_json_book(data: Row) -> BookUpdate:
    """Read a book event of a JSON session: a whole book, or what changed of it.

    Raises:
        Unreadable: it is neither, or a whole book that deletes.
    """
    kind = read_text(data, "update_type")
    if kind not in ("s", "d"):
        raise NewToUs("neither a snapshot nor a delta")
    sides: dict[str, list[tuple[int, int]]] = {_BUY: [], "SELL": []}
    for name in ("deletes", "updates", "inserts"):
        rows = as_rows(data.get(name) or [])
        if len(rows) > _MOST_ROWS:
            raise Unreadable("too many levels")
        if rows and name == "deletes" and kind == "s":
            raise Unreadable("a whole book that deletes levels")
        prices = e8_column([read_text(row, "price") for row in rows])
        sizes = e8_column([read_text(row, "size") for row in rows])
        for row, price, size in zip(rows, prices, sizes, strict=True):
            side = sides.get(read_text(row, "side"))
            if side is None:
                raise NewToUs("an unknown side")
            if price <= 0 or size < 0:
                raise Unreadable("a level is out of range")
            if name == "deletes":
                side.append((price, 0))
            elif size or kind == "d":
                side.append((price, size))
    return BookUpdate(
        symbol=read_text(data, "market"),
        snapshot=kind == "s",
        bids=sides[_BUY],
        asks=sides["SELL"],
        sequence=read_whole(data, "seq_no"),
        venue_time_ms=read_whole(data, "last_updated_at", 0) or None,
    )
