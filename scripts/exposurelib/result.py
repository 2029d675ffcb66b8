"""What became of one trade under one policy."""

from __future__ import annotations

import attrs


@attrs.frozen
class Result:
    """What became of one trade under one policy. Money in USD."""

    seed: int
    policy: str
    first: tuple[tuple[str, ...], ...]
    """(venue, side, size, limit) of the planned orders."""
    waited_s: float
    """Until the books that led to the trade were first looked at."""
    planned_usd: float
    hedged: bool
    """Both planned orders filled alike, and something."""
    failed: bool
    """One planned order filled more than the other."""
    stuck: bool
    """A leg was on at the end."""
    unfinished: bool
    net_usd: float
    usd_s: dict[str, float]
    size_ms: float
    longest_s: float
    largest_usd: float
    bound_s: float
    """How long the product lets a leg be alone before it cries."""
    orders: int
    asked: bool
    """Whether the policy had anything to answer: if not, every policy gets the same."""

    @property
    def naked_usd_s(self) -> float:
        """All kinds together."""
        return sum(self.usd_s.values())
