"""How Vest says no: codes, HTTP status, and the shapes of an error body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bot4.simulator.serve import HttpAnswer

NAMES: Final = {
    # Source: Vest API docs, Error codes, seen 2025-11.
    429: "Rate limited",
    1002: "UNAUTHORIZED",
    1003: "TOO_MANY_REQUESTS",
    1022: "INVALID_SIGNATURE",
    1023: "INVALID_NONCE",
    1024: "INVALID_NETWORK_TYPE",
    1099: "ACCOUNT_NOT_FOUND",
    1111: "BAD_DECIMALS",
    1116: "INVALID_ORDER_TYPE",
    1121: "BAD_SYMBOL",
    1125: "Listen key expired. Make a POST request to create a new key.",
    1130: "INVALID_PARAMETER",
    1131: "BAD_RECV_WINDOW",
    1132: "ORDER_EXPIRED",
    1133: "INVALID_TIME_IN_FORCE",
    1145: "INVALID_TP_SL_PRICE",
    1146: "INVALID_ACCOUNT_GROUP",
    1148: "MARKET_CLOSED",
    3001: "PRICE_CHECK_FAILED",
    3002: "MARGIN_CHECK_FAILED",
    3008: "DELETED_BY_LIQ",
    3010: "OI_CAP_EXCEEDED",
    3015: "DUPLICATE",
    3017: "ORDER_NOT_FOUND",
    3018: "REDUCE_ONLY_INCREASES",
    3019: "REDUCE_ONLY_EXCEEDS_SIZE",
    3020: "ORDER_CHANGES_LEVERAGE",
    3021: "DECREASE_LEVERAGE_WITH_POSITION",
    3024: "MARKET_CLOSED",
}
STATUSES: Final = {1002: 401, 1003: 429, 429: 429}
"""HTTP status by code, 400 for the others. Source: ours, the documents give none."""

ENGINE_CODES: Final = range(3000, 4000)


def from_engine(args: Mapping[str, Any]) -> bool:
    """Tell whether a ``refuse`` fault strikes after the order was accepted, by its code."""
    return int(args.get("code", 3001)) in ENGINE_CODES


class VestRefusal(Exception):
    """The request is refused at once, with a code and an HTTP status."""

    def __init__(self, code: int, why: str = "", status: int | None = None) -> None:
        name = NAMES.get(code, "ERROR")
        super().__init__(f"{name}: {why}" if why else name)
        self.code = code
        self.status = STATUSES.get(code, 400) if status is None else status


def refusal_answer(refusal: VestRefusal, shape: str) -> HttpAnswer:
    """Return the answer that carries a refusal.

    ``shape`` is "plain" ({code, msg}), "detail" (the same under ``detail``) or "ok" ({code, msg}
    with status 200): clients of the real venue have met all three.
    """
    body: dict[str, object] = {"code": refusal.code, "msg": str(refusal)}
    if shape == "detail":
        body = {"detail": body}
    return json_answer(body, 200 if shape == "ok" else refusal.status)


def json_answer(body: object, status: int = 200) -> HttpAnswer:
    """Return an answer with a JSON body."""
    text = json.dumps(body, separators=(",", ":"))
    return HttpAnswer(status, {"Content-Type": "application/json"}, text.encode())
