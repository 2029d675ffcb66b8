"""How much of a position one closing order takes: never more than the venue takes, or shows.

What is left over is closed by the next order; it is never so little that no order could.
"""

from __future__ import annotations

from decimal import Decimal

from bot4.domain.book import Book
from bot4.domain.market import Market
from bot4.domain.order import Side
from bot4.domain.units import ceil_step, floor_step, from_e8
from bot4.strategy.limits import shown_within


def smallest(market: Market, price: Decimal) -> Decimal:
    """Return the smallest order of a market at about this price, base units, on its lot."""
    return max(market.min_size, market.lot, ceil_step(market.min_notional / price, market.lot))


def cut(size: Decimal, most: Decimal, least: Decimal, lot: Decimal) -> Decimal:
    """Return the largest part up to ``most`` that leaves nothing or at least ``least``.

    Args:
        size: what is to be closed, > 0.
        most: what one order may take.
        least: the smallest order.
        lot: the size step.

    Returns:
        All of ``size`` when it is no larger than ``most``; else a multiple of ``lot`` up to
        ``most``, 0 when there is none. Where the smallest order is more than half of the largest,
        what is left may be less than it.
    """
    if size <= most:
        return size
    part = floor_step(most, lot)
    leaves = floor_step(size - least, lot)
    return leaves if least <= leaves < part else part


def clip(book: Book, side: Side, size: Decimal, limit: Decimal, market: Market) -> Decimal:
    """Return how much of a reducing order to send at once.

    Args:
        book: newest book of the market.
        side: of the order.
        size: what is to be reduced, > 0, a multiple of the lot.
        limit: the order's.
        market: for its lot, its smallest and its largest order.

    Returns:
        No more than the book shows within the limit, but no less than the smallest order; all of
        it where less than that would be left. Never more than the largest order.
    """
    least = smallest(market, from_e8(book.bid))
    shown = floor_step(min(size, shown_within(book, side, limit)), market.lot)
    clipped = max(shown, min(size, least))
    if size - clipped < least:
        clipped = size
    return (
        clipped
        if market.max_order is None
        else cut(size, min(clipped, market.max_order), least, market.lot)
    )
