"""Levels that are shown and are not there: somebody's order that is gone before it can be met."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from bot4.simulator.faults import Fault
from bot4.simulator.orders import Depth, Level, SimMarket

BPS: Final = Decimal("0.0001")
TIMES_BEST: Final = 20
"""Size of a ghost that names none, as a multiple of the level it improves on."""


def haunted(depth: Depth, market: SimMarket, fault: Fault | None) -> Depth:
    """Return a book as the fault ``ghost`` shows it; orders meet the real one.

    The fault's arguments: ``side`` ("bids" or "asks"), ``bps`` (how much better than the best
    level of that side, 0 for more size at it), ``size`` (base units). Levels of the other side
    that the ghost would cross are hidden, as they would have been taken.
    """
    if fault is None:
        return depth
    asks = str(fault.args.get("side", "asks")) == "asks"
    near, far = (depth.asks, depth.bids) if asks else (depth.bids, depth.asks)
    if not near:
        return depth
    best, shown = near[0]
    away = Decimal(str(fault.args.get("bps", 0))) * BPS
    price = _to_tick(best * (1 - away if asks else 1 + away), market.tick, up=not asks)
    size = Decimal(str(fault.args.get("size", shown * TIMES_BEST)))
    ghost: Level = (price, max(size // market.lot * market.lot, market.lot))
    rest = tuple(level for level in near if level[0] != price)
    left = tuple(level for level in far if (level[0] < price if asks else level[0] > price))
    return Depth(left, (ghost, *rest)) if asks else Depth((ghost, *rest), left)


def _to_tick(price: Decimal, tick: Decimal, *, up: bool) -> Decimal:
    towards = ROUND_CEILING if up else ROUND_FLOOR
    return (price / tick).to_integral_value(rounding=towards) * tick
