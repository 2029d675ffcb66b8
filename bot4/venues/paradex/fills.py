"""GET /fills: the fills of one order, or all of the account's on one market, page by page.

Source: Paradex API docs (OpenAPI 1.132), fills and pagination, seen 2026-08.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from bot4.domain.fill import Fill
from bot4.domain.order import Order
from bot4.ports import Errand, FillPage
from bot4.venues.paradex import asking
from bot4.venues.paradex.messages import read_fill, read_results
from bot4.venues.paradex.session import ParadexSession
from bot4.venues.reading import FAULTS, as_row, read_text

_EARLY_MS: Final = 5_000
_LATE_MS: Final = 60_000
"""Fills of an order lie between its signing and its fence; with room for clocks and bumps."""
_PAGE_SIZE: Final = 100


def around(order: Order) -> str:
    """Return the query for what lies around an order's time in its market."""
    start, end = max(order.signed_ms - _EARLY_MS, 0), order.fence_ms + _LATE_MS
    return f"market={quote(order.key.symbol, safe='')}&start_at={start}&end_at={end}"


def of_order(session: ParadexSession, order: Order) -> Errand[Sequence[Fill]]:
    """Ask for an order's fills: all of its market around its time, ours picked out."""

    def read(value: object) -> Sequence[Fill]:
        ours = order.client_order_id
        return tuple(
            read_fill(row) for row in read_results(value) if read_text(row, "client_id", "") == ours
        )

    return asking.get(session, f"/fills?{around(order)}", "fills", read)


def of_market(session: ParadexSession, symbol: str, since_ms: int, page: str) -> Errand[FillPage]:
    """Ask for a page of the account's fills on a market; rows that cannot be read are left out."""

    def read(value: object) -> FillPage:
        found: list[Fill] = []
        for row in read_results(value):
            with suppress(*FAULTS):
                found.append(read_fill(row))
        return FillPage(tuple(found), read_text(as_row(value), "next", ""))

    query = f"market={quote(symbol, safe='')}&start_at={max(since_ms, 0)}&page_size={_PAGE_SIZE}"
    if page:
        query += f"&cursor={quote(page, safe='')}"
    return asking.get(session, f"/fills?{query}", "fills of the market", read)
