"""Binary frames of the slow public channels: market summaries (template 4) and funding (5).

Source: Paradex docs, schema paradex_1_0.xml 1:2, seen 2026-11; version 3's last field as a public
client library reads it.
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Final

from bot4.simulator.paradex.sbe import NULL, SCHEMA_ID, Payload, scaled

SUMMARY, FUNDING = 4, 5
_RATE_SCALE: Final = 10**12
_NOTHING: Final = (NULL,) * 4
_US_PER_MS: Final = 1000


def summary_frame(version: int, data: Payload, *, time_us: int, seq_no: int) -> bytes:
    """Template 4, from the JSON form of a market's summary; volatilities are null."""
    greeks = (data["greeks"].get(n) for n in ("gamma", "vega", "theta", "rho", "volga", "vanna"))
    fields = [
        time_us,
        seq_no,
        scaled(data["mark_price"]),
        scaled(data["underlying_price"]),
        scaled(data["last_traded_price"]),
        scaled(data["volume_24h"]),
        scaled(data["open_interest"]),
        scaled(data["funding_rate"]),
        scaled(data["bid"]),
        scaled(data["ask"]),
        scaled(data["total_volume"]),
        scaled(data["price_change_rate_24h"]),
        *_NOTHING,
        scaled(data["delta"]),
        *(scaled(value) for value in greeks),
        scaled(data["future_funding_rate"]),
        scaled(data["external_fair_price"]),
        scaled(data["bid_size"]),
        scaled(data["ask_size"]),
    ]
    if version >= 1:
        fields += [NULL, NULL, int(Decimal(data["funding_rate"]) * _RATE_SCALE)]
    if version >= 3:
        fields.append(NULL)
    return _frame(SUMMARY, version, struct.pack(f"<{len(fields)}q", *fields), data["symbol"])


def funding_frame(version: int, data: Payload, *, time_us: int, seq_no: int) -> bytes:
    """Template 5, from the JSON form of a market's funding."""
    block = struct.pack(
        "<qqqqqqqh",
        time_us,
        seq_no,
        scaled(data["funding_rate"]),
        scaled(data["funding_index"]),
        int(data["created_at"]) * _US_PER_MS,
        scaled(data["funding_premium"]),
        scaled(data["funding_rate_8h"]),
        int(data["funding_period_hours"]),
    )
    if version >= 1:
        block += struct.pack("<q", NULL)
    return _frame(FUNDING, version, block, data["market"])


def _frame(template: int, version: int, block: bytes, market: str) -> bytes:
    header = struct.pack("<HHHH", len(block), template, SCHEMA_ID, version)
    name = market.encode()
    return header + block + struct.pack("<B", len(name)) + name
