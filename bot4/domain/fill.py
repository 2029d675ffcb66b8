"""One execution report."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.order import Side

FORCED: Final = frozenset({"liquidation", "transfer", "settle_market"})
"""Kinds of fills that the venue itself made: it took a position, and no order of ours will show."""


@attrs.frozen
class Fill:
    """A fill at one venue. ``(venue, fill_id)`` is unique for ever."""

    venue: str
    fill_id: str
    client_order_id: str
    """"" when the venue does not say."""
    venue_order_id: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal | None
    """In the venue's quote currency; paid is positive, a rebate negative. None: it does not say."""
    venue_time_ms: int | None = None
    kind: str = "trade"
    """``trade``, or the venue's own word: liquidation, transfer, settle_market."""
    funding: Decimal | None = None
    """What the venue settled with this fill, USDC; received is positive, None: it does not say."""

    @property
    def signed(self) -> Decimal:
        """What it did to the position, signed base units."""
        return self.size * self.side.sign
