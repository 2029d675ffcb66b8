"""Requests to Vest that carry the session, and the end of the session in their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from bot4.errors import AuthRefused
from bot4.ports import Answer, Errand, Pool, Request
from bot4.venues.vest.messages import read_answer
from bot4.venues.vest.session import VestSession

T = TypeVar("T")


def private(
    session: VestSession,
    request: Request,
    what: str,
    read: Callable[[object], T],
    pool: Pool = Pool.READ,
) -> Errand[T]:
    """Return an errand whose answer may say that the session is over; then it is forgotten."""
    key = session.api_key

    def reading(answer: Answer) -> T:
        try:
            return read_answer(answer, what, read)
        except AuthRefused:
            session.lose(key)
            raise

    return Errand(request, reading, pool)


def get(session: VestSession, path: str, what: str, read: Callable[[object], T]) -> Errand[T]:
    """Return an errand that asks for something of the account."""
    return private(session, Request("GET", path, session.headers()), what, read)


def post(session: VestSession, path: str, body: Mapping[str, Any]) -> Request:
    """Return a request that changes something of the account."""
    return Request("POST", path, session.headers(), msgspec.json.encode(body))


def public(session: VestSession, path: str) -> Request:
    """Return a request that needs no session; it is routed like all others."""
    return Request("GET", path, {"xrestservermm": session.server})
