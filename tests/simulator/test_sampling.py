"""Signatures are believed between two that are checked, and only then."""

from __future__ import annotations

import pytest

from bot4.simulator.options import Options
from bot4.simulator.paradex.switches import Switches
from bot4.simulator.sampling import Sampled


def test_one_is_everything():
    sampled = Sampled(1)

    assert [sampled.due() for _ in range(4)] == [True] * 4


def test_the_first_and_then_one_in_so_many():
    sampled = Sampled(3)

    assert [sampled.due() for _ in range(7)] == [True, False, False, True, False, False, True]


def test_none_at_all_is_not_offered():
    with pytest.raises(ValueError, match="verify_every"):
        Sampled(0)


def test_both_venues_check_everything_unless_told():
    assert Switches().verify_every == 1
    assert Options().switches("vest") == {}


def test_the_pace_of_the_books_reaches_both_venues():
    options = Options(books_per_s=4, paradex={"verify_every": 10})

    assert options.switches("paradex") == {"frame_s": 0.25, "verify_every": 10}
    assert sum(options.market_profile().picture_every_s) / 2 == 0.25
