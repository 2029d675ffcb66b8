"""A position, and what executions make of it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from bot4.simulator.orders import ZERO

if TYPE_CHECKING:
    from bot4.simulator.ledger import SimFill


@attrs.define
class SimPosition:
    """What the account holds in one symbol: ``size`` is signed, positive is long."""

    size: Decimal = ZERO
    entry: Decimal = ZERO
    """Average entry price."""
    entry_funding: Decimal = ZERO
    """Funding index per unit at the last settlement."""
    settled_funding: Decimal = ZERO
    """Funding received since the position was opened; negative when paid."""
    opened_ms: int = 0
    updated_ms: int = 0


def replay(fills: Iterable[SimFill], symbol: str) -> tuple[SimPosition, Decimal]:
    """Return the position that executions make, and the profit realised on the way."""
    held, earned = SimPosition(), ZERO
    for fill in fills:
        if fill.symbol == symbol:
            earned += trade(held, fill.size if fill.side == "buy" else -fill.size, fill.price)
    return held, earned


def trade(held: SimPosition, signed: Decimal, price: Decimal) -> Decimal:
    """Change a position by a signed size at a price; return the realised profit."""
    if held.size == 0 or (held.size > 0) == (signed > 0):
        total = held.size + signed
        held.entry = (held.entry * held.size + price * signed) / total
        held.size = total
        return ZERO
    closed = min(abs(signed), abs(held.size))
    profit = closed * (price - held.entry) * (1 if held.size > 0 else -1)
    held.size += signed
    if abs(signed) > closed:
        held.entry = price
    return profit
