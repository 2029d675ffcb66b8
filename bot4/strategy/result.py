"""What a trade really earned, from its fills alone. USDC throughout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, VENUES, other
from bot4.domain.units import BPS

_ZERO: Final = Decimal(0)


@attrs.frozen
class Filled:
    """Fills of one venue and one purpose, added up."""

    size: Decimal
    """Base units, >= 0."""
    price: Decimal
    """Average, USDC; 0 when nothing filled."""


@attrs.frozen
class TradeResult:
    """One round trip, added up."""

    matched: Decimal
    """Base units that both legs opened."""
    entry_spread: Decimal | None
    """Realised on the matched quantity, a ratio; None when nothing matched."""
    exit_spread: Decimal | None
    entry_slippage_bps: Decimal | None
    """Detected less realised: positive is worse. None when either is unknown."""
    exit_slippage_bps: Decimal | None
    fees: Decimal
    """Paid on both venues, Vest's premium included."""
    gross: Decimal
    """What prices earned."""
    left: dict[str, Decimal]
    """Signed base units per venue that the fills leave open; dust, or 0."""
    funding: Decimal | None = None
    """What both venues settled; received is positive. None where they did not say all of it."""

    @property
    def net(self) -> Decimal:
        """What prices earned, less fees, with what is known of funding."""
        return self.gross - self.fees + (self.funding or _ZERO)


def add_up(fills: Iterable[Fill], venue: str, usd_per_usdc: Decimal) -> Filled:
    """Add up the fills of one venue; Paradex prices are divided by the rate."""
    chosen = [fill for fill in fills if fill.venue == venue]
    size = sum((fill.size for fill in chosen), _ZERO)
    if not size:
        return Filled(_ZERO, _ZERO)
    notional = sum((fill.size * fill.price for fill in chosen), _ZERO)
    price = notional / size
    return Filled(size, price / usd_per_usdc if venue == PARADEX else price)


def trade_result(
    long: str,
    opening: Sequence[Fill],
    closing: Sequence[Fill],
    entry_rate: Decimal,
    exit_rate: Decimal,
    *,
    seen_entry: Decimal | None = None,
    seen_exit: Decimal | None = None,
    funding: Decimal | None = None,
) -> TradeResult:
    """Add a trade up.

    On what was opened and closed again Paradex earns ``q (P1 / U1 - P0 / U0)`` when long there,
    and Vest ``q (P1 - P0)``; the reverse when short.

    Args:
        long: venue of the long leg.
        opening: fills of entry and mending orders, each once; one without a fee paid none.
        closing: fills of exit, unwinding and flattening orders, each once.
        entry_rate: USD per USDC recorded at the entry.
        exit_rate: at the exit; the entry's while nothing closed.
        seen_entry: entry spread detected, a ratio.
        seen_exit: exit spread detected.
        funding: what both venues settled; None where it is not known.
    """
    opened = {venue: add_up(opening, venue, entry_rate) for venue in VENUES}
    closed = {venue: add_up(closing, venue, exit_rate) for venue in VENUES}
    sign = {long: 1, other(long): -1}
    entry = _spread(opened[other(long)], opened[long])
    leave = _spread(closed[long], closed[other(long)])
    gross = sum(
        (
            sign[venue]
            * min(opened[venue].size, closed[venue].size)
            * (closed[venue].price - opened[venue].price)
            for venue in VENUES
        ),
        _ZERO,
    )
    return TradeResult(
        matched=min(opened[venue].size for venue in VENUES),
        entry_spread=entry,
        exit_spread=leave,
        entry_slippage_bps=_slippage(seen_entry, entry),
        exit_slippage_bps=_slippage(seen_exit, leave),
        fees=sum((fill.fee or _ZERO for fill in (*opening, *closing)), _ZERO),
        gross=gross,
        left={venue: sign[venue] * (opened[venue].size - closed[venue].size) for venue in VENUES},
        funding=funding,
    )


def _spread(sold: Filled, bought: Filled) -> Decimal | None:
    if not sold.size or not bought.size:
        return None
    return sold.price / bought.price - 1


def _slippage(seen: Decimal | None, realised: Decimal | None) -> Decimal | None:
    if seen is None or realised is None:
        return None
    return (seen - realised) / BPS


def naked_usd_s(
    samples: Sequence[tuple[float, Decimal, Decimal]], end_s: float
) -> tuple[Decimal, float]:
    """Return a trade's naked exposure: the integral of |net| x price, and for how long.

    Args:
        samples: (time in seconds, net signed base, price in USDC), oldest first; each holds
            until the next.
        end_s: until when the last one holds.

    Returns:
        (USD seconds, seconds during which the net was not zero).
    """
    total, seconds = _ZERO, 0.0
    ends = [at for at, _, _ in samples[1:]] + [end_s]
    for (at, net, price), end in zip(samples, ends, strict=False):
        lasted = max(end - at, 0.0)
        if net:
            total += abs(net) * price * Decimal(str(round(lasted, 6)))
            seconds += lasted
    return total, seconds
