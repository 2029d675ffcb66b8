"""The journal's format: the texts under which events, their fields and their enums are written.

These texts stay for ever: a journal of today is replayed by every later version. Python's names
on the left may change; the texts on the right may not. docs/journal.md is made from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import Order, OrderReport, OrderState, Purpose, Side
from bot4.domain.record import Records
from bot4.strategy import events
from bot4.strategy.events import Event, Planned, Verdict
from bot4.strategy.legs import LegState
from bot4.strategy.saga import Plan, State

KINDS: Final[Mapping[str, type[Event | Planned]]] = {
    "Planned": events.Planned,
    "Intended": events.Intended,
    "Sent": events.Sent,
    "Answered": events.Answered,
    "Overdue": events.Overdue,
    "Reported": events.Reported,
    "Filled": events.Filled,
    "Busted": events.Busted,
    "Missing": events.Missing,
    "Corrected": events.Corrected,
    "Stopped": events.Stopped,
    "Restarted": events.Restarted,
    "Unwound": events.Unwound,
}
"""Text of a row's kind -> event. The kind ``Closed`` (``ports.CLOSED``) is a trade's report."""


def _fields(*same: str, **renamed: str) -> dict[str, str]:
    """Attributes written under their own name, then attribute=text for the others."""
    return {name: name for name in same} | renamed


FIELDS: Final[Mapping[type, Mapping[str, str]]] = {
    events.Planned: _fields("plan"),
    events.Intended: _fields("orders"),
    events.Sent: _fields("client_order_id"),
    events.Answered: _fields("client_order_id", "verdict", "venue_order_id", "why"),
    events.Overdue: _fields("client_order_id"),
    events.Reported: _fields("client_order_id", "report"),
    events.Filled: _fields("client_order_id", "fill"),
    events.Busted: _fields("client_order_id", "fill_id"),
    events.Missing: _fields("client_order_id", "venue_now_ms"),
    events.Corrected: _fields("venue", "size", "why"),
    events.Stopped: _fields(),
    events.Restarted: _fields(),
    events.Unwound: _fields(),
    Plan: _fields(
        *("trade_id", "pair", "long", "short", "size", "lots", "dust", "attempts", "settle_ms"),
        *("spread", "target", "quote_rate", "decided_ms", "equity"),
    ),
    MarketKey: _fields("venue", "symbol"),
    Order: _fields(
        *("client_order_id", "trade_id", "key", "side", "size", "limit", "purpose", "attempt"),
        *("reduce_only", "signed_ms", "window_ms"),
    ),
    OrderReport: _fields(
        *("venue", "client_order_id", "venue_order_id", "state", "symbol", "side", "size"),
        *("filled", "average_price", "fee", "reason", "venue_time_ms", "funding"),
    ),
    Fill: _fields(
        *("venue", "fill_id", "client_order_id", "venue_order_id", "symbol", "side", "price"),
        *("size", "fee", "venue_time_ms", "kind", "funding"),
    ),
}
"""Class -> attribute -> text."""

TEXTS: Final[Mapping[type[StrEnum], Mapping[StrEnum, str]]] = {
    Side: {Side.BUY: "buy", Side.SELL: "sell"},
    Purpose: {
        Purpose.ENTER: "enter",
        Purpose.EXIT: "exit",
        Purpose.MEND: "mend",
        Purpose.UNWIND: "unwind",
        Purpose.FLATTEN: "flatten",
    },
    OrderState: {
        OrderState.ACCEPTED: "accepted",
        OrderState.OPEN: "open",
        OrderState.CLOSED: "closed",
        OrderState.REFUSED: "refused",
    },
    Verdict: {
        Verdict.ACCEPTED: "accepted",
        Verdict.REFUSED: "refused",
        Verdict.NOT_SENT: "not_sent",
        Verdict.IN_DOUBT: "in_doubt",
    },
    # These two are written to the copy in Supabase alone: its tables allow no other text.
    State: {
        State.FLAT: "flat",
        State.OPENING: "opening",
        State.SETTLING: "settling",
        State.MENDING: "mending",
        State.HEDGED: "hedged",
        State.CLOSING: "closing",
        State.UNWINDING: "unwinding",
        State.STRANDED: "stranded",
    },
    LegState: {
        LegState.INTENT: "intent",
        LegState.SENDING: "sending",
        LegState.ACKED: "acked",
        LegState.PARTIAL: "partial",
        LegState.CANCELLING: "cancelling",
        LegState.DOUBT: "doubt",
        LegState.FILLED: "filled",
        LegState.PART_CLOSED: "part_closed",
        LegState.CANCELLED: "cancelled",
        LegState.REFUSED: "refused",
        LegState.NEVER: "never",
    },
}
"""Enum -> member -> text."""

_KIND_OF: Final = {event: kind for kind, event in KINDS.items()}
_RECORDS: Final = Records(FIELDS, TEXTS)


def kind_of(event: Event | Planned) -> str:
    """Return the text under which the row of an event is written."""
    return _KIND_OF[type(event)]


def body_of(event: Event | Planned) -> dict[str, Any]:
    """Return an event as the JSON-ready body of a row.

    Raises:
        ValueError: a number in it is not finite.
    """
    return _RECORDS.to_record(event)


def read_event(kind: str, body: Mapping[str, Any]) -> Event | Planned:
    """Return the event of a row.

    Raises:
        ValueError: no event of this version is written so.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of event")
    return _RECORDS.from_record(KINDS[kind], body)


def text_of(member: StrEnum) -> str:
    """Return the text of an enum's member."""
    return _RECORDS.text_of(member)


def prepare() -> None:
    """Get ready for the first row, which would wait 50 ms for it."""
    _RECORDS.prepare()
