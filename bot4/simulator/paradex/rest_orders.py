"""The private REST endpoints of Paradex about orders."""

from __future__ import annotations

from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex import lists, shapes
from bot4.simulator.paradex.batches import cancel_batch, create_batch
from bot4.simulator.paradex.drafts import read_draft
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.foreign import check_cancel
from bot4.simulator.paradex.modifying import ask_modify
from bot4.simulator.paradex.refusal import Refused, not_found
from bot4.simulator.paradex.routes import Call, Reply, Route


class OrderEndpoints:
    """Create, find and cancel orders."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine

    def create(self, call: Call) -> Reply:
        """POST /orders: 201 and NEW; the outcome comes later."""
        draft = read_draft(call.json(), wire="rest")
        order = self._engine.submit(draft, call.token)
        return Reply(201, shapes.order(self._engine, order))

    def create_batch(self, call: Call) -> Reply:
        """POST /orders/batch: one that is malformed or wrongly signed refuses all."""
        done = create_batch(self._engine, call.json(), call.token, wire="rest")
        orders = [one for one in done if isinstance(one, SimOrder)]
        errors = [
            {"error": one.code, "message": one.message} for one in done if isinstance(one, Refused)
        ]
        shown = [shapes.order(self._engine, order) for order in orders]
        return Reply(201, {"orders": shown, "errors": errors})

    def modify(self, call: Call) -> Reply:
        """PUT /orders/{order_id}: queued; the order keeps its id."""
        order = ask_modify(self._engine, call.params["order_id"], call.json(), call.token)
        return Reply(200, shapes.order(self._engine, order))

    def live(self, call: Call) -> Reply:
        """GET /orders: what is not closed, NEW included."""
        known = self._engine.shown_until_ms()
        orders = self._engine.live_orders(call.query.get("market") or None)
        shown = [shapes.order(self._engine, one) for one in orders if one.received_ms <= known]
        return Reply(200, {"results": shown})

    def by_id(self, call: Call) -> Reply:
        """GET /orders/{order_id}: NEW or open only."""
        order = self._engine.orders.get(call.params["order_id"])
        stale = order is not None and order.received_ms > self._engine.shown_until_ms()
        if order is None or order.done or stale:
            raise not_found("ORDER_ID_NOT_FOUND", "order id")
        return Reply(200, shapes.order(self._engine, order))

    def by_client_id(self, call: Call) -> Reply:
        """GET /orders/by_client_id/{client_id}: open only, not NEW."""
        for order in self._named(call):
            if order.resting and not order.done:
                return Reply(200, shapes.order(self._engine, order))
        raise not_found("CLIENT_ORDER_ID_NOT_FOUND", "client order id")

    def history(self, call: Call) -> Reply:
        """GET /orders-history, paged."""
        return Reply(200, lists.history(self._engine, call.query))

    def cancel(self, call: Call) -> Reply:
        """DELETE /orders/{order_id}: 204, queued."""
        order = self._engine.orders.get(call.params["order_id"])
        if order is None:
            raise not_found("ORDER_ID_NOT_FOUND", "order id")
        return self._cancel(order, call)

    def cancel_by_client_id(self, call: Call) -> Reply:
        """DELETE /orders/by_client_id/{client_id}: 204, queued; NEW is fine too."""
        named = self._named(call)
        if not named:
            raise not_found("CLIENT_ORDER_ID_NOT_FOUND", "client order id")
        living = [order for order in named if not order.done]
        return self._cancel((living or named)[0], call)

    def cancel_all(self, call: Call) -> Reply:
        """DELETE /orders: every live order, of one market or of all."""
        for order in self._engine.live_orders(call.query.get("market") or None):
            self._engine.ask_cancel(order, interactive=call.token.interactive)
        return Reply(200, None)

    def cancel_batch(self, call: Call) -> Reply:
        """DELETE /orders/batch, by order ids and client ids."""
        body = call.json()
        if not isinstance(body, dict):
            raise Refused("BINDING_ERROR", "the body is not an object")
        ids, client_ids = body.get("order_ids"), body.get("client_order_ids")
        results = cancel_batch(self._engine, ids, client_ids, call.token)
        return Reply(200, {"results": results})

    def _cancel(self, order: SimOrder, call: Call) -> Reply:
        if order.done:
            raise Refused("ORDER_IS_CLOSED", "order is closed")
        check_cancel(order)
        self._engine.ask_cancel(order, interactive=call.token.interactive)
        return Reply(204, None)

    def _named(self, call: Call) -> list[SimOrder]:
        market = call.query.get("market")
        return [
            order
            for order in self._engine.orders.values()
            if order.handle == call.params["client_id"] and market in (None, "", order.symbol)
        ]


def order_routes(engine: ParadexEngine) -> tuple[Route, ...]:
    """Return the endpoints of this module; fixed paths come before those with a name."""
    ends = OrderEndpoints(engine)
    return (
        Route("POST", "/v1/orders", "order", "orders", ends.create),
        Route("POST", "/v1/orders/batch", "order", "orders", ends.create_batch),
        Route("GET", "/v1/orders", "query", "private", ends.live),
        Route("GET", "/v1/orders-history", "query", "private", ends.history),
        Route("GET", "/v1/orders/by_client_id/{client_id}", "query", "private", ends.by_client_id),
        Route("GET", "/v1/orders/{order_id}", "query", "private", ends.by_id),
        Route("PUT", "/v1/orders/{order_id}", "order", "orders", ends.modify),
        Route("DELETE", "/v1/orders", "cancel", "orders", ends.cancel_all),
        Route("DELETE", "/v1/orders/batch", "cancel", "orders", ends.cancel_batch),
        Route(
            "DELETE",
            "/v1/orders/by_client_id/{client_id}",
            "cancel",
            "orders",
            ends.cancel_by_client_id,
        ),
        Route("DELETE", "/v1/orders/{order_id}", "cancel", "orders", ends.cancel),
    )
