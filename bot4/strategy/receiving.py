"""How long an order may take to reach its venue: the receive window, set from what is measured.

The window is the fence of an order in doubt: shorter means sooner certain, too short means honest
orders refused. Source of the figures: the rules of trading; the venues refuse on receipt.
"""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Final

from bot4.strategy.hold import Hold, Reason

LEAST_MS: Final = 750
MOST_MS: Final = 5000
ENOUGH: Final = 50
"""Fewer orders measured: the configured window stands. So many after an expiry: it is doubled."""
KEPT: Final = 1000
SLOW_MS: Final = 2000
"""A line this slow, at its 99.9th percentile, opens nothing."""


class ReceiveWindow:
    """One venue's window. All times in milliseconds, by the venue's clock."""

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self._took: deque[int] = deque(maxlen=KEPT)
        self._worst: int | None = None
        """The 99.9th percentile, None while too few orders were measured."""
        self._doubled = 0

    @property
    def ms(self) -> int:
        """The window of the next order."""
        wanted = self._start_ms if self._worst is None else ceil(1.25 * self._worst) + 100
        if self._doubled:
            wanted *= 2
        return min(max(wanted, LEAST_MS), MOST_MS)

    def took(self, ms: int) -> None:
        """An order was received this long after it was signed."""
        self._took.append(max(ms, 0))
        self._doubled = max(self._doubled - 1, 0)
        if len(self._took) >= ENOUGH:
            known = sorted(self._took)
            self._worst = known[ceil(0.999 * len(known)) - 1]

    def expired(self) -> None:
        """The venue refused an order for its time: give the next ones twice as long."""
        self._doubled = ENOUGH

    def hold(self) -> Hold | None:
        """Why nothing may open over this line, or None."""
        if self._worst is None or self._worst <= SLOW_MS:
            return None
        return Hold(Reason.SLOW, f"orders take {self._worst} ms to arrive, {SLOW_MS} are allowed")
