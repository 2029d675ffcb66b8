"""Orders changed in place, and several at once, as Paradex wants them and answers them.

Source: Paradex API docs, PUT /orders/{id}, POST and DELETE /orders/batch, seen 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bot4.domain.order import Order, OrderReport, Side
from bot4.domain.units import plain, to_e8
from bot4.errors import VenueError
from bot4.ports import Accepted, Answer, InDoubt, PlaceOutcome, Refused
from bot4.venues.paradex import messages, rules
from bot4.venues.paradex.placing import ORDER_TYPE, read_placed
from bot4.venues.paradex.signing import StarkSigner
from bot4.venues.reading import as_row, as_rows, read_text, words


def modify_body(
    order: Order, order_id: str, limit: Decimal, now_ms: int, signer: StarkSigner
) -> dict[str, Any]:
    """Sign a new limit for a resting order and return the body; the size stays.

    Raises:
        ValueError: a number does not fit, or the id is not the venue's.
    """
    if not (order_id.isascii() and order_id.isdigit()):
        raise ValueError("a Paradex order id is a whole number")
    size, price = to_e8(order.size), to_e8(limit)
    buy, market = order.side is Side.BUY, order.key.symbol
    message = signer.order_hash(
        now_ms, market, ORDER_TYPE, size, price, buy=buy, order_id=int(order_id)
    )
    return {
        "id": order_id,
        "market": market,
        "side": "BUY" if buy else "SELL",
        "type": ORDER_TYPE,
        "size": plain(order.size),
        "price": plain(limit),
        "signature": signer.sign(message),
        "signature_timestamp": now_ms,
    }


def cancel_body(reports: Sequence[OrderReport]) -> dict[str, list[str]]:
    """Name orders to cancel: by the venue's ids, and by ours where it gave none.

    Raises:
        ValueError: one has neither.
    """
    if not all(report.venue_order_id or report.client_order_id for report in reports):
        raise ValueError("nothing to cancel by")
    body = {"order_ids": [report.venue_order_id for report in reports if report.venue_order_id]}
    named = [report.client_order_id for report in reports if not report.venue_order_id]
    return {**body, "client_order_ids": named} if named else body


def read_batch(answer: Answer, client_ids: Sequence[str]) -> tuple[PlaceOutcome, ...]:
    """Read the answer to a batch: what became of each order, in order. Never raises.

    What was refused is not named, so refusals count only when all of them are definite.
    """
    if messages.read_fault(answer) is not None:
        return tuple(read_placed(answer) for _ in client_ids)
    try:
        placed, refused = messages.read_answer(answer, "orders", _read)
    except VenueError as error:
        return tuple(InDoubt(error.why, answer.sent_at) for _ in client_ids)
    definite = bool(refused) and all(rules.is_definite(400, code) for code, _ in refused)
    code, said = refused[0] if refused else ("", "the answer does not name it")
    otherwise: PlaceOutcome = InDoubt(said or code, answer.sent_at)
    if definite:
        otherwise = Refused(code, f"{code}: {said}" if said else code, rules.retry(code))
    return tuple(Accepted(placed[one]) if one in placed else otherwise for one in client_ids)


def _read(value: object) -> tuple[dict[str, str], list[tuple[str, str]]]:
    row = as_row(value)
    placed = {
        read_text(one, "client_id"): read_text(one, "id") for one in as_rows(row.get("orders"))
    }
    errors = as_rows(row.get("errors") or [])
    return placed, [(words(one.get("error")), words(one.get("message"))) for one in errors]
