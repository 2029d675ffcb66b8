"""One order's life: it never goes backwards, and only proof ends it."""

from __future__ import annotations

import itertools
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import Order, OrderReport, OrderState, Purpose, Side
from bot4.strategy.legs import Leg, LegState

SIZE = Decimal("0.0036")
ORDER = Order(
    client_order_id="b4-abc123-1-S1",
    trade_id="abc123-1",
    key=MarketKey("paradex", "BTC-USD-PERP"),
    side=Side.SELL,
    size=SIZE,
    limit=Decimal(83000),
    purpose=Purpose.ENTER,
    attempt=1,
    reduce_only=False,
    signed_ms=1_000,
    window_ms=2_000,
)


def fill(number: int, size: str) -> Fill:
    return Fill(
        "paradex",
        f"f{number}",
        ORDER.client_order_id,
        "v1",
        "BTC-USD-PERP",
        Side.SELL,
        Decimal(83000),
        Decimal(size),
        Decimal(0),
    )


def report(state: OrderState, filled: str | None = None, reason: str = "") -> OrderReport:
    return OrderReport(
        "paradex",
        ORDER.client_order_id,
        "v1",
        state,
        filled=None if filled is None else Decimal(filled),
        reason=reason,
    )


def test_a_timeout_is_doubt_and_never_a_refusal():
    leg = Leg(ORDER).sent().doubted("no answer in time")

    assert leg.state is LegState.DOUBT
    assert not leg.state.terminal


def test_a_fill_before_the_acceptance_counts_and_the_acceptance_changes_nothing():
    leg = Leg(ORDER).sent().fill(fill(1, "0.0036"))

    assert leg.accepted("v1").state is LegState.FILLED
    assert leg.filled == SIZE


def test_the_same_fill_twice_counts_once():
    leg = Leg(ORDER).sent().fill(fill(1, "0.001")).fill(fill(1, "0.001"))

    assert leg.filled == Decimal("0.001")
    assert leg.state is LegState.PARTIAL


def test_a_fill_told_again_with_its_funding_adds_the_funding_and_nothing_else():
    leg = Leg(ORDER).sent().fill(fill(1, "0.0036"))
    assert leg.settled() is None

    told = leg.fill(attrs.evolve(fill(1, "0.0036"), funding=Decimal("0.12"), price=Decimal(1)))

    assert told.settled() == Decimal("0.12")
    assert attrs.evolve(told, fills=leg.fills) == leg
    assert told.fills == (attrs.evolve(fill(1, "0.0036"), funding=Decimal("0.12")),)
    assert told.fill(attrs.evolve(fill(1, "0.0036"), funding=Decimal(9))) == told


def test_funding_is_not_known_before_all_of_it_was_said_and_an_order_says_it_whole():
    part = attrs.evolve(fill(1, "0.001"), funding=Decimal("0.01"))
    leg = Leg(ORDER).sent().fill(part)
    assert leg.settled() == Decimal("0.01")
    assert leg.report(report(OrderState.OPEN, "0.002")).settled() is None

    whole = attrs.evolve(report(OrderState.CLOSED, "0.0036"), funding=Decimal("-0.5"))
    assert leg.report(whole).settled() == Decimal("-0.5")
    assert leg.report(whole).report(report(OrderState.CLOSED, "0.0036")).settled() == Decimal(
        "-0.5"
    )


def test_a_closed_order_with_part_of_it_filled_ends_part_closed():
    leg = Leg(ORDER).sent().report(report(OrderState.CLOSED, "0.001", "IOC"))

    assert leg.state is LegState.PART_CLOSED
    assert leg.filled == Decimal("0.001")
    assert leg.signed == Decimal("-0.001")


def test_a_refusal_after_a_fill_keeps_the_fill():
    leg = Leg(ORDER).sent().fill(fill(1, "0.001")).refused("NOT_ENOUGH_MARGIN")

    assert leg.state is LegState.PART_CLOSED


def test_not_found_before_the_fence_proves_nothing():
    leg = Leg(ORDER).sent().doubted("cut")
    for second in range(5):
        leg = leg.missing(3_000 + second, 1_000)

    assert leg.state is LegState.DOUBT


def test_not_found_past_the_fence_needs_two_reads_a_second_apart():
    doubt = Leg(ORDER).sent().doubted("cut")
    once = doubt.missing(4_001, 1_000)
    too_soon = once.missing(4_900, 1_000)
    twice = once.missing(5_001, 1_000)

    assert once.state is too_soon.state is LegState.DOUBT
    assert twice.state is LegState.NEVER


def test_a_fill_after_the_proven_end_still_counts():
    never = attrs.evolve(Leg(ORDER), state=LegState.NEVER)

    late = never.fill(fill(1, "0.0036"))

    assert late.state is LegState.FILLED
    assert late.filled == SIZE


def test_an_order_found_resting_is_cancelled():
    leg = Leg(ORDER).sent().doubted("cut").report(report(OrderState.OPEN, "0"))

    assert leg.state is LegState.CANCELLING


WORDS = [
    lambda leg: leg.accepted("v1"),
    lambda leg: leg.report(report(OrderState.ACCEPTED)),
    lambda leg: leg.fill(fill(1, "0.001")),
    lambda leg: leg.fill(fill(2, "0.002")),
    lambda leg: leg.report(report(OrderState.CLOSED, "0.003", "IOC")),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_whatever_the_order_of_arrival_the_end_is_the_same(order: tuple[int, ...]):
    leg = Leg(ORDER).sent()
    for index in order:
        leg = WORDS[index](leg)

    assert leg.state is LegState.PART_CLOSED
    assert leg.filled == Decimal("0.003")


@given(st.lists(st.integers(0, 8), max_size=12))
def test_filled_never_falls_and_ends_stay_ended(choices: list[int]):
    acts = [
        *WORDS,
        lambda leg: leg.doubted("x"),
        lambda leg: leg.refused("x"),
        lambda leg: leg.missing(9_999, 1_000),
        lambda leg: leg.sent(),
    ]
    leg = Leg(ORDER)
    for choice in choices:
        before, leg = leg, acts[choice](leg)
        assert leg.filled >= before.filled
        assert leg.state.terminal or not before.state.terminal


def test_an_older_report_that_counts_less_takes_no_fill_back():
    leg = Leg(ORDER).sent().report(report(OrderState.OPEN, "0.002"))

    older = leg.report(report(OrderState.OPEN, "0.001"))
    ended = older.report(report(OrderState.CLOSED, "0"))

    assert older.filled == Decimal("0.002")
    assert (ended.filled, ended.state) == (Decimal("0.002"), LegState.PART_CLOSED)
