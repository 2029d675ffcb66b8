"""What a decision looks at, and what it may be: frozen values, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import attrs

from bot4.domain.book import Book
from bot4.domain.market import PARADEX, VEST, Pair
from bot4.domain.order import Side
from bot4.domain.quote import QuoteRate
from bot4.strategy.hold import Hold
from bot4.strategy.premium import Premium
from bot4.strategy.risk import Room


class Why(StrEnum):
    """Why a pair is closed."""

    TARGET = "target"
    HOLD_TIME = "hold time"
    STOP = "stop"
    MARGIN = "margin"
    """A leg is near its liquidation: half of the pair goes."""


@attrs.frozen
class Holding:
    """A hedged pair: what each venue holds for it. Sizes are absolute, > 0."""

    long: str
    """Venue of the long leg."""
    vest_size: Decimal
    paradex_size: Decimal
    entry_spread: Decimal
    """Realised, a ratio in USDC."""
    held_s: float
    """Since both legs were on."""

    def size(self, venue: str) -> Decimal:
        """Base units held on this venue."""
        return self.vest_size if venue == VEST else self.paradex_size


@attrs.frozen
class View:
    """Everything ``decide`` sees of one pair at one instant."""

    pair: Pair
    now_s: float
    """Trio time, as ``received_at``."""
    vest: Book | None
    paradex: Book | None
    vest_published: int
    """Books published so far; rises by one with each, moved or not."""
    paradex_published: int
    vest_heartbeat_at: float | None
    """When the last ping that Vest answered was sent."""
    rate: QuoteRate
    room: Room
    """What caps and limits still leave per venue."""
    premium: Premium = Premium()
    carry_long_vest: Decimal = Decimal(0)
    """Funding to be paid over an ordinary hold of long Vest, short Paradex; a ratio. The reverse
    direction is paid it."""
    blocked: Hold | None = None
    """Why the tasks allow no opening."""
    holding: Holding | None = None
    """None while the pair is flat."""
    must_leave: Why | None = None
    """Why a held pair has to be closed at once."""

    def books(self) -> Mapping[str, Book]:
        """Both books by venue. Only once they are known to be there.

        Raises:
            ValueError: one is missing.
        """
        if self.vest is None or self.paradex is None:
            msg = "a book is missing"
            raise ValueError(msg)
        return {VEST: self.vest, PARADEX: self.paradex}

    def published(self, venue: str) -> int:
        """How many books this venue has published."""
        return self.vest_published if venue == VEST else self.paradex_published

    def carry(self, long_venue: str) -> Decimal:
        """What holding this direction costs."""
        return self.carry_long_vest if long_venue == VEST else -self.carry_long_vest


@attrs.frozen
class Enter:
    """Open the pair: buy on ``long``, sell on the other venue, both at once."""

    long: str
    size: Decimal
    """Base units, the same on both."""
    long_limit: Decimal
    short_limit: Decimal
    """Each in its own venue's currency, on its tick."""
    spread: Decimal
    """Detected: at the average prices of this size, a ratio in USDC."""
    marginal_spread: Decimal
    """At the last unit's prices."""
    net: Decimal
    """Expected of the round trip."""
    target: Decimal
    """The entry threshold."""
    long_price: Decimal
    short_price: Decimal
    """Average prices seen, each in its own venue's currency."""
    rate: QuoteRate
    confirmed_ms: int
    """How long the gap had lived."""
    detected_at: float
    """Trio time: arrival of the frame that made the decision, or now when time alone did."""

    def limit(self, venue: str) -> Decimal:
        """The limit of this venue's leg."""
        return self.long_limit if venue == self.long else self.short_limit

    def side(self, venue: str) -> Side:
        """The side of this venue's leg."""
        return Side.BUY if venue == self.long else Side.SELL


@attrs.frozen
class Exit:
    """Close the pair: sell the long leg, buy back the short leg, both reduce-only."""

    long: str
    vest_size: Decimal
    paradex_size: Decimal
    """What is closed on each venue: all that it holds, which may differ by dust, or a clip."""
    long_limit: Decimal
    """Least price for selling the long leg."""
    short_limit: Decimal
    """Highest price for buying the short leg back."""
    spread: Decimal
    marginal_spread: Decimal
    target: Decimal
    """The exit threshold in force; for a forced exit, what would have been needed."""
    long_price: Decimal
    short_price: Decimal
    """Average prices seen."""
    rate: QuoteRate
    why: Why
    detected_at: float

    @property
    def forced(self) -> bool:
        """Whether it goes whatever it earns."""
        return self.why is not Why.TARGET

    def size(self, venue: str) -> Decimal:
        """How much to close on this venue."""
        return self.vest_size if venue == VEST else self.paradex_size

    def limit(self, venue: str) -> Decimal:
        """The limit of this venue's leg."""
        return self.long_limit if venue == self.long else self.short_limit

    def side(self, venue: str) -> Side:
        """The side of this venue's closing order."""
        return Side.SELL if venue == self.long else Side.BUY


Decision = Enter | Exit | Hold
