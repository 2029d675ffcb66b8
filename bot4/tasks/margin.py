"""Watches how near the legs are to liquidation, from the venues' word and the newest books."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.market import VENUES, MarketKey
from bot4.domain.units import from_e8, percent
from bot4.strategy.margin import MarginRules, distance, lopsided
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.gate import Gate

MARGIN: Final = "margin"
SHARES: Final = "collateral"
ADD: Final = "add collateral there, or close the pair"


@attrs.define
class MarginWatch:
    """Asked every second; tells the gate, and the pairs which of them has to shrink."""

    accounts: Accounts
    books: Books
    gate: Gate
    rules: MarginRules
    keys: Sequence[MarketKey]
    changed_at: Callable[[], float]
    """Trio time of the last change to a trade: an older reading knows nothing of it."""

    def critical(self, *keys: MarketKey) -> bool:
        """Whether one of these legs is so near that half of its pair has to go."""
        for key in keys:
            reading, far = self.accounts.get(key.venue), self._distance(key)
            if reading is None or far is None or reading.at < self.changed_at():
                continue
            if far < self.rules.critical:
                return True
        return False

    @property
    def calm(self) -> bool:
        """Whether every leg is far enough from its liquidation to be left alone."""
        return MARGIN not in self.gate.reasons

    def look(self) -> None:
        """Judge every leg and the money as last read. Plain, quick."""
        near = {key: found for key in self.keys if (found := self._distance(key)) is not None}
        nearest = min(near, key=lambda key: near[key], default=None)
        why = ""
        if nearest is not None and near[nearest] < self.rules.warn:
            why = f"{nearest} is {percent(near[nearest], 1)} from its liquidation"
        self.gate.judge(MARGIN, why, ADD)
        readings = {venue: self.accounts.get(venue) for venue in VENUES}
        equity = {venue: one.account.equity for venue, one in readings.items() if one is not None}
        uneven = lopsided(equity, self.rules.share) if len(equity) == len(VENUES) else None
        self.gate.judge(SHARES, *(uneven or ("", "")))

    def _distance(self, key: MarketKey) -> Decimal | None:
        reading, record = self.accounts.get(key.venue), self.books.get(key)
        if reading is None or record is None:
            return None
        price = from_e8(record.book.bid + record.book.ask) / 2
        found = (distance(held, price) for held in reading.positions if held.key == key)
        return min((one for one in found if one is not None), default=None)
