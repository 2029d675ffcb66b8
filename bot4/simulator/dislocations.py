"""Moments when one venue's price is out of line: when they come, how large, how long."""

from __future__ import annotations

from math import exp
from random import Random

import attrs

from bot4.simulator.profiles import Profile

SWEEP_STAYS = 0.3
"""Share of a swept book's move that turns out to be a real move of the price."""
CAUGHT_UP_S = 0.02
"""Time constant of a late picture that catches up: it does so at once."""


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
    moved: bool = False
    """The price itself goes the other way at the beginning: the picture only fails to follow."""

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
        lives = profile.own_lives.get(cause, profile.lives)
        spans = [span for _, span in lives]
        life = roll.uniform(*roll.choices(spans, [weight for weight, _ in lives])[0])
        bps = self._size() * roll.choice((-1, 1))
        touched = roll.choice(("vest", "paradex"))
        if cause == "stale":
            # The engine learns of the move with its own delay; until then its picture is right.
            born = time + profile.delay_s["vest"]
            return Dislocation("picture", bps, born, born + life, CAUGHT_UP_S, moved=True)
        where = {
            "inventory": "vest",
            "sweep": "paradex",
            "glitch": "picture",
            "touch": touched,
        }[cause]
        stays = SWEEP_STAYS if cause == "sweep" else 0.0
        return Dislocation(where, bps, time, time + life, profile.decay_s, stays)

    def _size(self) -> float:
        profile, roll = self.profile, self.roll
        if profile.size_mean_bps is None:
            return roll.uniform(*profile.size_bps)
        smallest, largest = profile.size_bps
        return min(smallest + roll.expovariate(1 / profile.size_mean_bps), largest)
