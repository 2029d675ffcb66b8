"""What an account must have for its positions and open orders.

Source: Paradex docs, Margin, seen 2026-11: the initial requirement of a market is the ratio times
the mark times the larger of what it could be long and short once its open orders have filled, a
provision for fees, and the loss at which they would open. Vest API docs, Account, seen 2025-11:
``openOrderMargin`` beside the positions' own.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from bot4.simulator.orders import ZERO, Side, SimOrder


@attrs.define
class Adding:
    """What the orders of one side may still add, base units, and the loss at which they open."""

    size: Decimal = ZERO
    loss: Decimal = ZERO
    """Quote units: what they would pay beyond the mark, or get below it."""

    def add(self, side: Side, size: Decimal, price: Decimal | None, mark: Decimal) -> None:
        """Count an order; one without a price opens at the mark."""
        away = ZERO if price is None else price - mark
        self.size += size
        self.loss += size * max(away if side == "buy" else -away, ZERO)

    def beyond(self, reducible: Decimal) -> Decimal:
        """Return the loss of what adds to a position once ``reducible`` is closed."""
        if self.size <= reducible:
            return ZERO
        return self.loss * (self.size - reducible) / self.size


@attrs.frozen
class Exposure:
    """One market of an account: the position, signed, and what its orders may add."""

    held: Decimal
    buys: Adding = attrs.field(factory=Adding)
    sells: Adding = attrs.field(factory=Adding)

    def side(self, side: Side) -> Adding:
        """Return the orders of one side."""
        return self.buys if side == "buy" else self.sells

    @property
    def most(self) -> Decimal:
        """The larger of what it could be long and short, base units."""
        return max(self.held + self.buys.size, self.sells.size - self.held, ZERO)

    @property
    def loss(self) -> Decimal:
        """The loss at which all that adds would open, quote units."""
        long, short = max(self.held, ZERO), max(-self.held, ZERO)
        return self.buys.beyond(short) + self.sells.beyond(long)


def exposure(
    held: Decimal, orders: Iterable[SimOrder], mark: Decimal, *, without: str = ""
) -> Exposure:
    """Return what a position and the orders that rest make of a market.

    Args:
        held: signed base units.
        orders: of this market, all there are; those that reduce only, have not landed or wait
            for a trigger of Paradex count nothing.
        mark: quote units.
        without: the id of an order to leave out.
    """
    found = Exposure(held)
    for order in orders:
        counts = order.resting and not order.done and not order.reduce_only
        if counts and order.status != "UNTRIGGERED" and order.id != without:
            found.side(order.side).add(order.side, order.remaining, order.limit, mark)
    return found
