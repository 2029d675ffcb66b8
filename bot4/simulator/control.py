"""The control endpoint: the truth, and faults on demand. For tests and people, never the bot."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any

import trio

from bot4.simulator.faults import FaultMenu, UnknownFault
from bot4.simulator.serve import HttpAnswer, HttpRequest, serve_http


class Control:
    """GET /truth, /market, /links and /health; POST /fault (one fault or a list) and /clear.

    Every request carries ``Authorization: Bearer`` and the token, else it is answered 401: any
    program on the machine can reach a port of loopback, a page in a browser among them.

    Args:
        truth: what GET /truth answers.
        market: what GET /market answers.
        links: what GET /links answers.
        faults: the menu that POST /fault adds to.
        token: opens the endpoint; an empty one opens it to nobody.
    """

    def __init__(
        self,
        truth: Callable[[], dict[str, Any]],
        market: Callable[[], dict[str, Any]],
        links: Callable[[], dict[str, Any]],
        faults: FaultMenu,
        token: str,
    ) -> None:
        self._truth = truth
        self._market = market
        self._links = links
        self._faults = faults
        self._token = token

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one HTTP connection. Always closes the stream."""
        await serve_http(stream, self._answer)

    async def _answer(self, request: HttpRequest) -> HttpAnswer:
        await trio.lowlevel.checkpoint()
        if not self._opens(request.headers):
            return _json({"error": "the control token is missing or wrong"}, 401)
        match (request.method, request.path):
            case ("GET", "/truth"):
                return _json(self._truth())
            case ("GET", "/market"):
                return _json(self._market())
            case ("GET", "/links"):
                return _json(self._links())
            case ("GET", "/health"):
                return _json({"status": "ok"})
            case ("POST", "/fault"):
                return self._add(request.body)
            case ("POST", "/clear"):
                self._faults.clear()
                return _json({"status": "ok"})
            case _:
                return _json({"error": "not found"}, 404)

    def _opens(self, headers: Mapping[str, str]) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        right = compare_digest(given.strip().encode(), self._token.encode())
        return bool(self._token) and kind.lower() == "bearer" and right

    def _add(self, body: bytes) -> HttpAnswer:
        try:
            asked = json.loads(body)
            for spec in asked if isinstance(asked, list) else [asked]:
                self._faults.add(spec)
        except (UnknownFault, ValueError, TypeError, AttributeError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"status": "ok"})


def _json(body: object, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {"Content-Type": "application/json"}, json.dumps(body).encode())
