"""GET /fills: the fills of one order, or all of the account's on one market, page by page.

Source: Paradex API docs (OpenAPI 1.132), fills and pagination, seen 2026-08.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX
from bot4.domain.order import Order
from bot4.ports import Errand, FillPage
from bot4.venues.paradex import asking
from bot4.venues.paradex.messages import read_fill, read_results
from bot4.venues.paradex.session import ParadexSession
from bot4.venues.reading import Row, as_row, read_text
from bot4.venues.rows import read_rows

_EARLY_MS: Final = 5_000
_LATE_MS: Final = 60_000
"""Fills of an order lie between its signing and its fence; with room for clocks and bumps."""
_PAGE_SIZE: Final = 100


def around(order: Order, page: str) -> str:
    """Return the query for a page of what lies around an order's time in its market."""
    start, end = max(order.signed_ms - _EARLY_MS, 0), order.fence_ms + _LATE_MS
    query = f"market={quote(order.key.symbol, safe='')}&start_at={start}&end_at={end}"
    return f"{query}&cursor={quote(page, safe='')}" if page else query


def of_order(session: ParadexSession, order: Order, page: str) -> Errand[FillPage]:
    """Ask for a page of an order's fills: all of its market around its time, ours picked out."""

    def ours(row: Row) -> Fill | None:
        return read_fill(row) if row.get("client_id") == order.client_order_id else None

    def read(value: object) -> FillPage:
        found = read_rows(PARADEX, "fill", read_results(value), ours)
        return FillPage(tuple(found), read_text(as_row(value), "next", ""))

    return asking.get(session, f"/fills?{around(order, page)}", "fills", read)


def of_market(session: ParadexSession, symbol: str, since_ms: int, page: str) -> Errand[FillPage]:
    """Ask for a page of the account's fills on a market."""

    def read(value: object) -> FillPage:
        found = read_rows(PARADEX, "fill", read_results(value), read_fill)
        return FillPage(tuple(found), read_text(as_row(value), "next", ""))

    query = f"market={quote(symbol, safe='')}&start_at={max(since_ms, 0)}&page_size={_PAGE_SIZE}"
    if page:
        query += f"&cursor={quote(page, safe='')}"
    return asking.get(session, f"/fills?{query}", "fills of the market", read)
