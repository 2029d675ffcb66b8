"""How many orders a Retail ("interactive") token of Paradex may send: four windows at once.

Beyond the venue's limits (3 a second, 30 a minute, 300 an hour, 1000 a day) orders silently pay
Pro fees, so our own caps lie below them. Source: Paradex API docs, rate limits, seen 2026-11.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import ceil
from typing import Final

import attrs

CAPS: Final = ((1.0, 2), (60.0, 20), (3600.0, 200), (86_400.0, 700))
"""Seconds, and orders in any such stretch of time. Source: ours."""
LONGEST_S: Final = CAPS[-1][0]
MOST: Final = CAPS[-1][1]


@attrs.frozen
class InteractiveUse:
    """When orders were sent, oldest first, as far back as any cap looks. Seconds."""

    sent: tuple[float, ...] = ()

    @classmethod
    def of(cls, times: Iterable[float]) -> InteractiveUse:
        """Return the use that these times make, in any order."""
        return cls(tuple(sorted(times)[-MOST:]))

    def after(self, now_s: float, count: int = 1) -> InteractiveUse:
        """Return the use after sending ``count`` orders now."""
        kept = self.sent[bisect_right(self.sent, now_s - LONGEST_S) :]
        return InteractiveUse((*kept, *[now_s] * count)[-MOST:])

    def allows(self, now_s: float, count: int = 1, *, closing: bool = False) -> bool:
        """Whether ``count`` more orders fit now.

        A third of every cap is kept for orders that close; those may use all of it.
        """
        return all(
            self._within(now_s, span_s) + count <= (most if closing else most - ceil(most / 3))
            for span_s, most in CAPS
        )

    def _within(self, now_s: float, span_s: float) -> int:
        return len(self.sent) - bisect_right(self.sent, now_s - span_s)
