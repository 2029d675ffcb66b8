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
from bot4.domain.market import PARADEX, Market, MarketKey
from bot4.domain.order import OrderReport, OrderState, Side
from bot4.domain.position import Account, Position
from bot4.domain.units import floor_step
from bot4.errors import AuthRefused, VenueRefused
from bot4.ports import Answer
from bot4.secret import mask
from bot4.venues.paradex import rules
from bot4.venues.reading import (
    FAULTS,
    MAX_ANSWER_BYTES,
    NewToUs,
    Row,
    Unreadable,
    as_row,
    as_rows,
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
_TAKER_FEES: Final = {
    "api_fee": Decimal("0.00045"),
    "interactive_fee": Decimal(0),
}
"""Where a market names no fee. Source: Paradex docs, Fees, seen 2026-11."""


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
        AuthRefused: our token is not valid (any more).
        VenueRefused: it is another error of the venue's.
        ProtocolViolation: it is none and cannot be read either.
    """
    fault = read_fault(answer)
    if fault is not None:
        why = f"{what}: {fault.why}"
        if answer.status == rules.HTTP_UNAUTHORIZED:
            raise AuthRefused(PARADEX, why)
        raise VenueRefused(PARADEX, why, code=fault.code, status=answer.status)
    try:
        return read(read_json(answer.body, MAX_ANSWER_BYTES))
    except FAULTS as error:
        raise violation(PARADEX, what, error) from None


def read_results(value: object) -> list[Row]:
    """Return the rows of a list answer.

    Raises:
        Unreadable: it has none.
    """
    return as_rows(as_row(value).get("results"))


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


def read_orders(value: object) -> Sequence[OrderReport]:
    """Read a list of orders.

    Raises:
        Unreadable: it is not one.
    """
    return tuple(read_order(row) for row in read_results(value))


def read_fill(row: Row) -> Fill:
    """Read one fill. The side is our own: for a taker it is the taker's too.

    Raises:
        Unreadable: it is no fill.
    """
    kind = read_text(row, "fill_type", "FILL")
    return Fill(
        venue=PARADEX,
        fill_id=read_text(row, "id"),
        client_order_id=read_text(row, "client_id", ""),
        venue_order_id=read_text(row, "order_id", ""),
        symbol=read_text(row, "market"),
        side=_side(row),
        price=read_positive(row, "price"),
        size=read_positive(row, "size"),
        fee=read_number(row, "fee"),
        venue_time_ms=read_whole(row, "created_at", 0) or None,
        kind=_KINDS.get(kind, kind.lower()),
        funding=read_aside(row, "realized_funding"),
    )


def read_positions(value: object) -> Sequence[Position]:
    """Read a list of positions; closed ones are left out.

    Raises:
        Unreadable: it is not one.
    """
    rows = [row for row in read_results(value) if read_number(row, "size") != 0]
    return tuple(_position(row) for row in rows)


def _position(row: Row) -> Position:
    # The size is signed in JSON and absolute in SBE; the side says it in both.
    size, side = abs(read_number(row, "size")), read_text(row, "side")
    if side not in ("LONG", "SHORT"):
        raise NewToUs("an unknown side")
    return Position(
        key=MarketKey(PARADEX, read_text(row, "market")),
        size=size if side == "LONG" else -size,
        entry_price=read_number(row, "average_entry_price"),
        liquidation_price=read_maybe(row, "liquidation_price") or None,
        funding=read_aside(row, "unrealized_funding_pnl"),
    )


def read_account(value: object) -> Account:
    """Read the account's summary.

    Raises:
        Unreadable: it is none.
    """
    row = as_row(value)
    return Account(
        venue=PARADEX,
        equity=read_number(row, "account_value"),
        free_collateral=read_number(row, "free_collateral"),
        maintenance_margin=read_number(row, "maintenance_margin_requirement"),
        venue_time_ms=read_whole(row, "updated_at", 0) or None,
    )


def read_balances(value: object) -> tuple[tuple[str, Decimal], ...]:
    """Read ``/balance``: (token, size).

    Raises:
        Unreadable: it is none.
    """
    return tuple((read_text(row, "token"), read_number(row, "size")) for row in read_results(value))


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


def _most_open(row: Row) -> int | None:
    most = row.get("max_open_orders")
    return most if isinstance(most, int) else None


def _taker_fee(row: Row, fees: str) -> Decimal:
    config = row.get("fee_config")
    if config is None:
        return _TAKER_FEES[fees]
    taker = as_row(as_row(as_row(config).get(fees)).get("taker_fee"))
    return read_number(taker, "fee")
