"""Several orders, or several cancels, in one request: the same on REST and on the socket.

Source: Paradex API docs, POST and DELETE /orders/batch, and order.create_batch, seen 2026-11: one
that is malformed or wrongly signed refuses all; what else is wrong with one refuses that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex.drafts import read_draft
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.intake import admit_checked, check_draft, check_signature
from bot4.simulator.paradex.refusal import Refused
from bot4.simulator.paradex.tokens import Token

BATCH: Final = range(1, 11)
"""Orders in one batch. Source: OpenAPI 1.132.1; another page of the docs says 50."""


def create_batch(
    engine: ParadexEngine, bodies: Any, token: Token, *, wire: Literal["rest", "ws"]
) -> list[SimOrder | Refused]:
    """Judge and accept a batch; return what became of each, in order.

    Raises:
        Refused: the batch as a whole is not wanted; no order of it was accepted.
    """
    if not isinstance(bodies, list) or len(bodies) not in BATCH:
        raise Refused("BATCH_SIZE_OUT_OF_RANGE", f"a batch has {BATCH[0]} to {BATCH[-1]} orders")
    drafts = [read_draft(body, wire=wire) for body in bodies]
    for draft in drafts:
        check_draft(engine, draft)
        check_signature(engine, draft)
    done: list[SimOrder | Refused] = []
    for draft in drafts:
        try:
            order = admit_checked(engine, draft, token)
        except Refused as refused:
            done.append(refused)
            continue
        engine.take_in(order)
        done.append(order)
    return done


def cancel_batch(
    engine: ParadexEngine, ids: Any, client_ids: Any, token: Token
) -> list[dict[str, Any]]:
    """Queue cancels by order ids and client ids; return what became of each, in order.

    Raises:
        Refused: these are no lists.
    """
    ids, client_ids = ids or [], client_ids or []
    if not isinstance(ids, list) or not isinstance(client_ids, list):
        raise Refused("BINDING_ERROR", "order_ids and client_order_ids are lists")
    return [
        *_cancel(engine, ids, lambda order: order.id, token),
        *_cancel(engine, client_ids, lambda order: order.handle, token),
    ]


def _cancel(
    engine: ParadexEngine,
    wanted: Iterable[object],
    name: Callable[[SimOrder], str],
    token: Token,
) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for one in wanted:
        matching = [order for order in engine.orders.values() if name(order) == one]
        if not matching:
            results.append({"id": one, "status": "NOT_FOUND"})
            continue
        order = matching[-1]
        if not order.done:
            engine.ask_cancel(order, interactive=token.interactive)
        results.append(
            {
                "account": engine.account,
                "client_id": order.handle,
                "id": order.id,
                "market": order.symbol,
                "status": "ALREADY_CLOSED" if order.done else "QUEUED_FOR_CANCELLATION",
            }
        )
    return results
