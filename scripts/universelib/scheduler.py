"""Trio's scheduler as a function of a seed: private names of a pinned version."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from functools import cache
from heapq import heappush
from itertools import count
from random import Random
from typing import Any, Final

from exposurelib.clock import JumpClock

KERNEL_EVERY: Final = 64
"""Turns of the loop between two looks at what the kernel has: a finalizer's wake-up at most."""


def seed_trio(seed: int) -> None:
    """Make Trio's scheduler a function of the seed: private names of a pinned version.

    Tasks of one batch are shuffled by a seeded random, and deadlines that fall together fire in
    the order in which they were set, where Trio goes by the address of the scope. The kernel has
    next to nothing to say in a universe, and is asked seldom.
    """
    from trio._core import _run

    _run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # noqa: SLF001
    _run._r = _Dice(seed)  # noqa: SLF001
    order = count()

    def add(deadlines: Any, deadline: float, scope: Any) -> None:
        heappush(deadlines._heap, (deadline, next(order), scope))  # noqa: SLF001
        deadlines._active += 1  # noqa: SLF001

    turns, ask_kernel = count(1), _kernel()

    def get_events(manager: Any, timeout: float) -> Any:
        jumps = isinstance(_run.GLOBAL_RUN_CONTEXT.runner.clock, JumpClock)
        return [] if jumps and next(turns) % KERNEL_EVERY else ask_kernel(manager, timeout)

    _run.Deadlines.add = add  # type: ignore[assignment]
    _manager().get_events = get_events


@cache
def _kernel() -> Callable[[Any, float], Any]:
    """Return Trio's own way to ask the kernel, also when a universe was played before."""
    ask: Callable[[Any, float], Any] = _manager().get_events
    return ask


def _manager() -> Any:
    from trio._core import _run

    return vars(_run)["TheIOManager"]


class _Dice(Random):
    """Shuffles as any other, and a single one at no cost: most batches are of one task."""

    def shuffle(self, x: MutableSequence[Any]) -> None:
        if len(x) > 1:
            super().shuffle(x)
