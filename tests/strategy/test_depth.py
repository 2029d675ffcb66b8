"""Walking ladders."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.book import Ladder
from bot4.strategy.depth import Depth, ThinBook, take, take_shown

ASKS = Ladder((100, 101, 105), (10, 20, 30))
BIDS = Ladder((99, 98, 90), (10, 20, 30))


def ladders(*, rising: bool) -> st.SearchStrategy[Ladder]:
    levels = st.dictionaries(st.integers(1, 500), st.integers(1, 50), min_size=1, max_size=30)
    return levels.map(
        lambda drawn: Ladder(
            tuple(sorted(drawn, reverse=not rising)),
            tuple(drawn[price] for price in sorted(drawn, reverse=not rising)),
        )
    )


def test_a_walk_takes_whole_levels_then_a_part_of_the_last() -> None:
    taken = take(ASKS, 15)

    assert (taken.size, taken.notional, taken.marginal) == (15, 100 * 10 + 101 * 5, 101)


def test_a_walk_that_ends_on_a_level_does_not_touch_the_next() -> None:
    assert take(ASKS, 30).marginal == 101
    assert take(ASKS, 31).marginal == 105


def test_the_average_is_in_quote_currency() -> None:
    ladder = Ladder((100 * 10**8, 102 * 10**8), (10**8, 10**8))

    assert take(ladder, 2 * 10**8).average == Decimal(101)


def test_a_thin_book_says_what_was_asked_and_shown() -> None:
    with pytest.raises(ThinBook) as thin:
        take(ASKS, 61)

    assert (thin.value.asked, thin.value.shown) == (61, 60)
    with pytest.raises(ThinBook):
        Depth(ASKS).take(61)


def test_taking_what_is_shown_settles_for_less() -> None:
    assert take_shown(BIDS, 61) == take(BIDS, 60)
    assert take_shown(BIDS, 7) == take(BIDS, 7)


@given(ladders(rising=True), st.data())
def test_running_sums_answer_as_a_walk_does(ladder: Ladder, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, sum(ladder.sizes)))
    depth, units = Depth(ladder), []
    for price, shown in zip(ladder.prices, ladder.sizes, strict=True):
        units += [price] * shown

    taken = take(ladder, size)

    assert taken == depth.take(size)
    assert taken.notional == sum(units[:size])
    assert taken.marginal == units[size - 1]
    assert depth.before(size) == units.index(units[size - 1])
    assert depth.total == len(units)


@given(st.booleans(), st.data())
def test_depth_within_a_limit_counts_every_better_level(buying: bool, data: st.DataObject) -> None:
    ladder = data.draw(ladders(rising=buying))
    limit = data.draw(st.integers(0, 501))

    within = Depth(ladder).within(limit, buying=buying)

    levels = zip(ladder.prices, ladder.sizes, strict=True)
    better = [size for price, size in levels if (price <= limit if buying else price >= limit)]
    assert within == sum(better)
