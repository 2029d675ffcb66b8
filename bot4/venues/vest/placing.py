"""An order of ours as Vest wants it, and what its first answer says became of it.

Source: Vest API docs (v2), Place order, seen 2025-11.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from bot4.config.schema import VestConfig
from bot4.domain.order import Order, Side
from bot4.errors import VenueError
from bot4.ports import Accepted, Answer, InDoubt, PlaceOutcome, Refused, Retry
from bot4.venues.blocking import WORDS, is_block_page
from bot4.venues.reading import Unreadable, as_row, read_text
from bot4.venues.vest import messages, rules
from bot4.venues.vest.signing import OrderText

_LARGEST_NONCE: Final = 2**53
"""Larger integers do not survive every JSON reader."""


def order_text(
    order: Order, now_ms: int, order_type: str, decimals: tuple[int, int], *, reduce_only: bool
) -> OrderText:
    """Write an order as it is signed and sent.

    Args:
        order: its client order id is the nonce.
        now_ms: venue wall clock.
        order_type: Vest's word for it.
        decimals: of sizes and of prices on this market; texts are padded to them.
        reduce_only: whether the venue is to enforce it.

    Raises:
        ValueError: a number does not fit its decimals or is not above zero, or no nonce.
    """
    nonce = order.client_order_id
    if not (nonce.isascii() and nonce.isdigit() and int(nonce) < _LARGEST_NONCE):
        raise ValueError("a Vest client order id is a nonce in decimal digits")
    return OrderText(
        time_ms=now_ms,
        nonce=int(nonce),
        order_type=order_type,
        symbol=order.key.symbol,
        is_buy=order.side is Side.BUY,
        size=_above_zero(order.size, decimals[0]),
        limit_price=_above_zero(order.limit, decimals[1]),
        reduce_only=reduce_only,
    )


def _above_zero(number: Decimal, decimals: int) -> str:
    if number <= 0:
        raise ValueError("sizes and prices of an order are above zero")
    return messages.exact_text(number, decimals)


def order_body(
    text: OrderText, time_in_force: str, window_ms: int, signature: str
) -> dict[str, Any]:
    """Return the body of the request; the time in force and the window are not signed."""
    order: dict[str, Any] = {
        "time": text.time_ms,
        "nonce": text.nonce,
        "symbol": text.symbol,
        "isBuy": text.is_buy,
        "size": text.size,
        "orderType": text.order_type,
        "limitPrice": text.limit_price,
        "reduceOnly": text.reduce_only,
    }
    if time_in_force:
        order["timeInForce"] = time_in_force
    return {"order": order, "recvWindow": window_ms, "signature": signature}


def read_placed(answer: Answer, config: VestConfig) -> PlaceOutcome:
    """Read the answer to an order. Never raises: what proves nothing is in doubt."""
    fault = messages.read_fault(answer)
    if fault is None:
        try:
            return Accepted(messages.read_answer(answer, "order", _order_id))
        except VenueError as error:
            return InDoubt(error.why, answer.sent_at)
    if is_block_page(answer):
        return Refused(str(answer.status), f"{WORDS}: {fault.why}", Retry.SHUT)
    if rules.is_definite(answer.status, fault.code, config):
        code = str(answer.status if fault.code is None else fault.code)
        return Refused(code, fault.why, rules.retry(code))
    return InDoubt(fault.why, answer.sent_at)


def _order_id(value: object) -> str:
    order_id = read_text(as_row(value), "id")
    if not order_id:
        raise Unreadable("no order id")
    return order_id
