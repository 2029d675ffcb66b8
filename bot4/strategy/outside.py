"""What others did to a trade's position: the venue by a liquidation, a person, another tool."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from bot4.domain.fill import FORCED, Fill
from bot4.domain.market import MarketKey
from bot4.strategy.saga import ZERO, Trade


def holder(trades: Iterable[Trade], fill: Fill) -> Trade | None:
    """Return the one trade that a fill of the venue's own is about; None where it is not clear."""
    key = MarketKey(fill.venue, fill.symbol)
    found = [trade for trade in trades if key in (trade.plan.long, trade.plan.short)]
    return found[0] if fill.kind in FORCED and len(found) == 1 else None


def correction_for(trade: Trade, fill: Fill) -> Decimal:
    """Return what a fill of the venue's own takes from the trade, signed base units.

    0 when it takes nothing, or when a comparison of positions has already seen what it took.
    """
    held = trade.position(fill.venue)
    seen = trade.unexplained(fill.venue)
    lost = fill.signed - (_least(seen, fill.signed) if seen * fill.signed > 0 else ZERO)
    if held * lost >= 0:
        return ZERO
    return -held if abs(lost) > abs(held) else lost


def explaining(trade: Trade, venue: str, candidates: Iterable[Fill]) -> list[Fill]:
    """Pick the fills that account for what the trade lost at one venue, oldest first.

    Args:
        trade: with corrections that no fill accounts for.
        venue: where.
        candidates: fills on the trade's market that no order of ours caused.

    Returns:
        Fills not known yet, up to the size that is missing; of the last one a part, with its share
        of the fee, where it is larger: the rest was somebody else's.
    """
    missing = trade.unexplained(venue)
    known = {fill.fill_id for fill in trade.outside if fill.venue == venue}
    found: list[Fill] = []
    for fill in sorted(candidates, key=lambda one: (one.venue_time_ms or 0, one.fill_id)):
        if fill.fill_id in known or fill.signed * missing <= 0:
            continue
        part = min(fill.size, abs(missing))
        share = part / fill.size
        funding = None if fill.funding is None else fill.funding * share
        fee = None if fill.fee is None else fill.fee * share
        found.append(attrs.evolve(fill, size=part, fee=fee, funding=funding))
        missing -= part * fill.side.sign
    return found


def explained(trade: Trade, fill: Fill) -> Trade:
    """Return the trade with a fill that no order of ours caused, once.

    What the fill did to the position is told apart, by a correction.
    """
    others = tuple(f for f in trade.outside if (f.venue, f.fill_id) != (fill.venue, fill.fill_id))
    known = next((f for f in trade.outside if f not in others), None)
    if known is not None and (known.funding is not None or fill.funding is None):
        return trade
    told = fill if known is None else attrs.evolve(known, funding=fill.funding)
    return attrs.evolve(trade, outside=(*others, told), version=trade.version + 1)


def _least(one: Decimal, other: Decimal) -> Decimal:
    return one if abs(one) < abs(other) else other
