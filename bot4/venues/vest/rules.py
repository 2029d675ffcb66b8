"""Vest's own rules: how we order, and what its codes allow.

Source: Vest API docs (v2), Error codes, seen 2025-11. Which code permits what is ours.
"""

from __future__ import annotations

from typing import Final

from bot4.config.schema import VestConfig
from bot4.domain.order import Order, Purpose
from bot4.ports import Pool, Retry

UNAUTHORIZED: Final = 1002
TOO_MANY: Final = 1003
INVALID_SIGNATURE: Final = 1022
LISTEN_KEY_EXPIRED: Final = 1125
ORDER_NOT_FOUND: Final = 3017
HTTP_UNAUTHORIZED: Final = 401
HTTP_TOO_MANY: Final = 429

NAMES: Final = {
    429: "RATE_LIMITED",
    1002: "UNAUTHORIZED",
    1003: "TOO_MANY_REQUESTS",
    1022: "INVALID_SIGNATURE",
    1023: "INVALID_NONCE",
    1024: "INVALID_NETWORK_TYPE",
    1099: "ACCOUNT_NOT_FOUND",
    1111: "BAD_DECIMALS",
    1116: "INVALID_ORDER_TYPE",
    1121: "BAD_SYMBOL",
    1125: "INVALID_LISTEN_KEY",
    1130: "INVALID_PARAMETER",
    1131: "BAD_RECV_WINDOW",
    1132: "ORDER_EXPIRED",
    1133: "INVALID_TIME_IN_FORCE",
    1145: "INVALID_TP_SL_PRICE",
    1146: "INVALID_ACCOUNT_GROUP",
    1148: "MARKET_CLOSED",
    3001: "PRICE_CHECK_FAILED",
    3002: "MARGIN_CHECK_FAILED",
    3003: "PRICE_STALE",
    3004: "ORDER_STALE",
    3006: "INCREASE_WITH_SL_TP",
    3007: "INCREASE_DURING_INSOLVENCY",
    3008: "DELETED_BY_LIQ",
    3010: "OI_CAP_EXCEEDED",
    3011: "INVALID_LIMIT_PRICE",
    3015: "DUPLICATE",
    3017: "ORDER_NOT_FOUND",
    3018: "REDUCE_ONLY_INCREASES",
    3019: "REDUCE_ONLY_EXCEEDS_SIZE",
    3020: "ORDER_CHANGES_LEVERAGE",
    3021: "DECREASE_LEVERAGE_WITH_POSITION",
    3022: "INVALID_TP_SL_PRICE",
    3023: "BAD_SYMBOL",
    3024: "MARKET_CLOSED",
}

_RETRIES: Final = {
    429: Retry.WAIT,
    1002: Retry.RESIGN,
    1003: Retry.WAIT,
    1131: Retry.RESIGN,
    1132: Retry.RESIGN,
    3001: Retry.REQUOTE,
    3003: Retry.WAIT,
    3004: Retry.WAIT,
    3011: Retry.REQUOTE,
}

# Left out on purpose: 3015 means that a first copy was accepted, 1023 may mean the same, 3008
# speaks of an order that existed, and 429/1003 are not documented to come before acceptance.
_DEFINITE: Final = frozenset(NAMES) - {429, 1003, 1023, 1125, 3008, 3015, 3017, 3021}

RESTING: Final = ("LIMIT", "GTC")
"""Order type and time in force of an order that waits for its price."""

CREDENTIALS_REFUSED: Final = frozenset({1022, 1024, 1099})
"""Answers to a registration that the same keys will always get."""


def reason(code: int) -> str:
    """Return a code as we write it: the number and the docs' name for it."""
    return f"{code} {NAMES.get(code, '')}".strip()


def retry(why: str) -> Retry:
    """Return what a refusal allows, from ``OrderReport.reason`` or ``Refused.code``.

    A reason without a code closed an order that could trade: the price had moved.
    """
    number = why.split(" ", 1)[0]
    return _RETRIES.get(int(number), Retry.NEVER) if number.isdecimal() else Retry.REQUOTE


def is_signed_out(status: int, code: int | None) -> bool:
    """Whether an answer says that our API key is not valid (any more)."""
    return status == HTTP_UNAUTHORIZED or code == UNAUTHORIZED


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
    return code in _DEFINITE


def order_type(config: VestConfig) -> tuple[str, str]:
    """Return Vest's order type and time in force ("" for none) for all our orders.

    MARKET with ``limitPrice`` as the worst price is the rule: a LIMIT is a trigger on the index
    price (Source: Vest trading docs, seen 2025-11), so LIMIT FOK is by switch only.
    """
    return ("LIMIT", "FOK") if config.order_type == "LIMIT_FOK" else ("MARKET", "")


def order_pool(order: Order) -> Pool:
    """Return the rate limit that an order counts against: reducing ones go first."""
    safe = order.reduce_only or order.purpose in (Purpose.UNWIND, Purpose.FLATTEN)
    return Pool.SAFETY if safe else Pool.ORDER
