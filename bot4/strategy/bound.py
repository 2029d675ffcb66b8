"""How long one leg may be alone, and what that may cost: stated before trading, then held to.

A function of what is configured and measured, not a fixed number of seconds. While the venue of
the lonely leg is dark there is no bound in time: only the size cap holds, and an alarm.
"""

from __future__ import annotations

from decimal import Decimal
from math import sqrt
from typing import Final

import attrs

from bot4.domain.units import BPS

ROUND_S: Final = 0.6
"""One order out and its result back, at the slower venue. Source: seen live, 2025 to 2026."""
ASK_S: Final = 0.5
"""One question answered, with room."""
SECOND_READ_S: Final = 1.0
"""Between the two "not found" that prove an order away."""
SIGMA: Final = 0.00012
"""Moves of a major coin, a ratio per square root of a second: about 65 % a year. Source: ours."""


@attrs.frozen
class NakedBound:
    """Seconds from the first fill until neutral again."""

    answered_s: float
    """Both venues answer."""
    doubt_s: float
    """One order's answer never came: until its end is proven, and then gone back."""

    def cost(self, notional: Decimal, cap_bps: int, fees: Decimal) -> Decimal:
        """What the longer one may cost: three sigma of the market, the last price cap, fees.

        Args:
            notional: of one leg, USDC.
            cap_bps: how far beyond the touch the last reducing order goes.
            fees: a ratio, of opening and closing the leg.
        """
        moved = Decimal(str(round(3 * SIGMA * sqrt(self.doubt_s), 8)))
        return notional * (moved + cap_bps * BPS + fees)


def naked_bound(mends: int, rungs: int, window_ms: int, settle_ms: int) -> NakedBound:
    """Return the bound.

    Args:
        mends: times that a missing leg is tried again.
        rungs: price caps of going back, each tried once.
        window_ms: receive window of an order.
        settle_ms: what a venue may take to show what it accepted.
    """
    back_s = rungs * ROUND_S
    proof_s = (window_ms + settle_ms) / 1000 + SECOND_READ_S + 2 * ASK_S
    return NakedBound(ROUND_S + mends * ROUND_S + back_s, proof_s + back_s)
