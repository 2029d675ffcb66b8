"""What trades earned: what was booked, by day, and what the open ones would earn if closed now.

Sums, not lists: a day's loss is asked for at every decision, and a bot lives for months.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

DAY_MS: Final = 24 * 3600 * 1000
KEPT: Final = 64
"""Accounts that can still be replaced: a finished trade may be reopened and finished again."""
_ZERO: Final = Decimal(0)


class Results:
    """The accounts of finished trades, added up. USDC."""

    def __init__(self, day_of: Callable[[int], int] = lambda ms: ms // DAY_MS) -> None:
        """Prepare; nothing is booked yet.

        Args:
            day_of: numbers the days that losses are counted by, from ms since the epoch.
        """
        self._day_of = day_of
        self.newest: dict[str, Mapping[str, Any]] = {}
        """The last accounts, by trade, oldest first."""
        self.trades = 0
        """Booked since ``begin_run``, without those that never filled."""
        self.taken_back = 0
        """Those of them that were never hedged."""
        self.net = _ZERO
        """What those earned."""
        self._by_day: dict[int, Decimal] = {}
        self._marks: dict[str, Decimal] = {}

    @property
    def last(self) -> Mapping[str, Any]:
        """The newest account."""
        return next(reversed(self.newest.values()))

    def begin_run(self) -> None:
        """Count this run's trades from here: what was booked so far is of earlier ones."""
        self.trades, self.taken_back, self.net = 0, 0, _ZERO

    def book(self, trade_id: str, account: Mapping[str, Any]) -> None:
        """Add a trade's account; a newer one of the same trade replaces it."""
        if (before := self.newest.pop(trade_id, None)) is not None:
            self._count(before, -1)
        self._count(account, 1)
        self._marks.pop(account["pair"], None)
        self.newest[trade_id] = account
        while len(self.newest) > KEPT:
            self.newest.pop(next(iter(self.newest)))

    def mark(self, pair: str, net: Decimal) -> None:
        """Say what the pair's open trade would earn if it was closed now, until it is booked."""
        self._marks[pair] = net

    def lost(self, now_ms: int) -> Decimal:
        """What today lost, open trades closed at the books of now; 0 when it earned."""
        today = self._by_day.get(self._day_of(now_ms), _ZERO)
        return max(_ZERO, -(today + sum(self._marks.values(), _ZERO)))

    def _count(self, account: Mapping[str, Any], sign: int) -> None:
        net = sign * Decimal(str(account["net_usdc"]))
        day = self._day_of(int(account["closed_ms"]))
        self._by_day[day] = self._by_day.get(day, _ZERO) + net
        if account["outcome"] != "missed":
            self.trades += sign
            self.taken_back += sign * (account["outcome"] == "unwound")
            self.net += net
