"""One venue's error budget: too many exchanges that fail stop opening there, never closing.

An API that changed does the same at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from bot4.tasks.gate import Gate

REMEMBERED: Final = 12
SICK: Final = 6
"""Failures among the remembered exchanges that stop opening. Source: ours."""
WELL: Final = 4
"""Good exchanges in a row that end it."""


def health_of(venue: str) -> str:
    """The gate's name for a venue that stopped answering."""
    return f"{venue} health"


class Health:
    """Counts exchanges with one venue. A refusal is an answer: only silence and chaos count."""

    def __init__(self, venue: str, gate: Gate, api_version: Callable[[], str] = str) -> None:
        self._name = health_of(venue)
        self._api_version = api_version
        self._venue = venue
        self._gate = gate
        self._last: deque[bool] = deque(maxlen=REMEMBERED)
        self._sick = False

    def good(self) -> None:
        """An exchange ended with a readable answer."""
        self._last.append(True)
        if self._sick and all(list(self._last)[-WELL:]):
            self._sick = False
            self._last.clear()
            self._gate.clear(self._name)

    def changed(self, why: str) -> None:
        """The venue speaks differently than we do: until a new start nothing opens there."""
        self._gate.block(
            f"{self._venue} api",
            f"{self._venue} does not speak api {self._api_version()} any more: {why}",
            "look for a newer bot4; what is open is closed all the same; a new start tries again",
            on=self._venue,
        )

    def bad(self) -> None:
        """An exchange ended without a readable answer."""
        self._last.append(False)
        failed = self._last.count(False)
        if failed >= SICK and not self._sick:
            self._sick = True
            why = f"{failed} of the last {len(self._last)} exchanges with {self._venue} failed"
            look = "look at your network and the venue's status page"
            self._gate.block(self._name, why, look, on=self._venue, shut=True)
