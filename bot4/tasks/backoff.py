"""How long to wait before dialling again."""

from __future__ import annotations

from random import Random

import attrs


@attrs.define
class Backoff:
    """Doubling delay with full jitter, reset by success. Seconds.

    The first retry is immediate: a feed must be back within five seconds of a cut.
    """

    random: Random
    first_s: float = 0.25
    cap_s: float = 4.0
    _failures: int = attrs.field(default=0, init=False)

    def succeeded(self) -> None:
        """Forget past failures."""
        self._failures = 0

    def next_delay_s(self) -> float:
        """Delay before the coming attempt; counts one more failure."""
        self._failures += 1
        if self._failures == 1:
            return 0.0
        ceiling = min(self.cap_s, self.first_s * 2 ** (self._failures - 2))
        return self.random.uniform(ceiling / 4, ceiling)
