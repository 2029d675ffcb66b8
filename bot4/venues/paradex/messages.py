"""Paradex's JSON: orders, fills, positions, accounts, markets and errors.

The same readers serve REST, the JSON stream and the decoded SBE stream: their names agree.

Source: Paradex API docs (OpenAPI 1.132, AsyncAPI 1.3), seen 2026-08.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

import attrs

from bot4.domain.book import BookUpdate
from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, MarketKey
from bot4.domain.order import OrderReport, OrderState, Side
from bot4.domain.position import Account, Position
from bot4.errors import AddressRefused, AuthRefused, VenueRefused
from bot4.ports import Answer, Unread
from bot4.secret import mask
from bot4.venues.blocking import WORDS
from bot4.venues.paradex import rules
from bot4.venues.reading import (
    FAULTS,
    MAX_ANSWER_BYTES,
    NewToUs,
    Row,
    Unreadable,
    as_row,
    e8_column,
    level_texts,
    read_aside,
    read_json,
    read_maybe,
    read_number,
    read_positive,
    read_text,
    read_whole,
    violation,
    words,
)
from bot4.venues.rows import as_list, read_rows

T = TypeVar("T")

_STATES: Final = {
    "NEW": OrderState.ACCEPTED,
    "UNTRIGGERED": OrderState.OPEN,
    "OPEN": OrderState.OPEN,
    "CLOSED": OrderState.CLOSED,
}
_SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
_KINDS: Final = {
    "FILL": "trade",
    "RPI": "trade",
    "LIQUIDATION": "liquidation",
    "UNWIND_TRANSFER": "transfer",
}
_FINE: Final = ("", "ACTIVE")
"""Of an account's status. The others known are LIQUIDATION and RESYNC, while the venue mends or
recounts the account. Source: Paradex API docs, GET /account, seen 2026-08."""
_OUR_MONEY: Final = ("", "USDC", "USD")
"""Fees may be paid in DIME instead. Source: Paradex docs, Fees, seen 2026-11."""


@attrs.frozen
class Fault:
    """An answer that is an error. ``code`` is "" when it names none."""

    code: str
    why: str


def read_fault(answer: Answer) -> Fault | None:
    """Read an answer as an error; None when it is not one."""
    if 200 <= answer.status < 300:
        return None
    try:
        body = read_json(answer.body, MAX_ANSWER_BYTES)
    except FAULTS:
        body = None
    row = body if isinstance(body, dict) else {}
    code, said = words(row.get("error")), words(row.get("message"))
    name = code or f"HTTP {answer.status}"
    return Fault(code, f"{name}: {said}" if said else name)


def read_answer(answer: Answer, what: str, read: Callable[[Any], T]) -> T:
    """Read the answer to a question.

    Raises:
        AddressRefused, AuthRefused: as ``raise_signed_out``.
        VenueRefused: it is another error of the venue's.
        ProtocolViolation: it is none and cannot be read either.
    """
    fault = read_fault(answer)
    if fault is not None:
        why = f"{what}: {fault.why}"
        raise_signed_out(answer, fault, what)
        raise VenueRefused(PARADEX, why, code=fault.code, status=answer.status)
    try:
        return read(read_json(answer.body, MAX_ANSWER_BYTES))
    except FAULTS as error:
        raise violation(PARADEX, what, error) from None


def raise_signed_out(answer: Answer, fault: Fault, what: str) -> None:
    """Raise what says that the session, or our address, is of no use; else return.

    Raises:
        AddressRefused: our address is turned away.
        AuthRefused: our token is not valid (any more).
    """
    if rules.is_turned_away(answer, fault.code):
        why = f"{what}: {WORDS}: {fault.why}"
        raise AddressRefused(PARADEX, why, code=fault.code, status=answer.status)
    if rules.is_signed_out(answer, fault.code):
        raise AuthRefused(PARADEX, f"{what}: {fault.why}")


def read_results(value: object) -> list[object]:
    """Return the rows of a list answer.

    Raises:
        Unreadable: it has none.
    """
    return as_list(as_row(value).get("results"))


def _side(row: Row) -> Side:
    side = _SIDES.get(read_text(row, "side"))
    if side is None:
        raise NewToUs("an unknown side")
    return side


def read_order(row: Row) -> OrderReport:
    """Read one order. What is filled is what does not remain; there is no filled size.

    Raises:
        Unreadable: it is no order.
    """
    state = _STATES.get(read_text(row, "status"))
    if state is None:
        raise NewToUs("an unknown order status")
    size, remaining = read_positive(row, "size"), read_number(row, "remaining_size")
    if not 0 <= remaining <= size:
        raise Unreadable("remaining_size is out of range")
    reason = mask(read_text(row, "cancel_reason", ""))
    if state is OrderState.CLOSED and remaining == size and rules.is_refusal(reason):
        state = OrderState.REFUSED
    return OrderReport(
        venue=PARADEX,
        client_order_id=read_text(row, "client_id", ""),
        venue_order_id=read_text(row, "id"),
        state=state,
        symbol=read_text(row, "market"),
        side=_side(row),
        size=size,
        filled=size - remaining,
        average_price=read_maybe(row, "avg_fill_price") or None,
        reason=reason,
        venue_time_ms=read_whole(row, "last_updated_at", 0) or None,
    )


def read_orders(value: object) -> Sequence[OrderReport | Unread]:
    """Read a list of orders, row by row.

    Raises:
        Unreadable: it is not one.
    """
    return read_rows(PARADEX, "order", read_results(value), read_order)


def read_fill(row: Row) -> Fill:
    """Read one fill. The side is our own: for a taker it is the taker's too.

    A fee that is not told, or that was paid in another currency, is not known in ours.

    Raises:
        Unreadable: it is no fill.
    """
    kind = read_text(row, "fill_type", "FILL")
    ours = read_text(row, "fee_currency", "") in _OUR_MONEY
    return Fill(
        venue=PARADEX,
        fill_id=read_text(row, "id"),
        client_order_id=read_text(row, "client_id", ""),
        venue_order_id=read_text(row, "order_id", ""),
        symbol=read_text(row, "market"),
        side=_side(row),
        price=read_positive(row, "price"),
        size=read_positive(row, "size"),
        fee=read_aside(row, "fee") if ours else None,
        venue_time_ms=read_whole(row, "created_at", 0) or None,
        kind=_KINDS.get(kind, kind.lower()),
        funding=read_aside(row, "realized_funding"),
    )


def read_positions(value: object) -> Sequence[Position | Unread]:
    """Read a list of positions, row by row; closed ones are left out.

    Raises:
        Unreadable: it is not one.
    """
    return read_rows(PARADEX, "position", read_results(value), _position)


def _position(row: Row) -> Position | None:
    # The size is signed in JSON and absolute in SBE; the side says it in both.
    size = abs(read_number(row, "size"))
    if not size:
        return None
    side = read_text(row, "side")
    if side not in ("LONG", "SHORT"):
        raise NewToUs("an unknown side")
    return Position(
        key=MarketKey(PARADEX, read_text(row, "market")),
        size=size if side == "LONG" else -size,
        entry_price=read_aside(row, "average_entry_price"),
        liquidation_price=read_aside(row, "liquidation_price") or None,
        funding=read_aside(row, "unrealized_funding_pnl"),
    )


def read_account(value: object) -> Account:
    """Read the account's summary.

    Raises:
        Unreadable: it is none.
    """
    row = as_row(value)
    status = read_text(row, "status", "")
    return Account(
        venue=PARADEX,
        equity=read_number(row, "account_value"),
        free_collateral=read_number(row, "free_collateral"),
        maintenance_margin=read_number(row, "maintenance_margin_requirement"),
        venue_time_ms=read_whole(row, "updated_at", 0) or None,
        trouble="" if status in _FINE else f"the account is in {words(status)}",
    )


def read_balances(value: object) -> tuple[tuple[str, Decimal], ...]:
    """Read ``/balance``: (token, size); what cannot be read of it is left out.

    Raises:
        Unreadable: it is none.
    """

    def read(row: Row) -> tuple[str, Decimal]:
        return read_text(row, "token"), read_number(row, "size")

    found = read_rows(PARADEX, "balance", read_results(value), read)
    return tuple(one for one in found if not isinstance(one, Unread))


def read_book(value: object) -> BookUpdate:
    """Read ``/orderbook``: a whole book.

    Raises:
        Unreadable: it is none.
    """
    row = as_row(value)
    sides: list[list[tuple[int, int]]] = []
    for name in ("bids", "asks"):
        numbers = e8_column(level_texts(row.get(name)))
        side = list(zip(numbers[::2], numbers[1::2], strict=True))
        if any(price <= 0 or size < 0 for price, size in side):
            raise Unreadable("a price or size is out of range")
        sides.append([level for level in side if level[1]])
    return BookUpdate(
        symbol=read_text(row, "market"),
        snapshot=True,
        bids=sides[0],
        asks=sides[1],
        sequence=read_whole(row, "seq_no"),
        venue_time_ms=read_whole(row, "last_updated_at", 0) or None,
    )
