"""Gates before any judgement, and which gate speaks first."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from bot4.domain.market import VEST
from bot4.domain.quote import QuoteRate
from bot4.strategy.decision import Enter, Hold, Holding, Memory, Reason, Rules, Why, decide
from bot4.strategy.risk import Room

D = Decimal
RULES = Rules()


def held(decision) -> Reason:
    assert isinstance(decision, Hold)
    return decision.reason


def confirm(make, view, memory=None):
    """Show the same gap for 0.7 s or until it is entered; return the last decision."""
    memory = memory or Memory(RULES)
    for _ in range(8):
        decision = decide(view, RULES, memory)
        if isinstance(decision, Enter):
            break
        view = make.later(view, 0.1)
    return decision


def test_stale_books_come_before_everything(make) -> None:
    view = make.view("99600", "99610", now_s=102.0)

    assert held(decide(view, RULES, Memory(RULES))) is Reason.PARADEX_STALE
    blind = attrs.evolve(view, vest=None)
    assert held(decide(blind, RULES, Memory(RULES))) is Reason.NO_BOOK


@pytest.mark.parametrize(
    "rate",
    [
        QuoteRate(D(1), D(1), D(1), 90.1),
        QuoteRate(D("0.99"), D(1), D(1), 1.0),
        QuoteRate(D(1), D(1), D("1.006"), 1.0),
        QuoteRate(D(1), D(1), D(1), 1.0, drift=D("0.0011")),
    ],
)
def test_a_doubtful_quote_rate_opens_nothing(make, rate) -> None:
    view = make.view("99600", "99610", rate=rate)

    assert held(decide(view, RULES, Memory(RULES))) is Reason.QUOTE_RATE


def test_a_market_that_does_not_trade_opens_nothing(make) -> None:
    view = make.view("99600", "99610", pair=make.pair(paradex={"trading": False}))

    assert held(decide(view, RULES, Memory(RULES))) is Reason.MARKET_CLOSED


def test_stale_books_break_a_confirmation(make) -> None:
    memory, view = Memory(RULES), make.view("99600", "99610")
    decide(view, RULES, memory)
    decide(attrs.evolve(view, now_s=102.0), RULES, memory)

    assert memory.flickers == 1
    assert held(decide(make.later(view, 3.0), RULES, memory)) is Reason.CONFIRMING


def test_a_gap_is_confirmed_then_entered_and_confirmed_anew(make) -> None:
    memory, view = Memory(RULES), make.view("99600", "99610")

    assert held(decide(view, RULES, memory)) is Reason.CONFIRMING
    decision = confirm(make, view, memory=memory)
    assert isinstance(decision, Enter)

    memory.restart()
    for step in range(7, 12):
        later = make.later(view, step / 10, vest_published=20 + step, paradex_published=20 + step)
        again = decide(later, RULES, memory)
        assert held(again) is Reason.CONFIRMING


def test_a_blocked_gap_says_who_blocks_it_once_it_is_real(make) -> None:
    why = Hold(Reason.DAILY_LOSS, "60 USDC lost today")
    view = make.view("99600", "99610", blocked=why)

    assert confirm(make, view) is why
    quiet = make.view("99990", "100000", blocked=why)
    assert held(confirm(make, quiet)) is Reason.BELOW_ENTRY


def test_a_venue_without_room_is_named_at_once(make) -> None:
    view = make.view("99600", "99610", room=Room(D(0), D(3000)))

    assert held(decide(view, RULES, Memory(RULES))) is Reason.CAP


def test_while_something_is_held_nothing_is_entered(make) -> None:
    holding = Holding(VEST, D("0.003"), D("0.003"), D("0.002"), 10.0)
    view = make.view("99600", "99610", holding=holding)

    assert held(confirm(make, view)) is Reason.BELOW_EXIT


def test_an_old_quote_rate_prices_no_exit_but_a_forced_one(make) -> None:
    holding = Holding(VEST, D("0.003"), D("0.003"), D("0.002"), 10.0)
    view = make.view("100050", "100060", holding=holding, rate=make.rate(age_s=91.0))

    assert held(decide(view, RULES, Memory(RULES))) is Reason.QUOTE_RATE
    forced = attrs.evolve(view, must_leave=Why.STOP)
    assert not isinstance(decide(forced, RULES, Memory(RULES)), Hold)


def test_a_view_without_a_book_has_no_books(make) -> None:
    with pytest.raises(ValueError, match="missing"):
        make.view("99990", "100000", vest=None).books()
