"""One of each fault of the menu at each venue that knows it, as plays of every fault use it."""

from __future__ import annotations

from typing import Any, Final

from bot4.simulator.faults import COUNTED, LASTING
from universelib.grammar import MARKETS

EVER_S: Final = 3600.0
"""Longer than any play."""
ANY: Final = {"request": "any", "count": 6}
ARGS: Final[dict[str, dict[str, Any]]] = {
    "refuse": {"code": {"vest": 3002, "paradex": "INVALID_ORDER_SIZE"}, "count": 2},
    "lose_request": ANY,
    "lose_answer": ANY,
    "delay_request": {**ANY, "ms": 1500},
    "delay_answer": {**ANY, "ms": 1500},
    "delay_landing": {"ms": 1500, "count": 2},
    "http_error": {**ANY, "status": 503},
    "mute_private": {"count": 5},
    "delay_event": {"ms": 2500, "count": 5},
    "double_event": {"count": 10},
    "reorder_event": {"count": 10},
    "partial_fill": {"fraction": 0.4, "count": 2},
    "no_fill": {"count": 2},
    "gap": {"count": 3},
    "crossed": {"count": 3},
    "garbage": {"count": 3},
    "api_change": {"what": "enum", "count": 3},
    "refuse_connect": {"seconds": 6},
    "silence": {"seconds": 6},
    "maintenance": {"seconds": 6},
    "halt": {"seconds": 6, "symbol": MARKETS},
    "ghost": {"seconds": 6, "symbol": MARKETS, "side": "asks", "bps": 4.5},
    "clock_skew": {"seconds": 6, "ms": 4000},
    "stale": {"seconds": 6, "ms": 1500},
    "limits": {"seconds": 6, "order": "0.002", "position": "0.003", "open_orders": 1},
    "cancel_only": {"seconds": 6},
    "post_only": {"seconds": 6},
    "delist": {"seconds": 6, "symbol": MARKETS},
    "funding": {"seconds": 6, "hourly": -0.002},
    "cut": {"which": "all"},
    "expire_token": {},
    "gap_jump": {"bps": -60, "seconds": 5},
    "manual_close": {"market": MARKETS},
    "liquidate": {"market": MARKETS, "share": "0.5"},
    "bust": {"market": MARKETS},
    "blocked": {"seconds": 6},
    "foreign_order": {"market": MARKETS},
    "odd_fill": {"count": 2},
    "account_status": {"status": "RESYNC", "seconds": 6},
    "retail_lost": {"seconds": 6},
}
_NO_SUCH: Final = ("bust", "gap", "cancel_only", "post_only", "account_status", "retail_lost")
_ELSEWHERE: Final = {("vest", kind) for kind in _NO_SUCH}
"""Vest has no chain that takes trades back, no sequence numbers, no such states and no class."""
CASES: Final = [
    (venue, kind) for kind in ARGS for venue in MARKETS if (venue, kind) not in _ELSEWHERE
]


def arguments(venue: str, kind: str) -> dict[str, Any]:
    """Return the arguments of one fault, those that differ by venue chosen."""
    return {n: v[venue] if isinstance(v, dict) else v for n, v in ARGS[kind].items()}


def lasting(venue: str, kind: str) -> dict[str, Any]:
    """Return the arguments of one fault that does not end by itself, where its kind can last."""
    args = arguments(venue, kind)
    if kind in LASTING:
        args["seconds"] = EVER_S
    elif kind in COUNTED:
        args["count"] = -1
    return args
