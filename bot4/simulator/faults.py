"""The fault menu: what the two venues shall do wrong, and when.

A fault is added by a test, by a script of the options or by the control endpoint. The faces ask
for it at the places where the real venues fail: ``take`` for faults that hit one request or one
event, ``active`` for faults that last, and callbacks for those that happen at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
import trio

from bot4.simulator.orders import Side

VENUES: Final = ("vest", "paradex")

COUNTED: Final = frozenset(
    {
        "refuse",
        "lose_request",
        "lose_answer",
        "delay_request",
        "delay_answer",
        "delay_landing",
        "http_error",
        "mute_private",
        "delay_event",
        "double_event",
        "reorder_event",
        "partial_fill",
        "no_fill",
        "gap",
        "crossed",
        "garbage",
        "api_change",
        "odd_fill",
    }
)
"""Taken one by one by the requests, events or frames they hit."""

LASTING: Final = frozenset(
    {
        "refuse_connect",
        "silence",
        "maintenance",
        "halt",
        "ghost",
        "clock_skew",
        "stale",
        "limits",
        "funding",
        "delist",
        "cancel_only",
        "post_only",
        "blocked",
        "account_status",
        "retail_lost",
    }
)
"""In force for ``seconds`` from the moment they are added, or as ``LASTS_S`` says."""

LASTS_S: Final = {"clock_skew": 1e9, "delist": 1e9}
"""How long a lasting fault is in force that does not say; 5 s for the others."""

AT_PARADEX: Final = frozenset({"cancel_only", "post_only"})
"""States that Vest does not have."""

IMMEDIATE: Final = frozenset(
    {"cut", "expire_token", "gap_jump", "manual_close", "liquidate", "bust", "foreign_order"}
)
"""Done when they are added, through ``on_immediate``; one that goes on is kept meanwhile."""

FILTERS: Final = ("request", "symbol", "side", "reduce_only", "path")
"""Arguments that narrow a counted fault to some requests, see ``take``."""


class UnknownFault(ValueError):
    """The fault asked for is not on the menu."""


@attrs.define
class Fault:
    """One entry of the menu. ``args`` are the arguments the caller gave, as JSON values."""

    venue: str
    kind: str
    count: int = 1
    """How many more times it strikes; -1 is for ever."""
    skip: int = 0
    """How many matching occasions pass first."""
    until: float = 0.0
    """Trio time at which a lasting fault ends, seconds."""
    args: dict[str, Any] = attrs.field(factory=dict)

    def number(self, name: str, default: float) -> float:
        """Return an argument as a float."""
        return float(self.args.get(name, default))

    def side(self, usual: Side) -> Side:
        """Return the side told, or the usual one. Raises UnknownFault for a word that is none."""
        match str(self.args.get("side", usual)):
            case "buy":
                return "buy"
            case "sell":
                return "sell"
            case text:
                raise UnknownFault(f"side must be buy or sell, not {text!r}")

    def size(self, usual: Decimal) -> Decimal:
        """Return the size told, or the usual one, base units.

        Raises:
            UnknownFault: it is no number above zero.
        """
        told = self.args.get("size", usual)
        try:
            size = Decimal(str(told))
        except ArithmeticError:
            size = Decimal(0)
        if not size.is_finite() or size <= 0:
            raise UnknownFault(f"size must be a number above zero, not {told!r}")
        return size

    def matches(self, occasion: Mapping[str, Any]) -> bool:
        """Tell whether the fault is meant for this occasion."""
        for name in FILTERS:
            if name not in occasion:
                continue
            wanted = self.args.get(name, "order" if name == "request" else None)
            if wanted is not None and wanted not in ("any", occasion[name]):
                return False
        return True


@attrs.define
class FaultMenu:
    """Faults waiting to strike. One menu serves both venues."""

    _waiting: list[Fault] = attrs.field(factory=list)
    _immediate: dict[tuple[str, str], Callable[[Fault], None]] = attrs.field(factory=dict)

    def on_immediate(self, venue: str, kind: str, act: Callable[[Fault], None]) -> None:
        """Name who carries out an immediate fault of a venue, or what a lasting one begins with."""
        self._immediate[venue, kind] = act

    def add(self, spec: Mapping[str, Any]) -> Fault:
        """Put a fault on the menu, or carry it out when it is an immediate one.

        Args:
            spec: ``venue``, ``kind``, optional ``count`` and ``skip``, and the fault's own
                arguments. ``gap_jump`` needs no venue.

        Raises:
            UnknownFault: the venue or the kind does not exist.
        """
        args = dict(spec)
        kind = str(args.pop("kind", ""))
        venue = str(args.pop("venue", "vest" if kind == "gap_jump" else ""))
        if venue not in VENUES:
            raise UnknownFault(f"venue must be one of {VENUES}, not {venue!r}")
        fault = Fault(venue, kind, int(args.pop("count", 1)), int(args.pop("skip", 0)), args=args)
        if kind in AT_PARADEX and venue != "paradex":
            raise UnknownFault(f"{venue} cannot do {kind!r}")
        if kind in IMMEDIATE:
            self._carry_out(fault)
        elif kind in LASTING:
            seconds = fault.number("seconds", LASTS_S.get(kind, 5.0))
            fault.until = trio.current_time() + seconds
            if (begin := self._immediate.get((venue, kind))) is not None:
                begin(fault)
            self._waiting.append(fault)
        elif kind in COUNTED:
            self._waiting.append(fault)
        else:
            raise UnknownFault(f"no fault of kind {kind!r}")
        return fault

    def take(
        self,
        venue: str,
        kind: str,
        *,
        where: Callable[[dict[str, Any]], bool] | None = None,
        **occasion: Any,
    ) -> Fault | None:
        """Return the fault that strikes now, counting it down, or None.

        Args:
            venue: the asking venue.
            kind: a counted kind.
            where: looks at a fault's arguments; only faults it accepts may strike here.
            occasion: facts a fault may filter on. ``request`` is "order", "cancel", "query"
                (private reads of orders and fills), "account", "auth" or "public"; a fault
                without a ``request`` argument is meant for "order", and "any" is for all.
        """
        for fault in self._waiting:
            if fault.venue != venue or fault.kind != kind or not fault.matches(occasion):
                continue
            if where is not None and not where(fault.args):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.count > 0:
                fault.count -= 1
                if fault.count == 0:
                    self._waiting.remove(fault)
            return fault
        return None

    def active(self, venue: str, kind: str, **occasion: Any) -> Fault | None:
        """Return the lasting fault in force now, or None; filtered as in ``take``."""
        if not self._waiting:
            return None
        now = trio.current_time()
        for fault in self._waiting:
            mine = fault.venue == venue and fault.kind == kind and fault.until > now
            if mine and fault.matches(occasion):
                return fault
        return None

    def keep(self, fault: Fault) -> None:
        """Let an immediate fault that goes on be in force, until its time, or ``drop``."""
        self._waiting.append(fault)

    def drop(self, fault: Fault) -> None:
        """Take one fault off the menu, if it is there."""
        self._waiting = [one for one in self._waiting if one is not fault]

    def holds(self, fault: Fault) -> bool:
        """Tell whether this very fault is still on the menu."""
        return any(one is fault for one in self._waiting)

    def clear(self) -> None:
        """Take every waiting and lasting fault off the menu."""
        self._waiting.clear()

    def _carry_out(self, fault: Fault) -> None:
        act = self._immediate.get((fault.venue, fault.kind))
        if act is None:
            raise UnknownFault(f"{fault.venue} cannot do {fault.kind!r}")
        act(fault)
