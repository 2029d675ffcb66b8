"""The public REST endpoints of Paradex: what needs no account.

Source: Paradex API docs, OpenAPI 1.132.1, seen 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot4.simulator.paradex import lists, markets
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.refusal import Refused, not_found
from bot4.simulator.paradex.routes import Call, Reply, Route
from bot4.simulator.paradex.shapes import text

BOOK_LEVELS: Final = 100
RESOLUTIONS: Final = ("1", "3", "5", "15", "30", "60")
"""Minutes of a candle. Source: Paradex API docs, GET /markets/klines, seen 2026-11."""

INSURANCE: Final = "1000000"
"""Value of the insurance fund, USDC. Source: ours."""


class PublicEndpoints:
    """Configuration, clock, markets, books, prices and their past."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine

    def config(self, call: Call) -> Reply:
        """GET /system/config."""
        del call
        return Reply(200, markets.system_config(self._engine))

    def time(self, call: Call) -> Reply:
        """GET /system/time: milliseconds, as a text."""
        del call
        return Reply(200, {"server_time": str(self._engine.wall_ms())})

    def state(self, call: Call) -> Reply:
        """GET /system/state: ok, maintenance, cancel_only or post_only."""
        del call
        return Reply(200, {"status": self._engine.system_state()})

    def nothing(self, call: Call) -> Reply:
        """Lists that stay empty here, such as announcements."""
        del call
        return Reply(200, {"results": []})

    def insurance(self, call: Call) -> Reply:
        """GET /insurance."""
        del call
        return Reply(200, {"account_value": INSURANCE})

    def key_set(self, call: Call) -> Reply:
        """GET /jwks.json: the key that verifies tokens."""
        del call
        return Reply(200, self._engine.tokens.key_set())

    def markets(self, call: Call) -> Reply:
        """GET /markets: one or all."""
        names = self._symbols(call.query.get("market"))
        rows = [markets.market(self._engine, name) for name in names]
        if not self._engine.switches.interactive_fee_shown:
            for row in rows:
                del row["fee_config"]["interactive_fee"]
        return Reply(200, {"results": rows})

    def summaries(self, call: Call) -> Reply:
        """GET /markets/summary: one, or ALL."""
        if not call.query.get("market"):
            raise Refused("VALIDATION_ERROR", "market: is required")
        names = self._symbols(call.query["market"])
        return Reply(200, {"results": [markets.summary(self._engine, name) for name in names]})

    def klines(self, call: Call) -> Reply:
        """GET /markets/klines: oldest first, within the times asked for."""
        symbol = self._symbol(call.query.get("symbol", ""))
        resolution = call.query.get("resolution", "")
        if resolution not in RESOLUTIONS:
            raise Refused("VALIDATION_ERROR", f"resolution: must be one of {RESOLUTIONS}")
        if not call.query.get("start_at") or not call.query.get("end_at"):
            raise Refused("VALIDATION_ERROR", "start_at and end_at: are required")
        start, end = (lists.number(call.query, name, 0) for name in ("start_at", "end_at"))
        bars = self._engine.histories[symbol].candles(int(resolution), start, end)
        return Reply(200, {"results": [markets.candle(bar) for bar in bars]})

    def trades(self, call: Call) -> Reply:
        """GET /trades: the tape of one market."""
        symbol = self._symbol(call.query.get("market", ""))
        return Reply(200, lists.tape(self._engine, symbol, call.query))

    def funding(self, call: Call) -> Reply:
        """GET /funding/data: now and the past of one market."""
        symbol = self._symbol(call.query.get("market", ""))
        return Reply(200, lists.funding(self._engine, symbol, call.query))

    def book(self, call: Call) -> Reply:
        """GET /orderbook/{market}."""
        symbol = self._symbol(call.params["market"])
        shown, seq_no = self._engine.public_book(symbol)
        depth = lists.number(call.query, "depth", BOOK_LEVELS)
        now_ms = self._engine.wall_ms()
        return Reply(200, markets.book(symbol, shown, seq_no=seq_no, time_ms=now_ms, depth=depth))

    def bbo(self, call: Call) -> Reply:
        """GET /bbo/{market}."""
        symbol = self._symbol(call.params["market"])
        shown, seq_no = self._engine.public_book(symbol)
        now_ms = self._engine.wall_ms()
        return Reply(200, markets.bbo(symbol, shown, seq_no=seq_no, time_ms=now_ms))

    def impact_price(self, call: Call) -> Reply:
        """GET /orderbook/{market}/impact-price: what a small lot would pay on either side."""
        symbol = self._symbol(call.params["market"])
        shown, _ = self._engine.public_book(symbol)
        bid, ask = (text(side[0][0]) if side else "" for side in (shown.bids, shown.asks))
        return Reply(200, {"market": symbol, "impact_bid_price": bid, "impact_ask_price": ask})

    def _symbol(self, name: str) -> str:
        if name not in self._engine.listed():
            raise not_found("MARKET_NOT_FOUND", f"market {name}")
        return name

    def _symbols(self, name: str | None) -> list[str]:
        return list(self._engine.listed()) if name in (None, "", "ALL") else [self._symbol(name)]


def public_routes(engine: ParadexEngine) -> tuple[Route, ...]:
    """Return the endpoints of this module; fixed paths come before those with a name."""
    ends = PublicEndpoints(engine)

    def public(path: str, act: Callable[[Call], Reply]) -> Route:
        return Route("GET", f"/v1{path}", "public", "public", act, private=False)

    return (
        public("/system/config", ends.config),
        public("/system/time", ends.time),
        public("/system/state", ends.state),
        public("/system/announcements", ends.nothing),
        public("/insurance", ends.insurance),
        public("/markets", ends.markets),
        public("/markets/summary", ends.summaries),
        public("/markets/klines", ends.klines),
        public("/funding/data", ends.funding),
        public("/trades", ends.trades),
        public("/orderbook/{market}", ends.book),
        public("/orderbook/{market}/interactive", ends.book),
        public("/orderbook/{market}/impact-price", ends.impact_price),
        public("/bbo/{market}", ends.bbo),
        public("/bbo/{market}/interactive", ends.bbo),
        public("/jwks.json", ends.key_set),
    )
