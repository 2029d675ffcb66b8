"""The private REST endpoints of Paradex about money: account, balance, positions, fills."""

from __future__ import annotations

from bot4.simulator.paradex import lists, shapes
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.refusal import Refused, not_found
from bot4.simulator.paradex.routes import Call, Reply, Route


class AccountEndpoints:
    """What the account can be asked, and its leverage told."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine

    def account(self, call: Call) -> Reply:
        """GET /account."""
        del call
        return Reply(200, shapes.account(self._engine))

    def summaries(self, call: Call) -> Reply:
        """GET /account/summary: one account."""
        del call
        return Reply(200, {"results": [shapes.account(self._engine)]})

    def info(self, call: Call) -> Reply:
        """GET /account/info: fees by the class of the token."""
        first = next(iter(self._engine.markets))
        interactive = call.token.interactive
        info = shapes.account_info(self._engine, first, interactive=interactive)
        return Reply(200, {"results": [info]})

    def balance(self, call: Call) -> Reply:
        """GET /balance."""
        del call
        return Reply(200, {"results": [shapes.balance(self._engine)]})

    def positions(self, call: Call) -> Reply:
        """GET /positions: the open ones."""
        del call
        engine = self._engine
        held = [shapes.position(engine, symbol) for symbol in engine.ledger.positions]
        return Reply(200, {"results": held})

    def fills(self, call: Call) -> Reply:
        """GET /fills, by market and time, paged."""
        return Reply(200, lists.fills(self._engine, call.query))

    def nothing(self, call: Call) -> Reply:
        """Lists that stay empty here: transactions and transfers."""
        del call
        return Reply(200, lists.empty_page())

    def payments(self, call: Call) -> Reply:
        """GET /funding/payments of one market, paged."""
        return Reply(200, lists.payments(self._engine, call.query))

    def busts(self, call: Call) -> Reply:
        """GET /tradebusts, paged."""
        return Reply(200, lists.tradebusts(self._engine, call.query))

    def liquidations(self, call: Call) -> Reply:
        """GET /liquidations, newest first."""
        del call
        return Reply(200, {"results": list(reversed(self._engine.liquidations))})

    def margins(self, call: Call) -> Reply:
        """GET /account/margin: leverage of one market or of all."""
        engine = self._engine
        chosen = call.query.get("market")
        names = [self._symbol(chosen)] if chosen else list(engine.markets)
        configs = [
            {
                "market": name,
                "leverage": round(1 / engine.ledger.initial_ratio(name)),
                "isolated_margin_leverage": 0,
                "margin_type": "CROSS",
            }
            for name in names
        ]
        body = {"account": engine.account, "configs": configs, "margin_methodology": "cross_margin"}
        return Reply(200, body)

    def set_margin(self, call: Call) -> Reply:
        """POST /account/margin/{market}: leverage, cross margin only."""
        engine = self._engine
        symbol = self._symbol(call.params["market"])
        body = call.json()
        leverage = body.get("leverage") if isinstance(body, dict) else None
        most = int(1 / engine.markets[symbol].initial_margin)
        if isinstance(leverage, bool) or not isinstance(leverage, int) or not 1 <= leverage <= most:
            raise Refused("VALIDATION_ERROR", f"leverage: must be 1 to {most}")
        if body.get("margin_type", "CROSS") != "CROSS":
            raise Refused("MARKET_MARGIN_RESTRICTED", "only cross margin here")
        engine.ledger.leverage[symbol] = leverage
        engine.save()
        answer = {
            "account": engine.account,
            "leverage": leverage,
            "margin_type": "CROSS",
            "market": symbol,
        }
        return Reply(200, answer)

    def _symbol(self, name: str) -> str:
        if name not in self._engine.markets:
            raise not_found("MARKET_NOT_FOUND", f"market {name}")
        return name


def account_routes(engine: ParadexEngine) -> tuple[Route, ...]:
    """Return the endpoints of this module."""
    ends = AccountEndpoints(engine)
    private = "private"
    return (
        Route("GET", "/v1/account", "account", private, ends.account),
        Route("GET", "/v1/account/summary", "account", private, ends.summaries),
        Route("GET", "/v1/account/info", "account", private, ends.info),
        Route("GET", "/v1/account/margin", "account", private, ends.margins),
        Route("POST", "/v1/account/margin/{market}", "account", private, ends.set_margin),
        Route("GET", "/v1/balance", "account", private, ends.balance),
        Route("GET", "/v1/positions", "account", private, ends.positions),
        Route("GET", "/v1/fills", "query", private, ends.fills),
        Route("GET", "/v1/funding/payments", "query", private, ends.payments),
        Route("GET", "/v1/tradebusts", "query", private, ends.busts),
        Route("GET", "/v1/transactions", "query", private, ends.nothing),
        Route("GET", "/v1/transfers", "query", private, ends.nothing),
        Route("GET", "/v1/liquidations", "query", private, ends.liquidations),
    )
