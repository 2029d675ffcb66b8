from __future__ import annotations

from random import Random

import attrs
import pytest
import trio

from bot4.simulator.dislocations import Schedule
from bot4.simulator.latency import LINES, Latency
from bot4.simulator.liquidity import BookLiquidity
from bot4.simulator.market import MarketModel
from bot4.simulator.options import BASES, Options
from bot4.simulator.profiles import CALIBRATED, DEMO, check_money, hurried

START = {"BTC": BASES["BTC"].price}
FOR_EVER = (1e12, 1e12)


def only(cause, **changes):
    """The calibrated market with one cause, one size and nothing else that moves."""
    still = {"volatility_bps": 0.0, "jump_every_s": 1e12, "noise_bps": 0.0, "basis_bps": 0.0}
    still |= {"gap_bps": 0.0, "causes": {cause: 1.0}, "size_mean_bps": None}
    still |= {"size_bps": (30.0, 30.0), "first_s": (2.0, 2.0), "every_s": FOR_EVER}
    return attrs.evolve(CALIBRATED, **still | changes)


async def watch(profile, seconds=6.0, seed=1):
    """(engine's gap, shown gap, price) of every step, bps."""
    model, seen = MarketModel(seed, profile, START), []
    for _ in range(int(seconds / 0.05)):
        await trio.sleep(0.05)
        price = float(model.index("BTC") / START["BTC"] - 1) * 1e4
        seen.append((model.gap_bps("BTC"), model.shown_gap_bps("BTC"), price))
    return seen


async def test_a_stale_gap_is_seen_for_a_moment_and_was_never_there(autojump_clock):
    seen = await watch(only("stale"))

    shown = [abs(gap) > 25 for _, gap, _ in seen]
    assert 0.1 <= 0.05 * sum(shown) <= 1.3
    assert max(abs(gap) for gap, _, _ in seen) < 1
    assert abs(seen[-1][1]) < 1


async def test_a_stale_gap_is_the_price_that_moves_for_good(autojump_clock):
    seen = await watch(only("stale"))

    moved = seen[-1][2]
    assert abs(moved) == pytest.approx(30, abs=0.1)
    # Vest is shown dear while the price has fallen, and cheap while it has risen.
    widest = max((gap for _, gap, _ in seen), key=abs)
    assert widest * moved < 0


async def test_a_sweep_leaves_a_part_of_its_move_in_the_price(autojump_clock):
    seen = await watch(only("sweep"), 20)

    assert max(abs(gap) for gap, _, _ in seen) == pytest.approx(30, abs=0.2)
    assert abs(seen[-1][2]) == pytest.approx(9, abs=0.1)
    assert abs(seen[-1][0]) < 1


def test_the_causes_come_in_their_proportion():
    profile = attrs.evolve(CALIBRATED, every_s=(0.1, 0.1), first_s=(0.0, 0.0))
    schedule, found, now = Schedule(profile, Random("proportions")), [], 0.0
    while len(found) < 2000:
        now += 0.5
        if (born := schedule.due(now, 0.0)) is not None:
            found.append(born)

    places = [born.where for born in found]
    shares = [places.count(where) / len(found) for where in ("picture", "paradex", "vest")]
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
    assert all(born.moved == (born.where == "picture") for born in found)


async def test_the_calibrated_book_is_as_thin_as_a_captured_one(autojump_clock):
    """As captured: 616 USD within 10 bp of the middle on one side, 17 148 on the other."""
    (market,) = Options(bases=("BTC",)).markets("paradex").values()
    near, touches, mid = [], [], START["BTC"]
    for seed in range(200):
        asks = BookLiquidity(CALIBRATED.shapes["paradex"], seed).depth(market, mid).asks
        near.append(float(sum(p * s for p, s in asks if p <= mid * 1001 / 1000)))
        touches.append(float(asks[0][0] * asks[0][1]))

    near.sort()
    assert near[10] < 700
    assert 1500 < near[100] < 5000
    assert 8000 < near[190] < 17_148
    assert min(touches) < 25
    assert max(touches) > 1000


async def test_retail_meets_more_on_the_calibrated_book(autojump_clock):
    (market,) = Options(bases=("BTC",)).markets("paradex").values()
    book = BookLiquidity(CALIBRATED.shapes["paradex"], 1)

    plain, retail = (book.depth(market, START["BTC"], retail=more).asks for more in (False, True))

    assert sum(size for _, size in retail) > 3 * sum(size for _, size in plain)


def test_leaving_out_the_small_ones_leaves_the_large_ones_as_they_are():
    def sizes(profile):
        schedule, found, now = Schedule(profile, Random("sizes")), [], 0.0
        while len(found) < 3000:
            now += 5.0
            if (born := schedule.due(now, 0.0)) is not None:
                found.append(abs(born.bps))
        return found

    every = attrs.evolve(CALIBRATED, every_s=(0.0, 0.0), first_s=(0.0, 0.0))
    whole = [size for size in sizes(every) if size >= 14]
    cut = sizes(hurried(every, 14.0))

    assert min(cut) >= 14
    assert sum(cut) / len(cut) == pytest.approx(sum(whole) / len(whole), rel=0.05)


def test_nothing_is_measured_where_money_means_nothing():
    check_money("calibrated")
    with pytest.raises(ValueError, match="demo: its money means nothing"):
        check_money("demo")


def test_four_lines_from_the_best_to_the_worst():
    ways = {name: [Latency("vest", 1, 1.0, name).way() for _ in range(3)] for name in LINES}
    means = {}
    for name in LINES:
        latency = Latency("vest", 1, 1.0, name)
        means[name] = sum(latency.way() for _ in range(2000)) / 2000

    assert list(LINES) == ["rack", "city", "adsl", "rough"]
    assert ways["rack"] == [0.0, 0.0, 0.0]
    assert 0 == means["rack"] < means["city"] < means["adsl"] < means["rough"]


def test_the_line_does_not_change_what_the_venue_draws():
    near, far = Latency("paradex", 3), Latency("paradex", 3, 1.0, "rough")
    drawn = []
    for _ in range(20):
        far.way()
        drawn.append(far.draw("landing"))

    assert drawn == [near.draw("landing") for _ in range(20)]


def test_demo_is_as_it_was():
    """Its seeds are in tests and captures."""
    roll = Random("demo")
    schedule = Schedule(DEMO, roll)
    schedule.due(0.0, 0.0)
    born = schedule.due(60.0, 0.0)

    assert born is not None
    assert not born.moved
    assert 30 <= abs(born.bps) <= 60
