"""Reads the body of an order request: REST and WebSocket speak the same fields.

Source: Paradex API docs, POST /orders and order.create, seen 2026-11; that a market order must
omit its price on REST is from a live refusal (2026-03), the "0" on WebSocket from the docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

import attrs

from bot4.simulator.orders import ZERO, Side
from bot4.simulator.paradex import sbe
from bot4.simulator.paradex.refusal import Refused

CLIENT_ID_CHARS: Final = 64
STP_DEFAULT: Final = "EXPIRE_TAKER"
CLIENT_FLAGS: Final = frozenset(sbe.ORDER_FLAGS) - {"INTERACTIVE", "TARGET_STRATEGY_VWAP"}
"""The flags a client may set; the others are the venue's."""

_SIDES: Final[Mapping[str, Side]] = {"BUY": "buy", "SELL": "sell"}
_LARGEST: Final = Decimal(10) ** 10


@attrs.frozen
class Draft:
    """An order request that has been read, not yet judged."""

    market: str
    side: Side
    kind: str
    size: Decimal
    price: Decimal | None
    """None for market orders."""
    shown_price: Decimal
    """The price in the body, 0 when there is none: some clients sign it."""
    instruction: str
    flags: tuple[str, ...]
    stp: str
    trigger_price: Decimal | None
    client_id: str
    signature: Any
    timestamp_ms: int
    recv_window_ms: int | None

    @property
    def is_market(self) -> bool:
        """Whether it is executed at any price, at once or when triggered."""
        return self.kind.endswith("MARKET")

    @property
    def reduce_only(self) -> bool:
        """Whether it may only shrink a position."""
        return "REDUCE_ONLY" in self.flags


def read_draft(body: Any, *, wire: Literal["rest", "ws"]) -> Draft:
    """Read an order request.

    Raises:
        Refused: VALIDATION_ERROR, naming the field.
    """
    if not isinstance(body, dict):
        raise Refused("BINDING_ERROR", "the order is not an object")
    kind = _one_of(body, "type", sbe.ORDER_TYPES)
    price = _decimal(body, "price")
    if kind.endswith("MARKET"):
        if price is not None and (wire == "rest" or price != 0):
            raise _invalid("price", "must be omitted when type=MARKET or type=STOP_MARKET")
    elif price is None or price <= 0:
        raise _invalid("price", "must be above zero")
    size = _decimal(body, "size")
    if size is None or size <= 0:
        raise Refused("INVALID_ORDER_SIZE", "size: must be above zero")
    trigger = _decimal(body, "trigger_price")
    if kind not in ("MARKET", "LIMIT") and (trigger is None or trigger <= 0):
        raise _invalid("trigger_price", f"is required for type={kind}")
    client_id = body.get("client_id") or ""
    if not isinstance(client_id, str) or len(client_id) > CLIENT_ID_CHARS:
        raise _invalid("client_id", f"must be a text of at most {CLIENT_ID_CHARS} characters")
    return Draft(
        market=_text(body, "market"),
        side=_SIDES[_one_of(body, "side", _SIDES)],
        kind=kind,
        size=size,
        price=None if kind.endswith("MARKET") else price,
        shown_price=price or ZERO,
        instruction=_one_of(body, "instruction", sbe.INSTRUCTIONS, "GTC"),
        flags=_flags(body),
        stp=_one_of(body, "stp", sbe.STP_MODES, STP_DEFAULT),
        trigger_price=trigger,
        client_id=client_id,
        signature=body.get("signature"),
        timestamp_ms=_integer(body, "signature_timestamp"),
        recv_window_ms=None if body.get("recv_window") is None else _integer(body, "recv_window"),
    )


def _invalid(field: str, why: str) -> Refused:
    return Refused("VALIDATION_ERROR", f"{field}: {why}")


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise _invalid(field, "is required")
    return value


def _one_of(
    body: Mapping[str, Any], field: str, table: Mapping[str, Any], default: str = ""
) -> str:
    value = body.get(field) or default
    if not isinstance(value, str) or not value or value not in table:
        raise _invalid(field, f"must be one of {', '.join(name for name in table if name)}")
    return value


def _integer(body: Mapping[str, Any], field: str) -> int:
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _invalid(field, "must be an integer")
    return value


def _decimal(body: Mapping[str, Any], field: str) -> Decimal | None:
    value = body.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _invalid(field, "must be a decimal string")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise _invalid(field, "is not a decimal") from error
    if not number.is_finite() or not 0 <= number <= _LARGEST:
        raise _invalid(field, "is out of range")
    return number


def _flags(body: Mapping[str, Any]) -> tuple[str, ...]:
    flags = body.get("flags") or []
    if not isinstance(flags, list) or not all(flag in CLIENT_FLAGS for flag in flags):
        raise _invalid("flags", f"must be a list out of {', '.join(sorted(CLIENT_FLAGS))}")
    return tuple(flags)
