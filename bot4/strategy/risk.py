"""Caps, the daily loss, the breaker and the order rate: plain arithmetic on what the tasks count.

Money in USDC. Times are seconds on one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.market import VENUES, VEST, Market
from bot4.strategy.hold import Hold, Reason

REMEMBERED: Final = 20
"""Attempts that the breaker looks back at."""
HOUR_S: Final = 3600.0
COST_FACTOR: Final = 5
"""Failures of an hour may cost this many times what an attempt is expected to earn."""
_ZERO: Final = Decimal(0)


@attrs.frozen
class Caps:
    """How much may be at work per venue."""

    capital: Decimal = Decimal(1000)
    max_leverage: Decimal = Decimal(3)
    max_notional_total: Decimal = Decimal(1500)


@attrs.frozen
class Use:
    """Something that takes room at a venue: a position, or an order that may still fill.

    An order in doubt counts in full, and so does one that has not ended.
    """

    venue: str
    notional: Decimal
    """USDC; the sign does not matter."""


@attrs.frozen
class Room:
    """Notional that may still be added, per venue. Never negative."""

    vest: Decimal
    paradex: Decimal
    most: tuple[tuple[str, Decimal, str], ...] = ()
    """(venue, base units, why) of the largest order each venue would still take, where it says."""

    def on(self, venue: str) -> Decimal:
        """What is left on this venue."""
        return self.vest if venue == VEST else self.paradex

    def takes(self, venue: str, size: Decimal) -> bool:
        """Whether the venue would take an order of this size, as far as it says."""
        return all(size <= most for where, most, _ in self.most if where == venue)


def in_use(uses: Iterable[Use], venue: str) -> Decimal:
    """Return the notional at work on a venue, the worst case: nothing nets out."""
    return sum((abs(use.notional) for use in uses if use.venue == venue), _ZERO)


def room(caps: Caps, uses: Iterable[Use], equity: Mapping[str, Decimal]) -> Room:
    """Return what may still be added on each venue.

    Args:
        caps: the configured limits.
        uses: positions and orders of all pairs, those in doubt included.
        equity: USDC per venue as last read; a venue that is absent counts as ``capital``.
    """
    known = tuple(uses)

    def left(venue: str) -> Decimal:
        collateral = min(caps.capital, max(equity.get(venue, caps.capital), _ZERO))
        most = min(collateral * caps.max_leverage, caps.max_notional_total)
        return max(most - in_use(known, venue), _ZERO)

    vest, paradex = (left(venue) for venue in VENUES)
    return Room(vest, paradex)


def limits_left(
    market: Market, at_work: Decimal, open_orders: int
) -> tuple[tuple[str, Decimal, str], ...]:
    """Return what a market's own limits leave to one more opening order, as ``Room.most``.

    Args:
        market: with the limits its venue names.
        at_work: base units held there, and on order in full until the orders ended.
        open_orders: how many of those orders there are.
    """
    venue, found = market.key.venue, []
    if market.max_order is not None:
        found.append((venue, market.max_order, f"the largest order on {venue}"))
    if market.max_position is not None:
        left = max(market.max_position - at_work, _ZERO)
        found.append((venue, left, f"the position limit on {venue}"))
    if market.max_open_orders is not None and open_orders >= market.max_open_orders:
        found.append((venue, _ZERO, f"the open-order limit on {venue}"))
    return tuple(found)


def loss_hold(lost_today: Decimal, daily_loss: Decimal) -> Hold | None:
    """Stop opening once today's loss reaches its limit. A loss is positive."""
    if lost_today < daily_loss:
        return None
    return Hold(Reason.DAILY_LOSS, f"{lost_today:.2f} USDC lost today, {daily_loss} allowed")


@attrs.frozen
class Attempt:
    """One attempt to open a pair that has ended."""

    at_s: float
    failed: bool
    """Whether it ended without a hedged pair."""
    cost: Decimal = _ZERO
    """What the failure cost; 0 when it cost nothing."""
    expected: Decimal = _ZERO
    """What it was expected to earn, net."""


@attrs.frozen
class Breaker:
    """The attempts of the last hour, and at least the last twenty. Oldest first."""

    attempts: tuple[Attempt, ...] = ()

    def after(self, attempt: Attempt) -> Breaker:
        """Add one attempt, forgetting what no rule looks at any more."""
        known = (*self.attempts, attempt)
        kept = known[-REMEMBERED:]
        recent = tuple(one for one in known if attempt.at_s - one.at_s <= HOUR_S)
        return Breaker(recent if len(recent) > len(kept) else kept)

    def hold(self, now_s: float, cooldown_s: float, failures_of_20: int) -> Hold | None:
        """Return why nothing may open after what happened, or None."""
        failed = [one for one in self.attempts[-REMEMBERED:] if one.failed]
        if len(failed) >= failures_of_20:
            return Hold(Reason.BREAKER, f"{len(failed)} of the last {REMEMBERED} attempts failed")
        cost, expected = self._hour(now_s)
        if cost > 0 and cost > COST_FACTOR * expected:
            return Hold(
                Reason.BREAKER,
                f"failures cost {cost:.2f} USDC in an hour, an attempt earns {expected:.2f}",
            )
        if failed and now_s - failed[-1].at_s < cooldown_s:
            left = cooldown_s - (now_s - failed[-1].at_s)
            return Hold(Reason.COOLDOWN, f"{left:.0f} s left after a failed pair")
        return None

    def _hour(self, now_s: float) -> tuple[Decimal, Decimal]:
        """Return what the failures of the last hour cost, and what an attempt earns on average."""
        recent = [one for one in self.attempts if now_s - one.at_s <= HOUR_S]
        cost = sum((one.cost for one in recent if one.failed), _ZERO)
        expected = sum((one.expected for one in recent), _ZERO) / max(len(recent), 1)
        return cost, expected


@attrs.frozen
class Bucket:
    """Tokens for orders: one is spent per order, they come back at a steady rate."""

    tokens: float
    at_s: float


def spend(
    bucket: Bucket, now_s: float, per_second: int, count: int = 1, *, closing: bool = False
) -> tuple[Bucket, bool]:
    """Take ``count`` tokens if they are there.

    A third of a full bucket is kept back for orders that close: those may use all of it.

    Args:
        bucket: as it was; full is ``per_second`` tokens.
        now_s: now.
        per_second: how many come back in a second, and how many fit.
        count: orders that leave together.
        closing: whether they cancel or reduce.

    Returns:
        The bucket after, and whether the orders may go.
    """
    grown = bucket.tokens + max(now_s - bucket.at_s, 0.0) * per_second
    tokens = min(grown, float(per_second))
    reserve = 0 if closing else per_second // 3
    if tokens - count < reserve:
        return Bucket(tokens, now_s), False
    return Bucket(tokens - count, now_s), True
