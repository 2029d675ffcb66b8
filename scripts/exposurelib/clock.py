"""Trio's time, made by us: it jumps to the next thing that is due, and never waits."""

from __future__ import annotations

from math import isinf
from typing import Final

import trio

STUCK: Final = 1000
"""Asked so often in a row for a deadline that does not exist, the world is stuck."""


class JumpClock(trio.abc.Clock):
    """Stands still while anything can run, then jumps. Starts at 0 seconds."""

    def __init__(self) -> None:
        self._now = 0.0
        self._idle = 0

    def start_clock(self) -> None:
        """Nothing to start."""

    def current_time(self) -> float:
        """Return the time, seconds."""
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Jump to a deadline: asked only when nothing can run before it."""
        if isinf(deadline):
            # Trio itself asks so for a moment at the beginning and at the end.
            self._idle += 1
            if self._idle > STUCK:
                raise RuntimeError("every task waits, and for nothing that has a time")
            return 0.0
        self._idle = 0
        self._now = max(self._now, deadline)
        return 0.0

    def forward(self, seconds: float) -> None:
        """Let time pass while the caller holds the loop; what falls due meanwhile is late."""
        self._now += seconds
