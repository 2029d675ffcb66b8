"""Walking a ladder to a size: what it costs on average and where the last unit trades.

Prices and sizes are integers of 1e-8, notionals of 1e-16: exact, however deep the walk.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal
from itertools import accumulate
from operator import mul, neg
from typing import NamedTuple

from bot4.domain.book import Ladder
from bot4.domain.units import E8, from_e8


class ThinBook(Exception):
    """The ladder shows less than the size asked for."""

    def __init__(self, asked: int, shown: int) -> None:
        super().__init__(f"{from_e8(asked)} asked, {from_e8(shown)} shown")
        self.asked = asked
        """e8."""
        self.shown = shown
        """e8."""


class Taken(NamedTuple):
    """What taking a size from one side of a book means."""

    size: int
    """e8, > 0."""
    notional: int
    """e16: the sum of price times size."""
    marginal: int
    """e8: the price of the last unit, the worst one."""

    @property
    def average(self) -> Decimal:
        """The volume-weighted average price, in the venue's quote currency."""
        return Decimal(self.notional) / Decimal(self.size * E8)


def take(ladder: Ladder, size: int) -> Taken:
    """Walk the ladder, best first, until ``size`` (e8, > 0) is taken.

    Raises:
        ThinBook: the ladder shows less than ``size``.
    """
    left, level = size, 0
    for shown in ladder.sizes:
        if shown >= left:
            break
        left -= shown
        level += 1
    else:
        raise ThinBook(size, size - left)
    prices = ladder.prices
    # The whole levels are summed in C: twice as fast as adding them up in the loop.
    whole = sum(map(mul, prices[:level], ladder.sizes))
    return Taken(size, whole + prices[level] * left, prices[level])


def take_shown(ladder: Ladder, size: int) -> Taken:
    """Walk as ``take``, but settle for all that is shown when that is less."""
    return take(ladder, min(size, sum(ladder.sizes)))


class Depth:
    """A ladder with its running sums: any size is then answered in a few steps."""

    __slots__ = ("_ladder", "_notionals", "_sizes")

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._sizes = list(accumulate(ladder.sizes))
        self._notionals = list(accumulate(map(mul, ladder.prices, ladder.sizes)))

    @property
    def total(self) -> int:
        """All that is shown, e8."""
        return self._sizes[-1]

    def take(self, size: int) -> Taken:
        """Answer as the function ``take`` does.

        Raises:
            ThinBook: the ladder shows less than ``size``.
        """
        if size > self.total:
            raise ThinBook(size, self.total)
        level = bisect_left(self._sizes, size)
        price = self._ladder.prices[level]
        rest = self._sizes[level] - size
        return Taken(size, self._notionals[level] - price * rest, price)

    def before(self, size: int) -> int:
        """Return how much stands before the level that fills ``size``, e8."""
        level = bisect_left(self._sizes, size)
        return self._sizes[level - 1] if level else 0

    def within(self, limit: int, *, buying: bool) -> int:
        """Return how much is shown at ``limit`` (e8) or better, e8.

        Args:
            limit: the worst price.
            buying: whether the ladder is the asks that a buyer takes, prices rising.
        """
        prices = self._ladder.prices
        levels = bisect_right(prices, limit) if buying else bisect_right(prices, -limit, key=neg)
        return self._sizes[levels - 1] if levels else 0
