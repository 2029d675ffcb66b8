"""Paradex's own rules: what its error codes and cancel reasons allow.

Source: Paradex API docs, error codes (OpenAPI 1.132), and reasons seen live, 2025 to 2026.
Which code permits what is ours.
"""

from __future__ import annotations

from typing import Final

from bot4.domain.order import Order, Purpose
from bot4.ports import Answer, Pool, Retry
from bot4.venues.blocking import BLOCKED, is_block_page

HTTP_UNAUTHORIZED: Final = 401
HTTP_TOO_MANY: Final = 429

_GEO_BLOCK: Final = "GEO_IP_BLOCK"
_TOKEN_CODES: Final = ("INVALID_TOKEN", "UNAUTHORIZED_ERROR")
_RETRIES: Final = {
    "INVALID_TOKEN": Retry.RESIGN,
    "UNAUTHORIZED_ERROR": Retry.RESIGN,
    "INVALID_TIMESTAMP": Retry.RESIGN,
    "INVALID_SIGNATURE_EXPIRATION": Retry.RESIGN,
    "GEO_IP_BLOCK": Retry.SHUT,
    "MARKET_NOT_OPEN": Retry.SHUT,
    "SYSTEM_STATUS_POST_ONLY": Retry.SHUT,
    "SYSTEM_STATUS_CANCEL_ONLY": Retry.SHUT,
    "INVALID_ORDER_SIZE": Retry.LIMIT,
    "REQUEST_NOT_ALLOWED": Retry.LIMIT,  # of an order: too many are open
}

# Refusals before acceptance. Left out on purpose: DUPLICATED_CLIENT_ID and NOT_UNIQUE (a first
# copy exists), INTERNAL_ERROR and SERVICE_UNAVAILABLE (they say nothing), and what is new to us.
_DEFINITE: Final = frozenset(_RETRIES) | {
    "ACCOUNT_NOT_FOUND",
    "BAD_STARKNET_REQUEST",
    "BINDING_ERROR",
    "INVALID_ORDER_SIGNATURE",
    "INVALID_PRICE_PRECISION",
    "INVALID_REQUEST_PARAMETER",
    "INVALID_STARKNET_ADDRESS",
    "INVALID_STARKNET_SIGNATURE",
    "INVALID_SUBKEY",
    "INVALID_SYMBOL",
    "INVALID_TOKEN_SCOPE",
    "IP_NOT_ALLOWED",
    "ISOLATED_MARKET_ACCOUNT_MISMATCH",
    "MARKET_MARGIN_RESTRICTED",
    "MARKET_NOT_FOUND",
    "NOT_ONBOARDED",
    "NO_ACCESS_TO_MARKET",
    "PUBLIC_KEY_INVALID",
    "RPI_ACCOUNT_NOT_WHITELISTED",
    "STARKNET_SIGNATURE_VERIFICATION_FAILED",
    "VALIDATION_ERROR",
}

CREDENTIALS_REFUSED: Final = frozenset(
    {
        "ACCOUNT_NOT_FOUND",
        "INVALID_STARKNET_ADDRESS",
        "INVALID_STARKNET_SIGNATURE",
        "INVALID_SUBKEY",
        "IP_NOT_ALLOWED",
        "NOT_ONBOARDED",
        "PUBLIC_KEY_INVALID",
        "STARKNET_SIGNATURE_VERIFICATION_FAILED",
    }
)
"""Answers to a log-in that the same keys will always get."""

NOT_FOUND: Final = frozenset({"NOT_FOUND", "ORDER_ID_NOT_FOUND", "CLIENT_ORDER_ID_NOT_FOUND"})
ENDED: Final = NOT_FOUND | {"ORDER_IS_CLOSED", "ORDER_IS_NOT_OPEN"}
"""Answers to a cancel that mean there is nothing left to cancel."""

_TOO_LARGE: Final = "ORDER_EXCEEDS_POSITION_LIMIT"
_REFUSALS: Final = frozenset(
    {
        "NOT_ENOUGH_MARGIN",
        _TOO_LARGE,
        "POST_ONLY_WOULD_CROSS",
        "MMP_TRIGGERED",
        "MMP_FROZEN",
        "MMP_DISABLED",
        "MMP_NOT_CONFIGURED",
        "MMP_GREEKS_UNAVAILABLE",
    }
)
_HOPELESS: Final = _REFUSALS | {"SELF_TRADE"}


_SHUT: Final = {
    "maintenance": "it is under maintenance",
    "cancel_only": "it only takes cancels",
    "post_only": "it only takes orders that rest",
}
"""Source: Paradex API docs, system state and Maintenance, seen 2026-11."""


def is_signed_out(answer: Answer, code: str) -> bool:
    """Whether an answer says that our token is not valid (any more), 403 without a code too."""
    plain_403 = answer.status == BLOCKED and code in ("", *_TOKEN_CODES)
    return answer.status == HTTP_UNAUTHORIZED or (plain_403 and not is_block_page(answer))


def why_shut(status: str) -> str:
    """Return why no order of ours would be taken in this state of the system, "" for ok."""
    if status == "ok":
        return ""
    return _SHUT.get(status, "its system is in a state that this version does not know")


def is_refusal(cancel_reason: str) -> bool:
    """Whether this cancel reason means that risk refused the order before it could trade."""
    return cancel_reason in _REFUSALS


def retry(reason: str) -> Retry:
    """Return what a refusal allows, from an error code or a cancel reason.

    A cancel reason that we do not know closed an order that could trade: the price had moved.
    """
    if reason in _RETRIES:
        return _RETRIES[reason]
    if reason == _TOO_LARGE:
        return Retry.LIMIT
    if reason == str(HTTP_TOO_MANY):
        return Retry.WAIT
    if reason.split(" ", 1)[0] == str(BLOCKED):
        return Retry.SHUT
    return Retry.NEVER if reason in _HOPELESS or reason in _DEFINITE else Retry.REQUOTE


def is_definite(status: int, code: str) -> bool:
    """Whether this answer to an order proves that nothing of it will ever fill.

    401 and 429 come from the gate before the order is looked at, so the status is enough.
    Source: Paradex API docs, rate limits, seen 2026-11.
    """
    if status in (HTTP_UNAUTHORIZED, HTTP_TOO_MANY):
        return True
    return 400 <= status < 500 and code in _DEFINITE


def is_turned_away(answer: Answer, code: str) -> bool:
    """Whether an answer comes from in front of the venue, or says that it serves no address here.

    Source: Paradex API docs, GEO_IP_BLOCK, seen 2026-11.
    """
    return code == _GEO_BLOCK or is_block_page(answer)


def is_no(answer: Answer, code: str) -> bool:
    """Whether an answer to a wish will be the same the next time: neither haste nor trouble."""
    definite = 400 <= answer.status < 500 and answer.status != HTTP_TOO_MANY
    return definite and not is_turned_away(answer, code)


def order_pool(order: Order) -> Pool:
    """Return the rate limit that an order counts against: reducing ones go first."""
    return Pool.SAFETY if order.closes else Pool.ORDER


def is_urgent(order: Order) -> bool:
    """Whether an order must not wait Retail's 300 ms: all but the planned entries and exits."""
    return order.purpose not in (Purpose.ENTER, Purpose.EXIT)
