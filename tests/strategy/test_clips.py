"""How much of a position one closing order takes."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.market import PARADEX
from bot4.domain.order import Side
from bot4.strategy.clips import clip, cut

D = Decimal
LOT = D("0.01")
lots = st.integers(1, 400).map(lambda count: count * LOT)


@given(size=lots, most=lots, least=lots)
def test_clips_close_all_of_it_never_more_and_never_above_the_most(size, most, least) -> None:
    left, taken = size, 0
    while left:
        part = cut(left, most, least, LOT)
        assert 0 < part <= min(most, left)
        assert part % LOT == 0
        if 2 * least <= most:
            assert part >= min(least, size)
        left -= part
        taken += 1
    assert taken <= -(-size // (most / 2)) + 1


@given(size=lots, most=lots)
def test_a_leg_is_reduced_by_no_more_than_the_largest_order(make, size, most) -> None:
    book = make.book(PARADEX, [("100000", "0.5"), ("99900", "9")], [("100010", "1")])
    market = make.market(PARADEX, lot=LOT, max_order=most)

    for limit in (D(99999), D(99000)):
        assert 0 < clip(book, Side.SELL, size, limit, market) <= min(size, most)
