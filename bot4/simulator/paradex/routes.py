"""Requests, replies and the table that joins them, for the REST face of Paradex."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from bot4.simulator.paradex.refusal import Refused, not_found
from bot4.simulator.paradex.tokens import Token
from bot4.simulator.serve import HttpRequest


@attrs.frozen
class Call:
    """One request on its way to an endpoint."""

    request: HttpRequest
    params: dict[str, str]
    """Parts of the path, by the names in the route."""
    _token: Token | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query parameters."""
        return self.request.query

    @property
    def token(self) -> Token:
        """The token of a private request."""
        if self._token is None:
            raise RuntimeError("a public endpoint has no token")
        return self._token

    def with_token(self, token: Token) -> Call:
        """Return the call, logged in."""
        return attrs.evolve(self, token=token)

    def json(self) -> Any:
        """Return the body.

        Raises:
            Refused: BINDING_ERROR, it is not JSON.
        """
        try:
            return json.loads(self.request.body)
        except (ValueError, RecursionError) as error:
            raise Refused("BINDING_ERROR", "request body is not valid JSON") from error


@attrs.frozen
class Reply:
    """Status and JSON body; None is an empty body."""

    status: int
    body: Any


@attrs.frozen
class Route:
    """One endpoint."""

    method: str
    path: str
    """With names in braces for the parts that vary."""
    request: str
    """What faults call this kind of request."""
    scope: str
    """Whose rate limit it spends."""
    act: Callable[[Call], Reply]
    private: bool = True

    def match(self, method: str, parts: list[str]) -> dict[str, str] | None:
        """Return the varying parts of a path, None when it is another endpoint's."""
        own = self.path.split("/")
        if method != self.method or len(own) != len(parts):
            return None
        params: dict[str, str] = {}
        for name, part in zip(own, parts, strict=True):
            if name.startswith("{"):
                params[name[1:-1]] = part
            elif name != part:
                return None
        return params


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the endpoint of a request.

    An unknown path is a private endpoint that finds nothing: without a token it answers
    INVALID_TOKEN, as testnet does. Source: live report, 2026-01.
    """
    parts = path.rstrip("/").split("/")
    for route in routes:
        params = route.match(method, parts)
        if params is not None:
            return route, params
    return Route(method, path, "query", "private", _nothing), {}


def _nothing(call: Call) -> Reply:
    raise not_found("NOT_FOUND", call.request.path)
