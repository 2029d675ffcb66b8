"""The prices of one base: a hidden walk, and what each venue makes of it."""

from __future__ import annotations

from collections import deque
from math import ceil, exp, inf, sqrt
from random import Random
from typing import Final

import attrs
import trio

from bot4.simulator.dislocations import Dislocation, Schedule
from bot4.simulator.profiles import Profile

STEP_S: Final = 0.05
"""Grid of the walk."""
SLACK: Final = 1e-6
"""Of a step, for what adding up floats loses."""
COARSE_STEPS: Final = 2400
"""At most this many steps at once: a world nobody looked at for an hour catches up roughly."""
NOISE_REVERTS_S: Final = 0.5
FORCED_DECAY_S: Final = 0.3
VENUES: Final = ("vest", "paradex")


@attrs.frozen
class Picture:
    """A price Vest publishes."""

    number: int
    price: float
    visible: float
    """Trio time from which clients see it."""


class BasePrices:
    """The walk of one base. ``advance`` moves it; everything else reads it."""

    def __init__(
        self, name: str, profile: Profile, price: float, basis_bps: float | None = None
    ) -> None:
        self.hidden = price
        self._profile = profile
        self._roll = {
            cause: Random(f"{name}/{cause}")
            for cause in ("walk", "noise", "gap", "picture", "basis", "dislocation")
        }
        drawn = self._roll["basis"].uniform(-profile.basis_bps, profile.basis_bps)
        self.basis_bps = drawn if basis_bps is None else basis_bps
        self._gap_bps = 0.0
        self._noise = dict.fromkeys(VENUES, 0.0)
        self._schedule = Schedule(profile, self._roll["dislocation"])
        self._active: list[Dislocation] = []
        self._forced: Dislocation | None = None
        self._start = self._time = trio.current_time()
        self._past: deque[float] = deque([price], maxlen=64)
        self._pictures: deque[Picture] = deque([Picture(0, price, -inf)])
        self._next_picture = self._time
        self._drawn = self._draw_picture()

    @property
    def picture(self) -> Picture:
        """The newest picture clients see, as of the last ``advance``."""
        return self._pictures[0]

    @property
    def next_look_at(self) -> float:
        """Trio time before which clients see no newer picture than as of the last ``advance``."""
        if len(self._pictures) > 1:
            return self._pictures[1].visible
        # The next picture is taken at the first step of the grid that is not before its time.
        steps = ceil((self._next_picture - self._time) / STEP_S - SLACK)
        return self._time + max(1, steps) * STEP_S + self._drawn[1]

    def advance(self, now: float) -> None:
        """Bring the walk to a time; never goes back."""
        steps = int((now - self._time) / STEP_S + SLACK)
        if steps > 0:
            long_s = max(STEP_S, (now - self._time) / COARSE_STEPS)
            while self._time + long_s <= now + SLACK * STEP_S:
                self._step(long_s)
        while len(self._pictures) > 1 and self._pictures[1].visible <= now:
            self._pictures.popleft()

    def mid(self, venue: str, now: float) -> float:
        """Return the venue's price at a time not before the last ``advance``."""
        late = int(self._profile.delay_s[venue] / STEP_S)
        seen = self._past[max(0, len(self._past) - 1 - late)]
        sign = 1 if venue == "vest" else -1
        forced = self._forced
        if forced is not None and not forced.gone(now):
            return seen * (1 + sign * forced.now(now) / 2e4)
        off = self._noise[venue] + sign * (self.basis_bps + self._gap_bps) / 2
        off += sum(d.now(now) for d in self._active if d.where == venue)
        return seen * (1 + off / 1e4)

    def force_gap(self, bps: float, now: float, seconds: float) -> None:
        """Hold the gap at ``bps`` for some time; everything else about it waits."""
        self._forced = Dislocation("gap", bps, now, now + seconds, FORCED_DECAY_S)

    def _step(self, seconds: float) -> None:
        self._time += seconds
        profile, roll = self._profile, self._roll
        walk = roll["walk"]
        move = profile.volatility_bps * sqrt(seconds) * walk.gauss(0, 1)
        if walk.random() < seconds / profile.jump_every_s:
            move += profile.jump_bps * walk.gauss(0, 1)
        self.hidden *= exp(move / 1e4)
        self._gap_bps = _revert(
            self._gap_bps, profile.gap_bps, profile.gap_reverts_s, seconds, roll["gap"]
        )
        for venue in VENUES:
            self._noise[venue] = _revert(
                self._noise[venue], profile.noise_bps, NOISE_REVERTS_S, seconds, roll["noise"]
            )
        self._dislocate()
        self._past.append(self.hidden)
        if self._time >= self._next_picture:
            self._take_picture()

    def _dislocate(self) -> None:
        born = self._schedule.due(self._time, self._start)
        if born is not None:
            self._active.append(born)
            if born.moved:
                self.hidden *= 1 - born.bps / 1e4
        for old in self._active:
            if old.stays and self._time > old.ends:
                # What stays is no longer a dislocation: the price itself has moved.
                self.hidden *= 1 + old.stays * old.bps / 1e4
                old.bps *= 1 - old.stays
                old.stays = 0.0
        self._active = [old for old in self._active if not old.gone(self._time)]

    def _take_picture(self) -> None:
        (every_s, age_s), self._drawn = self._drawn, self._draw_picture()
        self._next_picture = self._time + every_s
        price = self.mid("vest", self._time)
        price *= 1 + sum(d.now(self._time) for d in self._active if d.where == "picture") / 1e4
        visible = max(self._time + age_s, self._pictures[-1].visible)
        self._pictures.append(Picture(self._pictures[-1].number + 1, price, visible))

    def _draw_picture(self) -> tuple[float, float]:
        """Return how long after the next picture another one follows, and the age of the next."""
        roll, profile = self._roll["picture"], self._profile
        return roll.uniform(*profile.picture_every_s), roll.uniform(*profile.picture_age_s)


def _revert(
    value: float, deviation: float, reverts_s: float, seconds: float, roll: Random
) -> float:
    """One step of a walk that is drawn back to zero and spreads to ``deviation``."""
    keep = exp(-seconds / reverts_s)
    return value * keep + deviation * sqrt(1 - keep * keep) * roll.gauss(0, 1)
