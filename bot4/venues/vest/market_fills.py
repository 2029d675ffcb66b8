"""All of the account's fills on one market: Vest has them in its orders, newest first.

Source: Vest API docs (v2), Query orders, seen 2025-11: at most 1000 rows, counted back from
``endTime``.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from bot4.domain.fill import Fill
from bot4.domain.market import VEST
from bot4.ports import FillPage, Unread
from bot4.venues.reading import Row, read_whole
from bot4.venues.rows import as_list, read_rows
from bot4.venues.vest.orders import read_fills, read_order

_MOST_ROWS: Final = 1000


def query(symbol: str, since_ms: int, page: str) -> str:
    """Return the question for a page; ``page`` is the time up to which it goes, "" for now."""
    until = f"endTime={int(page)}&" if page else ""
    start = max(since_ms, 0)
    return f"/orders?symbol={quote(symbol, safe='')}&startTime={start}&{until}limit={_MOST_ROWS}&"


def read_page(value: object) -> FillPage:
    """Read the orders of one page, row by row.

    Raises:
        Unreadable: it is no list of orders.
    """
    oldest_ms: int | None = None

    def read(row: Row) -> list[Fill]:
        nonlocal oldest_ms
        posted_ms = read_whole(row, "postTime")
        oldest_ms = posted_ms if oldest_ms is None else min(oldest_ms, posted_ms)
        return read_fills(row, read_order(row))

    rows = as_list(value)
    found: list[Fill | Unread] = []
    for one in read_rows(VEST, "fill", rows, read):
        found += [one] if isinstance(one, Unread) else one
    # The oldest moment is asked for again: some of its orders may be on the next page.
    full = len(rows) >= _MOST_ROWS and oldest_ms is not None
    return FillPage(tuple(found), str(oldest_ms) if full else "")
