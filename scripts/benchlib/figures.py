"""A figure: what was measured, its median and p99, and how it compares with its target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import attrs

T = TypeVar("T")

NOISE: Final = 2.0
"""A figure fails when it is this many times its target: machines differ, and are shared."""
WARM_UP: Final = 200
_NS: Final = {"us": 1e3, "ms": 1e6}


def _sorted(samples: Iterable[float]) -> list[float]:
    return sorted(samples)


@attrs.frozen
class Figure:
    """Samples of one thing, in ``unit``; the smaller the better."""

    name: str
    unit: str
    samples: Sequence[float] = attrs.field(converter=_sorted)
    target: float | None = None
    """Of the median. None: a part of something that has one."""
    note: str = ""

    @property
    def median(self) -> float:
        """The middle sample."""
        return self.samples[len(self.samples) // 2]

    @property
    def p99(self) -> float:
        """The sample that one in a hundred exceeds; the worst of fewer than a hundred."""
        return self.samples[min(int(len(self.samples) * 0.99), len(self.samples) - 1)]

    @property
    def ratio(self) -> float:
        """The median over its target; 0 without one."""
        return self.median / self.target if self.target else 0.0

    @property
    def verdict(self) -> str:
        """How the median compares: ok, over (within the noise) or MISSED."""
        if self.target is None:
            return ""
        return "ok" if self.ratio <= 1 else "over" if self.ratio <= NOISE else "MISSED"

    def line(self) -> str:
        """Say all of it in one line."""
        several = len(self.samples) > 1
        p99 = f"p99 {_short(self.p99):>6} {self.unit:<3}" if several else ""
        aim = f"target {_short(self.target):>5} {self.unit:<3}" if self.target else "no target"
        times = f"{self.ratio:.2f}x {self.verdict}" if self.target else ""
        middle = f"{'median' if several else '':<6} {_short(self.median):>6} {self.unit:<3}"
        note = f"  ({self.note})" if self.note else ""
        return f"{self.name:<56} {middle} {p99:<15} {aim:<17} {times:<12}{note}".rstrip()


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def timed(
    name: str,
    unit: str,
    work: Callable[[T], object],
    inputs: Iterable[T],
    target: float | None = None,
    note: str = "",
) -> Figure:
    """Time ``work`` on each input by itself; the first 200 calls warm up and are not counted."""
    clock, samples = time.perf_counter_ns, []
    for one in inputs:
        began = clock()
        work(one)
        samples.append((clock() - began) / _NS[unit])
    return Figure(name, unit, samples[min(WARM_UP, len(samples) // 10) :], target, note)


def summary(figures: Sequence[Figure]) -> str:
    """Say how many figures keep their targets, and which is the furthest from it."""
    aimed = [figure for figure in figures if figure.target is not None]
    counts = {verdict: sum(f.verdict == verdict for f in aimed) for verdict in ("ok", "over")}
    missed = [figure.name for figure in aimed if figure.verdict == "MISSED"]
    furthest = max(aimed, key=lambda figure: figure.ratio, default=None)
    words = [
        f"{len(figures)} figures: {counts['ok']} of {len(aimed)} targets met",
        f"{counts['over']} over by less than {NOISE:g}x",
        f"{len(missed)} missed" + (f" ({', '.join(missed)})" if missed else ""),
    ]
    if furthest is not None:
        words.append(f"furthest: {furthest.name} {furthest.ratio:.2f}x")
    return "; ".join(words)
