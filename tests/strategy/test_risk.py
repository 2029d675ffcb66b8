"""Caps, loss, breaker and order rate."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.market import PARADEX, VEST
from bot4.strategy.hold import Reason
from bot4.strategy.risk import (
    Attempt,
    Breaker,
    Bucket,
    Caps,
    Use,
    in_use,
    limits_left,
    loss_hold,
    room,
    spend,
)

D = Decimal
USES = st.lists(
    st.builds(Use, st.sampled_from([VEST, PARADEX]), st.integers(-500, 500).map(D)), max_size=20
)


def test_positions_and_orders_never_net_out() -> None:
    uses = [Use(VEST, D(300)), Use(VEST, D(-200)), Use(PARADEX, D(50))]

    assert in_use(uses, VEST) == 500


def test_room_is_the_tightest_of_leverage_equity_and_total() -> None:
    caps = Caps(capital=D(1000), max_leverage=D(3), max_notional_total=D(1500))

    assert room(caps, [], {}).on(VEST) == 1500
    assert room(caps, [], {VEST: D(100)}).on(VEST) == 300
    assert room(Caps(D(100), D(3), D(1500)), [], {VEST: D(900)}).on(VEST) == 300
    assert room(caps, [Use(PARADEX, D(400))], {}).on(PARADEX) == 1100
    assert room(caps, [], {PARADEX: D(-5)}).on(PARADEX) == 0


@given(USES, st.integers(0, 2000).map(D))
def test_what_is_used_and_left_never_exceeds_the_cap(uses: list[Use], equity: Decimal) -> None:
    caps = Caps()

    left = room(caps, uses, {VEST: equity})

    for venue in (VEST, PARADEX):
        assert left.on(venue) >= 0
        if left.on(venue):
            assert left.on(venue) + in_use(uses, venue) <= caps.max_notional_total
    if left.vest:
        assert left.vest + in_use(uses, VEST) <= equity * caps.max_leverage


def test_the_daily_loss_stops_opening_when_it_is_reached() -> None:
    assert loss_hold(D("49.99"), D(50)) is None
    held = loss_hold(D(50), D(50))
    assert held is not None
    assert held.reason is Reason.DAILY_LOSS


def broken(failures: int, of: int) -> Breaker:
    breaker = Breaker()
    for number in range(of):
        breaker = breaker.after(Attempt(float(number), failed=number < failures))
    return breaker


def test_eight_failures_of_twenty_trip_the_breaker() -> None:
    assert broken(7, 20).hold(1000.0, 30, 8) is None
    held = broken(8, 20).hold(1000.0, 30, 8)
    assert held is not None
    assert held.reason is Reason.BREAKER
    assert broken(8, 21).hold(1000.0, 30, 8) is None


def test_a_failure_cools_down() -> None:
    breaker = Breaker().after(Attempt(100.0, failed=True))

    held = breaker.hold(129.9, 30, 8)
    assert held is not None
    assert held.reason is Reason.COOLDOWN
    assert breaker.hold(130.0, 30, 8) is None


def test_failures_that_cost_more_than_five_trades_earn_trip_the_breaker() -> None:
    cheap = Breaker().after(Attempt(0.0, failed=True, cost=D("0.5"), expected=D("0.1")))
    dear = Breaker().after(Attempt(0.0, failed=True, cost=D("0.51"), expected=D("0.1")))

    assert cheap.hold(60.0, 30, 8) is None
    held = dear.hold(60.0, 30, 8)
    assert held is not None
    assert held.reason is Reason.BREAKER
    assert dear.hold(3601.0, 30, 8) is None


@given(st.lists(st.floats(0, 100), max_size=60))
def test_the_breaker_remembers_what_its_rules_need_and_no_more(gaps: list[float]) -> None:
    breaker, now, every = Breaker(), 0.0, []
    for gap in gaps:
        now += gap * 60
        every.append(Attempt(now, failed=False))
        breaker = breaker.after(every[-1])

    assert breaker.attempts[-20:] == tuple(every[-20:])
    recent = [one for one in every if now - one.at_s <= 3600]
    assert list(breaker.attempts) == every[-max(20, len(recent)) :]


def test_a_third_of_the_tokens_is_kept_for_closing() -> None:
    bucket, allowed = spend(Bucket(3.0, 0.0), 0.0, 3, 2)
    assert allowed
    refused, allowed = spend(bucket, 0.0, 3)
    assert not allowed
    assert refused == bucket
    assert spend(bucket, 0.0, 3, closing=True)[1]


@pytest.mark.parametrize("per_second", [2, 3, 8])
def test_a_pair_may_leave_with_a_full_bucket(per_second: int) -> None:
    assert spend(Bucket(float(per_second), 0.0), 0.0, per_second, 2)[1]


@given(st.lists(st.tuples(st.floats(0, 0.5), st.booleans()), max_size=100))
def test_no_second_sees_more_than_a_full_bucket_and_its_refill(steps) -> None:
    bucket, now, sent = Bucket(4.0, 0.0), 0.0, []
    for wait, closing in steps:
        now += wait
        bucket, allowed = spend(bucket, now, 4, closing=closing)
        if allowed:
            sent.append(now)

    for start in sent:
        assert len([at for at in sent if start <= at <= start + 1]) <= 8


def test_a_market_of_limits_leaves_what_is_not_at_work(make) -> None:
    market = make.market(PARADEX, max_order=D(3), max_position=D(5), max_open_orders=2)

    left = room(Caps(), [], {})
    for at_work, orders, most in (
        (D(0), 0, D(3)),
        (D(4), 1, D(1)),
        (D(6), 0, D(0)),
        (D(0), 2, D(0)),
    ):
        limited = attrs.evolve(left, most=limits_left(market, at_work, orders))

        assert limited.takes(PARADEX, most)
        assert not limited.takes(PARADEX, most + D("0.1"))
        assert limited.takes(VEST, D(100))
