"""What a venue really charges our planned orders, where that is more than it lists.

A venue may list one fee and charge another: a Retail token that it ignores or withdrew, an
allowance that is used up, a tier that was lost. Less than is listed is never counted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.market import Market, MarketKey
from bot4.domain.order import Order, Purpose

MATERIAL: Final = Decimal("0.00005")
"""A difference that matters: half a basis point. Source: ours."""


@attrs.frozen
class ChargedFees:
    """The rate of the newest fill of a planned order, by market."""

    rates: Mapping[MarketKey, Decimal] = attrs.field(factory=dict)

    def saw(self, order: Order, fill: Fill) -> ChargedFees:
        """Learn from a fill. What mends or takes back may go by another token at another fee."""
        notional = fill.size * fill.price
        if order.purpose not in (Purpose.ENTER, Purpose.EXIT) or fill.fee is None or not notional:
            return self
        return ChargedFees({**self.rates, order.key: fill.fee / notional})

    def applied(self, market: Market) -> Market:
        """Return the market with the fee to count on."""
        seen = self.rates.get(market.key, market.taker_fee)
        worse = seen - market.taker_fee > MATERIAL
        return attrs.evolve(market, taker_fee=seen) if worse else market
