"""The REST face of the simulated Paradex: the road of a request.

Source: Paradex API docs, OpenAPI 1.132.1, seen 2026-11.
"""

from __future__ import annotations

import json
from typing import Any

import trio

from bot4.simulator.answering import answer_request
from bot4.simulator.paradex.auth import bearer_of
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.intake import refused_by
from bot4.simulator.paradex.limits import Allowance
from bot4.simulator.paradex.refusal import Refused, blocked, too_many
from bot4.simulator.paradex.rest_account import account_routes
from bot4.simulator.paradex.rest_keys import key_routes
from bot4.simulator.paradex.rest_login import login_routes
from bot4.simulator.paradex.rest_orders import order_routes
from bot4.simulator.paradex.rest_public import public_routes
from bot4.simulator.paradex.routes import Call, Reply, Route, find
from bot4.simulator.serve import Answered, HttpAnswer, HttpRequest, serve_http


class RestFace:
    """Answers the HTTP requests of one venue."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine
        self._routes = (
            *public_routes(engine),
            *login_routes(engine),
            *account_routes(engine),
            *key_routes(engine),
            *order_routes(engine),
        )

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until either side ends it."""
        await serve_http(stream, self._answer)

    async def _answer(self, request: HttpRequest) -> Answered:
        route, params = find(self._routes, request.method, request.path)
        occasion = {"path": request.path, **_order_facts(request)}
        return await answer_request(
            self._engine,
            route.request,
            lambda: self._handle(route, Call(request, params), occasion),
            cause="answer" if route.request in ("order", "cancel") else "read",
            **occasion,
        )

    def _handle(self, route: Route, call: Call, occasion: dict[str, Any]) -> HttpAnswer:
        engine = self._engine
        allowance = engine.limits.take(route.scope)
        try:
            if engine.faults.active(engine.name, "blocked") is not None:
                raise blocked()
            if not allowance.granted and engine.switches.rate_limits:
                raise too_many()
            if route.private:
                call = call.with_token(engine.tokens.read(bearer_of(call.request.headers)))
            if route.request != "order":
                refusal = engine.faults.take(
                    engine.name, "refuse", request=route.request, **occasion
                )
                if refusal is not None:
                    raise refused_by(refusal.args)
            reply = route.act(call)
        except Refused as refused:
            # A venue may repeat what came with the request: "{key}" in its words is our token.
            _, _, token = call.request.headers.get("authorization", "").partition(" ")
            message = refused.message.replace("{key}", token)
            reply = Reply(refused.status, {**refused.body, "message": message})
        return self._as_answer(reply, allowance)

    def _as_answer(self, reply: Reply, allowance: Allowance) -> HttpAnswer:
        headers = allowance.headers(self._engine.wall_ms())
        if reply.status == 429:
            headers.setdefault("Retry-After", "1")
        if reply.body is None:
            return HttpAnswer(reply.status, headers)
        headers["Content-Type"] = "application/json"
        return HttpAnswer(reply.status, headers, json.dumps(reply.body).encode())


def _order_facts(request: HttpRequest) -> dict[str, Any]:
    """Return what faults may filter on, read leniently: the order may be nonsense."""
    if request.method != "POST" or request.path != "/v1/orders":
        return {}
    try:
        body = json.loads(request.body)
        return {
            "symbol": body.get("market"),
            "side": str(body.get("side")).lower(),
            "reduce_only": "REDUCE_ONLY" in (body.get("flags") or ()),
        }
    except (ValueError, AttributeError, TypeError):
        return {}
