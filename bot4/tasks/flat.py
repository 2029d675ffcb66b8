"""What became of one venue that was to be brought to zero, and how it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.units import plain
from bot4.strategy.exposure import described

TOPICS: Final = frozenset({"clock", "state", "markets", "orders", "positions"})
"""Of what stands in the way; the others are symbols."""


@attrs.define
class Flat:
    """What became of one venue."""

    venue: str
    closes: bool = True
    """Whether everything was to be closed; else only what nothing hedges."""
    proven: bool = False
    cancelled: int = 0
    closed: dict[str, Decimal] = attrs.field(factory=dict)
    left: dict[str, Decimal] | None = None
    """What it held when last read; None when that never was."""
    faults: dict[str, str] = attrs.field(factory=dict)
    """What stands in the way, by what it concerns."""

    @property
    def why(self) -> str:
        """What stands in the way, in words; "" when nothing does."""
        return "; ".join(dict.fromkeys(self.faults.values()))

    def note(self, topic: str, why: str) -> None:
        """Keep or forget what stands in the way."""
        if why:
            self.faults[topic] = why
        else:
            self.faults.pop(topic, None)


def summary(flat: Flat) -> str:
    """One line for a person."""
    closed = ", ".join(f"{plain(size)} {symbol}" for symbol, size in flat.closed.items()) or "none"
    left = "what it holds could not be read"
    if flat.left is not None:
        words = [described(size, symbol) for symbol, size in flat.left.items()]
        left = f"still {', '.join(words)}" if words else "holds nothing"
    if flat.proven and not flat.closes:
        return (
            f"{flat.venue}: no order is open; {flat.cancelled} cancelled, closed {closed}, {left}"
        )
    if flat.proven:
        return f"{flat.venue}: flat; {flat.cancelled} orders cancelled, closed {closed}"
    what = "flat" if flat.closes else "in order"
    why = flat.why or "it still holds something"
    return f"{flat.venue}: NOT proven {what} ({why}); closed {closed}, {left}"
