"""Finish the pair or go back: by what each costs from here on."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.market import PARADEX, VENUES, VEST, other
from bot4.domain.order import Side
from bot4.strategy.clips import clip
from bot4.strategy.complete_or_unwind import Complete, Look, Unwind, Wait, choose
from bot4.strategy.premium import Premium
from bot4.strategy.rules import MendRules

D = Decimal
RULES = MendRules()


def look(make, bid="100200", ask="100210", **changes) -> Look:
    """Long Vest was filled at 100000; the short leg on Paradex, now at these prices, is missing."""
    usual = Look(
        pair=make.pair(),
        vest=make.book(VEST, [("99990", "1")], [("100000", "1")]),
        paradex=make.book(PARADEX, [(bid, "1")], [(ask, "1")]),
        filled_venue=VEST,
        side=Side.BUY,
        size=D("0.003"),
        filled_price=D(100000),
        since_first_fill_s=0.2,
        rate=make.rate(),
        leave=D("-0.0003"),
    )
    return attrs.evolve(usual, **changes)


def test_a_gap_that_is_still_there_is_completed(make) -> None:
    chosen = choose(look(make), RULES)

    assert isinstance(chosen, Complete)
    assert (chosen.venue, chosen.side, chosen.size) == (PARADEX, Side.SELL, D("0.003"))
    assert chosen.costs.spread == D("0.002")
    # 0.20 - 0.03 (exit) - 0.02 (Paradex fee) - 0.03 (both closing) - 0.015 (premium) percent
    assert chosen.costs.complete == D("0.00105")
    # -0.01 (back to the bid) - 0.01 (Vest fee) - 0.015 (premium) percent
    assert chosen.costs.unwind == D("-0.00035")
    assert chosen.limit / 100000 - 1 >= RULES.floor
    assert chosen.limit < 100200


def test_a_gap_below_the_floor_is_never_completed(make) -> None:
    chosen = choose(look(make, "100099", "100110"), RULES)

    assert isinstance(chosen, Unwind)
    assert (chosen.venue, chosen.side, chosen.size) == (VEST, Side.SELL, D("0.003"))
    assert "0.099%" in chosen.why
    assert chosen.limit == D("99940.01")


def test_going_back_is_chosen_when_it_is_cheaper(make) -> None:
    """The filled leg could be sold back at a profit; completing at 0.11 % earns less."""
    better = make.book(VEST, [("100300", "1")], [("100310", "1")])

    chosen = choose(look(make, "100110", "100120", vest=better), RULES)

    assert isinstance(chosen, Unwind)
    assert chosen.why == "going back is cheaper"


def test_completing_must_win_by_the_margin(make) -> None:
    """Complete earns 0.0006 at 0.155 %; going back earns as much less the margin, or a bit more."""
    paradex = make.book(PARADEX, [("100155", "1")], [("100160", "1")])
    # Selling back at b earns b/100000 - 1 - 0.00025.
    even = make.book(VEST, [("100055", "1")], [("100056", "1")])
    above = make.book(VEST, [("100055.01", "1")], [("100056", "1")])

    at_margin = choose(look(make, paradex=paradex, vest=even), RULES)
    past_it = choose(look(make, paradex=paradex, vest=above), RULES)

    assert isinstance(at_margin, Complete)
    assert at_margin.limit == D("100155")
    assert isinstance(past_it, Unwind)


def test_the_missing_leg_is_bought_when_the_filled_one_is_short(make) -> None:
    chosen = choose(
        look(
            make,
            vest=make.book(VEST, [("99790", "1")], [("99800", "1")]),
            filled_venue=PARADEX,
            side=Side.SELL,
        ),
        RULES,
    )

    assert isinstance(chosen, Complete)
    assert (chosen.venue, chosen.side) == (VEST, Side.BUY)
    assert chosen.costs.spread == D(100000) / 99800 - 1
    assert 100000 / chosen.limit - 1 >= RULES.floor
    # Both of Vest's fills are still to come; only the closing one is believed to add risk.
    net = chosen.costs.spread - D("0.0003") - D("0.0001") - D("0.0003") - D("0.00015")
    assert chosen.costs.complete == net


def test_a_premium_learned_for_opening_counts_when_vest_is_the_missing_leg(make) -> None:
    premium = Premium()
    for _ in range(20):
        premium = premium.saw(Side.BUY, D(300), D(2), closing=False)
    vest = make.book(VEST, [("99790", "1")], [("99800", "1")])
    case = look(make, vest=vest, filled_venue=PARADEX, side=Side.SELL)

    plain, dearer = (choose(attrs.evolve(case, premium=p), RULES) for p in (Premium(), premium))

    assert plain.costs.complete is not None
    assert dearer.costs.complete == plain.costs.complete - D("0.0001")


@pytest.mark.parametrize(
    "changes",
    [
        {"stopping": True},
        {"other_dark": True},
        {"paradex": None},
        {"may_complete": False},
        {"since_first_fill_s": 1.5},
        {"size": D("2")},
    ],
)
def test_what_bars_completing_unwinds(make, changes) -> None:
    chosen = choose(look(make, **changes), RULES)

    assert isinstance(chosen, Unwind)
    assert chosen.side is Side.SELL


def test_a_missing_leg_below_the_venues_minimum_is_unwound(make) -> None:
    small = look(make, size=D("0.00009"), pair=make.pair(vest={"lot": D("0.00001")}))

    assert isinstance(choose(small, RULES), Unwind)
    large_lot = make.pair(paradex={"lot": D("0.01")})
    assert isinstance(choose(look(make, pair=large_lot), RULES), Unwind)


def test_a_dark_filled_venue_completes_however_late_down_to_the_floor(make) -> None:
    dark = look(make, filled_dark=True, since_first_fill_s=60.0)

    chosen = choose(dark, RULES)

    assert isinstance(chosen, Complete)
    assert chosen.limit == D("100100")
    below = look(make, "100050", "100060", filled_dark=True)
    assert isinstance(choose(below, RULES), Complete)


@pytest.mark.parametrize(
    "changes",
    [
        {"filled_dark": True, "other_dark": True},
        {"filled_dark": True, "paradex": None},
        {"filled_dark": True, "stopping": True},
        {"filled_dark": True, "may_complete": False},
        {"filled_dark": True, "size": D(2)},
        {"vest": None},
        {"vest": None, "stopping": True},
    ],
)
def test_without_any_book_to_trade_on_it_waits(make, changes) -> None:
    assert isinstance(choose(look(make, **changes), RULES), Wait)


@given(st.data())
def test_a_completed_pair_never_falls_below_its_floor(make, any_book, any_rate, data) -> None:
    pair, filled_venue = make.pair(), data.draw(st.sampled_from(VENUES))
    side, rate = data.draw(st.sampled_from(Side)), data.draw(any_rate)
    vest = data.draw(any_book(pair.vest, 10_000_000 + data.draw(st.integers(-40_000, 40_000))))
    paradex = data.draw(any_book(pair.paradex, 1_000_000))
    filled_book = vest if filled_venue == VEST else paradex
    price = D(filled_book.ask if side is Side.BUY else filled_book.bid) / 10**8
    case = look(
        make,
        vest=vest,
        paradex=paradex,
        filled_venue=filled_venue,
        side=side,
        filled_price=price,
        rate=rate,
    )

    chosen = choose(case, RULES)

    if isinstance(chosen, Complete):
        assert chosen.venue == other(filled_venue)
        assert chosen.costs.complete is not None
        assert chosen.costs.unwind is not None
        assert chosen.costs.complete >= chosen.costs.unwind + RULES.margin
        for usd in (rate.low, rate.high):
            filled = price / (usd if filled_venue == PARADEX else 1)
            mended = chosen.limit / (usd if filled_venue == VEST else 1)
            spread = mended / filled if side is Side.BUY else filled / mended
            assert spread - 1 >= RULES.floor - D("1e-25")


def test_a_reducing_order_takes_no_more_than_is_shown(make) -> None:
    book = make.book(VEST, [("99990", "0.5"), ("99000", "5")], [("100000", "1")])
    market = make.market(VEST, lot=D("0.1"), min_size=D("0.2"))

    assert clip(book, Side.SELL, D("0.3"), D(99950), market) == D("0.3")
    assert clip(book, Side.SELL, D("1.0"), D(99950), market) == D("0.5")
    assert clip(book, Side.SELL, D("1.0"), D(98000), market) == D("1.0")
    # Nothing is shown at the limit: the smallest order; a remainder below it goes along.
    assert clip(book, Side.SELL, D("1.0"), D(99995), market) == D("0.2")
    assert clip(book, Side.SELL, D("0.6"), D(99950), market) == D("0.6")
    assert clip(book, Side.SELL, D("0.1"), D(99995), market) == D("0.1")
