"""Sizes, prices and fees of several orders and fills, added up. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bot4.domain.fill import Fill
from bot4.strategy.legs import Leg

ZERO: Final = Decimal(0)
PLACES: Final = 12
"""Decimal places of an average price."""


def filled_by(legs: Iterable[Leg]) -> Decimal:
    """Return what orders filled together, base units."""
    return sum((leg.filled for leg in legs), ZERO)


def paid_for(fills: Iterable[Fill]) -> Decimal:
    """Return the fees of fills; 0 for one that was not told."""
    return sum((fill.fee or ZERO for fill in fills), ZERO)


def average(legs: Iterable[Leg], others: Iterable[Fill] = ()) -> Decimal | None:
    """Return the average price of what orders, and fills of others, filled; None: none is known."""
    priced = [(leg.filled, price) for leg in legs if leg.filled and (price := leg.average())]
    priced += [(fill.size, fill.price) for fill in others]
    size = sum((filled for filled, _ in priced), ZERO)
    if not size:
        return None
    return round(sum((f * price for f, price in priced), ZERO) / size, PLACES)


def fee_of(leg: Leg) -> Decimal | None:
    """As the venue adds it up; else what its fills say; None before either."""
    if leg.fee is not None:
        return leg.fee
    told = [fill.fee for fill in leg.fills if fill.fee is not None]
    return sum(told, ZERO) if leg.fills and len(told) == len(leg.fills) else None
