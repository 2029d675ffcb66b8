"""Vest's risk premium: learned from our own fills, because it is not in the price list.

Vest charges it inside ``fees``, on top of its taker fee, when a trade adds risk to its pool.
Source: Vest docs, fees; amounts are not published, and nobody wrote down whether the price of a
fill carries it as well: that is a setting.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.order import Side
from bot4.domain.units import BPS
from bot4.strategy.hold import Hold, Reason

REMEMBERED: Final = 200
PRIOR_FILLS: Final = 20
"""The first guess weighs as much as this many fills."""
ALARM_FILLS: Final = 10
ALARM_BPS: Final = Decimal(1)
_ZERO: Final = Decimal(0)


@attrs.frozen
class Charged:
    """What one fill was charged beyond the taker fee."""

    side: Side
    notional: Decimal
    """USDC."""
    bps: Decimal
    expected_bps: Decimal
    """What we believed just before."""


def slipped_bps(side: Side, price: Decimal, promised: Decimal) -> Decimal:
    """Return how much worse than promised a fill's price was, in bps; negative is better."""
    worse = price / promised - 1 if side is Side.BUY else 1 - price / promised
    return worse / BPS


def charged_bps(fee: Decimal, notional: Decimal, taker_fee: Decimal) -> Decimal:
    """Return the premium inside a fill's fee, in bps of the notional (> 0)."""
    return (fee / notional - taker_fee) / BPS


@attrs.frozen
class Premium:
    """What we know of the premium, by side and size. Immutable."""

    start_bps: Decimal = Decimal("1.5")
    """Believed at first of the leg that closes: one of the two adds risk, and it is assumed to
    be that one."""
    fills: tuple[Charged, ...] = ()
    """Oldest first, at most 200."""
    charged_in: str = "fees"
    """``fees``, ``price`` or ``both``: where it is looked for."""

    def found_bps(self, fill: Fill, taker_fee: Decimal, promised: Decimal | None) -> Decimal | None:
        """Return what a fill was charged, in bps; None when it cannot be told.

        Args:
            fill: of Vest, its price and size above zero.
            taker_fee: a ratio.
            promised: the average price that the book showed for the order, None when unknown.
        """
        found = _ZERO
        if self.charged_in != "price":
            if fill.fee is None:
                return None
            found += charged_bps(fill.fee, fill.size * fill.price, taker_fee)
        if self.charged_in != "fees":
            if not promised:
                return None
            found += slipped_bps(fill.side, fill.price, promised)
        return found

    def estimate_bps(self, side: Side, notional: Decimal, *, closing: bool) -> Decimal:
        """Return what a fill is expected to be charged, in bps.

        The first guess counts as twenty fills; fills of the same side and of half to twice the
        notional are averaged with it.
        """
        like = [
            one.bps
            for one in self.fills
            if one.side is side and one.notional <= 2 * notional and notional <= 2 * one.notional
        ]
        guess = self.start_bps if closing else _ZERO
        return (guess * PRIOR_FILLS + sum(like, _ZERO)) / (PRIOR_FILLS + len(like))

    def ratio(self, side: Side, notional: Decimal, *, closing: bool) -> Decimal:
        """Return the estimate as a ratio, never below 0."""
        return max(self.estimate_bps(side, notional, closing=closing) * BPS, _ZERO)

    def round_trip(self, entry_side: Side, notional: Decimal) -> Decimal:
        """Return what opening on Vest with this side and closing again will be charged, a ratio."""
        opening = self.ratio(entry_side, notional, closing=False)
        return opening + self.ratio(entry_side.opposite, notional, closing=True)

    def saw(self, side: Side, notional: Decimal, bps: Decimal, *, closing: bool) -> Premium:
        """Learn from one fill."""
        expected = self.estimate_bps(side, notional, closing=closing)
        fills = (*self.fills, Charged(side, notional, bps, expected))
        return attrs.evolve(self, fills=fills[-REMEMBERED:])

    def hold(self) -> Hold | None:
        """Stop opening when the last ten fills were charged 1 bp more than believed, on average."""
        last = self.fills[-ALARM_FILLS:]
        if len(last) < ALARM_FILLS:
            return None
        excess = sum((one.bps - one.expected_bps for one in last), _ZERO) / ALARM_FILLS
        if excess <= ALARM_BPS:
            return None
        return Hold(Reason.PREMIUM, f"Vest charges {excess:.1f} bps more than expected")
