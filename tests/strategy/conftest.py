"""Builders of books, pairs and views, and strategies that draw random ones."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import accumulate
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import strategies as st

from bot4.domain.book import Book, Ladder
from bot4.domain.market import PARADEX, VEST, Market, MarketKey, Pair
from bot4.domain.quote import QuoteRate
from bot4.domain.units import to_e8
from bot4.strategy.decision import View
from bot4.strategy.risk import Room

D = Decimal
Levels = list[tuple[str, str]]


def _ladder(levels: Levels) -> Ladder:
    return Ladder(
        tuple(to_e8(D(price)) for price, _ in levels), tuple(to_e8(D(size)) for _, size in levels)
    )


class Make:
    """Everything has ordinary values; name only what a test is about."""

    def market(self, venue: str, **changes: Any) -> Market:
        usual = Market(
            key=MarketKey(venue, "BTC-PERP" if venue == VEST else "BTC-USD-PERP"),
            base="BTC",
            tick=D("0.01") if venue == VEST else D("0.1"),
            lot=D("0.0001") if venue == VEST else D("0.00001"),
            min_size=D(0),
            min_notional=D(0) if venue == VEST else D(10),
            taker_fee=D("0.0001") if venue == VEST else D("0.0002"),
            max_leverage=D(20),
        )
        return attrs.evolve(usual, **changes)

    def pair(
        self, vest: dict[str, Any] | None = None, paradex: dict[str, Any] | None = None
    ) -> Pair:
        return Pair(
            "BTC", self.market(VEST, **(vest or {})), self.market(PARADEX, **(paradex or {}))
        )

    def book(self, venue: str, bids: Levels, asks: Levels, received_at: float = 0.0) -> Book:
        return Book(
            key=self.market(venue).key,
            bids=_ladder(bids),
            asks=_ladder(asks),
            sequence=1,
            venue_time_ms=None,
            received_at=received_at,
        )

    def rate(self, rate: str = "1", either_side: str = "0", age_s: float = 1.0) -> QuoteRate:
        middle, apart = D(rate), D(either_side)
        return QuoteRate(middle - apart, middle, middle + apart, age_s)

    def view(self, bid: str, ask: str, **changes: Any) -> View:
        """Paradex at 100000/100010, Vest at these prices; all is fresh at 100 s."""
        vest = self.book(VEST, [(bid, "1")], [(ask, "1")], 99.9)
        paradex = self.book(PARADEX, [("100000", "1")], [("100010", "1")], 99.9)
        usual = View(
            pair=self.pair(),
            now_s=100.0,
            vest=vest,
            paradex=paradex,
            vest_published=10,
            paradex_published=10,
            vest_heartbeat_at=99.5,
            rate=self.rate(),
            room=Room(D(3000), D(3000)),
        )
        return attrs.evolve(usual, **changes)

    def later(self, view: View, by_s: float, **changes: Any) -> View:
        """The same picture, published anew by both venues a while later."""
        now = view.now_s + by_s
        assert view.vest is not None
        assert view.paradex is not None
        fresh = attrs.evolve(
            view,
            now_s=now,
            vest=msgspec.structs.replace(view.vest, received_at=now - 0.05),
            paradex=msgspec.structs.replace(view.paradex, received_at=now - 0.05),
            vest_published=view.vest_published + 1,
            paradex_published=view.paradex_published + 1,
            vest_heartbeat_at=now - 0.5,
        )
        return attrs.evolve(fresh, **changes)


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


def _side(start: int, direction: int, tick: int, lot: int) -> st.SearchStrategy[Ladder]:
    levels = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40)), min_size=1, max_size=12)

    def build(drawn: list[tuple[int, int]]) -> Ladder:
        steps = accumulate(gap for gap, _ in drawn)
        prices = tuple(max(start + direction * step, 1) * tick for step in steps)
        kept = len(set(prices))
        return Ladder(prices[:kept], tuple(size * lot for _, size in drawn)[:kept])

    return levels.map(build)


@pytest.fixture(scope="session")
def any_book(make: Make) -> Callable[[Market, int], st.SearchStrategy[Book]]:
    """Draws a book of a market around a middle price, given in its ticks."""

    def draw(market: Market, middle: int) -> st.SearchStrategy[Book]:
        tick, lot = to_e8(market.tick), to_e8(market.lot)
        return st.builds(
            lambda bids, asks: Book(market.key, bids, asks, 1, None, 0.0),
            _side(middle, -1, tick, lot),
            _side(middle, +1, tick, lot),
        )

    return draw


@pytest.fixture(scope="session")
def any_rate() -> st.SearchStrategy[QuoteRate]:
    """Draws a quote rate near 1 with up to nine places and some uncertainty."""
    billionth = D("0.000000001")
    return st.builds(
        lambda rate, down, up: QuoteRate(
            (rate - down) * billionth, rate * billionth, (rate + up) * billionth, 1.0
        ),
        st.integers(995_000_000, 1_005_000_000),
        st.integers(0, 200_000),
        st.integers(0, 200_000),
    )
