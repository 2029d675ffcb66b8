"""One instrument on one venue, and the couple of them that makes a pair."""

from __future__ import annotations

from collections.abc import Iterable
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
    """The coin or share, in the venue's own word and unit: kBONK is a thousand BONK."""
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
    quote: str = ""
    """What prices are in; "" when the venue does not say."""
    max_order: Decimal | None = None
    """The largest size of one order, base units; None when the venue names none."""
    max_position: Decimal | None = None
    """The largest position either way, base units; None when the venue names none."""
    max_open_orders: int | None = None
    """How many orders may be open at once; None when the venue names no number."""

    @property
    def listed(self) -> bool:
        """Whether the venue named it when the bot started: else nothing is known of it."""
        return bool(self.base)


def unlisted(key: MarketKey) -> Market:
    """Stand for a market that its venue does not list: nothing can be traded there."""
    zero, one = Decimal(0), Decimal(1)
    return Market(key, "", one, one, zero, zero, zero, one, trading=False)


QUOTES: Final = {VEST: ("USDC", ""), PARADEX: ("USD", "USDC", "")}
"""What the quote rate can turn into USDC."""


def mismatch(vest: Market, paradex: Market) -> str:
    """Return why positions on these two would not hedge each other, "" when they would.

    By what the venues say of them, whatever they are called.
    """
    if vest.base != paradex.base:
        return f"{vest.key} is {vest.base} and {paradex.key} is {paradex.base}"
    for market in (vest, paradex):
        if market.quote not in QUOTES[market.key.venue]:
            return f"{market.key} is quoted in {market.quote}"
    return ""


def couples(vest: Iterable[Market], paradex: Iterable[Market]) -> list[tuple[Market, Market]]:
    """Return every two markets that trade now and would hedge each other, in Vest's order."""
    theirs = [market for market in paradex if market.trading]
    return [
        (one, other_one)
        for one in vest
        if one.trading
        for other_one in theirs
        if not mismatch(one, other_one)
    ]


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
    def keys(self) -> tuple[MarketKey, MarketKey]:
        """Both markets' names, Vest's first."""
        return self.vest.key, self.paradex.key

    @property
    def lot(self) -> Decimal:
        """The smallest size that both venues accept as a step."""
        return common_step(self.vest.lot, self.paradex.lot)


def other(venue: str) -> str:
    """Return the other venue."""
    return PARADEX if venue == VEST else VEST
