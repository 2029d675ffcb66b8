"""The largest size for which every rule holds at once."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot4.domain.market import PARADEX, VENUES, VEST, other
from bot4.domain.units import to_e8
from bot4.strategy.depth import Depth
from bot4.strategy.hold import Hold, Reason
from bot4.strategy.limits import couple
from bot4.strategy.risk import Room
from bot4.strategy.rules import EntryRules, SizeRules
from bot4.strategy.sizing import Sized, size_entry
from bot4.strategy.spread import spread_of

D = Decimal
ENTRY = EntryRules()
WIDE = Room(D(10**9), D(10**9))
ALL = SizeRules(notional=D(10**9), capital=D(10**9), max_leverage=D(1), depth_share=D(1))


def sized(make, vest, paradex, *, long=VEST, room=WIDE, rules=ALL, pair=None, rate=None):
    books = {VEST: vest, PARADEX: paradex}
    return size_entry(pair or make.pair(), long, books, rate or make.rate(), room, ENTRY, rules)


def gap(make, deep="10"):
    """Vest sells at 100000, Paradex buys at 100300: 0.30 % at any size shown."""
    return (
        make.book(VEST, [("99990", deep)], [("100000", deep)]),
        make.book(PARADEX, [("100300", deep)], [("100310", deep)]),
    )


def test_the_caps_cut_the_size_to_the_common_lot(make) -> None:
    for rules, room in (
        (SizeRules(notional=D(300), depth_share=D(1)), WIDE),
        (SizeRules(notional=D(900), capital=D(100), depth_share=D(1)), WIDE),
        (ALL, Room(D(300), D(10**9))),
        (ALL, Room(D(10**9), D(300))),
    ):
        got = sized(make, *gap(make), rules=rules, room=room)

        assert isinstance(got, Sized)
        # 300 USDC buy 0.00299.. BTC at the dearer of the two prices: 29 lots of 0.0001.
        assert got.size == D("0.0029")


def test_a_cap_counts_paradex_at_the_rate_that_makes_it_dearer(make) -> None:
    """100300 USD are at most 100300 / 0.9995 USDC: two lots of them are 20070.04 USDC."""
    rate, pair = make.rate("1", "0.0005"), make.pair(vest={"lot": D("0.1")})
    enough, less = (SizeRules(D(cap), D(10**9), D(1), D(1)) for cap in ("20070.1", "20070"))

    both, one = (sized(make, *gap(make), rules=r, rate=rate, pair=pair) for r in (enough, less))

    assert isinstance(both, Sized)
    assert both.size == D("0.2")
    assert isinstance(one, Sized)
    assert one.size == D("0.1")


def test_a_size_below_a_minimum_is_a_hold_that_says_why(make) -> None:
    tiny = SizeRules(notional=D(9))
    full = Room(D(5), D(10**9))

    by_config = sized(make, *gap(make), rules=tiny)
    by_room = sized(make, *gap(make), room=full)

    assert isinstance(by_config, Hold)
    assert by_config.reason is Reason.MINIMUM
    assert isinstance(by_room, Hold)
    assert by_room.reason is Reason.CAP
    assert "Vest" in by_room.detail


def test_both_venues_minimums_count(make) -> None:
    rules = SizeRules(notional=D(300), depth_share=D(1))
    for pair in (
        make.pair(vest={"min_size": D("0.003")}),
        make.pair(paradex={"min_size": D("0.003")}),
        make.pair(vest={"min_notional": D(301)}),
        make.pair(paradex={"min_notional": D(301)}),
    ):
        held = sized(make, *gap(make), rules=rules, pair=pair)

        assert isinstance(held, Hold)
        assert held.reason is Reason.MINIMUM


def test_only_a_share_of_the_smaller_side_is_taken(make) -> None:
    vest, paradex = gap(make)[0], gap(make, "0.4")[1]

    got = sized(make, vest, paradex, rules=SizeRules(D(10**9), D(10**9), D(1), D("0.5")))

    assert isinstance(got, Sized)
    assert got.size == D("0.2")


def test_the_size_stops_where_the_spread_does(make) -> None:
    vest = make.book(VEST, [("99990", "1")], [("100000", "0.5"), ("100290", "5")])
    paradex = make.book(PARADEX, [("100300", "9")], [("100310", "9")])

    got = sized(make, vest, paradex)

    assert isinstance(got, Sized)
    assert got.size == D("0.5")
    assert got.spread == D("0.003")


def test_the_last_unit_may_lack_the_tolerance_and_no_more(make) -> None:
    """The average would allow more: the last unit's price does not."""
    vest = make.book(VEST, [("99990", "1")], [("100000", "5"), ("100110", "1"), ("100130", "1")])
    paradex = make.book(PARADEX, [("100300", "9")], [("100310", "9")])

    got = sized(make, vest, paradex)

    assert isinstance(got, Sized)
    assert got.size == 6
    assert got.marginal_spread >= ENTRY.floor


def test_a_gap_below_the_threshold_is_a_hold(make) -> None:
    vest = make.book(VEST, [("99990", "1")], [("100101", "1")])
    paradex = make.book(PARADEX, [("100300", "9")], [("100310", "9")])

    held = sized(make, vest, paradex)

    assert isinstance(held, Hold)
    assert held.reason is Reason.BELOW_ENTRY


def test_a_book_that_shows_less_than_the_smallest_order_is_thin(make) -> None:
    vest, paradex = gap(make)[0], gap(make, "0.00009")[1]

    held = sized(make, vest, paradex)

    assert isinstance(held, Hold)
    assert held.reason is Reason.THIN


def test_a_share_below_the_smallest_order_is_thin(make) -> None:
    vest, paradex = gap(make)[0], gap(make, "0.00015")[1]

    held = sized(make, vest, paradex, rules=SizeRules(depth_share=D("0.5")))

    assert isinstance(held, Hold)
    assert held.reason is Reason.THIN


def test_a_rate_too_uncertain_for_the_gap_is_rounding(make) -> None:
    vest = make.book(VEST, [("99990", "1")], [("100000", "1")])
    paradex = make.book(PARADEX, [("100200", "9")], [("100310", "9")])

    held = sized(make, vest, paradex, rate=make.rate("1", "0.001"))

    assert isinstance(held, Hold)
    assert held.reason is Reason.ROUNDING


@settings(max_examples=4 * settings.default.max_examples // 5)
@given(st.data())
def test_no_larger_multiple_of_the_lot_would_do(make, any_book, any_rate, data) -> None:
    """Against trying every lot. A coarse tick makes rounding matter."""
    tick = data.draw(st.sampled_from([D("0.5"), D(5), D(20)]))
    pair = make.pair({"tick": tick, "lot": D("0.0001")}, {"tick": tick, "lot": D("0.0001")})
    middle = int(100_000 / tick)
    away = data.draw(st.integers(1, 1000))
    long = data.draw(st.sampled_from(VENUES))
    books = {
        long: data.draw(any_book(pair.on(long), middle)),
        other(long): data.draw(any_book(pair.on(other(long)), middle + int(away / tick))),
    }
    rate, lot = data.draw(any_rate), to_e8(pair.lot)
    share, notional = data.draw(st.sampled_from([(D(1), 10**9), (D("0.5"), 10**9), (D(1), 300)]))
    rules = SizeRules(D(notional), D(10**9), D(1), share)
    asks, bids = Depth(books[long].asks), Depth(books[other(long)].bids)

    def fits(lots: int) -> bool:
        buy, sell = asks.take(lots * lot), bids.take(lots * lot)
        limits = couple(pair, long, buy.marginal, sell.marginal, ENTRY.floor, rate)
        if limits is None:
            return False
        depth = min(asks.within(limits.buy, buying=True), bids.within(limits.sell, buying=False))
        top = D(books[other(long)].bid) / 10**8 / (rate.low if long == VEST else 1)
        return (
            spread_of(buy.notional, sell.notional, long, rate) >= ENTRY.spread_entry
            and spread_of(buy.marginal, sell.marginal, long, rate) >= ENTRY.floor
            and lots * lot <= share * depth
            and pair.lot * lots * top <= notional
            and pair.lot * lots * D(books[PARADEX].bid) / 10**8 >= pair.paradex.min_notional
        )

    best = max(filter(fits, range(1, min(asks.total, bids.total) // lot + 1)), default=0)
    got = size_entry(pair, long, books, rate, WIDE, ENTRY, rules)

    if isinstance(got, Hold):
        assert best == 0
    else:
        assert got.size == best * pair.lot


@given(st.data())
def test_a_sized_entry_keeps_its_promise(make, any_book, any_rate, data) -> None:
    pair, long = make.pair(), data.draw(st.sampled_from(VENUES))
    dear = data.draw(st.integers(45_000, 120_000)) * (-1 if long == VEST else 1)
    books = {
        VEST: data.draw(any_book(pair.vest, 10_000_000 + dear)),
        PARADEX: data.draw(any_book(pair.paradex, 1_000_000)),
    }
    rate = data.draw(any_rate)

    got = size_entry(pair, long, books, rate, WIDE, ENTRY, SizeRules())

    assume(isinstance(got, Sized))
    assert isinstance(got, Sized)
    usdc = [
        rate.price_in_usdc(v, p)
        for v, p in zip((long, other(long)), (got.long_limit, got.short_limit), strict=True)
    ]
    assert usdc[1] / usdc[0] - 1 >= ENTRY.floor - D("1e-25")
    assert got.size * max(usdc) <= D("300")
    assert got.spread >= ENTRY.spread_entry
