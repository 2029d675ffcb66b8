"""Vest's REST side: routes, headers and the private calls."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from bot4.simulator.answering import answer_request, error_page
from bot4.simulator.buckets import Bucket, Limit
from bot4.simulator.faults import Fault
from bot4.simulator.serve import Answered, HttpAnswer, HttpRequest, serve_http
from bot4.simulator.vest import past, public
from bot4.simulator.vest.foreign import check_cancel
from bot4.simulator.vest.intake import read_cancel, read_json, read_order
from bot4.simulator.vest.query import find_orders
from bot4.simulator.vest.refusals import (
    VestRefusal,
    blocked_answer,
    check_time,
    ended_order,
    from_engine,
    json_answer,
    refusal_answer,
)
from bot4.simulator.vest.shapes import account_row

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

BASE_PATH: Final = "/v2"
Handler = Callable[[HttpRequest], object]

REQUESTS: Final = {
    # What a path counts as, for faults. Anything not here is public.
    ("POST", "/orders"): "order",
    ("POST", "/orders/cancel"): "cancel",
    ("GET", "/orders"): "query",
    ("GET", "/lp"): "query",
    ("GET", "/transfer"): "query",
    ("GET", "/account"): "account",
    ("GET", "/account/nonce"): "account",
    ("POST", "/account/leverage"): "account",
    ("POST", "/register"): "auth",
    ("POST", "/account/listenKey"): "auth",
    ("PUT", "/account/listenKey"): "auth",
    ("DELETE", "/account/listenKey"): "auth",
}


class VestRest:
    """Answers the HTTP requests of one simulated Vest."""

    def __init__(self, venue: VestVenue) -> None:
        self._venue = venue
        shown = {
            "/exchangeInfo": public.exchange_info,
            "/depth": public.depth,
            "/oi": public.open_interest,
            "/klines": past.klines,
            "/trades": past.trades,
            "/ticker/24hr": past.day_tickers,
            "/funding/history": past.funding_history,
        }
        limit = Limit(max(1, venue.switches.requests_per_s), 1.0)
        self._buckets = {public: Bucket(limit) for public in (True, False)}
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", path): partial(self._public, show) for path, show in shown.items()
        }
        self._routes |= {
            ("GET", "/ticker/latest"): self._tickers,
            ("POST", "/register"): self._register,
            ("POST", "/account/listenKey"): partial(self._listen_key, create=True),
            ("PUT", "/account/listenKey"): partial(self._listen_key, create=False),
            ("DELETE", "/account/listenKey"): self._close_listen_key,
            ("GET", "/account"): self._account,
            ("GET", "/account/nonce"): self._nonce,
            ("POST", "/account/leverage"): self._leverage,
            ("GET", "/orders"): self._orders,
            ("GET", "/lp"): self._nothing,
            ("GET", "/transfer"): self._nothing,
            ("POST", "/orders"): self._place,
            ("POST", "/orders/cancel"): self._cancel,
        }
        self._paths = {path for _, path in self._routes}

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until it ends."""
        await serve_http(stream, self._answer)

    async def _answer(self, request: HttpRequest) -> Answered:
        venue = self._venue
        path = request.path.removeprefix(BASE_PATH)
        kind = REQUESTS.get((request.method, path), "public")
        if venue.faults.active(venue.name, "blocked") is not None:
            await trio.sleep(venue.latency.draw("read"))
            return blocked_answer()
        if venue.faults.active(venue.name, "maintenance") is not None:
            await trio.sleep(venue.latency.draw("read"))
            return self._stamped(error_page(Fault(venue.name, "maintenance")))
        answer = await answer_request(
            venue,
            kind,
            partial(self._handle, request, path),
            cause="answer" if kind in ("order", "cancel") else "read",
            path=path,
            **_occasion(request, kind),
        )
        return self._stamped(answer)

    def _stamped(self, answer: Answered) -> Answered:
        """Add the Date header: the only clock Vest shows to everybody."""
        if not isinstance(answer, HttpAnswer):
            return answer
        date = formatdate(self._venue.wall_ms() / 1000, usegmt=True)
        return attrs.evolve(answer, headers={**answer.headers, "Date": date})

    def _handle(self, request: HttpRequest, path: str) -> HttpAnswer:
        if path not in self._paths:
            return json_answer({"detail": "Not Found"}, 404)
        handler = self._routes.get((request.method, path))
        if handler is None:
            return json_answer({"detail": "Method Not Allowed"}, 405)
        try:
            self._count(request, path)
            self._refuse_by_fault(request, path)
            return json_answer(handler(request))
        except VestRefusal as refusal:
            key = request.headers.get("x-api-key", "")
            return refusal_answer(refusal, self._venue.switches.errors, key)

    def _count(self, request: HttpRequest, path: str) -> None:
        switches = self._venue.switches
        bucket = self._buckets[(request.method, path) not in REQUESTS]
        if switches.requests_per_s and not bucket.take():
            raise VestRefusal(switches.too_many_code)

    def _refuse_by_fault(self, request: HttpRequest, path: str) -> None:
        """Carry out a ``refuse`` fault for anything but an order, which has its own facts."""
        venue = self._venue
        kind = REQUESTS.get((request.method, path), "public")
        fault = None
        if kind != "order":
            fault = venue.faults.take(venue.name, "refuse", request=kind, path=path)
        if fault is not None:
            raise _refused_by(fault)

    # Public.

    def _public(
        self, show: Callable[[VestVenue, dict[str, str]], object], request: HttpRequest
    ) -> object:
        return show(self._venue, request.query)

    def _tickers(self, request: HttpRequest) -> object:
        return {"tickers": public.tickers(self._venue, request.query)}

    # Private.

    def _register(self, request: HttpRequest) -> object:
        venue = self._venue
        venue.sessions.check_group(request.headers)
        answer = venue.sessions.register(read_json(request.body), venue.wall_ms())
        venue.save()
        return answer

    def _listen_key(self, request: HttpRequest, *, create: bool) -> object:
        venue = self._venue
        venue.sessions.check(request.headers)
        answer = venue.sessions.listen_key(venue.wall_ms(), create=create)
        venue.save()
        return answer

    def _close_listen_key(self, request: HttpRequest) -> object:
        self._venue.sessions.check(request.headers)
        self._venue.sessions.close_listen_key()
        self._venue.save()
        return {}

    def _account(self, request: HttpRequest) -> object:
        self._venue.sessions.check(request.headers)
        return account_row(self._venue)

    def _nonce(self, request: HttpRequest) -> object:
        venue = self._venue
        venue.sessions.check(request.headers)
        if venue.switches.nonce_needs_time:
            check_time(request.query)
        nonces = [int(order.extra["nonce"] or 0) for order in venue.orders.values()]
        return {"lastNonce": max(nonces, default=0)}

    def _leverage(self, request: HttpRequest) -> object:
        venue = self._venue
        venue.sessions.check(request.headers)
        body = read_json(request.body)
        symbol, value = body.get("symbol"), body.get("value")
        market = venue.listed().get(symbol) if isinstance(symbol, str) else None
        if market is None:
            raise VestRefusal(1121)
        if type(body.get("time")) is not int or type(value) is not int:
            raise VestRefusal(1130, "time and value must be integers")
        if not 1 <= value <= 1 / market.initial_margin:
            raise VestRefusal(1130, "value is out of range")
        held = venue.ledger.position(market.symbol).size
        if held != 0 and value < venue.ledger.leverage.get(market.symbol, 1):
            raise VestRefusal(3021)
        venue.ledger.leverage[market.symbol] = value
        venue.save()
        return {"symbol": market.symbol, "value": value}

    def _nothing(self, request: HttpRequest) -> object:
        """Lists that stay empty here: the pool of liquidity, and transfers."""
        self._venue.sessions.check(request.headers)
        return []

    def _orders(self, request: HttpRequest) -> object:
        self._venue.sessions.check(request.headers)
        return find_orders(self._venue, request.query)

    def _place(self, request: HttpRequest) -> object:
        venue = self._venue
        venue.sessions.check(request.headers)
        body = read_json(request.body)
        self._refuse_at_the_door(body)
        order = read_order(body, venue.listed(), venue.sessions, venue.wall_ms())
        if order.id in venue.orders:
            raise VestRefusal(3015)
        halt = venue.halted(order.symbol)
        if halt is not None and halt.args.get("code", 1148) == 1148:
            raise VestRefusal(1148)
        venue.place(order)
        return {"id": order.id}

    def _refuse_at_the_door(self, body: dict[str, Any]) -> None:
        """Carry out a ``refuse`` fault whose code the venue gives before accepting an order."""
        venue = self._venue
        fault = venue.faults.take(
            venue.name,
            "refuse",
            request="order",
            where=lambda args: not from_engine(args),
            **_facts(body),
        )
        if fault is not None:
            raise _refused_by(fault)

    def _cancel(self, request: HttpRequest) -> object:
        venue = self._venue
        venue.sessions.check(request.headers)
        if venue.switches.cancel_needs_time:
            check_time(request.query)
        order_id = read_cancel(read_json(request.body), venue.sessions, venue.wall_ms())
        order = venue.orders.get(order_id)
        if order is None:
            raise VestRefusal(3017)
        if order.done:
            raise ended_order(venue.switches.ended_cancel_status)
        check_cancel(order)
        venue.cancel(order_id)
        return {"id": order_id}


def _refused_by(fault: Fault) -> VestRefusal:
    status = fault.args.get("status")
    return VestRefusal(
        int(fault.args.get("code", 1130)),
        str(fault.args.get("message", "")),
        None if status is None else int(status),
    )


def _occasion(request: HttpRequest, kind: str) -> dict[str, Any]:
    if kind != "order":
        return {}
    try:
        return _facts(read_json(request.body))
    except VestRefusal:
        return {}


def _facts(body: dict[str, Any]) -> dict[str, Any]:
    order = body.get("order")
    if not isinstance(order, dict):
        return {}
    return {
        "symbol": order.get("symbol"),
        "side": "buy" if order.get("isBuy") else "sell",
        "reduce_only": bool(order.get("reduceOnly")),
    }
