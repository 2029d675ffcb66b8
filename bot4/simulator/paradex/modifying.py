"""Modifying a resting order: it keeps its id, and the outcome comes as an order event.

Source: Paradex API docs, PUT /orders/{id} and order.modify, seen 2026-11: asynchronous, told by
``request_info`` (PENDING, then PROCESSED or REJECTED); a rejected modify changes nothing.
Whether the size is the whole order's or what remains is not documented: a switch.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex.drafts import Draft, read_draft
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.intake import check_draft, check_signature
from bot4.simulator.paradex.refusal import Refused, not_found
from bot4.simulator.paradex.tokens import Token


@attrs.frozen
class Change:
    """What an order shall become."""

    request_id: str
    size: Decimal
    limit: Decimal | None
    trigger_price: Decimal | None
    sent_ms: int


def ask_modify(engine: ParadexEngine, order_id: str, body: Any, token: Token) -> SimOrder:
    """Judge a modify received now, and queue it; return the order, still as it was.

    Raises:
        Refused: it is malformed, wrongly signed, or of an order that cannot be modified.
    """
    draft = read_draft(body, wire="ws")
    order = engine.orders.get(order_id)
    if order is None:
        raise not_found("ORDER_ID_NOT_FOUND", "order id")
    named = body.get("id")
    if named not in (None, "", order_id):
        raise Refused("VALIDATION_ERROR", "id: differs from the order's in the path")
    if order.done:
        raise Refused("ORDER_IS_CLOSED", "order is closed")
    if not order.resting:
        raise Refused("ORDER_IS_NOT_OPEN", "order is not open yet")
    mine = (order.symbol, order.side, order.kind)
    if (draft.market, draft.side, draft.kind) != mine:
        raise Refused("VALIDATION_ERROR", "market, side and type: must be the order's own")
    check_draft(engine, draft)
    check_signature(engine, draft, order_id=int(order_id))
    change = _change(engine, order, draft)
    order.extra["request_info"] = _info(change, "PENDING", "")
    engine.save(order)
    bump_s = engine.switches.bump_s * engine.latency.scale if token.interactive else 0.0
    delay_s = engine.latency.draw("answer") + bump_s
    engine.agenda.put(delay_s, _modify_now, engine, order, change)
    return order


def _change(engine: ParadexEngine, order: SimOrder, draft: Draft) -> Change:
    total = engine.switches.modify_size == "total"
    return Change(
        request_id=engine.order_id(),
        size=draft.size if total else draft.size + order.filled,
        limit=draft.price,
        trigger_price=draft.trigger_price,
        sent_ms=draft.timestamp_ms,
    )


def _info(change: Change, status: str, message: str) -> dict[str, str]:
    return {
        "id": change.request_id,
        "request_type": "MODIFY_ORDER",
        "status": status,
        "message": message,
    }


def _modify_now(engine: ParadexEngine, order: SimOrder, change: Change) -> None:
    why = _objection(engine, order, change)
    order.updated_ms = engine.wall_ms()
    if why:
        order.extra["request_info"] = _info(change, "REJECTED", why)
        engine.save(order)
        engine.tell([engine.order_event(order)])
        return
    order.size, order.limit, order.sent_ms = change.size, change.limit, change.sent_ms
    order.extra["request_info"] = _info(change, "PROCESSED", "")
    if change.trigger_price is not None:
        order.extra["trigger_price"] = str(change.trigger_price)
    if order.status == "UNTRIGGERED":
        engine.rest_order(order, "UNTRIGGERED", [])
    else:
        order.resting = False
        engine.match(order)


def _objection(engine: ParadexEngine, order: SimOrder, change: Change) -> str:
    """Return why the order cannot become that, empty when it can."""
    if order.done:
        return "ORDER_IS_CLOSED"
    if change.size <= order.filled:
        return "INVALID_ORDER_SIZE"
    wanted = attrs.evolve(order, size=change.size, limit=change.limit)
    if order.status == "UNTRIGGERED":
        return ""
    limit = change.limit
    if order.time_in_force == "POST_ONLY" and limit and engine.would_cross(wanted, limit):
        return "POST_ONLY_WOULD_CROSS"
    return engine.risk(wanted)
