"""Everything that can go wrong in a universe, by kind; a script draws from it."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from bot4.venues.vest.codes import CODES

Fault = dict[str, Any]
"""``kind``, ``venue`` ("vest", "paradex", "disk" or "machine") and the kind's own arguments."""

VENUES: Final = ("vest", "paradex")
MARKETS: Final = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}

_PARADEX_REASONS: Final = (
    "DELEVERAGE",
    "IOC_REMAINDER",
    "MARKET_NOT_OPEN",
    "MMP_TRIGGERED",
    "NOT_ENOUGH_MARGIN",
    "ORDER_EXCEEDS_POSITION_LIMIT",
    "POST_ONLY_WOULD_CROSS",
    "PRICE_BAND",
    "REDUCE_ONLY",
    "SELF_TRADE",
    "USER_CANCELED",
)
_PARADEX_CODES: Final = {
    "ACCOUNT_NOT_FOUND": 400,
    "BINDING_ERROR": 400,
    "DUPLICATED_CLIENT_ID": 400,
    "INTERNAL_ERROR": 500,
    "INVALID_ORDER_SIGNATURE": 400,
    "INVALID_ORDER_SIZE": 400,
    "INVALID_PRICE_PRECISION": 400,
    "INVALID_REQUEST_PARAMETER": 400,
    "INVALID_SIGNATURE_EXPIRATION": 400,
    "INVALID_SUBKEY": 401,
    "INVALID_TIMESTAMP": 400,
    "INVALID_TOKEN": 401,
    "MARKET_MARGIN_RESTRICTED": 400,
    "MARKET_NOT_FOUND": 404,
    "NO_ACCESS_TO_MARKET": 403,
    "RATE_LIMIT_EXCEEDED": 429,
    "REQUEST_NOT_ALLOWED": 400,
    "SERVICE_UNAVAILABLE": 503,
    "SYSTEM_STATUS_CANCEL_ONLY": 400,
    "SYSTEM_STATUS_POST_ONLY": 400,
    "VALIDATION_ERROR": 400,
    "SOMETHING_NEW": 400,
}
POOL_CODES: Final = 4000
"""From here on they are answers to deposits, withdrawals and transfers."""
_VEST_CODES: Final = tuple(code for code in CODES if code < POOL_CODES)
REFUSAL_CODES: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "vest": tuple({"code": code} for code in (*_VEST_CODES, 1999, 3999)),
    "paradex": (
        *({"cancel_reason": reason} for reason in (*_PARADEX_REASONS, "SOMETHING_NEW")),
        *({"status": status, "code": code} for code, status in _PARADEX_CODES.items()),
    ),
}
"""What an order may be refused with: by the documents, and by something that they do not know."""

_ORDERS: Final[tuple[Fault, ...]] = (
    {"kind": "lose_request"},
    {"kind": "lose_request", "how": "cut"},
    {"kind": "lose_answer"},
    {"kind": "lose_answer", "how": "cut"},
    {"kind": "lose_answer", "request": "any"},
    {"kind": "lose_request", "request": "query"},
    {"kind": "delay_answer", "ms": 2500},
    {"kind": "delay_request", "ms": 900},
    {"kind": "delay_landing", "ms": 700},
    {"kind": "delay_landing", "ms": 2600},
    {"kind": "delay_event", "ms": 1500},
    {"kind": "double_event"},
    {"kind": "reorder_event"},
    {"kind": "mute_private"},
    {"kind": "no_fill"},
    {"kind": "http_error", "status": 503, "with_effect": True},
    {"kind": "http_error", "status": 503, "with_effect": False, "html": True},
    {"kind": "http_error", "status": 502, "request": "any"},
    # An answer that says no to an order that is taken all the same.
    {"kind": "http_error", "status": 400, "with_effect": True, "html": False},
    {"kind": "http_error", "status": 504, "with_effect": True, "request": "query"},
    {"kind": "stale", "ms": 600, "seconds": 3},
    {"kind": "stale", "ms": 1500, "seconds": 2},
)
_PARTS: Final[tuple[Fault, ...]] = (
    {"kind": "partial_fill", "fraction": 0.4},
    {"kind": "partial_fill", "fraction": 0.01},
    {"kind": "partial_fill", "fraction": 0.97},
)
_FEEDS: Final[tuple[Fault, ...]] = (
    {"kind": "cut", "which": "public"},
    {"kind": "cut", "which": "private"},
    {"kind": "cut", "which": "all"},
    {"kind": "cut", "which": "all", "code": 1001},
    {"kind": "silence", "seconds": 4},
    {"kind": "silence", "seconds": 8},
    {"kind": "refuse_connect", "seconds": 3},
    {"kind": "expire_token"},
    {"kind": "crossed"},
    {"kind": "garbage"},
    {"kind": "maintenance", "seconds": 4},
    {"kind": "clock_skew", "ms": 300, "seconds": 5},
    {"kind": "clock_skew", "ms": 4000, "seconds": 6},
    {"kind": "clock_skew", "ms": -4000, "seconds": 6},
    {"kind": "ghost", "side": "asks", "bps": 4, "seconds": 3},
    {"kind": "ghost", "side": "bids", "bps": 4, "seconds": 3},
    {"kind": "ghost", "side": "asks", "bps": 30, "seconds": 2},
    {"kind": "ghost", "side": "bids", "bps": 30, "seconds": 2},
    {"kind": "halt", "seconds": 4},
    {"kind": "delist", "seconds": 6},
    {"kind": "funding", "seconds": 8},
    {"kind": "funding", "hourly": 0.001, "seconds": 8},
    {"kind": "funding", "hourly": -0.001, "seconds": 8},
    {"kind": "limits", "position": 0.002, "seconds": 5},
)
_STATES: Final[tuple[Fault, ...]] = (
    {"kind": "cancel_only", "seconds": 4},
    {"kind": "cancel_only", "seconds": 9},
    {"kind": "post_only", "seconds": 4},
    {"kind": "post_only", "seconds": 9},
    {"kind": "limits", "order": 0.002, "seconds": 5},
    {"kind": "limits", "open_orders": 1, "seconds": 5},
)
_NETWORK: Final[tuple[Fault, ...]] = (
    {"kind": "net_delay", "ms": 150, "seconds": 4},
    {"kind": "net_delay", "ms": 900, "seconds": 3, "way": "down"},
    {"kind": "net_delay", "ms": 600, "seconds": 3, "which": "rest"},
    {"kind": "net_delay", "ms": 600, "seconds": 3, "which": "ws"},
    {"kind": "net_cut", "when": "before", "which": "rest", "way": "up"},
    {"kind": "net_cut", "when": "inside", "which": "rest", "way": "up"},
    {"kind": "net_cut", "when": "after", "which": "rest", "way": "up"},
    {"kind": "net_cut", "when": "before", "which": "rest", "way": "down"},
    {"kind": "net_cut", "when": "inside", "which": "rest", "way": "down"},
    {"kind": "net_cut", "when": "inside", "which": "ws", "way": "down"},
    {"kind": "net_cut", "when": "after", "which": "ws", "way": "down"},
    {"kind": "net_half_open", "which": "ws"},
    {"kind": "net_half_open", "which": "rest"},
    {"kind": "net_drip", "piece": 60, "ms": 20, "seconds": 3, "which": "rest"},
    {"kind": "net_drip", "piece": 60, "ms": 20, "seconds": 3, "which": "ws"},
)
_ACCOUNT: Final[tuple[Fault, ...]] = (
    {"kind": "manual_close", "count": 1},
    {"kind": "liquidate", "count": 1},
    {"kind": "liquidate", "count": 1, "share": 0.5},
    {"kind": "liquidate", "count": 1, "bites": 4, "every_s": 2},
    {"kind": "liquidate", "count": 1, "bites": 3, "share": 0.1, "every_s": 0.7},
)
_OTHERS: Final[tuple[Fault, ...]] = (
    {"kind": "foreign_order", "shape": "tpsl"},
    {"kind": "foreign_order", "shape": "unknown_status"},
    {"kind": "foreign_order", "shape": "unknown_type"},
    {"kind": "foreign_order", "shape": "null_nonce"},
    {"kind": "foreign_order", "shape": "null_field", "field": "size"},
    {"kind": "foreign_order", "shape": "looks_like_ours"},
    {"kind": "foreign_order", "shape": "looks_like_ours", "cancel": "refused"},
    {"kind": "refuse", "request": "cancel"},
    {"kind": "odd_fill", "shape": "zero_price"},
    {"kind": "odd_fill", "shape": "no_side"},
    {"kind": "odd_fill", "shape": "no_fee"},
    {"kind": "blocked", "seconds": 5},
    {"kind": "api_change", "what": "enum"},
)
"""What others send, how a fill may look, and a guard in front of a venue."""
_PARADEX: Final[tuple[Fault, ...]] = (
    {"kind": "account_status", "status": "RESYNC", "seconds": 4},
    {"kind": "account_status", "status": "LIQUIDATION", "seconds": 3},
    {"kind": "odd_fill", "shape": "other_currency"},
    {"kind": "odd_fill", "shape": "unknown_type"},
    {"kind": "api_change", "what": "schema"},
    {"kind": "retail_lost", "seconds": 12},
)
_VEST: Final[tuple[Fault, ...]] = ({"kind": "api_change", "what": "type"},)
MACHINE: Final[tuple[Fault, ...]] = (
    {"venue": "machine", "kind": "suspend", "seconds": 3, "connections": "alive"},
    {"venue": "machine", "kind": "suspend", "seconds": 90, "connections": "cut"},
    {"venue": "machine", "kind": "suspend", "seconds": 900, "connections": "dead"},
)
DISK: Final[tuple[Fault, ...]] = (
    {"venue": "disk", "kind": "disk_full", "seconds": 2},
    {"venue": "disk", "kind": "disk_slow", "ms": 120, "seconds": 5},
    {"venue": "disk", "kind": "disk_slow", "ms": 800, "seconds": 2},
)
_WITH_MARKET: Final = {"manual_close": "market", "liquidate": "market", "bust": "market"}
STORM: Final = (6, 0.7)
"""A storm of reconnections: so many cuts of everything, so many seconds apart."""


def every() -> list[Fault]:
    """Return one of each kind, at each venue that knows it. Refusals are drawn by code."""
    faults: list[Fault] = []
    for venue in VENUES:
        for one in (*_ORDERS, *_FEEDS, *_NETWORK, *_ACCOUNT, *_OTHERS):
            named = {"venue": venue, **one}
            if market := _WITH_MARKET.get(one["kind"]):
                named[market] = MARKETS[venue]
            if one["kind"] in ("halt", "ghost", "delist"):
                named["symbol"] = MARKETS[venue]
            faults.append(named)
        faults += [{"venue": venue, "kind": "refuse"}, {"venue": venue, "kind": "storm"}]
    own = (*_PARTS, *_STATES, *_PARADEX, {"kind": "gap"})
    faults += [{"venue": "paradex", **one} for one in own]
    faults += [{"venue": "vest", **one} for one in _VEST]
    faults.append({"venue": "paradex", "kind": "bust", "count": 1, "market": MARKETS["paradex"]})
    return faults + [dict(one) for one in (*DISK, *MACHINE)]


def shape_of(fault: Fault) -> str:
    """Return what tells faults of one kind apart in the table of situations; "" for most."""
    match fault:
        case {"kind": "foreign_order", "cancel": "refused"}:
            return "cancel refused"
        case {"kind": "foreign_order" | "odd_fill", "shape": str(shape)}:
            return shape
        case {"kind": "refuse", "request": "cancel"}:
            return "cancel"
        case {"kind": "api_change", "what": str(what)}:
            return what
        case {"kind": "suspend", "connections": str(connections)}:
            return connections
        case {"kind": "retail_lost"}:
            return "at an order"
        case _:
            return ""


def shaped() -> dict[tuple[str, str], list[Fault]]:
    """Return the faults that have a shape, by kind and shape."""
    found: dict[tuple[str, str], list[Fault]] = {}
    for fault in every():
        if shape := shape_of(fault):
            found.setdefault((fault["kind"], shape), []).append(fault)
    return found


def spelled(fault: Fault, random: Random) -> list[tuple[float, Fault]]:
    """Return the faults that a drawn one stands for, each with its delay in seconds."""
    if fault["kind"] == "storm":
        times, apart_s = STORM
        cut = {"venue": fault["venue"], "kind": "cut", "which": "all"}
        return [(n * apart_s, dict(cut)) for n in range(times)]
    if fault["kind"] == "refuse" and len(fault) == 2:
        fault = {**fault, **random.choice(REFUSAL_CODES[fault["venue"]])}
    drawn = [(0.0, {"count": random.choice((1, 1, 1, 2, 5)), **fault})]
    if shape_of(fault) == "cancel":
        # The bot's own orders never rest: without another's there is nothing to cancel.
        drawn.append((0.0, {"venue": fault["venue"], "kind": "foreign_order"}))
    return drawn


def stranding(filled: str, missing: str) -> list[Fault]:
    """Return what keeps a leg alone: one opens, the other does not, and nothing reduces it."""
    no: dict[str, Fault] = {
        "vest": {"code": 3001},
        "paradex": {"cancel_reason": "NOT_ENOUGH_MARGIN"},
    }
    return [
        {"venue": missing, "kind": "refuse", "count": 9, "reduce_only": False, **no[missing]},
        {"venue": filled, "kind": "refuse", "count": 14, "reduce_only": True, **no[filled]},
    ]
