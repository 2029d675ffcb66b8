from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.liquidity import BookLiquidity, CurveLiquidity
from bot4.simulator.options import Options
from bot4.simulator.profiles import DEMO

D = Decimal
MID = {"BTC": D(83_000), "ETH": D(2_900), "SOL": D(140), "DOGE": D("0.16"), "NEW": D(10)}
OPTIONS = Options(bases=tuple(MID))


def curve():
    return CurveLiquidity(DEMO.shapes["vest"])


def book():
    return BookLiquidity(DEMO.shapes["paradex"], 1)


def market(venue, base):
    return next(m for m in OPTIONS.markets(venue).values() if m.base == base)


@pytest.mark.parametrize("base", list(MID))
@pytest.mark.parametrize(("venue", "make"), [("vest", curve), ("paradex", book)])
async def test_depth_is_sorted_rounded_uncrossed_and_deep_enough(autojump_clock, venue, make, base):
    listed, mid = market(venue, base), MID[base]
    depth = make().depth(listed, mid)

    for levels, best_first in ((depth.bids, -1), (depth.asks, 1)):
        prices = [price for price, _ in levels]
        assert prices == sorted(set(prices), key=lambda p: best_first * p)
        assert len(levels) == 20
        assert all(listed.on_tick(price) and listed.on_lot(size) for price, size in levels)
        assert all(size > 0 for _, size in levels)
        near = sum(p * s for p, s in levels if abs(p / mid - 1) <= D("0.0005"))
        assert near >= 1500
    assert depth.bids[0][0] < mid < depth.asks[0][0]


async def test_the_curve_fills_whole_at_its_average_or_not_at_all(autojump_clock):
    listed, mid, size = market("vest", "BTC"), MID["BTC"], D("0.1")
    price = curve().execute(listed, "buy", size, None, mid).average

    exact = curve().execute(listed, "buy", size, price, mid)
    below = curve().execute(listed, "buy", size, price - listed.tick, mid)

    assert exact.fills == ((price, size),)
    assert below.fills == ()
    assert curve().execute(listed, "sell", size, mid, mid).fills == ()
    assert curve().execute(listed, "buy", D(1000), None, mid).fills == ()


async def test_a_book_fills_level_by_level_to_the_limit(autojump_clock):
    listed, mid = market("paradex", "BTC"), MID["BTC"]
    liquidity = book()
    asks = liquidity.depth(listed, mid).asks
    wanted = asks[0][1] + asks[1][1] + asks[2][1]

    done = liquidity.execute(listed, "buy", wanted, asks[1][0], mid)

    assert done.fills == asks[:2]
    assert done.size == asks[0][1] + asks[1][1]
    assert liquidity.depth(listed, mid).asks[0] == asks[2]


@pytest.mark.parametrize(("venue", "make"), [("vest", curve), ("paradex", book)])
async def test_what_was_taken_comes_back(autojump_clock, venue, make):
    listed, mid, liquidity = market(venue, "BTC"), MID["BTC"], make()
    first = liquidity.execute(listed, "sell", D("0.2"), None, mid).average
    second = liquidity.execute(listed, "sell", D("0.2"), None, mid).average
    await trio.sleep(60)
    third = liquidity.execute(listed, "sell", D("0.2"), None, mid).average

    assert second < first
    assert abs(third - first) < abs(second - first) / 4


@pytest.mark.parametrize(("venue", "make"), [("vest", curve), ("paradex", book)])
async def test_asking_for_a_price_takes_nothing(autojump_clock, venue, make):
    listed, mid, liquidity = market(venue, "BTC"), MID["BTC"], make()

    asked = [liquidity.execute(listed, "buy", D("0.1"), None, mid, consume=False) for _ in range(2)]

    assert asked[0] == asked[1]


async def test_most_levels_stay_when_the_price_moves_a_little(autojump_clock):
    listed, liquidity = market("paradex", "BTC"), book()
    before = set(liquidity.depth(listed, D(83_000)).asks)

    after = set(liquidity.depth(listed, D(83_003)).asks)

    assert len(before & after) >= 18


@pytest.mark.parametrize("liquidity", [CurveLiquidity, BookLiquidity])
async def test_a_feed_shows_as_many_levels_as_it_is_told(autojump_clock, liquidity):
    venue = "vest" if liquidity is CurveLiquidity else "paradex"
    given = {"shape": DEMO.shapes[venue], "levels": 7}
    made = liquidity(**given) if venue == "vest" else liquidity(seed=1, **given)

    shown = made.depth(market(venue, "BTC"), MID["BTC"])

    assert (len(shown.bids), len(shown.asks)) == (7, 7)
    assert made.execute(market(venue, "BTC"), "buy", D("0.3"), None, MID["BTC"]).size == D("0.3")


async def test_retail_orders_meet_more(autojump_clock):
    listed, liquidity = market("paradex", "BTC"), book()

    plain = liquidity.depth(listed, D(83_000)).asks
    retail = liquidity.depth(listed, D(83_000), retail=True).asks

    assert sum(size for _, size in retail) > D("1.5") * sum(size for _, size in plain)
