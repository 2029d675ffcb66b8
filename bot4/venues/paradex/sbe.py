"""Paradex's binary frames: SBE, schema 1, versions 0 to 3 and what extends them.

Little-endian: an 8-byte header (block length, template, schema, version), the block, groups, then
texts as one length byte and UTF-8. Numbers are int64 x 10^-8, the smallest int64 for "none";
times are microseconds. The header's block length is honoured, so that newer fields are stepped
over; missing texts at the end are absent; other templates are not ours and are skipped.

Books are read at once into integers of 1e-8, which is what they hold. Private events are rare
and become rows with the names of their JSON twins, for the same readers.

Source: Paradex docs, Binary Encoding (SBE), schema paradex_1_0.xml 1:2, seen 2026-09.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from bot4.domain.book import BookUpdate, Ladder, Levels
from bot4.domain.units import from_e8, plain
from bot4.venues.reading import MAX_BYTES, MAX_LEVELS, NewToUs, Unreadable

TRADE, BBO, BOOK, ORDER, FILL, POSITION, ACCOUNT, HEARTBEAT = 1, 2, 3, 20, 21, 22, 23, 40

_SCHEMA: Final = 1
_SANE: Final = 256
"""No number of a true header is above. Source: ours; templates end at 41, versions at 3."""
_NULL: Final = -(2**63)
_US_PER_MS: Final = 1000
_HEADER: Final = struct.Struct("<HHHH")
_BOOK_HEAD: Final = struct.Struct("<qqB")
_GROUP_HEAD: Final = struct.Struct("<HH")
_LEVEL: Final = struct.Struct("<qq")
_SNAPSHOT, _DELTA = 0, 1
_OUR_BOOK: Final = _BOOK_HEAD.size
"""Bytes of a book's block that we need; its nine best prices and sizes are stepped over."""

_SIDES: Final = {1: "BUY", 2: "SELL"}
_TYPES: Final = {
    1: "LIMIT",
    2: "MARKET",
    3: "STOP_LIMIT",
    4: "STOP_MARKET",
    5: "TAKE_PROFIT_LIMIT",
    6: "TAKE_PROFIT_MARKET",
    7: "STOP_LOSS_LIMIT",
    8: "STOP_LOSS_MARKET",
}
_STATUSES: Final = {1: "NEW", 2: "UNTRIGGERED", 3: "OPEN", 4: "CLOSED"}
_INSTRUCTIONS: Final = {1: "GTC", 2: "IOC", 3: "POST_ONLY", 4: "RPI"}
_FILL_TYPES: Final = {
    1: "FILL",
    2: "LIQUIDATION",
    3: "UNWIND_TRANSFER",
    4: "SETTLE_MARKET",
    5: "RPI",
    6: "BLOCK_TRADE",
}
_LIQUIDITIES: Final = {1: "MAKER", 2: "TAKER"}
_LONG_SHORT: Final = {1: "LONG", 2: "SHORT"}
_OPEN_CLOSED: Final = {1: "OPEN", 2: "CLOSED"}
_HEALTH: Final = {1: "ACTIVE", 2: "LIQUIDATION"}


@attrs.frozen
class _Layout:
    """One template: its block's fields in order, and the texts after it.

    A field is (name, kind): ``n`` a number, ``t`` a time, ``q`` an integer,
    ``-`` eight and ``a`` 32 bytes that we step over; a mapping is an enumeration of one byte.
    """

    block: Sequence[tuple[str, str | Mapping[int, str]]]
    texts: Sequence[str]


def _numbers(names: str) -> list[tuple[str, str | Mapping[int, str]]]:
    return [(name, "n") for name in names.split()]


_STAMP: Final = [("time", "t"), ("seq_no", "q")]

_LAYOUTS: Final[Mapping[int, _Layout]] = {
    TRADE: _Layout(
        [*_STAMP, ("", "-"), ("side", _SIDES), *_numbers("price size"), ("created_at", "t")],
        ("market", "id"),
    ),
    BBO: _Layout([*_STAMP, *_numbers("bid bid_size ask ask_size")], ("market",)),
    ORDER: _Layout(
        [
            *_STAMP,
            ("status", _STATUSES),
            ("side", _SIDES),
            ("type", _TYPES),
            ("instruction", _INSTRUCTIONS),
            *_numbers("price trigger_price size remaining_size avg_fill_price"),
            *[("created_at", "t"), ("last_updated_at", "t"), ("", "a")],
            *[("received_at", "t"), ("published_at", "t")],
        ],
        ("id", "client_id", "market", "cancel_reason"),
    ),
    FILL: _Layout(
        [
            *_STAMP,
            ("fill_type", _FILL_TYPES),
            ("side", _SIDES),
            ("liquidity", _LIQUIDITIES),
            *_numbers("price size fee realized_pnl"),
            *[("created_at", "t"), ("", "a")],
            *_numbers("underlying_price realized_funding"),
        ],
        ("id", "order_id", "client_id", "trade_id", "market", "fee_currency"),
    ),
    POSITION: _Layout(
        [
            *_STAMP,
            ("side", _LONG_SHORT),
            *_numbers("size average_entry_price unrealized_pnl realized_positional_pnl"),
            ("", "-"),
            *_numbers("liquidation_price leverage"),
            *[("last_updated_at", "t"), ("", "a")],
            *_numbers("average_entry_price_usd cost cost_usd cached_funding_index"),
            *_numbers("unrealized_funding_pnl"),
            ("status", _OPEN_CLOSED),
        ],
        ("market", "last_fill_id"),
    ),
    ACCOUNT: _Layout(
        [
            *_STAMP,
            *_numbers("total_collateral free_collateral initial_margin_requirement"),
            *_numbers("maintenance_margin_requirement account_value"),
            ("", "-"),
            *[("updated_at", "t"), ("", "a")],
            *_numbers("margin_cushion"),
            ("status", _HEALTH),
        ],
        ("settlement_asset",),
    ),
}


def template_of(frame: bytes) -> int:
    """Return a frame's template.

    Raises:
        Unreadable: it is too large, or of another schema (``NewToUs``, unless it is noise).
        struct.error: it is shorter than its header.
    """
    if len(frame) > MAX_BYTES:
        raise Unreadable("too large")
    block_length, template, schema, version = _HEADER.unpack_from(frame)
    if schema != _SCHEMA:
        # A header that could be one is news; noise is not.
        sane = max(template, schema, version) < _SANE and _HEADER.size + block_length <= len(frame)
        raise (NewToUs if sane else Unreadable)("another schema than 1")
    return int(template)


def read_book(frame: bytes) -> BookUpdate:
    """Read a frame of template 3: a whole book, or the levels that changed.

    A level of size 0 in a snapshot is dropped; in a delta it removes.

    Raises:
        Unreadable: a count, price or size is out of range. Others of ``FAULTS`` when cut.
    """
    block_length = _HEADER.unpack_from(frame)[0]
    if block_length < _OUR_BOOK:
        raise Unreadable("the block is too short")
    time_us, sequence, package = _BOOK_HEAD.unpack_from(frame, _HEADER.size)
    if sequence < 0:
        raise Unreadable("a sequence number below zero")
    if package > _DELTA:
        raise NewToUs("neither a snapshot nor a delta")
    snapshot = package == _SNAPSHOT
    bids, at = _read_levels(frame, _HEADER.size + block_length, snapshot=snapshot)
    asks, at = _read_levels(frame, at, snapshot=snapshot)
    symbol, _ = _read_text(frame, at)
    time_ms = time_us // _US_PER_MS if time_us > 0 else None
    return BookUpdate(symbol, snapshot, bids, asks, sequence, time_ms)


def _read_levels(frame: bytes, at: int, *, snapshot: bool) -> tuple[Levels, int]:
    length, count = _GROUP_HEAD.unpack_from(frame, at)
    at += _GROUP_HEAD.size
    end = at + length * count
    if not count:
        return [], end
    if count > MAX_LEVELS or length < _LEVEL.size or end > len(frame):
        raise Unreadable("a group of levels does not fit")
    if length == _LEVEL.size:
        numbers = struct.unpack_from(f"<{2 * count}q", frame, at)
        # The usual case, told in C: a number whose highest byte is ASCII is not negative.
        usual = frame[at + 7 : end : 8].isascii() and 0 not in numbers
        if usual and snapshot:
            return Ladder(numbers[::2], numbers[1::2]), end
        levels = list(zip(numbers[::2], numbers[1::2], strict=True))
        if usual:
            return levels, end
    else:
        levels = [_LEVEL.unpack_from(frame, start) for start in range(at, end, length)]
    smallest = min(size for _, size in levels)
    if smallest < 0 or min(price for price, _ in levels) <= 0:
        raise Unreadable("a price or size is out of range")
    if snapshot and not smallest:
        levels = [level for level in levels if level[1]]
    return levels, end


def _read_text(frame: bytes, at: int) -> tuple[str, int]:
    start = at + 1
    end = start + frame[at]
    if end > len(frame):
        raise Unreadable("a text is cut")
    return frame[start:end].decode(), end


def read_event(frame: bytes) -> dict[str, Any]:
    """Read a frame of a template of ours but the book's into a row named as in JSON.

    Numbers become decimal texts, "" for none; times become ms, 0 for none; an enumeration's
    value that has no name becomes "". Fields beyond the block are absent.

    Raises:
        Unreadable: the template is not ours, or the block is shorter than version 0 has it.
            Others of ``FAULTS`` when cut.
    """
    block_length, template, _, _ = _HEADER.unpack_from(frame)
    layout = _LAYOUTS.get(template)
    if layout is None:
        raise Unreadable("not a template of ours")
    row: dict[str, Any] = {}
    at, end = _HEADER.size, _HEADER.size + block_length
    for name, kind in layout.block:
        width = 32 if kind == "a" else 8 if isinstance(kind, str) else 1
        if at + width > end or end > len(frame):
            raise Unreadable("the block is too short")
        if name:
            row[name] = _field(frame, at, kind)
        at += width
    at = end
    for name in layout.texts:
        if at >= len(frame):
            break  # an older version ends here
        row[name], at = _read_text(frame, at)
    return row


def _field(frame: bytes, at: int, kind: str | Mapping[int, str]) -> str | int:
    if not isinstance(kind, str):
        return kind.get(frame[at], "")
    value = int.from_bytes(frame[at : at + 8], "little", signed=True)
    if kind == "t":
        return value // _US_PER_MS if value != _NULL else 0
    if kind == "q":
        return value if value != _NULL else 0
    return plain(from_e8(value)) if value != _NULL else ""
