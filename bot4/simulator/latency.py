"""How long a venue takes, drawn from seeded streams, one per cause."""

from __future__ import annotations

from random import Random
from typing import Final

import attrs

SPANS: Final = {
    # Venue, cause: shortest and longest, seconds. Source: ours, but for the events: 50 to 300 ms
    # is the one measurement there is of Paradex; Vest, unmeasured, is taken to be no quicker.
    ("paradex", "answer"): (0.030, 0.080),
    ("paradex", "landing"): (0.300, 0.400),
    ("paradex", "event"): (0.050, 0.300),
    ("paradex", "read"): (0.010, 0.040),
    ("vest", "answer"): (0.050, 0.150),
    ("vest", "landing"): (0.150, 0.450),
    ("vest", "event"): (0.050, 0.300),
    ("vest", "read"): (0.015, 0.060),
}


@attrs.frozen
class Line:
    """What lies between the client and the venues, one way, seconds."""

    way_s: tuple[float, float]
    slow_share: float = 0.0
    """How many trips are slow ones."""
    slow_s: tuple[float, float] = (0.0, 0.0)


LINES: Final = {
    "rack": Line((0.0, 0.0)),
    "city": Line((0.005, 0.015), 0.002, (0.05, 0.2)),
    "adsl": Line((0.025, 0.060), 0.02, (0.15, 0.5)),
    "rough": Line((0.060, 0.180), 0.08, (0.3, 1.5)),
}
"""Four latency profiles: beside the venues, a good line, the owner's, a bad one. Source: ours.

Requests, answers and all bytes of WebSockets travel it.
"""
AUTO: Final = "auto"
LINE_OF: Final = {"calibrated": "city"}
"""The line of a profile where ``AUTO`` is asked for; the best one for the others."""


def line_named(name: str, profile: str) -> str:
    """Return the name of a line in ``LINES``: the one asked for, or the profile's.

    Raises:
        ValueError: there is none of that name.
    """
    found = LINE_OF.get(profile, "rack") if name == AUTO else name
    if found not in LINES:
        raise ValueError(f"line must be one of {[AUTO, *LINES]}, not {name!r}")
    return found


@attrs.frozen
class Latency:
    """Delays of one venue. ``scale`` multiplies them all; zero makes the venue instant.

    ``line`` is a name in ``LINES``.
    """

    venue: str
    seed: int
    scale: float = 1.0
    line: str = "rack"
    _streams: dict[str, Random] = attrs.field(factory=dict, init=False)

    def draw(self, cause: str) -> float:
        """Return seconds for a cause: answer, landing, event or read.

        ``answer`` is from receipt of an order to its HTTP answer, ``landing`` from receipt to
        the engine, ``event`` from a fact to its private frame, ``read`` from a read to its
        answer.
        """
        shortest, longest = SPANS[self.venue, cause]
        return self.scale * self._stream(cause).uniform(shortest, longest)

    @property
    def instant(self) -> bool:
        """Whether nothing lies between the client and the venue."""
        return not LINES[self.line].way_s[1]

    def way(self, cause: str = "line") -> float:
        """Return seconds for one trip over the line, 0 for the best one.

        ``cause`` is "line" for requests and answers, "frames" for the bytes of a WebSocket.
        """
        if self.instant:
            return 0.0
        line, stream = LINES[self.line], self._stream(cause)
        slow = stream.random() < line.slow_share
        return self.scale * stream.uniform(*(line.slow_s if slow else line.way_s))

    def _stream(self, cause: str) -> Random:
        if cause not in self._streams:
            self._streams[cause] = Random(f"{self.seed}/{self.venue}/latency/{cause}")
        return self._streams[cause]
