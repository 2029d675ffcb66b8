"""What each venue last said of our account and positions, and when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

import attrs
import trio

from bot4.domain.market import MarketKey
from bot4.domain.position import Account, Position


@attrs.frozen
class Reading:
    """One reading of one venue. ``at`` is Trio time when it was asked for."""

    account: Account
    positions: tuple[Position, ...]
    at: float

    def size(self, key: MarketKey) -> Decimal:
        """Signed base units held on one market."""
        return sum((p.size for p in self.positions if p.key == key), Decimal(0))


class Accounts:
    """The newest reading of each venue; the session tasks write, everybody else reads."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}
        self._not_before = float("-inf")
        self.version = 0
        """Rises with every reading."""

    def get(self, venue: str) -> Reading | None:
        """The newest reading, or None before the first."""
        return self._readings.get(venue)

    def post(self, venue: str, account: Account, positions: Sequence[Position], at: float) -> None:
        """Replace the venue's reading; ``at`` is when it was asked for."""
        if at < self._not_before:
            return
        self._readings[venue] = Reading(account, tuple(positions), at)
        self.version += 1

    def forget(self) -> None:
        """Forget every reading, and whatever was asked before now."""
        self._readings.clear()
        self._not_before = trio.current_time()
        self.version += 1

    def equity(self) -> dict[str, Decimal]:
        """What the accounts are worth, USDC, by venue; those that were read."""
        return {venue: reading.account.equity for venue, reading in self._readings.items()}

    def age_s(self, venue: str) -> float:
        """Seconds since the newest reading; infinite before the first."""
        reading = self._readings.get(venue)
        return float("inf") if reading is None else trio.current_time() - reading.at

    def funding(self, keys: Collection[MarketKey]) -> Decimal | None:
        """What the positions on these markets earned in funding and have not settled, USDC.

        None where no venue tells of any.
        """
        held = [one for reading in self._readings.values() for one in reading.positions]
        told = [one.funding for one in held if one.key in keys and one.funding is not None]
        return sum(told, Decimal(0)) if told else None
