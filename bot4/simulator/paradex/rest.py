"""The REST face of the simulated Paradex: the road of a request, and what needs no account.

Source: Paradex API docs, OpenAPI 1.132.1, seen 2026-11.
"""

from __future__ import annotations

import json
from typing import Any, Final

import trio

from bot4.simulator.answering import answer_request
from bot4.simulator.paradex import lists, markets
from bot4.simulator.paradex.auth import bearer_of, check_login, check_onboarding
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.intake import refused_by
from bot4.simulator.paradex.limits import Allowance
from bot4.simulator.paradex.refusal import Refused, not_found, too_many
from bot4.simulator.paradex.rest_account import account_routes
from bot4.simulator.paradex.rest_orders import order_routes
from bot4.simulator.paradex.routes import Call, Reply, Route, find
from bot4.simulator.serve import Answered, HttpAnswer, HttpRequest, serve_http

BOOK_LEVELS: Final = 100


class RestFace:
    """Answers the HTTP requests of one venue."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine
        self._routes = (
            *self._public_routes(),
            *account_routes(engine),
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
            reply = Reply(refused.status, refused.body)
        return self._as_answer(reply, allowance)

    def _as_answer(self, reply: Reply, allowance: Allowance) -> HttpAnswer:
        headers = allowance.headers(self._engine.wall_ms())
        if reply.status == 429:
            headers.setdefault("Retry-After", "1")
        if reply.body is None:
            return HttpAnswer(reply.status, headers)
        headers["Content-Type"] = "application/json"
        return HttpAnswer(reply.status, headers, json.dumps(reply.body).encode())

    # Public endpoints.

    def _public_routes(self) -> tuple[Route, ...]:
        engine = self._engine

        def public(path: str, act: Any) -> Route:
            return Route("GET", path, "public", "public", act, private=False)

        def login(path: str) -> Route:
            return Route("POST", path, "auth", "auth", self._login, private=False)

        return (
            public("/v1/system/config", lambda _: Reply(200, markets.system_config(engine))),
            public("/v1/system/time", self._time),
            public("/v1/system/state", lambda _: Reply(200, {"status": engine.system_state()})),
            public("/v1/markets", self._markets),
            public("/v1/markets/summary", self._summaries),
            public("/v1/funding/data", self._funding),
            public("/v1/trades", lambda _: Reply(200, lists.empty_page())),
            public("/v1/orderbook/{market}", self._book),
            public("/v1/orderbook/{market}/interactive", self._book),
            public("/v1/bbo/{market}", self._bbo),
            public("/v1/bbo/{market}/interactive", self._bbo),
            public("/v1/jwks.json", lambda _: Reply(200, engine.tokens.key_set())),
            public("/v1/onboarding", self._onboarded),
            login("/v1/auth"),
            login("/v1/auth/{public_key}"),
            Route("POST", "/v1/onboarding", "auth", "onboarding", self._onboard, private=False),
        )

    def _time(self, call: Call) -> Reply:
        del call
        return Reply(200, {"server_time": str(self._engine.wall_ms())})

    def _symbol(self, name: str) -> str:
        if name not in self._engine.markets:
            raise not_found("MARKET_NOT_FOUND", f"market {name}")
        return name

    def _symbols(self, name: str | None) -> list[str]:
        return list(self._engine.markets) if name in (None, "", "ALL") else [self._symbol(name)]

    def _markets(self, call: Call) -> Reply:
        names = self._symbols(call.query.get("market"))
        return Reply(200, {"results": [markets.market(self._engine, name) for name in names]})

    def _summaries(self, call: Call) -> Reply:
        if not call.query.get("market"):
            raise Refused("VALIDATION_ERROR", "market: is required")
        names = self._symbols(call.query["market"])
        return Reply(200, {"results": [markets.summary(self._engine, name) for name in names]})

    def _funding(self, call: Call) -> Reply:
        names = self._symbols(call.query.get("market"))
        page = lists.empty_page()
        page["results"] = [markets.funding(self._engine, name) for name in names]
        return Reply(200, page)

    def _book(self, call: Call) -> Reply:
        symbol = self._symbol(call.params["market"])
        shown, seq_no = self._engine.public_book(symbol)
        body = markets.book(
            symbol,
            shown,
            seq_no=seq_no,
            time_ms=self._engine.wall_ms(),
            depth=lists.number(call.query, "depth", BOOK_LEVELS),
        )
        return Reply(200, body)

    def _bbo(self, call: Call) -> Reply:
        symbol = self._symbol(call.params["market"])
        shown, seq_no = self._engine.public_book(symbol)
        body = markets.bbo(
            symbol,
            shown,
            seq_no=seq_no,
            time_ms=self._engine.wall_ms(),
        )
        return Reply(200, body)

    # Coming in.

    def _login(self, call: Call) -> Reply:
        engine = self._engine
        key: int | None = None
        if "public_key" in call.params:
            try:
                key = int(call.params["public_key"], 16)
            except ValueError as error:
                raise Refused("PUBLIC_KEY_INVALID", "not a public key") from error
        check_login(call.request.headers, engine.notary, engine.wall_ms() // 1000, key)
        interactive = call.query.get("token_usage") == "interactive"
        token = engine.tokens.issue(engine.account, interactive=interactive)
        return Reply(200, {"jwt_token": token})

    def _onboard(self, call: Call) -> Reply:
        check_onboarding(call.request.headers, self._engine.notary)
        return Reply(200, {})

    def _onboarded(self, call: Call) -> Reply:
        exists = call.query.get("public_key", "").lower() == self._engine.public_key
        address = self._engine.account if exists else ""
        body = {"address": address, "exists": exists, "account_signer_type": "starknet"}
        return Reply(200, body)


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
