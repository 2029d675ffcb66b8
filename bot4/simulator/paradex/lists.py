"""Lists with pages: orders history and fills, newest first, behind opaque, signed cursors.

Source: Paradex API docs, OpenAPI 1.132.1, and the changelog of 2026-07-29: cursors of the old kind
are refused. A cursor is good for the list that gave it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from bot4.simulator.history import TapeTrade
from bot4.simulator.ledger import SimFill
from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex import markets, shapes
from bot4.simulator.paradex.desk import ParadexDesk
from bot4.simulator.paradex.refusal import Refused

PAGE_SIZE: Final = 100
"""Results on a page unless asked otherwise."""

MOST_RESULTS: Final = 5000
"""The most one may ask for. Source: what public clients ask, 2026; the tape's own is documented."""

MOST_TRADES: Final = 1000

Record = TypeVar("Record")


def history(desk: ParadexDesk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /orders-history, newest first.

    Raises:
        Refused: a query parameter makes no sense.
    """
    shows_new = desk.switches.history_shows_new
    span, known = _span(query), desk.shown_until_ms()
    chosen = [
        order
        for order in desk.orders.values()
        if (shows_new or order.status != "NEW")
        and order.received_ms in span
        and order.received_ms <= known
        and _agrees(query, "client_id", order.handle)
        and _agrees(query, "market", order.symbol)
        and _agrees(query, "side", order.side.upper())
        and _agrees(query, "type", order.kind)
        and _agrees(query, "status", order.status)
    ]
    chosen.sort(key=lambda order: order.id, reverse=True)
    key = _key(desk, "orders-history")
    return _page(chosen, query, key, _id_of, lambda order: shapes.order(desk, order))


def fills(desk: ParadexDesk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /fills, newest first.

    Raises:
        Refused: a query parameter makes no sense.
    """
    span, known = _span(query), desk.shown_until_ms()
    listed = desk.ledger.fills if desk.switches.busted_fills_shown else desk.ledger.standing
    chosen = [
        fill
        for fill in reversed(listed)
        if fill.time_ms in span and fill.time_ms <= known and _agrees(query, "market", fill.symbol)
    ]
    key = _key(desk, "fills")
    return _page(chosen, query, key, _id_of, lambda fill: shapes.fill(desk, fill))


def tape(desk: ParadexDesk, symbol: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /trades of one market, newest first.

    Raises:
        Refused: a query parameter makes no sense.
    """
    span = _span(query)
    chosen = [t for t in reversed(desk.histories[symbol].tape) if t.time_ms in span]
    key = _key(desk, "trades")
    return _page(
        chosen, query, key, _id_of, lambda trade: markets.trade(symbol, trade), most=MOST_TRADES
    )


def funding(desk: ParadexDesk, symbol: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /funding/data of one market: what holds now, then minute by minute back.

    Raises:
        Refused: a query parameter makes no sense.
    """
    span = _span(query)
    rows = [markets.funding(desk, symbol)]
    rows += [markets.funding(desk, symbol, rate) for rate in reversed(desk.histories[symbol].rates)]
    return _rows(
        [row for row in rows if row["created_at"] in span],
        query,
        _key(desk, "funding"),
        "created_at",
    )


def payments(desk: ParadexDesk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /funding/payments of one market, newest first.

    Raises:
        Refused: the market is missing, or a query parameter makes no sense.
    """
    if query.get("market") not in desk.markets:
        raise Refused("VALIDATION_ERROR", "market: is required")
    span = _span(query)
    chosen = [
        row
        for row in reversed(desk.payments)
        if row["created_at"] in span and row["market"] == query["market"]
    ]
    return _rows(chosen, query, _key(desk, "payments"), "id")


def tradebusts(desk: ParadexDesk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return GET /tradebusts, newest first.

    Raises:
        Refused: a query parameter makes no sense.
    """
    span = _span(query)
    busted = desk.ledger.busted
    rows = [shapes.bust(desk, fill_id) for fill_id in reversed(busted) if busted[fill_id] in span]
    return _rows(rows, query, _key(desk, "tradebusts"), "busted_fill_id")


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


def _id_of(record: SimOrder | SimFill | TapeTrade) -> str:
    return record.id


def _key(desk: ParadexDesk, name: str) -> bytes:
    """Return the key that signs the cursors of a list."""
    return f"{desk.setup.seed}/paradex/cursor/{name}".encode()


def _rows(
    rows: list[dict[str, Any]], query: Mapping[str, str], key: bytes, marker: str
) -> dict[str, Any]:
    return _page(rows, query, key, lambda row: str(row[marker]), lambda row: row)


def _page(
    records: list[Record],
    query: Mapping[str, str],
    key: bytes,
    mark: Callable[[Record], str],
    show: Callable[[Record], dict[str, Any]],
    *,
    most: int = MOST_RESULTS,
) -> dict[str, Any]:
    size = number(query, "page_size", PAGE_SIZE)
    if not 1 <= size <= most:
        raise Refused("INVALID_REQUEST_PARAMETER", f"page_size: must be 1 to {most}")
    start = 0
    if query.get("cursor"):
        marker = _read_cursor(query["cursor"], key)
        places = [place for place, record in enumerate(records) if mark(record) == marker]
        if not places:
            raise Refused("INVALID_REQUEST_PARAMETER", "cursor: invalid")
        start = places[0] + 1
    page = records[start : start + size]
    more = start + size < len(records)
    return {
        "next": _cursor(mark(page[-1]), key) if more else None,
        "prev": _cursor(mark(records[start - size - 1]), key) if start > size else None,
        "results": [show(record) for record in page],
    }


def _cursor(marker: str, key: bytes) -> str:
    signed = json.dumps({"marker": marker, "mac": _mac(marker, key)})
    return base64.urlsafe_b64encode(signed.encode()).decode("ascii")


def _read_cursor(cursor: str, key: bytes) -> str:
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor))
        marker = str(said["marker"])
        genuine = hmac.compare_digest(str(said["mac"]).encode(), _mac(marker, key).encode())
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise Refused("INVALID_REQUEST_PARAMETER", "cursor: invalid") from error
    if not genuine:
        raise Refused("INVALID_REQUEST_PARAMETER", "cursor: invalid")
    return marker


def _mac(marker: str, key: bytes) -> str:
    return hmac.new(key, marker.encode(), "sha256").hexdigest()[:16]
