"""The table of a trade's life, as data and as walked by events."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import Order, Purpose, Side
from bot4.strategy.events import (
    Answered,
    Ask,
    Compensate,
    Corrected,
    Filled,
    Finish,
    Intended,
    Missing,
    Overdue,
    Restarted,
    Sent,
    Stopped,
    Unwound,
    Verdict,
    step,
    todo,
)
from bot4.strategy.saga import TRANSITIONS, Fact, Plan, State, Trade, excess, fact

D = Decimal
LONG, SHORT = MarketKey("vest", "BTC-PERP"), MarketKey("paradex", "BTC-USD-PERP")
PLAN = Plan(
    trade_id="abc123-1",
    pair="BTC",
    long=LONG,
    short=SHORT,
    size=D("0.0036"),
    lots=(("vest", D("0.0001")), ("paradex", D("0.00001"))),
    dust=D("0.00013"),
    attempts=4,
    settle_ms=1000,
)


def order(name: str, key: MarketKey, side: Side, size: str, purpose: Purpose) -> Order:
    return Order(
        client_order_id=name,
        trade_id=PLAN.trade_id,
        key=key,
        side=side,
        size=D(size),
        limit=D(83000),
        purpose=purpose,
        attempt=1,
        reduce_only=purpose in (Purpose.EXIT, Purpose.UNWIND),
        signed_ms=1000,
        window_ms=2000,
    )


BUY = order("1", LONG, Side.BUY, "0.0036", Purpose.ENTER)
SELL = order("2", SHORT, Side.SELL, "0.0036", Purpose.ENTER)


def filled(one: Order, size: str | None = None, number: int = 1) -> Filled:
    amount = D(size) if size else one.size
    return Filled(
        one.client_order_id,
        Fill(
            one.key.venue,
            f"{one.client_order_id}-{number}",
            one.client_order_id,
            "v",
            one.key.symbol,
            one.side,
            D(83000),
            amount,
            D(0),
        ),
    )


def refused(one: Order) -> Answered:
    return Answered(one.client_order_id, Verdict.REFUSED, why="margin")


def walk(*events: object, trade: Trade | None = None) -> Trade:
    trade = trade or Trade(PLAN)
    for second, event in enumerate(events):
        trade = step(trade, event, float(second * 2))
    return trade


OPEN = (Intended((BUY, SELL)), Sent("1"), Sent("2"))


def reachable(start: State) -> set[State]:
    seen, todo_ = {start}, [start]
    while todo_:
        for after in TRANSITIONS[todo_.pop()].values():
            if after not in seen:
                seen.add(after)
                todo_.append(after)
    return seen


@pytest.mark.parametrize("state", State)
def test_no_state_is_a_dead_end(state: State):
    assert State.FLAT in reachable(state)


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_from_flat(state: State):
    assert state in reachable(State.FLAT)


def test_both_filled_is_hedged():
    trade = walk(*OPEN, filled(BUY), filled(SELL))

    assert trade.state is State.HEDGED
    assert trade.net == 0
    assert todo(trade) == ()


def test_neither_filled_is_flat_and_finished():
    trade = walk(*OPEN, refused(BUY), refused(SELL))

    assert trade.state is State.FLAT
    assert todo(trade) == (Finish(),)


def test_one_refused_leaves_the_other_to_be_completed_or_unwound():
    trade = walk(*OPEN, filled(BUY), refused(SELL))

    assert trade.state is State.MENDING
    (action,) = todo(trade)
    assert isinstance(action, Compensate)
    assert action.may_complete
    assert (action.excess.venue, action.excess.side) == ("vest", Side.SELL)
    assert action.excess.size == D("0.0036")


def test_after_the_stop_a_missing_leg_is_unwound_never_completed():
    trade = walk(*OPEN, Stopped(), filled(BUY), refused(SELL))

    (action,) = todo(trade)
    assert isinstance(action, Compensate)
    assert not action.may_complete


def test_one_in_doubt_is_asked_about_and_nothing_else_is_done():
    trade = walk(*OPEN, filled(BUY), Answered("2", Verdict.IN_DOUBT, why="timeout"))

    assert trade.state is State.SETTLING
    assert [type(action) for action in todo(trade)] == [Ask]


def test_a_doubt_that_proves_never_sent_leads_to_mending():
    trade = walk(*OPEN, filled(BUY), Overdue("2"), Missing("2", 4001), Missing("2", 5001))

    assert trade.state is State.MENDING


def test_a_doubt_that_proves_filled_is_hedged_without_another_order():
    trade = walk(*OPEN, filled(BUY), Overdue("2"), filled(SELL))

    assert trade.state is State.HEDGED
    assert len(trade.legs) == 2


def test_unequal_partial_fills_are_mended_by_the_difference():
    trade = walk(*OPEN, filled(BUY), filled(SELL, "0.0020"), Answered("2", Verdict.ACCEPTED))
    trade = step(trade, _closed("2", "0.0020"), 9.0)

    (action,) = todo(trade)
    assert isinstance(action, Compensate)
    assert action.excess.size == D("0.0016")


def test_an_imbalance_below_what_can_be_traded_counts_as_hedged():
    trade = walk(*OPEN, filled(BUY), filled(SELL, "0.00355"))
    trade = step(trade, _closed("2", "0.00355"), 9.0)

    assert trade.state is State.HEDGED
    assert trade.net == D("0.00005")


def test_an_exit_that_closes_one_leg_goes_forward():
    close_long = order("3", LONG, Side.SELL, "0.0036", Purpose.EXIT)
    close_short = order("4", SHORT, Side.BUY, "0.0036", Purpose.EXIT)
    trade = walk(*OPEN, filled(BUY), filled(SELL), Intended((close_long, close_short)))
    trade = walk(filled(close_long), refused(close_short), trade=trade)

    assert trade.state is State.UNWINDING
    (action,) = todo(trade)
    assert isinstance(action, Compensate)
    assert not action.may_complete
    assert (action.excess.venue, action.excess.side) == ("paradex", Side.BUY)


def test_too_many_failed_attempts_strand_the_trade_loudly_and_go_on():
    trade = walk(*OPEN, filled(BUY), refused(SELL), Unwound())
    for number in range(3, 3 + PLAN.attempts):
        back = order(str(number), LONG, Side.SELL, "0.0036", Purpose.UNWIND)
        trade = walk(Intended((back,)), refused(back), trade=trade)

    assert trade.state is State.STRANDED
    assert isinstance(todo(trade)[0], Compensate)
    back = order("9", LONG, Side.SELL, "0.0036", Purpose.UNWIND)
    assert walk(Intended((back,)), filled(back), trade=trade).state is State.FLAT


def test_an_overfill_is_reduced_by_the_excess():
    trade = walk(*OPEN, filled(SELL), filled(BUY, "0.0046"))

    found = excess(trade)
    assert found is not None
    assert (found.venue, found.side, found.size) == ("vest", Side.SELL, D("0.0010"))


def test_a_leg_closed_by_hand_reduces_the_other():
    trade = walk(*OPEN, filled(BUY), filled(SELL), Corrected("vest", D("-0.0036"), "by hand"))

    assert trade.state is State.UNWINDING
    assert excess(trade) is not None


def test_both_legs_closed_by_hand_end_the_trade():
    trade = walk(
        *OPEN,
        filled(BUY),
        filled(SELL),
        Corrected("vest", D("-0.0036"), "by hand"),
        Corrected("paradex", D("0.0036"), "by hand"),
    )

    assert trade.state is State.FLAT


@pytest.mark.parametrize("cut", range(6))
def test_a_restart_anywhere_stands_where_the_crash_stood(cut: int):
    events = [*OPEN, Answered("1", Verdict.ACCEPTED, "v"), filled(BUY), filled(SELL)][: cut + 1]
    before = walk(*events)

    again = Trade(PLAN)
    for event in events:
        again = step(again, event, 0.0)
    restarted = step(again, Restarted(), 0.0)

    assert attrs.evolve(again, first_fill_s=None) == attrs.evolve(before, first_fill_s=None)
    assert restarted.state in (State.SETTLING, State.HEDGED)
    assert {leg.filled for leg in restarted.legs} == {leg.filled for leg in before.legs}


EVENTS = [
    Sent("1"),
    Sent("2"),
    Answered("1", Verdict.ACCEPTED, "v"),
    Answered("2", Verdict.REFUSED, why="x"),
    Answered("2", Verdict.IN_DOUBT, why="x"),
    Answered("1", Verdict.NOT_SENT, why="x"),
    filled(BUY, "0.0010", 1),
    filled(BUY, "0.0026", 2),
    filled(SELL),
    Overdue("1"),
    Overdue("2"),
    Missing("1", 9_000),
    Missing("2", 9_000),
    Stopped(),
    Restarted(),
    Corrected("vest", D("-0.0010"), "bust"),
]


@given(st.lists(st.sampled_from(EVENTS), max_size=14))
def test_no_sequence_of_events_is_impossible(events: list[object]):
    trade = walk(Intended((BUY, SELL)), *events)

    assert trade.state in State
    assert fact(trade) in Fact
    assert len({leg.order.client_order_id for leg in trade.legs}) == 2
    if trade.state is State.HEDGED:
        assert abs(trade.net) < PLAN.dust
    if trade.state is State.FLAT:
        assert excess(trade) is None


def _closed(name: str, size: str) -> object:
    from bot4.domain.order import OrderReport, OrderState
    from bot4.strategy.events import Reported

    report = OrderReport("paradex", name, "v", OrderState.CLOSED, filled=D(size))
    return Reported(name, report)


def test_a_pair_is_even_only_where_its_smaller_leg_could_be_traded():
    """0.0002 against 0.0001: they nearly cancel out, but the smaller one is no hedge."""
    trade = walk(
        *OPEN,
        filled(BUY, "0.0002"),
        filled(SELL, "0.0001"),
        _closed("1", "0.0002"),
        _closed("2", "0.0001"),
    )

    assert trade.open_legs() == ()
    assert fact(trade) is Fact.UNEVEN
    assert trade.state is not State.HEDGED
