"""GET /orders: which orders, filtered and newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot4.simulator.orders import SimOrder
from bot4.simulator.vest.refusals import VestRefusal
from bot4.simulator.vest.shapes import order_row, shown

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

MOST_ORDERS: Final = 1000
STATUSES: Final = ("NEW", "PARTIALLY_FILLED", "FILLED", "CANCELLED", "REJECTED")
"""Source: Vest API docs, Query orders, seen 2025-11."""


def find_orders(venue: VestVenue, query: dict[str, str]) -> list[dict[str, Any]]:
    """Return the orders that match every filter given.

    Filters: ``id`` (comma list), ``nonce``, ``symbol``, ``orderType``, ``status``,
    ``startTime`` and ``endTime`` (receipt, milliseconds, both included), ``limit``.

    Raises:
        VestRefusal: 1130 for a filter that is not a number where it must be one, or for a status
            that is none; one client met it for a list of statuses, 2026.
    """
    most = _integer(query, "limit", MOST_ORDERS)
    if not 0 < most <= MOST_ORDERS:
        raise VestRefusal(1130, "limit must be from 1 to 1000")
    start, end = _integer(query, "startTime", 0), _integer(query, "endTime", 1 << 62)
    nonce = _integer(query, "nonce", -1)
    if query.get("status", STATUSES[0]) not in STATUSES:
        raise VestRefusal(1130, "status is not one of ours")
    ids = set(query["id"].split(",")) if query.get("id") else None

    end = min(end, venue.shown_until_ms())

    def wanted(order: SimOrder) -> bool:
        return (
            (ids is None or order.id in ids)
            and (nonce < 0 or order.extra["nonce"] == nonce)
            and query.get("symbol", order.symbol) == order.symbol
            and query.get("orderType", order.kind) == order.kind
            and query.get("status", shown(order, "status", order.status))
            == shown(order, "status", order.status)
            and start <= order.received_ms <= end
        )

    found = [order for order in reversed(venue.orders.values()) if wanted(order)]
    return [order_row(venue, order) for order in found[:most]]


def _integer(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not text.isascii() or len(text) > 20:
        raise VestRefusal(1130, f"{name} must be an integer")
    return int(text)
