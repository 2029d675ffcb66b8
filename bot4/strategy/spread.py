"""Spreads between the two venues, at size and in USDC.

The direction of a pair is named by the venue of its long leg. Entry spread:
``(bid_short - ask_long) / ask_long``; exit spread: ``(bid_long - ask_short) / ask_short``. Leaving
one direction trades the same two sides as entering the other, so two numbers say all four.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from bot4.domain.book import Book
from bot4.domain.market import PARADEX, VEST, other
from bot4.domain.quote import QuoteRate
from bot4.strategy.depth import Taken, take


def spread_of(buy: int, sell: int, buy_venue: str, rate: QuoteRate) -> Decimal:
    """Return what buying on one venue and selling on the other earns, as a ratio of the buy.

    Args:
        buy: price paid, or notional for the same size; an integer of the same scale as ``sell``.
        sell: price received, or notional.
        buy_venue: where we buy; we sell on the other.
        rate: turns the Paradex side into USDC.
    """
    up, down = rate.ratio
    if buy_venue == VEST:
        return Decimal(sell * down) / Decimal(buy * up) - 1
    return Decimal(sell * up) / Decimal(buy * down) - 1


class Spreads(NamedTuple):
    """One evaluation of a pair at one size: both directions, entry and exit."""

    vest: Book
    paradex: Book
    size: int
    """e8."""
    vest_asks: Taken
    vest_bids: Taken
    paradex_asks: Taken
    paradex_bids: Taken
    long_vest: Decimal
    """Entry spread of long Vest, short Paradex; also the exit spread of the reverse."""
    long_paradex: Decimal
    """Entry spread of long Paradex, short Vest; also the exit spread of the reverse."""

    def entry(self, long_venue: str) -> Decimal:
        """Return what entering earns, gross: positive is worth looking at."""
        return self.long_vest if long_venue == VEST else self.long_paradex

    def leave(self, long_venue: str) -> Decimal:
        """Return what leaving earns, gross; usually negative."""
        return self.entry(other(long_venue))


def evaluate(
    vest: Book, paradex: Book, size: int, rate: QuoteRate, before: Spreads | None = None
) -> Spreads:
    """Return the spreads of both directions at ``size`` (e8, base units, > 0).

    Args:
        vest: newest book of Vest.
        paradex: newest book of Paradex.
        size: the same on both.
        rate: turns Paradex prices into USDC.
        before: the evaluation before this one, if any: the walks through a book that is still
            the same are taken from it, and a frame changes one book only.

    Raises:
        ThinBook: a side of a book shows less than ``size``.
    """
    if before is not None and before.size != size:
        before = None
    if before is not None and before.vest is vest:
        vest_asks, vest_bids = before.vest_asks, before.vest_bids
    else:
        vest_asks, vest_bids = take(vest.asks, size), take(vest.bids, size)
    if before is not None and before.paradex is paradex:
        paradex_asks, paradex_bids = before.paradex_asks, before.paradex_bids
    else:
        paradex_asks, paradex_bids = take(paradex.asks, size), take(paradex.bids, size)
    return Spreads(
        vest,
        paradex,
        size,
        vest_asks,
        vest_bids,
        paradex_asks,
        paradex_bids,
        spread_of(vest_asks.notional, paradex_bids.notional, VEST, rate),
        spread_of(paradex_asks.notional, vest_bids.notional, PARADEX, rate),
    )


def touch_spread(long_book: Book, short_book: Book, rate: QuoteRate) -> Decimal:
    """Return the entry spread of an infinitesimal size: no size can do better."""
    return spread_of(long_book.ask, short_book.bid, long_book.key.venue, rate)
