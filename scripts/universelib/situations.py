"""Which situations a universe met: transitions of the saga, codes said, faults by state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

import attrs

from bot4.simulator import faults
from bot4.simulator.box import TwoVenues
from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex import rest_orders, ws_orders
from bot4.simulator.paradex.refusal import Refused
from bot4.simulator.vest import rest
from bot4.simulator.vest.refusals import VestRefusal
from bot4.strategy.events import Answered, Event, Verdict, step
from bot4.strategy.journal_format import KINDS, kind_of
from bot4.strategy.saga import State, Trade
from bot4.tasks import ledger
from universelib.grammar import REFUSAL_CODES, VENUES, Fault, every, shape_of, shaped

Arrived = Callable[[State], None]

AT_ONCE: Final = frozenset({"foreign_order", "suspend"})
"""Kinds with a shape that act when they are added; the others wait for what they hit."""
CANCEL_REFUSED: Final = "cancel refused"
"""The shape of an order that acts only when somebody would cancel it."""


@attrs.define
class Situations:
    """Counts cells: ``saga/STATE/EVENT``, ``code/VENUE/CODE``, ``fault/KIND/STATE``.

    And ``met/KIND/SHAPE``: faults that acted, which the third counts from when they are added.
    """

    cells: Counter[str] = attrs.field(factory=Counter)
    state: State = State.FLAT
    """Of the trade that last heard something."""
    arrived: Arrived = lambda _state: None
    """Called when a trade comes to another state."""
    _acted: list[object] = attrs.field(factory=list)
    """Faults, and orders whose cancel was refused, that are counted already."""

    def stepped(self, before: Trade, event: Event, after: Trade) -> None:
        """Count one event of a trade."""
        self.cells[f"saga/{before.state}/{_name(event)}"] += 1
        self.state = after.state
        if before.state is not after.state:
            self.arrived(after.state)

    def struck(self, fault: Fault) -> None:
        """Count a fault, by the state in which it strikes."""
        self.cells[f"fault/{fault['kind']}/{self.state}"] += 1
        shape = shape_of(fault)
        if fault["kind"] in AT_ONCE and shape != CANCEL_REFUSED:
            self.cells[f"met/{fault['kind']}/{shape}"] += 1

    def ended(self, box: TwoVenues) -> None:
        """Count how the venues ended our orders."""
        for venue in (box.vest, box.paradex):
            for order in venue.orders.values():
                if order.reason:
                    self.cells[f"code/{venue.name}/{order.reason}"] += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear every step of every ledger, and every refusal of the venues, in this block."""

        def counted(trade: Trade, event: Event, now_s: float) -> Trade:
            after = step(trade, event, now_s)
            self.stepped(trade, event, after)
            return after

        with ExitStack() as patches:
            patches.enter_context(patch.object(ledger, "step", counted))
            for kind, venue in ((VestRefusal, "vest"), (Refused, "paradex")):
                noting = self._noting(venue, vars(kind)["__init__"])
                patches.enter_context(patch.object(kind, "__init__", noting))
            for name in ("take", "active"):
                acting = self._acting(getattr(faults.FaultMenu, name))
                patches.enter_context(patch.object(faults.FaultMenu, name, acting))
            for module in (rest, rest_orders, ws_orders):
                refusing = self._refusing(module.check_cancel)
                patches.enter_context(patch.object(module, "check_cancel", refusing))
            yield

    def _noting(self, venue: str, make: Any) -> Any:
        def init(refusal: Any, code: Any, *args: Any, **named: Any) -> None:
            make(refusal, code, *args, **named)
            self.cells[f"code/{venue}/{code}"] += 1

        return init

    def _acting(self, find: Any) -> Any:
        def found(menu: Any, venue: str, kind: str, **named: Any) -> Any:
            fault = find(menu, venue, kind, **named)
            if fault is not None and (shape := shape_of({"kind": kind, **fault.args})):
                self._met(fault, f"met/{kind}/{shape}")
            return fault

        return found

    def _refusing(self, check: Callable[[SimOrder], None]) -> Callable[[SimOrder], None]:
        def checked(order: SimOrder) -> None:
            if "cancel_refused" in order.extra:
                self._met(order, f"met/foreign_order/{CANCEL_REFUSED}")
            check(order)

        return checked

    def _met(self, one: object, cell: str) -> None:
        if not any(other is one for other in self._acted):
            self._acted.append(one)
            self.cells[cell] += 1


def known_cells() -> list[str]:
    """Return every cell that there is, in the order of the table."""
    events = [name for name in KINDS if name not in ("Planned", "Answered")]
    events += [f"Answered.{verdict}" for verdict in Verdict]
    cells = [f"saga/{state}/{event}" for state in State for event in sorted(events)]
    for venue in VENUES:
        codes = [args.get("cancel_reason", args.get("code")) for args in REFUSAL_CODES[venue]]
        cells += dict.fromkeys(f"code/{venue}/{code}" for code in codes)
    kinds = sorted({fault["kind"] for fault in every()} - {"storm"} | {"gap_jump"})
    cells += [f"fault/{kind}/{state}" for kind in kinds for state in State]
    return cells + [f"met/{kind}/{shape}" for kind, shape in sorted(shaped())]


def _name(event: Event) -> str:
    kind = kind_of(event)
    return f"{kind}.{event.verdict}" if isinstance(event, Answered) else kind
