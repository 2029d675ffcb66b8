"""Order books: what a venue sent last, best price first, in integers of 1e-8.

``Keeper`` turns a stream of updates into books. It never guesses: a gap in the sequence, a
crossed or one-sided book raises ``BadBook``, and the caller drops the book and resubscribes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import lt

import attrs

from bot4.domain.market import MarketKey


class BadBook(Exception):
    """The update cannot be applied: the book is no longer true."""


@attrs.frozen
class Ladder:
    """One side of a book, best first. Parallel tuples of e8 integers, same length."""

    prices: tuple[int, ...]
    sizes: tuple[int, ...]


@attrs.frozen
class Book:
    """The newest known book of one market. Never crossed, never one-sided."""

    key: MarketKey
    bids: Ladder
    asks: Ladder
    sequence: int
    """The venue's sequence number; 0 where the venue has none."""
    venue_time_ms: int | None
    received_at: float
    """Trio time, seconds, when the frame arrived."""

    @property
    def bid(self) -> int:
        """Best bid, e8."""
        return self.bids.prices[0]

    @property
    def ask(self) -> int:
        """Best ask, e8."""
        return self.asks.prices[0]


@attrs.frozen
class BookUpdate:
    """What one frame says of a book. Levels are (price, size) in e8; size 0 removes."""

    symbol: str
    snapshot: bool
    bids: Sequence[tuple[int, int]]
    asks: Sequence[tuple[int, int]]
    sequence: int = 0
    venue_time_ms: int | None = None


class _Side:
    """Prices ascending with their sizes: bids are read backwards."""

    def __init__(self) -> None:
        self.prices: list[int] = []
        self.sizes: list[int] = []

    def replace(self, levels: Sequence[tuple[int, int]]) -> None:
        # Column by column, in C: a whole book is the longest frame there is.
        prices, sizes = [price for price, _ in levels], [size for _, size in levels]
        if prices and prices[0] > prices[-1]:
            prices.reverse()
            sizes.reverse()
        if prices and (prices[0] <= 0 or min(sizes) <= 0 or not all(map(lt, prices, prices[1:]))):
            prices, sizes = _mended(levels)
        self.prices, self.sizes = prices, sizes

    def apply(self, levels: Sequence[tuple[int, int]]) -> None:
        for price, size in levels:
            at = bisect_left(self.prices, price)
            known = at < len(self.prices) and self.prices[at] == price
            if size > 0 and known:
                self.sizes[at] = size
            elif size > 0:
                self.prices.insert(at, price)
                self.sizes.insert(at, size)
            elif known:
                del self.prices[at], self.sizes[at]


def _check(levels: Sequence[tuple[int, int]]) -> None:
    for price, size in levels:
        if price <= 0 or size < 0:
            msg = "a price or size out of range"
            raise BadBook(msg)


def _mended(levels: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return the columns of a whole side that has levels of size 0, or is in no order."""
    _check(levels)
    kept = sorted(level for level in levels if level[1])
    prices = [price for price, _ in kept]
    if len(set(prices)) < len(prices):
        msg = "the same price twice"
        raise BadBook(msg)
    return prices, [size for _, size in kept]


class Keeper:
    """Keeps one market's book from its updates."""

    def __init__(self, key: MarketKey) -> None:
        self.key = key
        self._bids, self._asks = _Side(), _Side()
        self._sequence: int | None = None

    def apply(self, update: BookUpdate, received_at: float) -> Book | None:
        """Apply one update and return the new book.

        Returns:
            None for a repeated or older delta, or for a delta before the first snapshot.

        Raises:
            BadBook: a sequence gap, a crossed or one-sided book, a price or size out of range.
        """
        if update.snapshot:
            self._bids.replace(update.bids)
            self._asks.replace(update.asks)
        else:
            _check(update.bids)
            _check(update.asks)
            if self._sequence is None or update.sequence <= self._sequence:
                return None
            if update.sequence != self._sequence + 1:
                msg = f"sequence gap: {self._sequence} then {update.sequence}"
                raise BadBook(msg)
            self._bids.apply(update.bids)
            self._asks.apply(update.asks)
        self._sequence = update.sequence
        if not self._bids.prices or not self._asks.prices:
            msg = "one side is empty"
            raise BadBook(msg)
        if self._bids.prices[-1] >= self._asks.prices[0]:
            msg = "crossed"
            raise BadBook(msg)
        return Book(
            key=self.key,
            bids=Ladder(tuple(self._bids.prices[::-1]), tuple(self._bids.sizes[::-1])),
            asks=Ladder(tuple(self._asks.prices), tuple(self._asks.sizes)),
            sequence=update.sequence,
            venue_time_ms=update.venue_time_ms,
            received_at=received_at,
        )

    def wipe(self) -> None:
        """Forget everything: the next update must be a snapshot."""
        self._bids, self._asks = _Side(), _Side()
        self._sequence = None
