"""Vest's orders, from answers and from the private stream, as reports and fills.

Vest has no execution list: a fill is told apart by its order's id and the cumulative size after
it. An order says of its last fill only ``lastFilled*`` and of all of them ``avgFilledPrice`` and
``fees``; against an AMM orders fill whole, so more than one fill is rare.

Source: Vest API docs (v2), Orders and account_private, seen 2025-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.market import VEST
from bot4.domain.order import Order, OrderReport, OrderState, Side
from bot4.ports import Unread
from bot4.venues.reading import (
    NewToUs,
    Row,
    Unreadable,
    as_rows,
    read_aside,
    read_flag,
    read_maybe,
    read_positive,
    read_text,
    read_whole,
)
from bot4.venues.rows import as_list, read_rows
from bot4.venues.vest import rules

_STATES: Final = {
    "NEW": OrderState.ACCEPTED,
    "PARTIALLY_FILLED": OrderState.OPEN,
    "FILLED": OrderState.CLOSED,
    "CANCELLED": OrderState.CLOSED,
    "REJECTED": OrderState.REFUSED,
}
_CHILDREN: Final = ("TAKE_PROFIT", "STOP_LOSS")
LIQUIDATION: Final = "LIQUIDATION"
_NOT_SENT: Final = (*_CHILDREN, LIQUIDATION)
"""Types of orders that nobody sent as they are: their nonce, if any, is their parent's."""
_E8: Final = Decimal("0.00000001")
_ZERO: Final = Decimal(0)


@attrs.frozen
class Progress:
    """What was known of an order's fills before."""

    filled: Decimal = _ZERO
    fee: Decimal | None = _ZERO
    last: tuple[Any, ...] = ()
    """The last partial fill's own numbers: the same again is a repetition."""


def read_order(row: Row, before: Progress | None = None) -> OrderReport:
    """Read one order of ``/orders`` or of an ORDER event.

    Cancelled and rejected events carry neither symbol nor sizes: then ``filled`` is None for a
    cancelled one (it does not say) and 0 for a rejected one.

    Raises:
        Unreadable: it is no order.
    """
    status = read_text(row, "status")
    state = _STATES.get(status)
    if state is None:
        raise NewToUs("an unknown order status")
    size = None if row.get("size") is None else read_positive(row, "size")
    reason = "CANCELLED" if status == "CANCELLED" else ""
    if state is OrderState.REFUSED:
        reason = rules.reason(read_whole(row, "code", 0))
    filled = _filled(row, status, size, before)
    if size is not None and filled is not None and not 0 <= filled <= size:
        raise Unreadable("more is filled than was ordered")
    return OrderReport(
        venue=VEST,
        client_order_id=_nonce(row),
        venue_order_id=read_text(row, "id"),
        state=state,
        symbol=read_text(row, "symbol", ""),
        side=None if row.get("isBuy") is None else _side(row),
        size=size,
        filled=filled,
        average_price=(read_aside(row, "avgFilledPrice") or None) if filled else None,
        fee=read_aside(row, "fees") if filled else None,
        funding=read_aside(row, "settledFunding") if filled else None,
        reason=reason,
        venue_time_ms=read_whole(row, "lastFilledTime", read_whole(row, "postTime")),
    )


def _filled(row: Row, status: str, size: Decimal | None, before: Progress | None) -> Decimal | None:
    if status == "REJECTED":
        return _ZERO
    if status == "FILLED":
        if size is None:
            raise Unreadable("size is missing")
        return size
    if status == "NEW":
        return _ZERO
    last = read_maybe(row, "lastFilledSize")
    known = before.filled if before else _ZERO
    if status == "PARTIALLY_FILLED":
        return known + (last or _ZERO) if before else last
    # Cancelled: an event does not say; a row of /orders has the last fill, or null for none.
    return max(known, last or _ZERO) if "lastFilledSize" in row else None


def _nonce(row: Row) -> str:
    """Return the name that we gave the order; "" for one that the venue or a TP/SL made."""
    if row.get("nonce") is None or read_text(row, "orderType", "") in _NOT_SENT:
        return ""
    return str(read_whole(row, "nonce"))


def _side(row: Row) -> Side:
    return Side.BUY if read_flag(row, "isBuy") else Side.SELL


def read_fills(row: Row, report: OrderReport, before: Progress | None = None) -> list[Fill]:
    """Return the fills that this statement adds to what was known before.

    Without anything known, a FILLED order whose last fill is smaller than the order is two: the
    last, and all before it at the price that the average leaves for them.

    Raises:
        Unreadable: the numbers of the fills are missing.
    """
    filled = report.filled
    if not filled or report.side is None:
        return []
    known = before or Progress()
    fee = None if report.fee is None or known.fee is None else report.fee - known.fee
    last_size = min(read_positive(row, "lastFilledSize"), filled - known.filled)
    last_price = read_positive(row, "lastFilledPrice")
    earlier = filled - known.filled - last_size
    if last_size <= 0:
        return []
    if not earlier:
        found = [_fill(report, filled, last_size, last_price, fee)]
    elif known.filled:
        # Some were missed: their price is not said, the last one's is the best there is.
        found = [_fill(report, filled, earlier + last_size, last_price, fee)]
    else:
        found = _two(report, earlier, last_size, last_price)
    if read_text(row, "orderType", "") == LIQUIDATION:
        found = [attrs.evolve(fill, kind="liquidation") for fill in found]
    return found


def _two(
    report: OrderReport, earlier: Decimal, last_size: Decimal, last_price: Decimal
) -> list[Fill]:
    """Split an order of which only the last fill is told: before it, what the average leaves."""
    filled, fee = report.filled or _ZERO, report.fee
    average = report.average_price or last_price
    price = ((average * filled - last_price * last_size) / earlier).quantize(_E8)
    share = None if fee is None else (fee * earlier / filled).quantize(_E8)
    rest = None if fee is None or share is None else fee - share
    return [
        _fill(report, earlier, earlier, price, share),
        _fill(report, filled, last_size, last_price, rest),
    ]


def _fill(
    report: OrderReport, cumulative: Decimal, size: Decimal, price: Decimal, fee: Decimal | None
) -> Fill:
    if report.side is None or price <= 0:
        raise Unreadable("a fill without side or price")
    return Fill(
        venue=VEST,
        # Normalised: the same cumulative size spelled otherwise is the same fill.
        fill_id=f"{report.venue_order_id}:{cumulative.normalize():f}",
        client_order_id=report.client_order_id,
        venue_order_id=report.venue_order_id,
        symbol=report.symbol,
        side=report.side,
        price=price,
        size=size,
        fee=fee,
        venue_time_ms=report.venue_time_ms,
    )


def pick_order(value: object, order: Order) -> Row | None:
    """Return the row of ``/orders`` that is this order; None is "not found".

    A rejected copy alone is "not found" too: like no row at all it counts only twice, by both
    names of the order and past its window, and by then a first copy would be shown.

    Raises:
        Unreadable: they are not orders, or orders of another nonce.
    """
    rows = as_rows(value)
    for row in rows:
        if str(read_whole(row, "nonce")) != order.client_order_id:
            # A venue that ignores the question proves nothing by its answer.
            raise Unreadable("orders of another nonce")
        child = read_text(row, "orderType", "") in _CHILDREN
        if read_text(row, "symbol") == order.key.symbol and not child and not is_copy(row):
            return row
    return None


def is_copy(row: Row) -> bool:
    """Whether this is the rejection of a second copy, under the same nonce as the first.

    Some proxies send a request twice. It says nothing of the first, which was accepted.
    """
    return row.get("status") == "REJECTED" and row.get("code") == rules.SECOND_COPY


def read_orders(value: object) -> Sequence[OrderReport | Unread]:
    """Read a list of orders, row by row.

    Raises:
        Unreadable: it is not one.
    """
    return read_rows(VEST, "order", as_list(value), read_order)
