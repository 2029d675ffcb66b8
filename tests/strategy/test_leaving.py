"""When a held pair is closed, and at which prices."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.market import PARADEX, VENUES, VEST, other
from bot4.domain.order import Side
from bot4.strategy.decision import Exit, Hold, Holding, Memory, Reason, Rules, Why, decide
from bot4.strategy.leaving import break_even, exit_threshold

D = Decimal
RULES = Rules()
HOUR = 3600.0


def holding(long=VEST, held_s=10.0, entry="0.0025", **changes) -> Holding:
    usual = Holding(long, D("0.003"), D("0.003"), D(entry), held_s)
    return attrs.evolve(usual, **changes)


def judged(make, bid, ask, held=None, **changes):
    view = make.view(bid, ask, holding=held or holding(), **changes)
    return decide(view, RULES, Memory(RULES))


def reason(decision) -> Reason:
    assert isinstance(decision, Hold)
    return decision.reason


def test_a_pair_is_closed_at_its_exit_threshold(make) -> None:
    """Selling Vest at 99990 against buying Paradex back at 100010 gives -0.02 %."""
    decision = judged(make, "99990", "100000")

    assert isinstance(decision, Exit)
    assert decision.why is Why.TARGET
    assert not decision.forced
    assert decision.spread == D(99990) / 100010 - 1
    assert decision.target == RULES.leave.spread_exit
    assert decision.side(VEST) is Side.SELL
    assert decision.side(PARADEX) is Side.BUY
    assert decision.limit(VEST) == decision.long_limit <= 99990
    assert decision.limit(PARADEX) == decision.short_limit >= 100010
    worst = decision.long_limit / decision.short_limit - 1
    assert worst >= RULES.leave.spread_exit - RULES.leave.tolerance


def test_an_exit_just_at_its_threshold_still_has_the_tolerance_for_room(make) -> None:
    book = make.book(PARADEX, [("99990", "1")], [("100000", "1")], 99.9)

    decision = judged(make, "99970", "99980", paradex=book)

    assert isinstance(decision, Exit)
    assert decision.spread == decision.target
    assert decision.long_limit < 99970
    assert decision.short_limit > 100000


def test_the_reverse_direction_closes_on_the_reverse_sides(make) -> None:
    decision = judged(make, "99990", "100005", holding(PARADEX))

    assert isinstance(decision, Exit)
    assert decision.spread == D(100000) / 100005 - 1
    assert decision.side(PARADEX) is Side.SELL
    assert decision.limit(PARADEX) <= 100000
    assert decision.limit(VEST) >= 100005


def test_below_the_threshold_it_is_held(make) -> None:
    assert reason(judged(make, "99960", "99970")) is Reason.BELOW_EXIT


def test_an_exit_too_good_to_be_true_is_suspect(make) -> None:
    assert reason(judged(make, "102000", "102010")) is Reason.SUSPECT


def test_each_venue_closes_what_it_holds(make) -> None:
    held = holding(vest_size=D("0.0031"), paradex_size=D("0.003"))

    decision = judged(make, "99990", "100000", held)

    assert isinstance(decision, Exit)
    assert decision.size(VEST) == D("0.0031")
    assert decision.size(PARADEX) == D("0.003")
    assert decision.spread == D(99990) / 100010 - 1


def test_from_half_of_the_longest_hold_breaking_even_is_enough(make) -> None:
    """0.25 % in, 0.06 % fees, 0.015 % premium: it breaks even at -0.175 %."""
    view = make.view("99990", "100000")

    assert exit_threshold(view, holding(held_s=12 * HOUR - 1), RULES.leave) == D("-0.0003")
    assert exit_threshold(view, holding(held_s=12 * HOUR), RULES.leave) == D("-0.00175")
    assert break_even(view, holding()) == D("-0.00175")
    poor = holding(held_s=12 * HOUR, entry="0.0005")
    assert exit_threshold(view, poor, RULES.leave) == D("-0.0003")
    assert isinstance(judged(make, "99840", "99850", holding(held_s=13 * HOUR)), Exit)
    assert isinstance(judged(make, "99840", "99850"), Hold)


@pytest.mark.parametrize(
    ("held", "must_leave", "why"),
    [(holding(held_s=24 * HOUR), None, Why.HOLD_TIME), (holding(), Why.STOP, Why.STOP)],
)
def test_a_forced_exit_goes_at_any_spread_within_its_cap(make, held, must_leave, why) -> None:
    decision = judged(make, "97000", "97010", held, must_leave=must_leave)

    assert isinstance(decision, Exit)
    assert decision.why is why
    assert decision.forced
    worst = decision.long_limit / decision.short_limit - 1
    assert worst >= decision.spread - RULES.leave.forced_exit_cap
    assert decision.long_limit < 97000
    assert decision.short_limit > 100010


def test_a_book_too_thin_holds_an_exit_and_cuts_a_forced_one_to_what_it_shows(make) -> None:
    held = holding(vest_size=D(2), paradex_size=D(2))

    assert reason(judged(make, "99990", "100000", held)) is Reason.THIN
    forced = judged(make, "99990", "100000", held, must_leave=Why.STOP)
    assert isinstance(forced, Exit)
    assert forced.size(VEST) == forced.size(PARADEX) == 1


def test_a_rate_too_uncertain_is_rounding(make) -> None:
    decision = judged(make, "99990", "100000", rate=make.rate("1", "0.001"))

    assert reason(decision) is Reason.ROUNDING


@given(st.data())
def test_an_exit_at_target_keeps_its_promise(make, any_book, any_rate, data) -> None:
    pair, long = make.pair(), data.draw(st.sampled_from(VENUES))
    middle = 10_000_000 + data.draw(st.integers(-30_000, 30_000))
    books = {
        VEST: data.draw(any_book(pair.vest, middle)),
        PARADEX: data.draw(any_book(pair.paradex, 1_000_000)),
    }
    size = D(data.draw(st.integers(1, 5))) / 10_000
    held = Holding(long, size, size, D("0.002"), data.draw(st.sampled_from([0.0, 13 * HOUR])))
    rate = data.draw(any_rate)
    view = make.view("1", "2", now_s=0.1, vest_heartbeat_at=0.0, rate=rate, holding=held)
    view = attrs.evolve(view, vest=books[VEST], paradex=books[PARADEX])

    decision = decide(view, RULES, Memory(RULES))

    if isinstance(decision, Exit):
        sold = [decision.long_limit / (u if long == PARADEX else 1) for u in (rate.low, rate.high)]
        paid = [decision.short_limit / (u if long == VEST else 1) for u in (rate.low, rate.high)]
        worst = min(one / two - 1 for one, two in zip(sold, paid, strict=True))
        assert worst >= decision.target - RULES.leave.tolerance - D("1e-25")
        assert decision.spread >= decision.target
        assert other(long) != decision.long
