"""Vest's error codes: the docs' names, and what each lets us do.

Source: Vest API docs (v2), Error codes, seen 2025-11: all of them. Which code permits what is ours.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What may be done about an error."""

    TRANSIENT = "transient"
    """Wait, and try again."""
    SHUT = "shut"
    """The market executes no orders now."""
    LIMIT = "limit"
    """The market's limits allow no order of this size."""
    RESIGN = "re-sign"
    """Sign again: a new time, or a new session."""
    REQUOTE = "re-quote"
    """The price moved: a new order at a new price may do."""
    LOOK_UP = "look it up"
    """It says nothing sure of this order, or speaks of another that exists: ask by its nonce."""
    STOP = "stop"
    """It will be the same again."""


_BY_KIND: Final = {
    Kind.TRANSIENT: """
        429 RATE_LIMITED
        1003 TOO_MANY_REQUESTS
        3003 PRICE_STALE
        3004 ORDER_STALE
        4003 LP_PRICE_STALE
        4004 LP_ORDER_STALE
    """,
    Kind.SHUT: """
        1148 MARKET_CLOSED
        3024 MARKET_CLOSED
    """,
    Kind.LIMIT: """
        3010 OI_CAP_EXCEEDED
    """,
    Kind.RESIGN: """
        1002 UNAUTHORIZED
        1131 BAD_RECV_WINDOW
        1132 ORDER_EXPIRED
    """,
    Kind.REQUOTE: """
        3001 PRICE_CHECK_FAILED
        3011 INVALID_LIMIT_PRICE
    """,
    Kind.LOOK_UP: """
        1023 INVALID_NONCE
        1125 INVALID_LISTEN_KEY
        3008 DELETED_BY_LIQ
        3015 DUPLICATE
        3017 ORDER_NOT_FOUND
    """,
    Kind.STOP: """
        1022 INVALID_SIGNATURE
        1024 INVALID_NETWORK_TYPE
        1099 ACCOUNT_NOT_FOUND
        1111 BAD_DECIMALS
        1116 INVALID_ORDER_TYPE
        1121 BAD_SYMBOL
        1130 INVALID_PARAMETER
        1133 INVALID_TIME_IN_FORCE
        1143 INVALID_TRANSACTION
        1144 ALREADY_USE_TRANSACTION
        1145 INVALID_TP_SL_PRICE
        1146 INVALID_ACCOUNT_GROUP
        1147 DECLINE_WITHDRAW_FROM_MOBILE
        3002 MARGIN_CHECK_FAILED
        3006 INCREASE_WITH_SL_TP
        3007 INCREASE_DURING_INSOLVENCY
        3018 REDUCE_ONLY_INCREASES
        3019 REDUCE_ONLY_EXCEEDS_SIZE
        3020 ORDER_CHANGES_LEVERAGE
        3021 DECREASE_LEVERAGE_WITH_POSITION
        3022 INVALID_TP_SL_PRICE
        3023 BAD_SYMBOL
        4001 LP_INSUFFICIENT_BALANCE
        4002 LP_MARGIN_CHECK_FAILED
        4007 LP_WITHDRAW_WITHOUT_SHARES
        4010 LP_DUPLICATE
        4012 LP_WITHDRAW_EXCEEDS_BALANCE
        5002 TRANSFER_MARGIN_CHECK_FAILED
        5009 TRANSFER_WITHDRAW_CAP_EXCEEDED
        5010 TRANSFER_DUPLICATE
        5013 TRANSFER_EXECUTION_FAILED
    """,
}


def _rows() -> dict[int, tuple[str, Kind]]:
    words = ((kind, line.split()) for kind, text in _BY_KIND.items() for line in text.splitlines())
    return {int(row[0]): (row[1], kind) for kind, row in words if row}


CODES: Final = _rows()
"""Code -> name and kind."""

_NOT_OURS: Final = {1143, 1144, 1147, 3021} | {code for code in CODES if code // 1000 in (4, 5)}
"""Of deposits, withdrawals, pool orders and leverage: no answer to an order of ours."""
_GATE: Final = {429, 1003}
"""Not documented to come before acceptance: a switch decides."""

DEFINITE: Final = frozenset(
    code for code, (_, kind) in CODES.items() if kind is not Kind.LOOK_UP
) - (_NOT_OURS | _GATE)
"""As the answer to an order: nothing of it will ever fill."""


def kind_of(code: int) -> Kind:
    """Return what a code lets us do; of one that we do not know, nothing."""
    return CODES[code][1] if code in CODES else Kind.STOP
