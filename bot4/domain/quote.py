"""The rate between the two quote currencies: Vest prices in USDC, Paradex in USD.

Every comparison of prices goes through here: a Paradex price divided by the rate is in USDC.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.market import PARADEX
from bot4.domain.units import BPS

MAX_AGE_S: Final = 90.0
"""An older rate prices nothing. Source: ours."""
LOWEST: Final = Decimal("0.995")
HIGHEST: Final = Decimal("1.005")
"""Outside of these the peg is in question: nothing opens. Source: ours."""
MAX_DRIFT: Final = 10 * BPS
"""The most that the rate may have moved in the last five minutes to open. Source: ours."""
DRIFT_WINDOW_S: Final = 300.0


@attrs.frozen
class QuoteRate:
    """USD per USDC, as a range with its age: ``low <= rate <= high``.

    Raises:
        ValueError: a bound is not finite, not positive, or out of order.
    """

    low: Decimal
    rate: Decimal
    high: Decimal
    age_s: float
    drift: Decimal = Decimal(0)
    """The largest move of the rate in the last five minutes, a ratio; see ``drift_of``."""
    ratio: tuple[int, int] = attrs.field(init=False, repr=False, eq=False)
    """``rate`` as an exact fraction, for arithmetic in integers."""

    @ratio.default
    def _exact(self) -> tuple[int, int]:
        bounds = (self.low, self.rate, self.high)
        if not all(bound.is_finite() for bound in bounds):
            msg = "a quote rate must be finite"
            raise ValueError(msg)
        if not 0 < self.low <= self.rate <= self.high:
            msg = "a quote rate needs 0 < low <= rate <= high"
            raise ValueError(msg)
        return self.rate.as_integer_ratio()

    def to_usdc(self, usd: Decimal) -> Decimal:
        """Return what this many USD are in USDC."""
        return usd / self.rate

    def to_usd(self, usdc: Decimal) -> Decimal:
        """Return what this many USDC are in USD."""
        return usdc * self.rate

    def price_in_usdc(self, venue: str, price: Decimal) -> Decimal:
        """Return a venue's price in USDC."""
        return self.to_usdc(price) if venue == PARADEX else price

    def sure(self) -> QuoteRate:
        """Return the same rate without its uncertainty, for orders that must go anyway."""
        return QuoteRate(self.rate, self.rate, self.rate, self.age_s, self.drift)

    @property
    def old(self) -> bool:
        """Whether the rate is too old to price anything but a forced exit."""
        return self.age_s > MAX_AGE_S

    def trouble(self) -> str:
        """Return why nothing may open at this rate, "" when it may."""
        if self.old:
            return f"the quote rate is {self.age_s:.0f} s old"
        if self.low < LOWEST or self.high > HIGHEST:
            return f"the quote rate {self.rate} is off its peg"
        if self.drift > MAX_DRIFT:
            return f"the quote rate moved by {self.drift / BPS:.0f} bps in five minutes"
        return ""


def drift_of(samples: Iterable[tuple[float, Decimal]], now_s: float) -> Decimal:
    """Return the largest move among the rates of the last five minutes, as a ratio.

    Args:
        samples: (time in seconds, rate), any order.
        now_s: on the same clock.
    """
    rates = [rate for at_s, rate in samples if now_s - at_s <= DRIFT_WINDOW_S]
    return max(rates) / min(rates) - 1 if rates else Decimal(0)
