"""What the trades hold and cost, counted for caps and prices."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bot4.domain.order import Side
from bot4.strategy.risk import Use
from bot4.strategy.saga import Trade


def uses(trades: Iterable[Trade]) -> list[Use]:
    """Everything that takes room at a venue: positions, and orders that have not ended in full."""
    found = []
    for trade in trades:
        found += [
            Use(leg.order.key.venue, leg.order.size * leg.order.limit)
            for leg in trade.open_legs()
            if not leg.order.closes
        ]
        for venue in trade.venues:
            price = filled_price(trade, venue)
            if price:
                found.append(Use(venue, abs(trade.position(venue)) * price))
    return found


def touches(trades: Iterable[Trade], venue: str, symbol: str) -> bool:
    """Whether a trade may hold something on a market; ``symbol`` is "" when nobody said which."""
    keys = (key for trade in trades for key in (trade.plan.long, trade.plan.short))
    return any(key.venue == venue and symbol in ("", key.symbol) for key in keys)


def filled_price(trade: Trade, venue: str) -> Decimal | None:
    """The average price of what was bought or sold to open on one venue; None when unknown."""
    opening = Side.BUY if venue == trade.plan.long.venue else Side.SELL
    size = notional = Decimal(0)
    for leg in trade.legs:
        if leg.order.key.venue != venue or leg.order.side is not opening or not leg.filled:
            continue
        price = leg.average()
        if price is None:
            return None
        size += leg.filled
        notional += leg.filled * price
    return notional / size if size else None
