"""Watches the books and has every pair judged anew when one of them changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot4.tasks.books import Books
from bot4.tasks.stop import StopSign


class Judged(Protocol):
    """Something that looks at the newest books."""

    def look(self) -> None:
        """Judge the newest books now. Plain, quick, never blocks."""


class Detector:
    """One task for all pairs: from a newer book to decisions, with nothing in between."""

    def __init__(self, books: Books, pairs: Mapping[str, Judged]) -> None:
        self._books = books
        self._pairs = pairs

    async def keep(self, stop: StopSign) -> None:
        """Look at every newer book until the stop sign. Cancellation: safe."""
        seen = 0
        with stop.while_running():
            while True:
                seen = await self._books.wait_newer(seen)
                for pair in self._pairs.values():
                    pair.look()
