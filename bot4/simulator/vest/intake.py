"""Orders and cancels as they arrive: every check the venue makes before it answers.

The order of the checks matters to a client that meets two faults at once: fields, symbol, type,
time in force, decimals, window, expiry, signature, duplicate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from bot4.simulator.orders import SimMarket, SimOrder
from bot4.simulator.vest.digests import CANCEL_TYPES, ORDER_TYPES, personal_digest, recover
from bot4.simulator.vest.refusals import VestRefusal
from bot4.simulator.vest.sessions import Sessions
from bot4.simulator.vest.switches import VestSwitches

DEFAULT_WINDOW_MS = 5000
"""Source: Vest API docs, Place order, seen 2025-11."""
MOST_DIGITS = 24
UINT256 = 1 << 256


def read_json(body: bytes) -> dict[str, Any]:
    """Return a JSON object; VestRefusal 1130 for anything else."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise VestRefusal(1130, "body is not JSON") from None
    if not isinstance(parsed, dict):
        raise VestRefusal(1130, "body is not an object")
    return parsed


def read_order(
    body: Mapping[str, Any],
    markets: Mapping[str, SimMarket],
    sessions: Sessions,
    now_ms: int,
) -> SimOrder:
    """Check an order request up to its signature and return the order.

    Raises:
        VestRefusal: the first check that fails.
    """
    switches = sessions.switches
    order = body.get("order")
    if not isinstance(order, dict):
        raise VestRefusal(1130, "order is missing")
    for name, kind in (
        ("time", int),
        ("nonce", int),
        ("symbol", str),
        ("isBuy", bool),
        ("size", str),
        ("orderType", str),
        ("limitPrice", str),
        ("reduceOnly", bool),
    ):
        if type(order.get(name)) is not kind:
            raise VestRefusal(1130, f"{name} must be a {kind.__name__}")
    _in_range(order)
    size, limit = _number(order, "size"), _number(order, "limitPrice")
    market = markets.get(order["symbol"])
    if market is None:
        raise VestRefusal(1121)
    if order["orderType"] not in ("MARKET", "LIMIT"):
        raise VestRefusal(1116)
    force = _time_in_force(order, switches)
    if order.get("tpPrice") is not None or order.get("slPrice") is not None:
        raise VestRefusal(1145, "this venue takes no TP or SL with an order")
    if not _exact(order["size"], market.lot) or not _exact(order["limitPrice"], market.tick):
        raise VestRefusal(1111)
    if size <= 0:
        raise VestRefusal(1130, "size must be positive")
    _check_window(body, order, switches, now_ms)
    values = tuple(
        order[name]
        for name in (
            "time",
            "nonce",
            "orderType",
            "symbol",
            "isBuy",
            "size",
            "limitPrice",
            "reduceOnly",
        )
    )
    inner = _check_signature(ORDER_TYPES, values, body, sessions, now_ms)
    return SimOrder(
        # The id follows from the signed tuple, so that a copy of an order finds its original.
        id=f"0x{inner.hex()}",
        handle=str(order["nonce"]),
        symbol=market.symbol,
        side="buy" if order["isBuy"] else "sell",
        size=size,
        limit=limit,
        kind=order["orderType"],
        time_in_force=force,
        reduce_only=order["reduceOnly"],
        sent_ms=order["time"],
        received_ms=now_ms,
        updated_ms=now_ms,
        extra={"nonce": order["nonce"]},
    )


def read_cancel(body: Mapping[str, Any], sessions: Sessions, now_ms: int) -> str:
    """Check a cancel request and return the id of the order to cancel.

    Raises:
        VestRefusal: the first check that fails.
    """
    order = body.get("order")
    if not isinstance(order, dict):
        raise VestRefusal(1130, "order is missing")
    for name, kind in (("time", int), ("nonce", int), ("id", str)):
        if type(order.get(name)) is not kind:
            raise VestRefusal(1130, f"{name} must be a {kind.__name__}")
    if not order["id"].isascii():
        raise VestRefusal(1130, "id is not an order id")
    _in_range(order)
    _check_window(body, order, sessions.switches, now_ms)
    values = (order["time"], order["nonce"], order["id"])
    _check_signature(CANCEL_TYPES, values, body, sessions, now_ms)
    return str(order["id"])


def _in_range(order: Mapping[str, Any]) -> None:
    for name in ("time", "nonce"):
        if not 0 <= order[name] < UINT256:
            raise VestRefusal(1130, f"{name} is out of range")


def _number(order: Mapping[str, Any], name: str) -> Decimal:
    text = order[name]
    if not text.isascii() or not text.replace(".", "", 1).isdigit() or len(text) > MOST_DIGITS:
        raise VestRefusal(1130, f"{name} is not a decimal")
    return Decimal(text)


def _exact(text: str, step: Decimal) -> bool:
    """Tell whether a number is written with exactly the decimals of the step."""
    whole, dot, decimals = text.partition(".")
    return len(decimals) == decimals_of(step) and bool(whole) and bool(dot) == bool(decimals)


@cache
def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step of a power of ten has."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _time_in_force(order: Mapping[str, Any], switches: VestSwitches) -> str:
    force = order.get("timeInForce")
    if order["orderType"] == "MARKET":
        # Only meaningful with LIMIT; clients send GTC with MARKET and are not refused.
        return "FOK"
    if force is None or force == "GTC":
        return "GTC"
    if force == "FOK" or (force == "IOC" and switches.ioc_accepted):
        return "FOK"
    raise VestRefusal(1133)


def _check_window(
    body: Mapping[str, Any], order: Mapping[str, Any], switches: VestSwitches, now_ms: int
) -> None:
    window = body.get("recvWindow", DEFAULT_WINDOW_MS)
    if type(window) is not int or not 0 < window <= switches.most_window_ms:
        raise VestRefusal(1131)
    if now_ms > order["time"] + window:
        raise VestRefusal(1132)


def _check_signature(
    types: tuple[str, ...],
    values: tuple[object, ...],
    body: Mapping[str, Any],
    sessions: Sessions,
    now_ms: int,
) -> bytes:
    inner, digest = personal_digest(types, values)
    signature = body.get("signature")
    if not isinstance(signature, str):
        raise VestRefusal(1022)
    signer = recover(digest, signature) if sessions.sampled.due() else sessions.newest_signer
    if not sessions.may_sign(signer, now_ms):
        raise VestRefusal(1022)
    return inner
