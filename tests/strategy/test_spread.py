"""Spreads of both directions, at size and in USDC."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.market import PARADEX, VEST
from bot4.domain.units import to_e8
from bot4.strategy.depth import ThinBook, take
from bot4.strategy.spread import evaluate, spread_of, touch_spread

ONE = to_e8(Decimal(1))


def test_entering_and_leaving_are_told_apart_by_direction(make) -> None:
    vest = make.book(VEST, [("99", "5")], [("100", "5")])
    paradex = make.book(PARADEX, [("101", "5")], [("102", "5")])

    spreads = evaluate(vest, paradex, ONE, make.rate())

    assert spreads.entry(VEST) == Decimal(101) / 100 - 1
    assert spreads.leave(VEST) == Decimal(99) / 102 - 1
    assert spreads.entry(PARADEX) == Decimal(99) / 102 - 1
    assert spreads.leave(PARADEX) == Decimal(101) / 100 - 1


def test_the_spread_is_taken_through_the_depth(make) -> None:
    vest = make.book(VEST, [("99", "5")], [("100", "1"), ("102", "1")])
    paradex = make.book(PARADEX, [("105", "1"), ("103", "1")], [("106", "5")])

    spreads = evaluate(vest, paradex, 2 * ONE, make.rate())

    assert spreads.entry(VEST) == Decimal(104) / 101 - 1


def test_a_paradex_price_is_divided_by_the_rate(make) -> None:
    """One USDC at 1.001 USD makes 100.10 USD worth 100 USDC: there is no gap to trade."""
    vest = make.book(VEST, [("99", "5")], [("100", "5")])
    paradex = make.book(PARADEX, [("100.10", "5")], [("100.20", "5")])
    rate = make.rate("1.001")

    assert touch_spread(vest, paradex, rate) == 0
    assert (
        touch_spread(paradex, vest, rate) == Decimal(99) * Decimal("1.001") / Decimal("100.2") - 1
    )


def test_a_size_beyond_one_side_is_refused(make) -> None:
    vest = make.book(VEST, [("99", "5")], [("100", "1")])
    paradex = make.book(PARADEX, [("101", "5")], [("102", "5")])

    with pytest.raises(ThinBook):
        evaluate(vest, paradex, 2 * ONE, make.rate())


@given(st.data())
def test_the_spread_agrees_with_fractions(make, any_book, any_rate, data) -> None:
    pair = make.pair()
    vest = data.draw(any_book(pair.vest, 10_000_000))
    paradex = data.draw(any_book(pair.paradex, 1_000_000))
    rate = data.draw(any_rate)
    most = min(sum(side.sizes) for side in (vest.asks, vest.bids, paradex.asks, paradex.bids))
    size = data.draw(st.integers(1, most))

    spreads = evaluate(vest, paradex, size, rate)

    bought, sold = (Fraction(take(s, size).notional) for s in (vest.asks, paradex.bids))
    exact = sold / Fraction(rate.rate) / bought - 1
    assert abs(Fraction(spreads.entry(VEST)) - exact) < Fraction(1, 10**26)
    bought, sold = (Fraction(take(s, size).notional) for s in (paradex.asks, vest.bids))
    exact = sold / (bought / Fraction(rate.rate)) - 1
    assert abs(Fraction(spreads.entry(PARADEX)) - exact) < Fraction(1, 10**26)


@given(st.data())
def test_entering_and_leaving_at_once_never_earns(make, any_book, any_rate, data) -> None:
    pair = make.pair()
    vest = data.draw(any_book(pair.vest, 10_000_000))
    paradex = data.draw(any_book(pair.paradex, 1_000_000))

    spreads = evaluate(vest, paradex, 1000, data.draw(any_rate))

    assert (1 + spreads.entry(VEST)) * (1 + spreads.leave(VEST)) < 1


@given(st.data())
def test_walks_through_an_unchanged_book_are_reused_truly(make, any_book, any_rate, data) -> None:
    pair, rate = make.pair(), data.draw(any_rate)
    one, two = (data.draw(any_book(pair.vest, 10_000_000)) for _ in range(2))
    three, four = (data.draw(any_book(pair.paradex, 1_000_000)) for _ in range(2))
    before = None

    for vest, paradex, size in ((one, three, 9), (one, four, 9), (two, four, 9), (two, four, 8)):
        before = evaluate(vest, paradex, size, rate, before)

        assert before == evaluate(vest, paradex, size, rate)


def test_buying_dearer_than_selling_is_negative(make) -> None:
    assert spread_of(100, 99, VEST, make.rate()) == Decimal("-0.01")
    assert spread_of(100, 99, PARADEX, make.rate()) == Decimal("-0.01")
