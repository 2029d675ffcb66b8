"""Token buckets: so many requests in a window, refilled evenly over it."""

from __future__ import annotations

import attrs
import trio


@attrs.frozen
class Limit:
    """So many requests in a window; the bucket refills evenly over it."""

    count: int
    window_s: float


@attrs.define
class Bucket:
    """One limit and how many requests are left in it now."""

    limit: Limit
    _level: float = attrs.field(init=False)
    _seen_at: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._level = float(self.limit.count)
        self._seen_at = trio.current_time()

    def refill(self) -> float:
        """Return the requests left now."""
        now = trio.current_time()
        rate = self.limit.count / self.limit.window_s
        self._level = min(self.limit.count, self._level + (now - self._seen_at) * rate)
        self._seen_at = now
        return self._level

    def spend(self) -> None:
        """Take one request out."""
        self._level -= 1

    def take(self) -> bool:
        """Take one request out if there is one; return whether there was."""
        if self.refill() < 1:
            return False
        self.spend()
        return True
