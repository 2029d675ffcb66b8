"""Lists with pages: orders history and fills, newest first, behind opaque cursors."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from bot4.simulator.ledger import SimFill
from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex import shapes
from bot4.simulator.paradex.desk import ParadexDesk
from bot4.simulator.paradex.refusal import Refused

PAGE_SIZE: Final = 100
"""Results on a page unless asked otherwise, and the most one may ask for."""

Record = TypeVar("Record", SimOrder, SimFill)


def history(desk: ParadexDesk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /orders-history, newest first.

    Raises:
        Refused: a query parameter makes no sense.
    """
    shows_new = desk.switches.history_shows_new
    span = _span(query)
    chosen = [
        order
        for order in desk.orders.values()
        if (shows_new or order.status != "NEW")
        and order.received_ms in span
        and _agrees(query, "client_id", order.handle)
        and _agrees(query, "market", order.symbol)
        and _agrees(query, "side", order.side.upper())
        and _agrees(query, "type", order.kind)
        and _agrees(query, "status", order.status)
    ]
    chosen.sort(key=lambda order: order.id, reverse=True)
    return _page(chosen, query, lambda order: shapes.order(desk, order))


def fills(desk: ParadexDesk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /fills, newest first.

    Raises:
        Refused: a query parameter makes no sense.
    """
    span = _span(query)
    chosen = [
        fill
        for fill in reversed(desk.ledger.fills)
        if fill.time_ms in span and _agrees(query, "market", fill.symbol)
    ]
    return _page(chosen, query, lambda fill: shapes.fill(desk, fill))


def empty_page() -> dict[str, Any]:
    """Return a list that has nothing and never will."""
    return {"next": None, "prev": None, "results": []}


def number(query: Mapping[str, str], name: str, default: int) -> int:
    """Return an integer query parameter.

    Raises:
        Refused: it is not one, or negative.
    """
    text = query.get(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise Refused("INVALID_REQUEST_PARAMETER", f"{name}: must be a whole number")
    return int(text)


def _agrees(query: Mapping[str, str], name: str, value: str) -> bool:
    wanted = query.get(name)
    return not wanted or wanted == value


def _span(query: Mapping[str, str]) -> range:
    return range(number(query, "start_at", 0), number(query, "end_at", 2**62) + 1)


def _page(
    records: list[Record], query: Mapping[str, str], show: Callable[[Record], dict[str, Any]]
) -> dict[str, Any]:
    size = number(query, "page_size", PAGE_SIZE)
    if not 1 <= size <= PAGE_SIZE:
        raise Refused("INVALID_REQUEST_PARAMETER", f"page_size: must be 1 to {PAGE_SIZE}")
    start = 0
    if query.get("cursor"):
        marker = _read_cursor(query["cursor"])
        places = [place for place, record in enumerate(records) if record.id == marker]
        if not places:
            raise Refused("INVALID_REQUEST_PARAMETER", "cursor: invalid")
        start = places[0] + 1
    page = records[start : start + size]
    more = start + size < len(records)
    return {
        "next": _cursor(page[-1].id) if more else None,
        "prev": _cursor(records[start - size - 1].id) if start > size else None,
        "results": [show(record) for record in page],
    }


def _cursor(marker: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"marker": marker}).encode()).decode("ascii")


def _read_cursor(cursor: str) -> str:
    try:
        return str(json.loads(base64.urlsafe_b64decode(cursor))["marker"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise Refused("INVALID_REQUEST_PARAMETER", "cursor: invalid") from error
