"""The bound of a leg that is alone: longer with every attempt allowed, dearer with time."""

from __future__ import annotations

from decimal import Decimal

from bot4.strategy.bound import naked_bound

D = Decimal


def test_every_attempt_allowed_makes_it_longer():
    usual = naked_bound(3, 4, 2000, 1000)
    assert (round(usual.answered_s, 3), round(usual.doubt_s, 3)) == (4.8, 7.4)

    assert naked_bound(4, 4, 2000, 1000).answered_s > usual.answered_s
    assert naked_bound(3, 5, 2000, 1000).answered_s > usual.answered_s
    assert naked_bound(3, 5, 2000, 1000).doubt_s > usual.doubt_s


def test_doubt_lasts_with_the_window_and_what_settles():
    usual = naked_bound(3, 4, 2000, 1000)

    assert round(naked_bound(3, 4, 750, 1000).doubt_s, 3) == 6.15
    assert round(naked_bound(3, 4, 2000, 3000).doubt_s, 3) == 9.4
    assert naked_bound(3, 4, 750, 1000).answered_s == usual.answered_s


def test_what_it_may_cost_is_the_market_the_last_cap_and_the_fees():
    bound = naked_bound(3, 4, 2000, 1000)
    cost = bound.cost(D(300), 150, D("0.0003"))

    # 3 x 1.2 bp x sqrt(7.4 s) is 9.8 bp, a cap of 150 bp, 3 bp of fees: 162.8 bp of 300.
    assert D("4.88") < cost < D("4.89")
    assert bound.cost(D(600), 150, D("0.0003")) == 2 * cost
