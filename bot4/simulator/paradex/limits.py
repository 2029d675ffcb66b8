"""Rate limits of the simulated Paradex, as token buckets, and the headers that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from bot4.simulator.buckets import Bucket, Limit

LIMITS: Final[Mapping[str, tuple[Limit, ...]]] = {
    "public": (Limit(1500, 60),),
    "auth": (Limit(600, 60),),
    "onboarding": (Limit(600, 60),),
    "orders": (Limit(800, 1), Limit(17250, 60)),
    "private": (Limit(120, 1), Limit(600, 60)),
}
"""By scope. Source: Paradex docs, API rate limits, seen 2026-11."""

RETAIL_LIMITS: Final = (Limit(3, 1), Limit(30, 60), Limit(300, 3600), Limit(1000, 86400))
"""Orders with an interactive token above these behave as Pro. Source: as above."""


@attrs.frozen
class Allowance:
    """What a request was told about its limit."""

    granted: bool
    bucket: Bucket

    def headers(self, wall_ms: int) -> dict[str, str]:
        """Return the X-RateLimit headers, with Retry-After on a refusal."""
        limit = self.bucket.limit
        left = max(self.bucket.refill(), 0.0)
        full_s = (limit.count - left) * limit.window_s / limit.count
        headers = {
            "X-RateLimit-Limit": str(limit.count),
            "X-RateLimit-Remaining": str(int(left)),
            "X-RateLimit-Reset": str(int(wall_ms / 1000 + full_s) + 1),
            "X-RateLimit-Window": f"{int(limit.window_s)}s",
        }
        if not self.granted:
            headers["Retry-After"] = "1"
        return headers


class RateLimits:
    """All buckets of the one account and address there is."""

    def __init__(self, limits: Mapping[str, tuple[Limit, ...]] = LIMITS) -> None:
        self._limits = dict(limits)
        self._buckets: dict[str, list[Bucket]] = {}

    def take(self, scope: str) -> Allowance:
        """Spend one request of a scope; when a bucket is empty nothing is spent."""
        return self._take(scope, self._limits[scope])

    def take_retail(self) -> bool:
        """Spend one Retail order; false means it is treated as Pro."""
        return self._take("retail", RETAIL_LIMITS).granted

    def _take(self, scope: str, limits: tuple[Limit, ...]) -> Allowance:
        if scope not in self._buckets:
            self._buckets[scope] = [Bucket(limit) for limit in limits]
        buckets = self._buckets[scope]
        tightest = min(buckets, key=lambda bucket: bucket.refill() / bucket.limit.count)
        if any(bucket.refill() < 1 for bucket in buckets):
            return Allowance(granted=False, bucket=min(buckets, key=Bucket.refill))
        for bucket in buckets:
            bucket.spend()
        return Allowance(granted=True, bucket=tightest)
