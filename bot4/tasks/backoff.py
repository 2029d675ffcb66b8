"""How long to wait before trying again."""

from __future__ import annotations

from random import Random

import attrs
import trio


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


@attrs.define
class Pause:
    """How long not to try what was refused: twice as long when it is refused after that again.

    Seconds, on Trio's clock.
    """

    first_s: float
    cap_s: float
    seconds: float = attrs.field(default=0.0, init=False)
    """The newest one's length; 0 before any."""
    until: float = attrs.field(default=float("-inf"), init=False)

    @property
    def over(self) -> bool:
        """Whether it may be tried."""
        return trio.current_time() >= self.until

    def begin(self) -> None:
        """It was refused. While a pause lasts, one of the same length begins anew."""
        if self.over:
            self.seconds = min(max(self.seconds * 2, self.first_s), self.cap_s)
        self.until = trio.current_time() + self.seconds

    def reset(self) -> None:
        """It was not refused: the next pause is the first."""
        self.seconds, self.until = 0.0, float("-inf")
