"""Which situations a universe met: transitions of the saga, codes said, faults by state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import attrs

from bot4.simulator.box import TwoVenues
from bot4.simulator.paradex.refusal import Refused
from bot4.simulator.vest.refusals import VestRefusal
from bot4.strategy.events import KINDS, Answered, Event, Verdict, step
from bot4.strategy.saga import State, Trade
from bot4.tasks import ledger
from universelib.grammar import REFUSAL_CODES, VENUES, Fault, every

Arrived = Callable[[State], None]


@attrs.define
class Situations:
    """Counts cells, named ``saga/STATE/EVENT``, ``code/VENUE/CODE`` and ``fault/KIND/STATE``."""

    cells: Counter[str] = attrs.field(factory=Counter)
    state: State = State.FLAT
    """Of the trade that last heard something."""
    arrived: Arrived = lambda _state: None
    """Called when a trade comes to another state."""

    def stepped(self, before: Trade, event: Event, after: Trade) -> None:
        """Count one event of a trade."""
        self.cells[f"saga/{before.state}/{_name(event)}"] += 1
        self.state = after.state
        if before.state is not after.state:
            self.arrived(after.state)

    def struck(self, fault: Fault) -> None:
        """Count a fault, by the state in which it strikes."""
        self.cells[f"fault/{fault['kind']}/{self.state}"] += 1

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
            yield

    def _noting(self, venue: str, make: Any) -> Any:
        def init(refusal: Any, code: Any, *args: Any, **named: Any) -> None:
            make(refusal, code, *args, **named)
            self.cells[f"code/{venue}/{code}"] += 1

        return init


def known_cells() -> list[str]:
    """Return every cell that there is, in the order of the table."""
    kinds = [name for name in KINDS if name not in ("Planned", "Answered")]
    kinds += [f"Answered.{verdict}" for verdict in Verdict]
    cells = [f"saga/{state}/{kind}" for state in State for kind in sorted(kinds)]
    for venue in VENUES:
        codes = [args.get("cancel_reason", args.get("code")) for args in REFUSAL_CODES[venue]]
        cells += dict.fromkeys(f"code/{venue}/{code}" for code in codes)
    faults = sorted({fault["kind"] for fault in every()} - {"storm"} | {"gap_jump"})
    return cells + [f"fault/{kind}/{state}" for kind in faults for state in State]


def _name(event: Event) -> str:
    kind = type(event).__name__
    return f"{kind}.{event.verdict}" if isinstance(event, Answered) else kind
