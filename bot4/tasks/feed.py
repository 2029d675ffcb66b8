"""The public side of one venue: frames into books."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import structlog

from bot4.domain.book import BadBook, BookUpdate, Keeper
from bot4.domain.market import MarketKey
from bot4.errors import ProtocolViolation
from bot4.ports import Notice, Pong
from bot4.tasks.books import Books

log = structlog.get_logger()


class BookListener:
    """Keeps one venue's books true while its public connection lives.

    A gap, a crossed or a one-sided book ends the connection: the next one begins with snapshots.
    """

    def __init__(
        self,
        venue: str,
        keys: Iterable[MarketKey],
        books: Books,
        unlisted: Collection[str] = (),
    ) -> None:
        self.venue = venue
        self._unlisted = unlisted
        self._books = books
        self._keepers = {key.symbol: Keeper(key) for key in keys}
        self._useful: set[str] = set()
        self.useful_when_greeted = False

    def hear(self, notice: Notice, at: float) -> bool:
        """Apply a book update; useful once every market that is listed has a book."""
        if isinstance(notice, BookUpdate):
            keeper = self._keepers.get(notice.symbol)
            if keeper is None:
                return False
            try:
                book = keeper.apply(notice, at)
            except BadBook as bad:
                self._books.wipe(keeper.key)
                raise ProtocolViolation(self.venue, f"{notice.symbol} book: {bad}") from None
            if book is not None:
                self._books.post(book)
                self._useful.add(notice.symbol)
                return self._useful >= self._keepers.keys() - set(self._unlisted)
        elif isinstance(notice, Pong):
            self._books.beat(self.venue, at)
        return False

    def lost(self) -> None:
        """Forget every book: nothing may be decided on the past."""
        self._useful.clear()
        for keeper in self._keepers.values():
            keeper.wipe()
            self._books.wipe(keeper.key)

    async def prepare(self) -> None:
        """Nothing to renew: the public side has no session."""
