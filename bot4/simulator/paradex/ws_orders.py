"""Orders over the Paradex WebSocket: the same orders as on REST, and cancel on disconnect."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Protocol

from bot4.simulator.answering import answer_request
from bot4.simulator.links import Link
from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex import shapes
from bot4.simulator.paradex.batches import cancel_batch, create_batch
from bot4.simulator.paradex.drafts import read_draft
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.foreign import check_cancel
from bot4.simulator.paradex.intake import refused_by
from bot4.simulator.paradex.modifying import ask_modify
from bot4.simulator.paradex.refusal import (
    INVALID_PARAMS,
    METHOD_ERROR,
    RATE_LIMITED,
    Refused,
    RpcRefused,
    not_found,
    too_many,
)
from bot4.simulator.paradex.rpc import RpcCall
from bot4.simulator.paradex.tokens import Token
from bot4.simulator.serve import Hang, HttpAnswer

CREATES: Final = frozenset({"order.create", "order.create_batch", "order.modify"})
ORDER_METHODS: Final = CREATES | {"order.cancel", "order.cancel_batch", "order.cancel_all"}

_INTERNAL: Final = RpcRefused(-32603, "internal error")


class Owner(Protocol):
    """The session these methods belong to."""

    @property
    def link(self) -> Link:
        """Its connection."""
        ...

    def logged_in(self) -> Token:
        """Return its token or refuse."""
        ...

    def reply(self, call: RpcCall, result: dict[str, Any]) -> None:
        """Answer yes."""
        ...

    def refuse(self, call: RpcCall, refused: RpcRefused) -> None:
        """Answer no."""
        ...


class OrderMethods:
    """The order methods of one session."""

    def __init__(self, engine: ParadexEngine, session: Owner) -> None:
        self._engine = engine
        self._session = session
        self._created: list[SimOrder] = []
        self.cancels_on_disconnect = False
        """Off on every new connection. Source: Paradex docs, cancel on disconnect, 2026-11."""

    async def answer(self, call: RpcCall) -> None:
        """Carry one order method through latency and faults, and reply."""
        facts: dict[str, Any] = {"path": call.method}
        if call.method == "order.create" and isinstance(call.params, dict):
            facts["symbol"] = call.params.get("market")
            facts["side"] = str(call.params.get("side")).lower()
            facts["reduce_only"] = "REDUCE_ONLY" in (call.params.get("flags") or ())
        outcome = await answer_request(
            self._engine,
            "order" if call.method in CREATES else "cancel",
            lambda: self._handle(call, facts),
            cause="answer",
            **facts,
        )
        if outcome is None:
            self._session.link.cut()
        elif not isinstance(outcome, Hang):
            self._say(call, outcome)

    def leave(self, *, polite: bool) -> None:
        """The connection ended: cancel what it created, when it asked for that."""
        if polite and not self._engine.switches.cancel_on_polite_close:
            return
        if self.cancels_on_disconnect:
            for order in self._created:
                if not order.done:
                    self._engine.ask_cancel(order, interactive=False)

    def _handle(self, call: RpcCall, facts: dict[str, Any]) -> HttpAnswer:
        """Do what the method asks; the body of the answer is the result or the error."""
        engine = self._engine
        methods: dict[str, Callable[[RpcCall, Token], dict[str, Any]]] = {
            "order.create": self._create,
            "order.create_batch": self._create_batch,
            "order.modify": self._modify,
            "order.cancel": self._cancel,
            "order.cancel_batch": self._cancel_batch,
            "order.cancel_all": self._cancel_all,
        }
        try:
            token = self._session.logged_in()
            if not engine.limits.take("orders").granted and engine.switches.rate_limits:
                raise too_many()
            if call.method not in CREATES:
                fault = engine.faults.take(engine.name, "refuse", request="cancel", **facts)
                if fault is not None:
                    raise refused_by(fault.args)
            result = methods[call.method](call, token)
        except RpcRefused as refused:
            return HttpAnswer(400, body=json.dumps(refused.body).encode())
        except Refused as refused:
            code = RATE_LIMITED if refused.status == 429 else METHOD_ERROR
            error = RpcRefused(code, refused.message, refused.code)
            return HttpAnswer(400, body=json.dumps(error.body).encode())
        return HttpAnswer(200, body=json.dumps(result).encode())

    def _say(self, call: RpcCall, outcome: HttpAnswer) -> None:
        try:
            body = json.loads(outcome.body)
        except ValueError:
            body = None
        if outcome.status == 200:
            self._session.reply(call, body)
        elif isinstance(body, dict) and "code" in body:
            refused = RpcRefused(body["code"], body["message"], body.get("data"))
            self._session.refuse(call, refused)
        else:
            self._session.refuse(call, _INTERNAL)

    def _create(self, call: RpcCall, token: Token) -> dict[str, Any]:
        engine = self._engine
        return self._made(engine.submit(read_draft(call.params, wire="ws"), token))

    def _create_batch(self, call: RpcCall, token: Token) -> dict[str, Any]:
        # One client sends the list itself where the documents have an object around it.
        bodies = call.params if isinstance(call.params, list) else call.param("orders")
        done = create_batch(self._engine, bodies, token, wire="ws")
        results = [
            self._made(one)
            if isinstance(one, SimOrder)
            else {"error": RpcRefused(METHOD_ERROR, one.message, one.code).body}
            for one in done
        ]
        return {"results": results}

    def _made(self, order: SimOrder) -> dict[str, Any]:
        self._created.append(order)
        return {
            "order": shapes.order(self._engine, order),
            "created_at": order.received_ms,
            "received_at": order.received_ms * 1_000_000,
        }

    def _modify(self, call: RpcCall, token: Token) -> dict[str, Any]:
        order = ask_modify(self._engine, str(call.param("id")), call.params, token)
        return {"order": shapes.order(self._engine, order)}

    def _cancel_batch(self, call: RpcCall, token: Token) -> dict[str, Any]:
        ids = call.param("order_ids")
        if not isinstance(ids, list):
            raise RpcRefused(INVALID_PARAMS, "order_ids is required")
        rows = cancel_batch(self._engine, ids, None, token)
        told = ("id", "market", "status")
        return {"results": [{k: row[k] for k in told if k in row} for row in rows]}

    def _cancel(self, call: RpcCall, token: Token) -> dict[str, Any]:
        order = self._find(call)
        if order.done:
            raise Refused("ORDER_IS_CLOSED", "order is closed")
        check_cancel(order)
        self._engine.ask_cancel(order, interactive=token.interactive)
        return {"order_id": order.id, "status": "QUEUED_FOR_CANCELLATION"}

    def _find(self, call: RpcCall) -> SimOrder:
        order_id, client_id = call.param("id"), call.param("client_id")
        if order_id:
            order = self._engine.orders.get(str(order_id))
            if order is None:
                raise not_found("ORDER_ID_NOT_FOUND", "order id")
            return order
        if not client_id:
            raise RpcRefused(INVALID_PARAMS, "id or client_id is required")
        market = call.param("market")
        named = [
            order
            for order in self._engine.orders.values()
            if order.handle == client_id and market in (None, "", order.symbol)
        ]
        if not named:
            raise not_found("CLIENT_ORDER_ID_NOT_FOUND", "client order id")
        return next((order for order in named if not order.done), named[-1])

    def _cancel_all(self, call: RpcCall, token: Token) -> dict[str, Any]:
        for order in self._engine.live_orders(call.param("market") or None):
            self._engine.ask_cancel(order, interactive=token.interactive)
        return {"status": "ok"}
