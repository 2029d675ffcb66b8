"""The binary frames of Paradex, schema 1, versions 0 to 3, written by the venue's side.

Little-endian: an 8-byte header (block length, template, schema, version), the block, the groups,
then texts as one length byte and UTF-8. Numbers are int64 x 10^-8 with the smallest int64 for
"none"; times are microseconds. A frame does not name its channel.

Source: Paradex docs, Binary Encoding (SBE), schema paradex_1_0.xml 1:2, seen 2026-11; the
frames captured from production on 2026-10-08 are reproduced byte for byte by these functions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

SCHEMA_ID: Final = 1
VERSIONS: Final = (0, 1, 2, 3)
NULL: Final = -(2**63)
SCALE: Final = 10**8
UNKNOWN: Final = 254
"""What the schema says for a value it has no name for."""

TRADE, BBO, BOOK, ORDER, FILL, POSITION, ACCOUNT, HEARTBEAT = 1, 2, 3, 20, 21, 22, 23, 40
SNAPSHOT, DELTA = 0, 1

SIDES: Final = {"BUY": 1, "SELL": 2}
POSITION_SIDES: Final = {"LONG": 1, "SHORT": 2}
STATUSES: Final = {"NEW": 1, "UNTRIGGERED": 2, "OPEN": 3, "CLOSED": 4}
INSTRUCTIONS: Final = {"GTC": 1, "IOC": 2, "POST_ONLY": 3, "RPI": 4}
ORDER_TYPES: Final = {
    "LIMIT": 1,
    "MARKET": 2,
    "STOP_LIMIT": 3,
    "STOP_MARKET": 4,
    "TAKE_PROFIT_LIMIT": 5,
    "TAKE_PROFIT_MARKET": 6,
    "STOP_LOSS_LIMIT": 7,
    "STOP_LOSS_MARKET": 8,
}
FILL_TYPES: Final = {
    "FILL": 1,
    "LIQUIDATION": 2,
    "UNWIND_TRANSFER": 3,
    "SETTLE_MARKET": 4,
    "RPI": 5,
    "BLOCK_TRADE": 6,
}
LIQUIDITIES: Final = {"MAKER": 1, "TAKER": 2}
STP_MODES: Final = {"": 0, "EXPIRE_MAKER": 1, "EXPIRE_TAKER": 2, "EXPIRE_BOTH": 3}
POSITION_STATUSES: Final = {"OPEN": 1, "CLOSED": 2}
ACCOUNT_STATUSES: Final = {"ACTIVE": 1, "LIQUIDATION": 2}
ORDER_FLAGS: Final = {
    "REDUCE_ONLY": 1,
    "STOP_CONDITION_BELOW_TRIGGER": 2,
    "STOP_CONDITION_ABOVE_TRIGGER": 4,
    "INTERACTIVE": 8,
    "TARGET_STRATEGY_VWAP": 16,
    "MMP": 32,
}
FILL_FLAGS: Final = {"interactive": 1, "rpi": 2, "fastfill": 4}
REQUEST_STATUSES: Final = {"PENDING": 1, "PROCESSED": 2, "REJECTED": 3, "SUCCESS": 4}
REQUEST_TYPES: Final = {"MODIFY_ORDER": 1}

_US_PER_MS: Final = 1000

Payload = Mapping[str, Any]


def scaled(value: Decimal | str | None) -> int:
    """Return a number x 10^8 cut to an integer; none and empty text are the null value."""
    if value is None or value == "":
        return NULL
    return int(Decimal(value) * SCALE)


def micros(value: int | None) -> int:
    """Return milliseconds as microseconds; none is the null value."""
    return NULL if value is None else int(value) * _US_PER_MS


def _frame(template: int, version: int, block: bytes, texts: Iterable[str | None] = ()) -> bytes:
    header = struct.pack("<HHHH", len(block), template, SCHEMA_ID, version)
    return header + block + b"".join(_text(text) for text in texts)


def _text(text: str | None) -> bytes:
    encoded = (text or "").encode()
    return struct.pack("<B", len(encoded)) + encoded


def _address(account: str | None) -> bytes:
    return int(account or "0", 16).to_bytes(32, "big")


def _flags(table: Mapping[str, int], names: Iterable[str] | None) -> int:
    return sum(table.get(name, 0) for name in names or ())


def heartbeat_frame(version: int, *, time_us: int, seq_no: int) -> bytes:
    """Template 40: the connection is alive, there is nothing to say."""
    return _frame(HEARTBEAT, version, struct.pack("<qq", time_us, seq_no))


def book_frame(
    version: int,
    *,
    time_us: int,
    seq_no: int,
    package: int,
    bids: Iterable[tuple[int, int]],
    asks: Iterable[tuple[int, int]],
    market: str,
) -> bytes:
    """Template 3: a whole book or its changes, prices and sizes x 10^8, size 0 removes.

    The nine best-price fields are null, as production sends them.
    """
    block = struct.pack("<qqB9q", time_us, seq_no, package, *([NULL] * 9))
    header = struct.pack("<HHHH", len(block), BOOK, SCHEMA_ID, version)
    return header + block + _levels(bids) + _levels(asks) + _text(market)


def _levels(levels: Iterable[tuple[int, int]]) -> bytes:
    entries = [struct.pack("<qq", price, size) for price, size in levels]
    return struct.pack("<HH", 16, len(entries)) + b"".join(entries)


def bbo_frame(version: int, data: Payload, *, time_us: int) -> bytes:
    """Template 2, from the JSON form of a bbo event."""
    numbers = (scaled(data[name]) for name in ("bid", "bid_size", "ask", "ask_size"))
    block = struct.pack("<qqqqqq", time_us, int(data["seq_no"]), *numbers)
    return _frame(BBO, version, block, [data["market"]])


def trade_frame(version: int, data: Payload, *, time_us: int, seq_no: int) -> bytes:
    """Template 1, from the JSON form of a trade."""
    block = struct.pack(
        "<qqqBqqqB",
        time_us,
        seq_no,
        int(data["id"]) % 2**63,
        SIDES[data["side"]],
        scaled(data["price"]),
        scaled(data["size"]),
        int(data["created_at"]) * _US_PER_MS,
        FILL_TYPES.get(data["trade_type"], UNKNOWN),
    )
    texts = [data["market"]]
    if version >= 2:
        texts.append(str(data["id"]))
    return _frame(TRADE, version, block, texts)


def order_frame(version: int, data: Payload, *, time_us: int) -> bytes:
    """Template 20, from the JSON form of an order event."""
    price = "" if str(data["type"]).endswith("MARKET") else data["price"]
    trigger = data.get("trigger_price") or None
    average = data["avg_fill_price"] if Decimal(data["avg_fill_price"] or 0) else None
    block = struct.pack(
        "<qqBBBBqqqqqqq32sqqBB",
        time_us,
        int(data["seq_no"] or 0),
        STATUSES.get(data["status"], UNKNOWN),
        SIDES.get(data["side"], UNKNOWN),
        ORDER_TYPES.get(data["type"], UNKNOWN),
        INSTRUCTIONS.get(data["instruction"], UNKNOWN),
        scaled(price),
        scaled(trigger),
        scaled(data["size"]),
        scaled(data["remaining_size"]),
        scaled(average),
        micros(data["created_at"]),
        micros(data["last_updated_at"]),
        _address(data["account"]),
        micros(data["received_at"]),
        micros(data["published_at"]),
        STP_MODES.get(data["stp"], UNKNOWN),
        _flags(ORDER_FLAGS, data["flags"]),
    )
    texts = [data["id"], data["client_id"], data["market"], data["cancel_reason"]]
    if version >= 2:
        request = data.get("request_info") or {}
        block += struct.pack(
            "<BB",
            REQUEST_STATUSES.get(request.get("status", ""), 0),
            REQUEST_TYPES.get(request.get("request_type", ""), 0),
        )
        texts += [request.get("id", ""), request.get("message", "")]
    return _frame(ORDER, version, block, texts)


def fill_frame(version: int, data: Payload, *, time_us: int, seq_no: int) -> bytes:
    """Template 21, from the JSON form of a fill."""
    block = struct.pack(
        "<qqBBBqqqqq32sqq",
        time_us,
        seq_no,
        FILL_TYPES.get(data["fill_type"], UNKNOWN),
        SIDES.get(data["side"], UNKNOWN),
        LIQUIDITIES.get(data["liquidity"], UNKNOWN),
        scaled(data["price"]),
        scaled(data["size"]),
        scaled(data["fee"]),
        scaled(data["realized_pnl"]),
        micros(data["created_at"]),
        _address(data["account"]),
        scaled(data["underlying_price"]),
        scaled(data["realized_funding"]),
    )
    texts = [data["id"], data["order_id"], data["client_id"], data["id"], data["market"]]
    if version >= 2:
        flags = _flags(FILL_FLAGS, data["flags"])
        block += struct.pack("<BQ", flags, int(data["orderbook_seq_no"] or 0))
        texts.append(data["fee_currency"])
    return _frame(FILL, version, block, texts)


def position_frame(version: int, data: Payload, *, time_us: int) -> bytes:
    """Template 22, from the JSON form of a position; the size is absolute here."""
    block = struct.pack(
        "<qqBqqqqqqqq32sqqqqqB",
        time_us,
        int(data["seq_no"]),
        POSITION_SIDES[data["side"]],
        abs(scaled(data["size"])),
        scaled(data["average_entry_price"]),
        scaled(data["unrealized_pnl"]),
        scaled(data["realized_positional_pnl"]),
        NULL,
        scaled(data["liquidation_price"]),
        scaled(data["leverage"]),
        int(data["last_updated_at"]) * _US_PER_MS,
        _address(data["account"]),
        scaled(data["average_entry_price_usd"]),
        scaled(data["cost"]),
        scaled(data["cost_usd"]),
        scaled(data["cached_funding_index"]),
        scaled(data["unrealized_funding_pnl"]),
        POSITION_STATUSES.get(data["status"], 3),
    )
    return _frame(POSITION, version, block, [data["market"], data["last_fill_id"]])


def account_frame(version: int, data: Payload, *, time_us: int) -> bytes:
    """Template 23, from the JSON form of the account's summary."""
    block = struct.pack(
        "<qqqqqqqqq32sqB",
        time_us,
        int(data["seq_no"]),
        scaled(data["total_collateral"]),
        scaled(data["free_collateral"]),
        scaled(data["initial_margin_requirement"]),
        scaled(data["maintenance_margin_requirement"]),
        scaled(data["account_value"]),
        NULL,
        int(data["updated_at"]) * _US_PER_MS,
        _address(data["account"]),
        scaled(data["margin_cushion"]),
        ACCOUNT_STATUSES.get(data["status"], UNKNOWN),
    )
    if version >= 2:
        block += struct.pack("<q", int(data["last_seen_notification"]) * _US_PER_MS)
    return _frame(ACCOUNT, version, block, [data["settlement_asset"]])
