"""Order books: what a venue sent last, best price first, in integers of 1e-8.

``Keeper`` turns a stream of updates into books. It never guesses: a gap in the sequence, a
crossed or one-sided book raises ``BadBook``, and the caller drops the book and resubscribes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import gt, lt
from typing import TypeAlias

import msgspec

from bot4.domain.market import MarketKey


class BadBook(Exception):
    """The update cannot be applied: the book is no longer true."""


class Ladder(msgspec.Struct, frozen=True, gc=False):
    """One side of a book, best first. Parallel tuples of e8 integers, same length.

    It iterates as (price, size). A struct, as updates are: one is made for each side of each
    frame, and it is made in an eighth of the time.
    """

    prices: tuple[int, ...]
    sizes: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.prices, self.sizes, strict=True)

    def __len__(self) -> int:
        return len(self.prices)


Levels: TypeAlias = Sequence[tuple[int, int]] | Ladder
"""What a frame says of one side: in the order it came, and not judged yet."""


class Book(msgspec.Struct, frozen=True, gc=False):
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


class BookUpdate(msgspec.Struct, frozen=True, gc=False):
    """What one frame says of a book. Levels are (price, size) in e8; size 0 removes."""

    symbol: str
    snapshot: bool
    bids: Levels
    asks: Levels
    sequence: int = 0
    venue_time_ms: int | None = None


class _Side:
    """One side of a book: read as a ladder, changed as lists of rising prices."""

    def __init__(self, *, rising: bool) -> None:
        self.ladder = Ladder((), ())
        self._in_order = lt if rising else gt
        self._step = 1 if rising else -1
        self._prices: list[int] = []
        self._sizes: list[int] = []
        self._stale = False
        """Whether the lists are behind the ladder: many venues never send a delta."""

    def replace(self, levels: Levels) -> None:
        # Column by column, in C: a whole book is the longest frame there is.
        ladder = levels if isinstance(levels, Ladder) else _columns(levels)
        prices = ladder.prices
        if prices and (
            prices[-1] <= 0
            or prices[0] <= 0
            or min(ladder.sizes) <= 0
            or not all(map(self._in_order, prices, prices[1:]))
        ):
            ladder = _mended(levels, self._step)
        self.ladder, self._stale = ladder, True

    def apply(self, levels: Levels) -> None:
        if not levels:
            return
        if self._stale:
            self._prices = list(self.ladder.prices[:: self._step])
            self._sizes = list(self.ladder.sizes[:: self._step])
            self._stale = False
        prices, sizes = self._prices, self._sizes
        for price, size in levels:
            at = bisect_left(prices, price)
            known = at < len(prices) and prices[at] == price
            if size > 0 and known:
                sizes[at] = size
            elif size > 0:
                prices.insert(at, price)
                sizes.insert(at, size)
            elif known:
                del prices[at], sizes[at]
        self.ladder = Ladder(tuple(prices[:: self._step]), tuple(sizes[:: self._step]))


def _columns(levels: Sequence[tuple[int, int]]) -> Ladder:
    return Ladder(*zip(*levels, strict=True)) if levels else Ladder((), ())


def _check(levels: Levels) -> None:
    for price, size in levels:
        if price <= 0 or size < 0:
            msg = "a price or size out of range"
            raise BadBook(msg)


def _mended(levels: Levels, step: int) -> Ladder:
    """Return the ladder of a whole side that has levels of size 0, or is in no order."""
    _check(levels)
    kept = sorted(level for level in levels if level[1])[::step]
    prices = tuple(price for price, _ in kept)
    if len(set(prices)) < len(prices):
        msg = "the same price twice"
        raise BadBook(msg)
    return Ladder(prices, tuple(size for _, size in kept))


class Keeper:
    """Keeps one market's book from its updates."""

    def __init__(self, key: MarketKey) -> None:
        self.key = key
        self._bids, self._asks = _Side(rising=False), _Side(rising=True)
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
        bids, asks = self._bids.ladder, self._asks.ladder
        if not bids.prices or not asks.prices:
            msg = "one side is empty"
            raise BadBook(msg)
        if bids.prices[0] >= asks.prices[0]:
            msg = "crossed"
            raise BadBook(msg)
        return Book(self.key, bids, asks, update.sequence, update.venue_time_ms, received_at)

    def wipe(self) -> None:
        """Forget everything: the next update must be a snapshot."""
        self._bids, self._asks = _Side(rising=False), _Side(rising=True)
        self._sequence = None
