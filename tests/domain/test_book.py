"""A keeper's book is what a plain dictionary of levels says, or there is none."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.book import BadBook, BookUpdate, Keeper
from bot4.domain.market import MarketKey

KEY = MarketKey("paradex", "BTC-USD-PERP")
BIDS = ((100, 5), (99, 7), (97, 1))
ASKS = ((101, 2), (103, 4))
WHOLE = BookUpdate("BTC-USD-PERP", snapshot=True, bids=BIDS, asks=ASKS, sequence=10)


def delta(sequence, bids=(), asks=()):
    return BookUpdate("BTC-USD-PERP", snapshot=False, bids=bids, asks=asks, sequence=sequence)


def levels(ladder):
    return tuple(zip(ladder.prices, ladder.sizes, strict=True))


@pytest.fixture
def keeper():
    return Keeper(KEY)


@given(st.permutations(BIDS), st.permutations(ASKS))
def test_a_whole_book_comes_out_best_price_first_in_whatever_order_it_came(bids, asks):
    book = Keeper(KEY).apply(msgspec.structs.replace(WHOLE, bids=bids, asks=asks), 7.5)

    assert levels(book.bids) == BIDS
    assert levels(book.asks) == ASKS
    assert (book.bid, book.ask, book.sequence, book.received_at) == (100, 101, 10, 7.5)


def test_levels_of_size_zero_are_not_part_of_a_whole_book(keeper):
    bids = [(105, 0), *BIDS, (98, 0)]

    book = keeper.apply(msgspec.structs.replace(WHOLE, bids=bids), 0.0)

    assert levels(book.bids) == BIDS


@pytest.mark.parametrize(
    ("bids", "why"),
    [
        ([(100, 5), (100, 6)], "the same price twice"),
        ([(99, 5), (100, 6), (99, 7)], "the same price twice"),
        ([(100, 5), (0, 5)], "out of range"),
        ([(-1, 5), (100, 5)], "out of range"),
        ([(100, 5), (99, -1)], "out of range"),
        ([(0, 0), (100, 5)], "out of range"),
        ([], "one side is empty"),
        ([(100, 0)], "one side is empty"),
        ([(101, 1)], "crossed"),
        ([(102, 1), (100, 1)], "crossed"),
    ],
)
def test_a_whole_book_that_cannot_be_true_is_refused(keeper, bids, why):
    with pytest.raises(BadBook, match=why):
        keeper.apply(msgspec.structs.replace(WHOLE, bids=bids), 0.0)


def test_a_delta_sets_inserts_and_removes(keeper):
    keeper.apply(WHOLE, 0.0)

    book = keeper.apply(delta(11, bids=[(99, 9), (98, 3), (100, 0), (55, 0)]), 1.0)

    assert levels(book.bids) == ((99, 9), (98, 3), (97, 1))
    assert levels(book.asks) == ASKS


def test_a_book_once_given_never_changes(keeper):
    first = keeper.apply(WHOLE, 0.0)
    keeper.apply(delta(11, bids=[(100, 0)], asks=[(101, 8)]), 1.0)

    assert levels(first.bids) == BIDS
    assert levels(first.asks) == ASKS


def test_repeated_and_early_deltas_change_nothing_and_a_gap_is_refused(keeper):
    assert keeper.apply(delta(10, bids=[(50, 1)]), 0.0) is None
    keeper.apply(WHOLE, 0.0)
    assert keeper.apply(delta(10, bids=[(100, 0)]), 0.0) is None

    with pytest.raises(BadBook, match="sequence gap: 10 then 12"):
        keeper.apply(delta(12), 0.0)

    keeper.wipe()
    assert keeper.apply(delta(11), 0.0) is None


@pytest.mark.parametrize("level", [(0, 1), (-5, 0), (98, -1)])
def test_a_delta_out_of_range_is_refused(keeper, level):
    keeper.apply(WHOLE, 0.0)

    with pytest.raises(BadBook, match="out of range"):
        keeper.apply(delta(11, asks=[level]), 0.0)


CHANGES = st.lists(st.tuples(st.integers(80, 120), st.integers(0, 3)), max_size=4)


@given(st.lists(st.tuples(CHANGES, CHANGES), max_size=8))
def test_after_any_deltas_the_book_is_what_a_dictionary_says(story):
    keeper, bids, asks = Keeper(KEY), dict(BIDS), dict(ASKS)
    keeper.apply(WHOLE, 0.0)
    for number, (down, up) in enumerate(story, 11):
        for side, changes in ((bids, down), (asks, up)):
            side.update(changes)
            for price in [price for price, size in side.items() if not size]:
                del side[price]
        try:
            book = keeper.apply(delta(number, down, up), 0.0)
        except BadBook:
            assert not bids or not asks or max(bids) >= min(asks)
            return
        assert levels(book.bids) == tuple(sorted(bids.items(), reverse=True))
        assert levels(book.asks) == tuple(sorted(asks.items()))
