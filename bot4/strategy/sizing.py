"""How much to trade: the largest size for which every rule holds on both venues at once.

A size is eligible when its average spread reaches the entry threshold and two limits that
guarantee the threshold less the tolerance are marketable for it. Both get harder as the size
grows, so the largest is found by bisection; the share of the depth is then met level by level.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

import attrs

from bot4.domain.book import Book
from bot4.domain.market import VEST, Market, Pair, other
from bot4.domain.quote import QuoteRate
from bot4.domain.units import E8, from_e8, percent, plain, to_e8
from bot4.strategy.depth import Depth, Taken
from bot4.strategy.hold import Hold, Reason
from bot4.strategy.limits import Coupled, couple
from bot4.strategy.risk import Room
from bot4.strategy.rules import EntryRules, SizeRules
from bot4.strategy.spread import spread_of

_OURS: Final = ("notional", "capital x max_leverage")
"""Caps that are settings: what is too small for them stays so."""


@attrs.frozen
class Sized:
    """A size and the limits that go with it."""

    size: Decimal
    """Base units, a multiple of both lots."""
    long_limit: Decimal
    short_limit: Decimal
    """Each in its own venue's currency, on its tick."""
    spread: Decimal
    """At the average prices, a ratio in USDC."""
    marginal_spread: Decimal
    """At the last unit's prices."""
    long_price: Decimal
    short_price: Decimal
    """Average prices seen, each in its own venue's currency."""


def size_entry(
    pair: Pair,
    long_venue: str,
    books: Mapping[str, Book],
    rate: QuoteRate,
    room: Room,
    entry: EntryRules,
    rules: SizeRules,
) -> Sized | Hold:
    """Return the largest eligible size of an entry, or why there is none.

    Args:
        pair: the two markets.
        long_venue: where we would buy; we would sell on the other.
        books: the newest book of each venue.
        rate: USD per USDC.
        room: what is left per venue under the caps and the markets' own limits.
        entry: thresholds.
        rules: size limits.
    """
    search = _Search.of(pair, long_venue, books, rate, entry)
    least = _least_lots(pair, books, search.lot)
    most, cap = _most_lots(search, rate, room, rules)
    if least * search.lot > search.shown:
        shown = plain(from_e8(search.shown))
        return Hold(Reason.THIN, f"{shown} shown, {_size(least, search)} is the smallest order")
    problem = search.problem(least * search.lot)
    if problem is not None:
        return problem
    if most < least:
        reason = Reason.MINIMUM if cap.startswith(_OURS) else Reason.CAP
        return Hold(reason, f"{cap}, {_size(least, search)} is the smallest order")
    most = min(most, search.shown // search.lot)
    lots = bisect_left(
        range(least, most + 1), x=True, key=lambda lots: not search.eligible(lots * search.lot)
    )
    return search.share(least, least + lots - 1, rules.depth_share)


def _size(lots: int, search: _Search) -> str:
    return plain(from_e8(lots * search.lot))


def _least_lots(pair: Pair, books: Mapping[str, Book], lot: int) -> int:
    """Return the smallest order both venues take, in common lots, at their lowest price seen."""

    def least(market: Market) -> int:
        by_size = Fraction(market.min_size) * E8 / lot
        by_notional = Fraction(market.min_notional) * E8 * E8 / (books[market.key.venue].bid * lot)
        return max(-(-by_size // 1), -(-by_notional // 1), 1)

    return max(least(pair.vest), least(pair.paradex))


def _most_lots(search: _Search, rate: QuoteRate, room: Room, rules: SizeRules) -> tuple[int, str]:
    """Return the most that caps and limits allow, in common lots, and the name of the tightest.

    The best price of the selling side, in USDC, is the highest at which either leg can count.
    """
    caps = {
        _OURS[0]: rules.notional,
        _OURS[1]: rules.capital * rules.max_leverage,
        "room on Vest": room.vest,
        "room on Paradex": room.paradex,
    }
    name = min(caps, key=caps.__getitem__)
    price = Fraction(search.best_bid, E8)
    if search.long_venue == VEST:
        price /= Fraction(rate.low)
    price *= max(Fraction(1), 1 / Fraction(1 + search.entry.floor))
    lots = int(Fraction(caps[name]) / price * E8 // search.lot)
    found = [(lots, f"{name} leaves {caps[name]:.2f}")]
    for _, most, why in room.most:
        found.append((int(Fraction(most) * E8 // search.lot), f"{why} leaves {plain(most)}"))
    return min(found, key=lambda one: one[0])


@attrs.frozen
class _Search:
    """One look at two sides of two books, for one direction."""

    pair: Pair
    long_venue: str
    asks: Depth
    bids: Depth
    best_bid: int
    lot: int
    rate: QuoteRate
    entry: EntryRules

    @staticmethod
    def of(
        pair: Pair, long_venue: str, books: Mapping[str, Book], rate: QuoteRate, entry: EntryRules
    ) -> _Search:
        long_book, short_book = books[long_venue], books[other(long_venue)]
        return _Search(
            pair,
            long_venue,
            Depth(long_book.asks),
            Depth(short_book.bids),
            short_book.bid,
            to_e8(pair.lot),
            rate,
            entry,
        )

    @property
    def shown(self) -> int:
        return min(self.asks.total, self.bids.total)

    def spread(self, buy: Taken, sell: Taken) -> Decimal:
        return spread_of(buy.notional, sell.notional, self.long_venue, self.rate)

    def marginal(self, buy: Taken, sell: Taken) -> Decimal:
        return spread_of(buy.marginal, sell.marginal, self.long_venue, self.rate)

    def limits(self, buy: Taken, sell: Taken) -> Coupled | None:
        return couple(
            self.pair, self.long_venue, buy.marginal, sell.marginal, self.entry.floor, self.rate
        )

    def eligible(self, size: int) -> bool:
        return self.problem(size) is None

    def taken(self, lots: int) -> tuple[Taken, Taken]:
        size = lots * self.lot
        return self.asks.take(size), self.bids.take(size)

    def problem(self, size: int) -> Hold | None:
        """Return what is wrong with a size as far as prices go. Monotone in the size."""
        buy, sell = self.asks.take(size), self.bids.take(size)
        spread = self.spread(buy, sell)
        if spread < self.entry.spread_entry:
            detail = f"{percent(spread, 3)} at {plain(from_e8(size))}"
            return Hold(Reason.BELOW_ENTRY, detail)
        if self.marginal(buy, sell) < self.entry.floor:
            return Hold(Reason.BELOW_ENTRY, "the last unit is below the threshold less tolerance")
        if self.limits(buy, sell) is None:
            return Hold(Reason.ROUNDING, "no two safe limits on the ticks are marketable")
        return None

    def share(self, least: int, lots: int, depth_share: Decimal) -> Sized | Hold:
        """Return the largest size up to ``lots`` that takes no more than its share of the depth.

        Within one couple of levels the limits are the same, so the depth inside them is too: at
        most one try a level.
        """
        taken = self.taken(lots)
        while lots >= least and (limits := self.limits(*taken)) is not None:
            depth = min(
                self.asks.within(limits.buy, buying=True),
                self.bids.within(limits.sell, buying=False),
            )
            allowed = int(Fraction(depth_share) * depth // self.lot)
            if lots <= allowed:
                return self._sized(*taken, limits)
            size = lots * self.lot
            before = max(self.asks.before(size), self.bids.before(size))
            lots = allowed if allowed * self.lot > before else before // self.lot
            taken = self.taken(max(lots, 1))
        return Hold(Reason.THIN, f"{depth_share} of the depth inside the limits is too little")

    def _sized(self, buy: Taken, sell: Taken, limits: Coupled) -> Sized:
        return Sized(
            size=from_e8(buy.size),
            long_limit=from_e8(limits.buy),
            short_limit=from_e8(limits.sell),
            spread=self.spread(buy, sell),
            marginal_spread=self.marginal(buy, sell),
            long_price=buy.average,
            short_price=sell.average,
        )
