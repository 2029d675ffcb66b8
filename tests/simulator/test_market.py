from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.market import MarketModel
from bot4.simulator.profiles import CALIBRATED, CALM, DEMO

START = {"BTC": Decimal(83_000), "ETH": Decimal(2_900)}


async def gaps(model, seconds, step_s=0.1, base="BTC"):
    seen = []
    for _ in range(int(seconds / step_s)):
        await trio.sleep(step_s)
        seen.append(model.gap_bps(base))
    return seen


@pytest.mark.parametrize("step_s", [0.05, 0.37, 3.0])
async def test_prices_do_not_depend_on_how_often_they_are_read(autojump_clock, step_s):
    watched, quiet = MarketModel(3, DEMO, START), MarketModel(3, DEMO, START)
    end = trio.current_time() + 12.01

    while trio.current_time() + step_s < end:
        await trio.sleep(step_s)
        watched.mid("vest", "BTC")
        watched.picture("vest", "BTC")
    await trio.sleep_until(end)

    assert watched.mid("vest", "BTC") == quiet.mid("vest", "BTC")
    assert watched.mid("paradex", "BTC") == quiet.mid("paradex", "BTC")
    assert watched.picture("vest", "BTC") == quiet.picture("vest", "BTC")


@pytest.mark.parametrize("profile", [DEMO, CALIBRATED], ids=lambda profile: profile.name)
async def test_no_picture_is_missed_by_who_looks_only_when_there_may_be_one(
    autojump_clock, profile
):
    """Whoever looked always would see no other pictures, and none earlier."""
    looked, watched = MarketModel(3, profile, START), MarketModel(3, profile, START)
    seen: dict[int, float] = {}
    while trio.current_time() < 20:
        due = looked.next_look_at()
        assert due > trio.current_time()
        while trio.current_time() < due:
            numbers = [watched.picture_number(base) for base in START]
            assert numbers == [looked.picture_number(base) for base in START]
            await trio.sleep(min(0.013, due - trio.current_time()))
        seen[looked.picture_number("BTC")] = trio.current_time()

    assert 20 / profile.picture_every_s[1] / 1.5 < len(seen) < 20 / profile.picture_every_s[0]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_a_demo_market_opens_a_tradable_gap_within_half_a_minute(autojump_clock, seed):
    seen = await gaps(MarketModel(seed, DEMO, START), 30)

    longest = run = 0
    for gap in seen:
        run = run + 1 if abs(gap) > 24 else 0
        longest = max(longest, run)
    assert longest >= 10


@pytest.mark.parametrize("seed", [1, 2])
async def test_demo_gaps_come_both_ways_and_go_away(autojump_clock, seed):
    seen = await gaps(MarketModel(seed, DEMO, START), 300)

    assert max(seen) > 28
    assert min(seen) < -28
    assert sum(abs(gap) < 3 for gap in seen) > len(seen) / 6


async def test_a_calm_market_has_no_gap_of_its_own(autojump_clock):
    seen = await gaps(MarketModel(1, CALM, START), 60)

    assert max(abs(gap) for gap in seen) < 1


async def test_a_calibrated_market_has_a_standing_basis(autojump_clock):
    means = []
    for seed in range(6):
        seen = await gaps(MarketModel(seed, CALIBRATED, START), 30, 0.5)
        means.append(sum(seen) / len(seen))

    assert max(means) - min(means) > 2


async def test_bases_move_apart(autojump_clock):
    model = MarketModel(1, DEMO, START)
    await trio.sleep(30)

    moves = [model.index(base) / START[base] for base in START]
    assert moves[0] != moves[1]
    assert all(abs(move - 1) < Decimal("0.05") for move in moves)


async def test_a_forced_gap_is_exact_and_for_one_base_only(autojump_clock):
    model = MarketModel(1, DEMO, START)
    model.force_gap(-35, 3, "BTC")

    await trio.sleep(1)

    assert abs(model.gap_bps("BTC") + 35) < 0.1
    assert abs(model.gap_bps("ETH")) < 10


async def test_the_vest_picture_is_behind_the_engine(autojump_clock):
    model = MarketModel(1, CALM, START)
    await trio.sleep(1)
    model.force_gap(50, 10)

    assert model.mid("vest", "BTC") / model.picture("vest", "BTC") > Decimal("1.002")
    await trio.sleep(0.5)
    assert abs(model.mid("vest", "BTC") / model.picture("vest", "BTC") - 1) < Decimal("0.0001")


async def test_pictures_come_five_to_ten_times_a_second(autojump_clock):
    model = MarketModel(1, DEMO, START)
    await trio.sleep(10)

    assert 50 <= model.picture_number("BTC") <= 100


async def test_a_restart_goes_on_from_the_price_without_replaying(autojump_clock):
    model = MarketModel(1, DEMO, START)
    await trio.sleep(60)
    price = model.index("BTC")
    saved = model.dump()

    again = MarketModel(1, DEMO, START)
    fresh = MarketModel(1, DEMO, START)
    again.load(saved)

    assert again.index("BTC") == price
    assert again.dump()["generation"] == 1
    await trio.sleep(10)
    moved = again.index("BTC") / price
    assert moved != fresh.index("BTC") / START["BTC"]


async def test_a_long_sleep_is_caught_up(autojump_clock):
    model = MarketModel(1, DEMO, START)
    await trio.sleep(86_400)

    assert Decimal(40_000) < model.index("BTC") < Decimal(160_000)
