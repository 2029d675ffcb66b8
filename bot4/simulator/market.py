"""The market behind both venues: one hidden price per base, quoted late and with a gap.

The hidden price diffuses and jumps. Each venue quotes it with its own delay and noise, plus half
of a mean-reverting gap, plus dislocations that come without warning, live from a fifth of a
second to a minute and fade. The gap is Vest over Paradex: positive means Vest is dear.

Prices are a random walk on a fixed grid of time, so that a seed gives the same market however
often it is read. They are floats until a venue rounds them to its ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import inf
from random import Random
from typing import Any, Final

import trio

from bot4.simulator.funding import FundingRate
from bot4.simulator.prices import BasePrices
from bot4.simulator.profiles import Profile


class MarketModel:
    """All bases of one world. Reading a price moves the world to the present Trio time."""

    def __init__(self, seed: int, profile: Profile, starts: Mapping[str, Decimal]) -> None:
        self.profile: Final = profile
        self._seed = seed
        self._generation = 0
        self._starts = dict(starts)
        self._bases: dict[str, BasePrices] = {}
        self._funding: dict[tuple[str, str], FundingRate] = {}
        self._began_at = trio.current_time()
        self._begin({base: (float(price), 0.0) for base, price in starts.items()})

    def mid(self, venue: str, base: str) -> Decimal:
        """Return the price a venue's engine works with now, unrounded."""
        now = trio.current_time()
        return _decimal(self._at(base, now).mid(venue, now))

    def picture(self, venue: str, base: str) -> Decimal:
        """Return the price a venue's public feed is built on now: late at Vest only."""
        if venue != "vest":
            return self.mid(venue, base)
        return _decimal(self._at(base, trio.current_time()).picture.price)

    def picture_number(self, base: str) -> int:
        """Return a number that grows whenever Vest publishes a new picture."""
        return self._at(base, trio.current_time()).picture.number

    def next_look_at(self) -> float:
        """Return the Trio time before which ``picture_number`` stays the same for every base."""
        now = trio.current_time()
        return min((self._at(base, now).next_look_at for base in self._bases), default=inf)

    def index(self, base: str) -> Decimal:
        """Return the reference price: the hidden price, without gaps."""
        return _decimal(self._at(base, trio.current_time()).hidden)

    def gap_bps(self, base: str) -> float:
        """Return Vest over Paradex now, basis points."""
        now = trio.current_time()
        prices = self._at(base, now)
        return (prices.mid("vest", now) / prices.mid("paradex", now) - 1) * 1e4

    def shown_gap_bps(self, base: str) -> float:
        """Return Vest over Paradex as their feeds show it now, basis points."""
        now = trio.current_time()
        prices = self._at(base, now)
        return (prices.picture.price / prices.mid("paradex", now) - 1) * 1e4

    def hourly_funding(self, venue: str, base: str) -> Decimal:
        """Return the funding rate per hour of a venue now, positive when longs pay.

        It turns with time where the profile says so, and stays what it is otherwise.
        """
        found = self._funding.get((venue, base))
        if found is None:
            roll = Random(f"{self._seed}/{venue}/{base}/funding")
            found = FundingRate.drawn(roll, self.profile.funding_turns_s)
            self._funding[venue, base] = found
        return found.at(trio.current_time() - self._began_at)

    def force_gap(self, bps: float, seconds: float, base: str | None = None) -> None:
        """Hold the gap of one base, or of all, at ``bps`` for some time from now."""
        now = trio.current_time()
        for name in self._bases if base is None else (base,):
            self._at(name, now).force_gap(bps, now, seconds)

    def dump(self) -> dict[str, Any]:
        """Return what a restart needs, as JSON values."""
        now = trio.current_time()
        bases = {base: self._at(base, now) for base in self._bases}
        return {
            "generation": self._generation,
            "bases": {b: [repr(p.hidden), repr(p.basis_bps)] for b, p in bases.items()},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from saved prices, with new randomness: a restart must not replay the past."""
        self._generation = int(state["generation"]) + 1
        begins = {base: (float(price), 0.0) for base, price in self._starts.items()}
        for base, (price, basis) in state["bases"].items():
            if base in begins:
                begins[base] = (float(price), float(basis))
        self._begin(begins)

    def _begin(self, begins: Mapping[str, tuple[float, float]]) -> None:
        for base, (price, basis) in begins.items():
            name = f"{self._seed}/{self._generation}/{base}"
            known = basis if self._generation else None
            self._bases[base] = BasePrices(name, self.profile, price, known)

    def _at(self, base: str, now: float) -> BasePrices:
        prices = self._bases[base]
        prices.advance(now)
        return prices


def _decimal(price: float) -> Decimal:
    return Decimal(f"{price:.8f}")
