"""An order of ours as Paradex wants it, and what its first answer says became of it.

Source: Paradex API docs, Orders and Receive window, seen 2026-11.
"""

from __future__ import annotations

from typing import Any, Final

from bot4.domain.order import Order, Side
from bot4.domain.units import plain, to_e8
from bot4.errors import VenueError
from bot4.ports import Accepted, Answer, InDoubt, PlaceOutcome, Refused, Retry
from bot4.venues.blocking import WORDS
from bot4.venues.paradex import messages, rules
from bot4.venues.paradex.signing import StarkSigner
from bot4.venues.reading import Unreadable, as_row, read_text, read_whole

ORDER_TYPE: Final = "LIMIT"
IMMEDIATE: Final = "IOC"
RESTING: Final = "GTC"
SELF_TRADE: Final = "EXPIRE_TAKER"
"""Should one order of ours meet another, the newer one ends. The venue's default, said all the
same."""
CLIENT_ID_CHARS: Final = 64


def order_body(
    order: Order,
    now_ms: int,
    window_ms: int,
    signer: StarkSigner,
    instruction: str = IMMEDIATE,
) -> dict[str, Any]:
    """Sign an order and return the body of its request.

    The client id, the instruction, the self-trade rule, the flags and the window are not covered
    by the signature.

    Raises:
        ValueError: a number is not above zero or has more than eight decimals, or the client
            order id is too long.
    """
    size, price = to_e8(order.size), to_e8(order.limit)
    if size <= 0 or price <= 0:
        raise ValueError("sizes and prices of an order are above zero")
    if not 0 < len(order.client_order_id) <= CLIENT_ID_CHARS:
        raise ValueError("a Paradex client order id has 1 to 64 characters")
    buy = order.side is Side.BUY
    message = signer.order_hash(now_ms, order.key.symbol, ORDER_TYPE, size, price, buy=buy)
    body: dict[str, Any] = {
        "market": order.key.symbol,
        "side": "BUY" if buy else "SELL",
        "type": ORDER_TYPE,
        "size": plain(order.size),
        "price": plain(order.limit),
        "instruction": instruction,
        "client_id": order.client_order_id,
        "stp": SELF_TRADE,
        "recv_window": window_ms,
        "signature": signer.sign(message),
        "signature_timestamp": now_ms,
    }
    if order.reduce_only:
        body["flags"] = ["REDUCE_ONLY"]
    return body


def read_placed(answer: Answer) -> PlaceOutcome:
    """Read the answer to an order. Never raises: what proves nothing is in doubt.

    201 means queued, before the risk check: the stream or a question tells the rest.
    """
    fault = messages.read_fault(answer)
    if fault is None:
        try:
            return messages.read_answer(answer, "order", _accepted)
        except VenueError as error:
            return InDoubt(error.why, answer.sent_at)
    if rules.is_turned_away(answer, fault.code):
        return Refused(fault.code or str(answer.status), f"{WORDS}: {fault.why}", Retry.SHUT)
    if not rules.is_definite(answer.status, fault.code):
        return InDoubt(fault.why, answer.sent_at)
    code = fault.code or str(answer.status)
    if answer.status == rules.HTTP_UNAUTHORIZED:
        return Refused(code, fault.why, Retry.RESIGN)
    if answer.status == rules.HTTP_TOO_MANY:
        return Refused(code, fault.why, Retry.WAIT)
    return Refused(code, fault.why, rules.retry(code))


def _accepted(value: object) -> Accepted:
    row = as_row(value)
    order_id = read_text(row, "id")
    if not order_id:
        raise Unreadable("no order id")
    return Accepted(order_id, read_whole(row, "received_at", 0) or None)
