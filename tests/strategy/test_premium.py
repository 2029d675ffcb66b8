"""Vest's premium, learned from fills."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.domain.fill import Fill
from bot4.domain.order import Side
from bot4.strategy.hold import Reason
from bot4.strategy.premium import PRIOR_FILLS, REMEMBERED, Premium, charged_bps

D = Decimal


def test_a_round_trip_is_believed_to_cost_the_first_guess_once() -> None:
    for side in Side:
        assert Premium().round_trip(side, D(300)) == D("0.00015")


def test_what_a_fill_was_charged_is_its_fee_beyond_the_taker_fee() -> None:
    assert charged_bps(D("0.09"), D(300), D("0.0001")) == 2


def test_fills_pull_the_estimate_of_their_side_and_size() -> None:
    premium = Premium()
    for _ in range(PRIOR_FILLS):
        premium = premium.saw(Side.BUY, D(300), D(4), closing=True)

    assert premium.estimate_bps(Side.BUY, D(300), closing=True) == D("2.75")
    assert premium.estimate_bps(Side.BUY, D(300), closing=False) == 2
    assert premium.estimate_bps(Side.SELL, D(300), closing=True) == D("1.5")
    assert premium.estimate_bps(Side.BUY, D(601), closing=True) == D("1.5")
    assert premium.estimate_bps(Side.BUY, D(150), closing=True) == D("2.75")


def test_a_rebate_never_pays_for_a_trade() -> None:
    premium = Premium()
    for _ in range(100):
        premium = premium.saw(Side.BUY, D(300), D(-3), closing=False)

    assert premium.ratio(Side.BUY, D(300), closing=False) == 0


def test_ten_fills_a_basis_point_dearer_than_believed_stop_opening() -> None:
    premium = Premium()
    for _ in range(9):
        premium = premium.saw(Side.SELL, D(300), D(5), closing=True)
    assert premium.hold() is None

    premium = premium.saw(Side.SELL, D(300), D(5), closing=True)

    held = premium.hold()
    assert held is not None
    assert held.reason is Reason.PREMIUM


def test_fills_as_believed_do_not_stop_opening() -> None:
    premium = Premium()
    for _ in range(30):
        premium = premium.saw(Side.SELL, D(300), D(2), closing=True)

    assert premium.hold() is None


def test_memory_is_bounded() -> None:
    premium = Premium()
    for _ in range(REMEMBERED + 50):
        premium = premium.saw(Side.SELL, D(300), D(1), closing=True)

    assert len(premium.fills) == REMEMBERED


@pytest.mark.parametrize(
    ("charged_in", "side", "promised", "found"),
    [
        ("fees", Side.BUY, D(29970), D(2)),
        ("fees", Side.BUY, None, D(2)),
        ("price", Side.BUY, D(29970), D(10010) / 1000),
        ("price", Side.SELL, D(29970), D(-10010) / 1000),
        ("price", Side.SELL, None, None),
        ("both", Side.BUY, D(29970), D(12010) / 1000),
        ("both", Side.BUY, None, None),
    ],
)
def test_it_is_looked_for_where_the_setting_says(charged_in, side, promised, found):
    fill = Fill("vest", "f", "1", "v", "BTC-PERP", side, D(30000), D("0.01"), D("0.09"))

    bps = Premium(charged_in=charged_in).found_bps(fill, D("0.0001"), promised)

    assert (None if bps is None else round(bps, 4)) == (None if found is None else round(found, 4))
