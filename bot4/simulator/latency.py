"""How long a venue takes, drawn from seeded streams, one per cause."""

from __future__ import annotations

from random import Random
from typing import Final

import attrs

SPANS: Final = {
    # Venue, cause: shortest and longest, seconds. Source: issue "The market", ours within it.
    ("paradex", "answer"): (0.030, 0.080),
    ("paradex", "landing"): (0.300, 0.400),
    ("paradex", "event"): (0.005, 0.020),
    ("paradex", "read"): (0.010, 0.040),
    ("vest", "answer"): (0.050, 0.150),
    ("vest", "landing"): (0.150, 0.450),
    ("vest", "event"): (0.005, 0.030),
    ("vest", "read"): (0.015, 0.060),
}


@attrs.frozen
class Latency:
    """Delays of one venue. ``scale`` multiplies them all; zero makes the venue instant."""

    venue: str
    seed: int
    scale: float = 1.0
    _streams: dict[str, Random] = attrs.field(factory=dict, init=False)

    def draw(self, cause: str) -> float:
        """Return seconds for a cause: answer, landing, event or read.

        ``answer`` is from receipt of an order to its HTTP answer, ``landing`` from receipt to
        the engine, ``event`` from a fact to its private frame, ``read`` from a read to its
        answer.
        """
        shortest, longest = SPANS[self.venue, cause]
        if cause not in self._streams:
            self._streams[cause] = Random(f"{self.seed}/{self.venue}/latency/{cause}")
        return self.scale * self._streams[cause].uniform(shortest, longest)
