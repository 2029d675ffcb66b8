"""What an order in doubt filled, proven by the venue's position where its lists do not answer.

Sound where three things hold together. The order can change nothing any more: the venue's clock is
past its receive window, and of one that the venue accepted a cancel was answered. Nothing else of
ours is open on that market, and nobody else was seen there. And two readings agree, as far apart
as positions may lag behind fills. A hand that moved the position unseen in between is then taken
for the order; but what is acted on is what the venue really holds, so no leg gets larger by it.
What a venue took in time and executed only after all this waiting is not seen: the lists are asked
again once they answer, and the trade goes on by what they tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import attrs

from bot4.strategy.legs import Leg

APART_MS: Final = 2000
"""Between the two readings that prove something; twice what two "not found" need, since positions
lag behind fills. Source: ours."""


@attrs.frozen
class Reading:
    """What a venue held on a market, against what our fills explain."""

    beyond: Decimal
    """Signed base units that our fills do not explain."""
    venue_ms: int
    """The venue's clock, never later than when it said so."""


def first_ms(leg: Leg, settle_ms: int, ended_ms: int | None) -> int:
    """Return the venue's time from which a reading shows all that the order did.

    Args:
        leg: the order in doubt.
        settle_ms: what the venue may take to show what it accepted.
        ended_ms: the venue's clock when a cancel of it was answered, where the venue accepted it.
    """
    return (leg.order.fence_ms if ended_ms is None else ended_ms) + settle_ms + 1


def filled_by_position(leg: Leg, readings: Sequence[Reading]) -> Decimal | None:
    """Return what the order filled in all, base units; None while that is not proven.

    Args:
        leg: the order, all of whose fills that we heard of are explained.
        readings: from ``first_ms`` on, oldest first, without a change of what our fills explain
            in between.
    """
    if not readings or readings[-1].venue_ms - readings[0].venue_ms < APART_MS:
        return None
    beyond = readings[0].beyond
    if any(one.beyond != beyond for one in readings):
        return None
    filled = leg.filled + beyond * leg.order.side.sign
    # Outside this range somebody else moved the position as well: that proves nothing.
    return filled if leg.filled <= filled <= leg.order.size else None
