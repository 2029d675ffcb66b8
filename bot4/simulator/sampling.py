"""Which occasions are looked at when looking at all of them would cost too much."""

from __future__ import annotations


class Sampled:
    """The first occasion, and then one in ``every``.

    Raises:
        ValueError: ``every`` is below 1.
    """

    def __init__(self, every: int) -> None:
        if every < 1:
            raise ValueError(f"verify_every must be at least 1, not {every}")
        self._every = every
        self._seen = 0

    def due(self) -> bool:
        """Count one occasion, and tell whether it is looked at."""
        self._seen += 1
        return self._seen % self._every == 1 % self._every
