"""One instrument on one venue, and the couple of them that makes a pair."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.units import common_step

VEST: Final = "vest"
PARADEX: Final = "paradex"
VENUES: Final = (VEST, PARADEX)


@attrs.frozen
class MarketKey:
    """Names one market everywhere in the bot: a venue and the venue's own symbol."""

    venue: str
    symbol: str

    def __str__(self) -> str:
        return f"{self.venue}:{self.symbol}"


@attrs.frozen
class Market:
    """What a venue says of one instrument. Decimals; sizes in base units."""

    key: MarketKey
    base: str
    tick: Decimal
    """Price step, in the venue's quote currency."""
    lot: Decimal
    """Size step, base units."""
    min_size: Decimal
    min_notional: Decimal
    """In the venue's quote currency; 0 when the venue has none."""
    taker_fee: Decimal
    """A ratio of the notional."""
    max_leverage: Decimal
    price_band: Decimal | None = None
    """A limit further than this ratio from the mark is refused; None when unknown."""
    trading: bool = True


@attrs.frozen
class Pair:
    """Two markets of the same base, one per venue."""

    name: str
    vest: Market
    paradex: Market

    def on(self, venue: str) -> Market:
        """Return the pair's market on this venue."""
        return self.vest if venue == VEST else self.paradex

    @property
    def lot(self) -> Decimal:
        """The smallest size that both venues accept as a step."""
        return common_step(self.vest.lot, self.paradex.lot)


def other(venue: str) -> str:
    """Return the other venue."""
    return PARADEX if venue == VEST else VEST
