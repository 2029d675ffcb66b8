"""Coupled limits: the guarantee of the realised spread (invariant I8), by arithmetic."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.market import PARADEX, VENUES, VEST, other
from bot4.domain.order import Side
from bot4.domain.units import from_e8, to_e8
from bot4.strategy.limits import (
    couple,
    couple_forced,
    mend_limit,
    shown_within,
    unwind_limit,
)

D = Decimal
TICKS = st.sampled_from([D("0.01"), D("0.1"), D(1), D("0.25"), D(5), D("0.0001")])
LEAST = st.integers(-3000, 3000).map(lambda n: D(n) / 100_000)


def worst_spread(buy_venue, buy, sell, rate):
    """The spread of two fills at their limits, at the rate that is worse, exactly."""
    spreads = []
    for usd_per_usdc in (rate.low, rate.rate, rate.high):
        usd = Fraction(usd_per_usdc)
        paid = Fraction(buy) / (usd if buy_venue == PARADEX else 1)
        got = Fraction(sell) / (usd if buy_venue == VEST else 1)
        spreads.append(got / paid - 1)
    return min(spreads)


def drawn_case(make, any_rate, data):
    buy_venue = data.draw(st.sampled_from(VENUES))
    pair = make.pair({"tick": data.draw(TICKS)}, {"tick": data.draw(TICKS)})
    buy_tick, sell_tick = (to_e8(pair.on(v).tick) for v in (buy_venue, other(buy_venue)))
    ask = data.draw(st.integers(10**9, 10**13)) // buy_tick * buy_tick + buy_tick
    bid = ask * data.draw(st.integers(97_000, 104_000)) // 100_000 // sell_tick * sell_tick
    bid = max(bid, sell_tick)
    if data.draw(st.booleans()):
        # A venue's picture may be finer than its tick.
        ask -= data.draw(st.integers(0, buy_tick - 1))
        bid += data.draw(st.integers(0, sell_tick - 1))
    return pair, buy_venue, ask, bid, data.draw(any_rate), data.draw(LEAST)


@given(st.data())
def test_both_filled_at_their_worst_still_earn_the_least_spread(make, any_rate, data) -> None:
    pair, buy_venue, ask, bid, rate, least = drawn_case(make, any_rate, data)

    limits = couple(pair, buy_venue, ask, bid, least, rate)

    if limits is None:
        # Then not even the most generous pair of prices would do.
        buy_tick, sell_tick = (to_e8(pair.on(v).tick) for v in (buy_venue, other(buy_venue)))
        lowest_buy, highest_sell = -(-ask // buy_tick) * buy_tick, bid // sell_tick * sell_tick
        assert worst_spread(buy_venue, lowest_buy, highest_sell, rate) < Fraction(least)
        return
    assert worst_spread(buy_venue, limits.buy, limits.sell, rate) >= Fraction(least)
    assert limits.buy >= ask
    assert 0 < limits.sell <= bid
    assert limits.buy % to_e8(pair.on(buy_venue).tick) == 0
    assert limits.sell % to_e8(pair.on(other(buy_venue)).tick) == 0


@given(st.data())
def test_a_better_fill_than_the_limits_only_helps(make, any_rate, data) -> None:
    pair, buy_venue, ask, bid, rate, least = drawn_case(make, any_rate, data)
    limits = couple(pair, buy_venue, ask, bid, least, rate)
    if limits is None:
        return
    paid = data.draw(st.integers(1, limits.buy))
    got = data.draw(st.integers(limits.sell, 2 * limits.sell))

    assert worst_spread(buy_venue, paid, got, rate) >= Fraction(least)


@pytest.mark.parametrize(("long", "paradex_room"), [(VEST, D("0.7")), (PARADEX, D("0.7"))])
def test_the_slower_venue_gets_seventy_percent_of_the_room(make, long, paradex_room) -> None:
    pair = make.pair({"tick": D("0.0001")}, {"tick": D("0.0001")})
    ask, bid = to_e8(D(100_000)), to_e8(D(100_300))

    limits = couple(pair, long, ask, bid, D("0.001"), make.rate())

    assert limits is not None
    long_room = from_e8(limits.buy) / 100_000 - 1
    short_room = 1 - from_e8(limits.sell) / 100_300
    share = (short_room if long == VEST else long_room) / (long_room + short_room)
    assert abs(share - paradex_room) < D("0.001")


def test_a_gap_smaller_than_a_tick_gives_no_limits(make) -> None:
    pair = make.pair({"tick": D(1)}, {"tick": D(1)})
    ask, bid = to_e8(D(1000)), to_e8(D(1002))

    assert couple(pair, VEST, ask, bid, D("0.002"), make.rate()) is not None
    assert couple(pair, VEST, ask, bid, D("0.002001"), make.rate()) is None


def test_a_bid_between_two_ticks_gives_no_room_that_the_tick_takes_back(make) -> None:
    pair = make.pair({"tick": D("0.01")}, {"tick": D(1)})

    limits = couple(pair, VEST, to_e8(D(100)), to_e8(D("100.95")), D(0), make.rate())

    assert limits is not None
    assert (from_e8(limits.buy), from_e8(limits.sell)) == (100, 100)


def test_an_uncertain_rate_takes_its_worse_end(make) -> None:
    pair, rate = make.pair(), make.rate("1", "0.0005")
    ask, bid = to_e8(D(100_000)), to_e8(D(100_200))

    assert couple(pair, VEST, ask, bid, D("0.0016"), rate) is None
    assert couple(pair, VEST, ask, bid, D("0.0014"), rate) is not None


@given(st.data())
def test_forced_limits_are_always_marketable_and_capped(make, any_rate, data) -> None:
    pair, buy_venue, ask, bid, rate, _ = drawn_case(make, any_rate, data)
    buy_tick, sell_tick = (to_e8(pair.on(v).tick) for v in (buy_venue, other(buy_venue)))
    ask, bid, cap = -(-ask // buy_tick) * buy_tick, bid // sell_tick * sell_tick, D("0.0015")

    limits = couple_forced(pair, buy_venue, ask, bid, cap, rate)

    seen = worst_spread(buy_venue, ask, bid, rate.sure())
    assert limits.buy >= ask
    assert 0 < limits.sell <= bid
    realised = worst_spread(buy_venue, limits.buy, limits.sell, rate.sure())
    assert realised >= seen - Fraction(cap) - Fraction(1, 10**25)


def test_forced_limits_for_prices_off_the_tick_are_the_nearest_marketable_ones(make) -> None:
    pair = make.pair({"tick": D(1)}, {"tick": D(1)})

    limits = couple_forced(
        pair, VEST, to_e8(D("100.5")), to_e8(D("100.5")), D("0.0015"), make.rate()
    )

    assert (from_e8(limits.buy), from_e8(limits.sell)) == (101, 100)


@given(st.data())
def test_a_mended_pair_is_worth_its_floor_at_the_limit(make, any_rate, data) -> None:
    pair, filled_venue, price, _, rate, least = drawn_case(make, any_rate, data)
    filled, side = from_e8(price) / 3, data.draw(st.sampled_from(Side))
    market = pair.on(other(filled_venue))

    limit = mend_limit(market, side, filled, least, rate)

    assert limit % market.tick == 0
    buy_venue = other(filled_venue) if side is Side.BUY else filled_venue
    bought, sold = (limit, filled) if side is Side.BUY else (filled, limit)
    if limit > 0:
        assert worst_spread(buy_venue, bought, sold, rate) >= Fraction(least)
    further = limit + market.tick * side.sign
    bought, sold = (further, filled) if side is Side.BUY else (filled, further)
    if further > 0:
        assert worst_spread(buy_venue, bought, sold, rate) < Fraction(least)


@given(st.data())
def test_an_unwinding_limit_is_marketable_and_within_its_rung(make, any_book, data) -> None:
    market = make.market(PARADEX, price_band=D("0.01"))
    book = data.draw(any_book(market, 1_000_000))
    rung = data.draw(st.sampled_from([0, 5, 15, 50, 150, None]))
    reach = min(D(rung) / 10_000, D("0.009")) if rung is not None else D("0.009")

    buy = unwind_limit(book, Side.BUY, rung, market)
    sell = unwind_limit(book, Side.SELL, rung, market)

    ask, bid = from_e8(book.ask), from_e8(book.bid)
    assert ask <= buy <= ask * (1 + reach)
    assert bid >= sell >= bid * (1 - reach)
    assert buy % market.tick == 0
    assert sell % market.tick == 0


def test_what_a_book_shows_within_a_limit_includes_the_limit(make) -> None:
    book = make.book(VEST, [("99", "1"), ("98", "2")], [("100", "3"), ("101", "4")])

    assert shown_within(book, Side.BUY, D(100)) == 3
    assert shown_within(book, Side.BUY, D("100.99")) == 3
    assert shown_within(book, Side.BUY, D(101)) == 7
    assert shown_within(book, Side.SELL, D(98)) == 3
    assert shown_within(book, Side.SELL, D(100)) == 0
