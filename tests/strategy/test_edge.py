"""The second gate: what a round trip leaves."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot4.strategy.edge import ENOUGH, ExitHistory, expected_exit, net_of, round_trip_fees
from bot4.strategy.rules import EntryRules, ExitRules

D = Decimal


def filled_with(values: list[Decimal]) -> ExitHistory:
    history = ExitHistory()
    for second, value in enumerate(values):
        history.add(float(second), value)
    return history


def test_one_sample_a_second_is_kept() -> None:
    history = ExitHistory()
    for tenth in range(100):
        history.add(tenth / 10, D(tenth))

    assert len(history) == 10


def test_a_few_samples_have_no_median() -> None:
    assert filled_with([D(1)] * (ENOUGH - 1)).median() is None
    assert filled_with([D(1)] * ENOUGH).median() == 1


@given(st.lists(st.integers(-50, 50), min_size=ENOUGH, max_size=300), st.integers(60, 200))
def test_the_median_is_that_of_the_window(values: list[int], window: int) -> None:
    history = ExitHistory(kept_s=float(window))
    for second, value in enumerate(values):
        history.add(float(second), D(value))

    kept = sorted(values[-(window + 1) :])
    assert len(history) == len(kept)
    assert history.median() == kept[(len(kept) - 1) // 2]


def test_the_exit_counted_on_is_the_threshold_or_the_usual_one_if_worse() -> None:
    entry, leave = EntryRules(), ExitRules()

    assert expected_exit(ExitHistory(), entry, leave) == leave.spread_exit
    good = filled_with([D("0.001")] * ENOUGH)
    assert expected_exit(good, entry, leave) == leave.spread_exit
    bad = filled_with([D("-0.0010")] * ENOUGH)
    assert expected_exit(bad, entry, leave) == D("-0.0007")


def test_a_round_trip_pays_four_taker_fees(make) -> None:
    assert round_trip_fees(make.pair()) == D("0.0006")


def test_net_takes_off_every_cost() -> None:
    net = net_of(D("0.0020"), D("-0.0003"), D("0.0006"), D("0.00015"), D("0.00005"))

    assert net == D("0.0009")
