"""What an entry carries, and what keeps it from happening."""

from __future__ import annotations

from decimal import Decimal

import attrs

from bot4.domain.market import PARADEX, VEST
from bot4.domain.order import Side
from bot4.strategy.decision import Enter, Hold, Memory, Reason, Rules, decide
from bot4.strategy.edge import ENOUGH
from bot4.strategy.rules import EntryRules, SizeRules

D = Decimal
RULES = Rules()


def confirm(make, view, memory=None):
    """Show the same gap for 0.7 s or until it is entered; return the last decision and view."""
    memory = memory or Memory(RULES)
    for _ in range(8):
        decision, last = decide(view, RULES, memory), view
        if isinstance(decision, Enter):
            break
        view = make.later(view, 0.1)
    return decision, last


def held(decision) -> Reason:
    assert isinstance(decision, Hold)
    return decision.reason


def test_vest_cheap_means_long_vest(make) -> None:
    decision, view = confirm(make, make.view("99690", "99700"))

    assert isinstance(decision, Enter)
    assert decision.long == VEST
    assert decision.spread == D(100000) / 99700 - 1
    assert decision.side(VEST) is Side.BUY
    assert decision.side(PARADEX) is Side.SELL
    assert decision.limit(VEST) == decision.long_limit >= 99700
    assert decision.limit(PARADEX) == decision.short_limit <= 100000
    assert decision.short_limit / decision.long_limit - 1 >= RULES.entry.floor
    assert (decision.long_price, decision.short_price) == (99700, 100000)
    assert decision.size * decision.short_price <= RULES.size.notional
    assert decision.confirmed_ms >= 600
    assert view.vest is not None
    assert decision.detected_at == view.vest.received_at


def test_vest_dear_means_long_paradex(make) -> None:
    decision, _ = confirm(make, make.view("100310", "100320"))

    assert isinstance(decision, Enter)
    assert decision.long == PARADEX
    assert decision.spread == D(100310) / 100010 - 1
    assert decision.side(VEST) is Side.SELL
    assert decision.short_limit / decision.long_limit - 1 >= RULES.entry.floor


def test_an_entry_that_time_alone_confirms_is_detected_now(make) -> None:
    memory, view = Memory(RULES), make.view("99690", "99700")
    for _ in range(6):
        decide(view, RULES, memory)
        view = make.later(view, 0.1)
    decide(view, RULES, memory)
    # No frame since: only the clock went on.
    still = attrs.evolve(view, now_s=view.now_s + 0.05)
    memory.confirmations[VEST].restart()
    assert held(decide(still, RULES, memory)) is Reason.CONFIRMING
    assert memory.detected_at == still.now_s


def test_a_picture_too_good_to_be_true_is_suspect(make) -> None:
    decision, _ = confirm(make, make.view("98400", "98410"))

    assert held(decision) is Reason.SUSPECT


def test_an_entry_that_the_usual_exit_would_not_pay_is_held(make) -> None:
    memory, view = Memory(RULES), make.view("99690", "99700")
    for second in range(ENOUGH):
        memory.history[VEST].add(float(second - ENOUGH), D("-0.0040"))

    decision, _ = confirm(make, view, memory=memory)

    assert held(decision) is Reason.EDGE


def test_fees_premium_and_carry_all_count(make) -> None:
    """0.301 % - 0.03 % - 0.06 % - 0.015 % of premium leaves 0.196 %."""
    view = make.view("99690", "99700")
    decision, _ = confirm(make, view)
    assert isinstance(decision, Enter)
    assert decision.net == decision.spread - D("0.0003") - D("0.0006") - D("0.00015")

    for dearer in (
        {"pair": make.pair(vest={"taker_fee": D("0.0012")})},
        {"pair": make.pair(paradex={"taker_fee": D("0.0012")})},
        {"carry_long_vest": D("0.0019")},
    ):
        decision, _ = confirm(make, attrs.evolve(view, **dearer))
        assert held(decision) is Reason.EDGE


def test_a_round_trip_that_leaves_exactly_the_profit_asked_for_is_entered(make) -> None:
    """0.21 % on a price without remainder, less 0.105 % of costs, less 0.085 % of carry."""
    book = make.book(PARADEX, [("100210", "1")], [("100220", "1")], 99.9)
    view = make.view("99990", "100000", paradex=book, carry_long_vest=D("0.00085"))

    decision, _ = confirm(make, view)
    assert isinstance(decision, Enter)
    assert decision.net == RULES.entry.min_profit

    decision, _ = confirm(make, attrs.evolve(view, carry_long_vest=D("0.000850001")))
    assert held(decision) is Reason.EDGE


def test_carry_has_the_other_sign_the_other_way_round(make) -> None:
    view = make.view("100310", "100320", carry_long_vest=D("0.0019"))

    decision, _ = confirm(make, view)

    assert isinstance(decision, Enter)
    assert decision.net > decision.spread


def test_what_both_directions_say_is_told_when_one_of_them_is_special(make) -> None:
    below, _ = confirm(make, make.view("99990", "100000"))
    assert held(below) is Reason.BELOW_ENTRY
    special, _ = confirm(make, make.view("101700", "101710"))
    assert held(special) is Reason.SUSPECT


def test_exits_are_sampled_while_flat(make) -> None:
    memory = Memory(RULES)
    confirm(make, make.view("99990", "100000"), memory=memory)

    assert len(memory.history[VEST]) == 1
    view = make.later(make.view("99990", "100000"), 2.0)
    decide(view, RULES, memory)
    assert len(memory.history[VEST]) == len(memory.history[PARADEX]) == 2


def test_a_book_too_thin_to_sample_is_left_out(make) -> None:
    rules = Rules(size=SizeRules(notional=D(10**7)))
    memory = Memory(rules)
    decide(make.view("99990", "100000"), rules, memory)

    assert len(memory.history[VEST]) == 0


def test_a_flicker_is_counted_and_never_traded(make) -> None:
    memory, gap, none = Memory(RULES), make.view("99690", "99700"), make.view("99990", "100000")
    for step in range(40):
        view = make.later(gap if step % 4 else none, 0.1 * step)
        view = attrs.evolve(view, vest_published=10 + step, paradex_published=10 + step)

        assert not isinstance(decide(view, RULES, memory), Enter)

    assert memory.flickers == 9


def test_without_confirmation_a_gap_is_entered_at_once(make) -> None:
    rules = Rules(entry=EntryRules(confirm_ms=0, confirm_prices=0))
    memory, view = Memory(rules), make.view("99990", "100000")
    decide(view, rules, memory)
    gap = make.later(make.view("99690", "99700"), 0.1)

    assert isinstance(decide(gap, rules, memory), Hold)
    assert isinstance(decide(make.later(gap, 0.1), rules, memory), Enter)
