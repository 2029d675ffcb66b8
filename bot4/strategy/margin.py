"""How near each leg is to liquidation, and how evenly the money lies: neither venue warns us."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from bot4.domain.market import Pair
from bot4.domain.position import Position
from bot4.domain.units import floor_step, percent
from bot4.strategy.view import Holding


@attrs.frozen
class MarginRules:
    """Ratios."""

    warn: Decimal = Decimal("0.10")
    """A leg nearer than this to its liquidation stops opening."""
    critical: Decimal = Decimal("0.05")
    """Nearer than this, half of both legs is closed."""
    share: Decimal = Decimal("0.35")
    """A venue that holds less of the money than this stops opening."""


def distance(position: Position, price: Decimal) -> Decimal | None:
    """How far the price may still go against the position, a ratio of it; None when unbounded.

    Args:
        position: as its venue reports it.
        price: of its market now, in the venue's currency, > 0.
    """
    if position.liquidation_price is None or not position.size:
        return None
    room = price - position.liquidation_price
    return max(Decimal(0), room if position.size > 0 else -room) / price


def half(holding: Holding, pair: Pair, price: Decimal) -> Holding:
    """What to close of a pair that is too large for its money: half, or all of a small one.

    Args:
        holding: the pair.
        pair: its markets, for lots and minimums.
        price: about one unit's, USDC.
    """
    least = max(max(m.min_size, m.min_notional / price) for m in (pair.vest, pair.paradex))
    size = min(holding.vest_size, holding.paradex_size)
    part = floor_step(size / 2, pair.lot)
    if part < least or size - part < least:
        return holding
    return attrs.evolve(holding, vest_size=part, paradex_size=part)


def lopsided(equity: Mapping[str, Decimal], share: Decimal) -> tuple[str, str] | None:
    """What is wrong with how the money lies on two venues, and what to move; None when nothing.

    Args:
        equity: by venue, both, USDC.
        share: the least part of all of it that a venue has to hold.
    """
    total = sum(equity.values(), Decimal(0))
    poor, rich = sorted(equity, key=lambda venue: equity[venue])
    if total <= 0 or equity[poor] >= share * total:
        return None
    why = f"{poor} holds {percent(equity[poor] / total, 0)} of {total:.0f} USDC"
    return why, f"move {total / 2 - equity[poor]:.0f} USDC from {rich} to {poor}"
