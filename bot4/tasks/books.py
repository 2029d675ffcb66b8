"""The newest book of each market, and nothing older.

Writers overwrite and never wait; a reader that was busy for ten updates sees the tenth. Nothing
is queued.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio

from bot4.domain.book import Book
from bot4.domain.market import MarketKey


@attrs.define
class Record:
    """The newest book of one market, with how often it was published."""

    book: Book
    version: int = 1


class Books:
    """One record per market; the feeds write, everybody else reads."""

    def __init__(self) -> None:
        self._records: dict[MarketKey, Record] = {}
        self._wiped: dict[MarketKey, Book] = {}
        self._heartbeats: dict[str, float] = {}
        self._version = 0
        self._changed = trio.Event()
        self.look: Callable[[], object] = lambda: None
        """Asked before a book is given or taken: wipes all of them after the machine slept."""

    @property
    def version(self) -> int:
        """Rises with every book posted or wiped."""
        return self._version

    def get(self, key: MarketKey) -> Record | None:
        """The market's record, or None while there is no true book."""
        self.look()
        return self._records.get(key)

    def last(self, key: MarketKey) -> Book | None:
        """The market's book, else the last one that was true: for telling, not for trading."""
        self.look()
        record = self._records.get(key)
        return self._wiped.get(key) if record is None else record.book

    def heartbeat_at(self, venue: str) -> float | None:
        """Trio time when the PING last answered by this venue was sent; None before."""
        self.look()
        return self._heartbeats.get(venue)

    def post(self, book: Book) -> None:
        """Replace the market's book and wake every reader."""
        record = self._records.get(book.key)
        if record is None:
            self._records[book.key] = Record(book)
        else:
            record.book = book
            record.version += 1
        self._bump()

    def beat(self, venue: str, sent_at: float) -> None:
        """The venue answered a heartbeat sent at this time."""
        self._heartbeats[venue] = sent_at

    def wipe(self, key: MarketKey) -> None:
        """Forget the market's book: it is no longer true."""
        if (record := self._records.pop(key, None)) is not None:
            self._wiped[key] = record.book
            self._bump()

    def forget(self) -> None:
        """Forget every book and every heartbeat: all of it is of before a sleep."""
        self._heartbeats.clear()
        self._records.clear()
        self._wiped.clear()
        self._bump()

    async def wait_newer(self, seen: int) -> int:
        """Block until the version exceeds ``seen``; return it. Always a checkpoint."""
        await trio.lowlevel.checkpoint()
        while self._version <= seen:
            await self._changed.wait()
        return self._version

    def _bump(self) -> None:
        self._version += 1
        self._changed.set()
        self._changed = trio.Event()
