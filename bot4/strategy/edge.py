"""The second gate: whether a round trip would pay, after everything it costs."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from decimal import Decimal
from typing import Final

from bot4.domain.market import Pair
from bot4.strategy.rules import EntryRules, ExitRules

SAMPLE_S: Final = 1.0
KEPT_S: Final = 3600.0
ENOUGH: Final = 60
"""With fewer samples the median would speak of one dislocation, not of what is usual."""


class ExitHistory:
    """Exit spreads of one direction over the last hour, one sample a second at most."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._samples: deque[tuple[float, Decimal]] = deque()
        self._sorted: list[Decimal] = []

    def __len__(self) -> int:
        return len(self._samples)

    def due(self, now_s: float) -> bool:
        """Whether a second has passed since the last sample."""
        return not self._samples or now_s - self._samples[-1][0] >= SAMPLE_S

    def add(self, now_s: float, spread: Decimal) -> None:
        """Keep a sample if one is due, and forget what is older than the window."""
        if not self.due(now_s):
            return
        self._samples.append((now_s, spread))
        insort(self._sorted, spread)
        while now_s - self._samples[0][0] > self._kept_s:
            _, old = self._samples.popleft()
            del self._sorted[bisect_left(self._sorted, old)]

    def median(self) -> Decimal | None:
        """The (lower) median, or None while there are too few samples."""
        if len(self._sorted) < ENOUGH:
            return None
        return self._sorted[(len(self._sorted) - 1) // 2]


def expected_exit(history: ExitHistory, entry: EntryRules, leave: ExitRules) -> Decimal:
    """Return the exit spread to count on: the threshold, or the usual one when that is worse."""
    median = history.median()
    if median is None:
        return leave.spread_exit
    return min(leave.spread_exit, median + entry.median_allowance)


def round_trip_fees(pair: Pair) -> Decimal:
    """Return the taker fees of all four fills, a ratio of one leg's notional."""
    return 2 * (pair.vest.taker_fee + pair.paradex.taker_fee)


def net_of(
    spread: Decimal, leave: Decimal, fees: Decimal, premium: Decimal, carry: Decimal
) -> Decimal:
    """Return what a round trip should earn: a ratio of one leg's notional.

    Args:
        spread: entry spread at size.
        leave: exit spread counted on.
        fees: of four fills.
        premium: Vest's, opening and closing.
        carry: funding we would pay while holding; negative when it is paid to us.
    """
    return spread + leave - fees - premium - carry
