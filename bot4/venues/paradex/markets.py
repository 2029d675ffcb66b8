"""Paradex's markets: steps, limits and fees.

Source: Paradex API docs (OpenAPI 1.132), GET /markets, seen 2026-08.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from bot4.domain.market import PARADEX, Market, MarketKey
from bot4.domain.units import floor_step
from bot4.venues.paradex.messages import read_results
from bot4.venues.reading import (
    NewToUs,
    Row,
    Unreadable,
    as_row,
    read_aside,
    read_maybe,
    read_number,
    read_positive,
    read_text,
)

_TAKER_FEES: Final = {
    "api_fee": Decimal("0.00045"),
    "interactive_fee": Decimal(0),
}
"""Where a market names no fee, or no fee of this kind. Source: Paradex docs, Fees, seen 2026-11."""


def read_market(row: Row, *, interactive: bool) -> Market:
    """Read one market. The fee is that of orders sent with a Retail token if ``interactive``.

    Raises:
        Unreadable: it is no market that this bot could trade.
    """
    fees = "interactive_fee" if interactive else "api_fee"
    margin = as_row(row.get("delta1_cross_margin_params"))
    lot = read_positive(row, "order_size_increment")
    standard = read_text(row, "trading_mode", "STANDARD") == "STANDARD"
    return Market(
        key=MarketKey(PARADEX, read_text(row, "symbol")),
        base=read_text(row, "base_currency"),
        tick=read_positive(row, "price_tick_size"),
        lot=lot,
        min_size=lot,
        min_notional=read_maybe(row, "min_notional") or Decimal(0),
        taker_fee=_taker_fee(row, fees),
        max_leverage=max(floor_step(1 / read_positive(margin, "imf_base"), Decimal(1)), Decimal(1)),
        price_band=read_maybe(row, "price_bands_width") or None,
        trading=standard and read_text(row, "asset_kind", "PERP") == "PERP",
        quote=read_text(row, "quote_currency", ""),
        max_order=read_aside(row, "max_order_size"),
        max_position=read_aside(row, "position_limit"),
        max_open_orders=_most_open(row),
    )


def read_markets(value: object, *, interactive: bool) -> Sequence[Market]:
    """Read every market; those that this bot could not trade (options) are left out.

    Raises:
        Unreadable: it is no list of markets, or of none that is readable.
    """
    known: list[Market] = []
    rows = read_results(value)
    for row in rows:
        try:
            known.append(read_market(as_row(row), interactive=interactive))
        except Unreadable:
            continue
    if rows and not known:
        raise NewToUs("no market is readable")
    return tuple(known)


def _most_open(row: Row) -> int | None:
    most = row.get("max_open_orders")
    return most if isinstance(most, int) else None


def _taker_fee(row: Row, fees: str) -> Decimal:
    config = row.get("fee_config")
    kind = None if config is None else as_row(config).get(fees)
    if kind is None:
        return _TAKER_FEES[fees]
    return read_number(as_row(as_row(kind).get("taker_fee")), "fee")
