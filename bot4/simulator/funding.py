"""The funding rate of one market of a venue, as a function of time."""

from __future__ import annotations

from decimal import Decimal
from math import pi, sin
from random import Random
from typing import Final

import attrs

LOWEST: Final = -0.00002
HIGHEST: Final = 0.00003
"""Of what the rate is around, per hour. Source: Paradex docs, Funding, seen 2026-11: its base is
0.01 % in 8 hours, which is 0.0000125."""
SWING: Final = (1.5, 3.0)
"""How far it swings, in what it is around: beyond 1 it changes its sign. Source: ours."""
SMALLEST_SWING: Final = 0.00001


@attrs.frozen
class FundingRate:
    """Swings around a mean. Rates per hour, times in seconds."""

    mean: float
    swing: float = 0.0
    period_s: float = 1.0
    phase: float = 0.0

    @classmethod
    def drawn(cls, roll: Random, turns_s: tuple[float, float] | None) -> FundingRate:
        """Draw a rate; ``turns_s`` is the span of its period, None for one that never changes."""
        mean = round(roll.uniform(LOWEST, HIGHEST), 7)
        if turns_s is None:
            return cls(mean)
        swing = max(abs(mean) * roll.uniform(*SWING), SMALLEST_SWING)
        return cls(mean, swing, roll.uniform(*turns_s), roll.uniform(0, 2 * pi))

    def at(self, since_s: float) -> Decimal:
        """Return the rate so long after the world began."""
        swung = self.swing * sin(2 * pi * since_s / self.period_s + self.phase)
        return Decimal(str(round(self.mean + swung, 7)))
