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


ENDED: Final = "Order already processed or cancelled"
"""Text of the 3017 of an order that has ended. Source: one client, seen 2026."""
RETRY_AFTER_S: Final = "1"

BLOCK_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    b"<body><h1>Blocked</h1><p>This address may not reach the site.</p></body></html>"
)


class VestRefusal(Exception):
    """The request is refused at once, with a code and an HTTP status.

    The text is the code's name, and ``why``; ``said`` replaces both. ``body`` replaces {code,
    msg}, in every shape: what the web framework says by itself.
    """

    def __init__(
        self,
        code: int,
        why: str = "",
        status: int | None = None,
        *,
        said: str = "",
        body: object = None,
    ) -> None:
        name = NAMES.get(code, "ERROR")
        super().__init__(said or (f"{name}: {why}" if why else name))
        self.code = code
        self.status = STATUSES.get(code, 400) if status is None else status
        self.body = body


def dead_key(how: str) -> VestRefusal:
    """Return the refusal of a missing or dead API key, see the switch ``dead_key``."""
    status, _, plain = how.partition("_")
    words = {"401": "Unauthorized", "403": "Forbidden"}[status]
    return VestRefusal(1002, status=int(status), body={"detail": words} if plain else None)


def ended_order(status: int) -> VestRefusal:
    """Return the refusal to cancel an order that has ended."""
    return VestRefusal(3017, status=status, said=ENDED)


def check_time(query: Mapping[str, str]) -> None:
    """Let a query pass that names the time.

    Raises:
        VestRefusal: 422 in the words of FastAPI, where it is missing or no integer.
    """
    text = query.get("time")
    if text is None:
        raise _unprocessable("missing", "Field required", None)
    if not text.isascii() or not text.isdecimal():
        raise _unprocessable("int_parsing", "Input should be a valid integer", text)


def _unprocessable(kind: str, msg: str, given: str | None) -> VestRefusal:
    fault = {"type": kind, "loc": ["query", "time"], "msg": msg, "input": given}
    return VestRefusal(1130, status=422, body={"detail": [fault]})


def refusal_answer(refusal: VestRefusal, shape: str, key: str) -> HttpAnswer:
    """Return the answer that carries a refusal.

    ``shape`` is "plain" ({code, msg}), "detail" (the same under ``detail``) or "ok" ({code, msg}
    with status 200): clients of the real venue have met all three. ``key`` stands for "{key}" in
    its words: the one that came with the request.
    """
    if refusal.body is not None:
        return json_answer(refusal.body, refusal.status)
    body: dict[str, object] = {"code": refusal.code, "msg": str(refusal).replace("{key}", key)}
    if shape == "detail":
        body = {"detail": body}
    return json_answer(body, 200 if shape == "ok" else refusal.status)


def blocked_answer() -> HttpAnswer:
    """Return what Cloudflare says in front of the venue to an address it does not want."""
    return HttpAnswer(403, {"Content-Type": "text/html", "Server": "cloudflare"}, BLOCK_PAGE)


def json_answer(body: object, status: int = 200) -> HttpAnswer:
    """Return an answer with a JSON body."""
    text = json.dumps(body, separators=(",", ":"))
    headers = {"Content-Type": "application/json"}
    if status == 429:
        headers["Retry-After"] = RETRY_AFTER_S
    return HttpAnswer(status, headers, text.encode())
