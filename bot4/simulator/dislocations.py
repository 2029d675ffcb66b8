"""Moments when one venue's price is out of line: when they come, how large, how long."""

from __future__ import annotations

from math import exp
from random import Random

import attrs

from bot4.simulator.profiles import Profile

SWEEP_STAYS = 0.3
"""Share of a swept book's move that turns out to be a real move of the price."""


@attrs.define
class Dislocation:
    """One displacement. ``bps`` is signed and moves the price of ``where``."""

    where: str
    """A venue, or "picture" for Vest's published picture alone."""
    bps: float
    born: float
    ends: float
    decay_s: float
    stays: float = 0.0
    """Share that turns permanent at the end."""

    def now(self, time: float) -> float:
        """Return the displacement at a time, basis points."""
        if time < self.born:
            return 0.0
        if time <= self.ends:
            return self.bps
        return self.bps * exp(-(time - self.ends) / self.decay_s)

    def gone(self, time: float) -> bool:
        """Tell whether nothing worth mentioning is left."""
        return time > self.ends + 6 * self.decay_s


@attrs.define
class Schedule:
    """Draws dislocations one after the other, blind to what anybody trades."""

    profile: Profile
    roll: Random
    _next: float | None = None

    def due(self, time: float, start: float) -> Dislocation | None:
        """Return the dislocation that begins at this time, if one does."""
        if self._next is None:
            self._next = start + self.roll.uniform(*self.profile.first_s)
        if time < self._next:
            return None
        born = self._draw(time)
        rest = self.roll.uniform(*self.profile.every_s)
        self._next = born.ends + 2 * born.decay_s + rest
        return born

    def _draw(self, time: float) -> Dislocation:
        profile, roll = self.profile, self.roll
        cause = roll.choices(list(profile.causes), list(profile.causes.values()))[0]
        spans = [span for _, span in profile.lives]
        life = roll.uniform(*roll.choices(spans, [weight for weight, _ in profile.lives])[0])
        bps = roll.uniform(*profile.size_bps) * roll.choice((-1, 1))
        where = {
            "inventory": "vest",
            "sweep": "paradex",
            "stale": "picture",
            "touch": roll.choice(("vest", "paradex")),
        }[cause]
        stays = SWEEP_STAYS if cause == "sweep" else 0.0
        return Dislocation(where, bps, time, time + life, profile.decay_s, stays)
