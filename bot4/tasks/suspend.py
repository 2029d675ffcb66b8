"""Notices that this machine was suspended, at the moment somebody is about to decide or to send.

Trio's clock stands still while a machine sleeps, so what was seen before looks young afterwards,
and nothing tells the process. Whoever decides, reads a frame or sends an order asks first: the
first one to ask after a sleep has everything of before forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LEAST_S: Final = 0.2
"""A shorter sleep changes nothing, and a wall clock moves in smaller steps by itself."""


class SuspendWatch:
    """Counts the sleeps of this machine since it was made."""

    def __init__(self, suspended_s: Callable[[], float]) -> None:
        """Begin to count.

        Args:
            suspended_s: how long the machine has slept, as in ``ports.World``.
        """
        self.times = 0
        """Sleeps noticed so far. Changes in ``look`` only."""
        self.on_wake: list[Callable[[float], None]] = []
        """Called with the seconds slept, by whoever looks first after a sleep."""
        self._suspended_s = suspended_s
        self._seen_s = suspended_s()

    def look(self) -> int:
        """Return how often the machine has slept; have the past forgotten after a new sleep."""
        now_s = self._suspended_s()
        slept_s = now_s - self._seen_s
        # A wall clock that was set back counts from there on.
        self._seen_s = now_s
        if slept_s >= LEAST_S:
            self.times += 1
            for wake in self.on_wake:
                wake(slept_s)
        return self.times
