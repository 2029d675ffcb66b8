"""Vest's own rules: how we order, and what its codes allow.

Source: Vest API docs (v2), Error codes, seen 2025-11. Which code permits what is ours.
"""

from __future__ import annotations

from typing import Final

from bot4.config.schema import VestConfig
from bot4.domain.order import Order
from bot4.ports import Answer, Pool, Retry
from bot4.venues.blocking import BLOCKED, is_block_page
from bot4.venues.vest.codes import CODES, DEFINITE, Kind, kind_of

UNAUTHORIZED: Final = 1002
TOO_MANY: Final = 1003
SECOND_COPY: Final = 3015
"""The rejection of a copy of an order; the first one was accepted."""
ORDER_NOT_FOUND: Final = 3017
HTTP_UNAUTHORIZED: Final = 401
HTTP_TOO_MANY: Final = 429

_RETRIES: Final = {
    Kind.TRANSIENT: Retry.WAIT,
    Kind.SHUT: Retry.SHUT,
    Kind.LIMIT: Retry.LIMIT,
    Kind.RESIGN: Retry.RESIGN,
    Kind.REQUOTE: Retry.REQUOTE,
    Kind.LOOK_UP: Retry.NEVER,
    Kind.STOP: Retry.NEVER,
}

RESTING: Final = ("LIMIT", "GTC")
"""Order type and time in force of an order that waits for its price."""

CREDENTIALS_REFUSED: Final = frozenset({1022, 1024, 1099})
"""Answers to a registration that the same keys will always get."""


def reason(code: int) -> str:
    """Return a code as we write it: the number and the docs' name for it."""
    return f"{code} {CODES[code][0]}" if code in CODES else str(code)


def retry(why: str) -> Retry:
    """Return what a refusal allows, from ``OrderReport.reason`` or ``Refused.code``.

    A reason without a code closed an order that could trade: the price had moved.
    """
    number = why.split(" ", 1)[0]
    if number == str(BLOCKED):
        return Retry.SHUT
    return _RETRIES[kind_of(int(number))] if number.isdecimal() else Retry.REQUOTE


def is_signed_out(answer: Answer, code: int | None) -> bool:
    """Whether an answer says that our API key is not valid (any more).

    A dead key was met as 401 and as 403, with the code and without. Source: one client, 2026.
    """
    plain_403 = answer.status == BLOCKED and code is None and not is_block_page(answer)
    return answer.status == HTTP_UNAUTHORIZED or code == UNAUTHORIZED or plain_403


def is_too_many(status: int, code: int | None) -> bool:
    """Whether an answer says that we ask too often."""
    return HTTP_TOO_MANY in (status, code) or code == TOO_MANY


def is_definite(status: int, code: int | None, config: VestConfig) -> bool:
    """Whether this answer to an order proves that nothing of it will ever fill.

    A code counts when it came with a 2xx or 4xx: a 5xx may be a proxy speaking of an order
    that passed it.
    """
    if not (200 <= status < 300 or 400 <= status < 500):
        return False
    if is_too_many(status, code):
        return config.too_many_is_definite
    return code in DEFINITE


def order_type(config: VestConfig) -> tuple[str, str]:
    """Return Vest's order type and time in force ("" for none) for all our orders.

    MARKET with ``limitPrice`` as the worst price is the rule: a LIMIT is a trigger on the index
    price (Source: Vest trading docs, seen 2025-11), so LIMIT FOK is by switch only.
    """
    return ("LIMIT", "FOK") if config.order_type == "LIMIT_FOK" else ("MARKET", "")


def order_pool(order: Order) -> Pool:
    """Return the rate limit that an order counts against: reducing ones go first."""
    return Pool.SAFETY if order.closes else Pool.ORDER
