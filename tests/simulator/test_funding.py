"""Funding rates: what they are, when they turn, and what they cost."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
import trio

from bot4.simulator.box import TwoVenues
from bot4.simulator.market import MarketModel
from bot4.simulator.options import BASES, Options
from bot4.simulator.profiles import CALIBRATED, DEMO

D = Decimal
START = {"BTC": BASES["BTC"].price}
MARKETS = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}
HOUR_S = 3600


async def watched(profile, venue, seed=1, hours=13):
    """The rate now and at the end of every five minutes; prices are left alone."""
    model, seen = MarketModel(seed, profile, START), []
    for _ in range(hours * 12):
        seen.append(model.hourly_funding(venue, "BTC"))
        await trio.sleep(HOUR_S / 12)
    return seen


def turns(rates):
    signs = [rate > 0 for rate in rates if rate]
    return sum(one is not other for one, other in pairwise(signs))


@pytest.mark.parametrize("venue", MARKETS)
@pytest.mark.parametrize("seed", range(1, 6))
async def test_calibrated_rates_change_their_sign_within_hours(autojump_clock, venue, seed):
    rates = await watched(CALIBRATED, venue, seed)

    assert 4 <= turns(rates) <= 24
    assert max(abs(rate) for rate in rates) < D("0.0002")
    steps = [abs(one - other) for one, other in pairwise(rates)]
    assert max(steps) < max(abs(rate) for rate in rates)


@pytest.mark.parametrize("venue", MARKETS)
async def test_demo_rates_stay_what_they_are(autojump_clock, venue):
    assert len(set(await watched(DEMO, venue, hours=2))) == 1


async def test_the_same_seed_turns_at_the_same_time(autojump_clock):
    first, second, other = [await watched(CALIBRATED, "vest", seed, 2) for seed in (3, 3, 4)]

    assert first == second
    assert first != other


@pytest.fixture
async def box(nursery) -> TwoVenues:
    made = TwoVenues(Options(profile="calm", bases=("BTC",), tick_s=1.0), wall_ms=lambda: 1)
    await nursery.start(made.run)
    return made


@pytest.mark.parametrize("venue", MARKETS)
async def test_a_fault_sets_a_rate_and_longs_pay_it(autojump_clock, box, venue):
    face, symbol = getattr(box, venue), MARKETS[venue]
    face.house_order(symbol, "buy", D("0.1"), "MANUAL")
    box.faults.add({"venue": venue, "kind": "funding", "hourly": 0.01, "seconds": 60})
    await trio.sleep(36)

    owed = face.ledger.unsettled_funding(symbol)

    assert face.hourly_funding(symbol) == D("0.01")
    assert -owed == pytest.approx(D("0.1") * face.index(symbol) * D("0.0001"), rel=D("0.05"))


@pytest.mark.parametrize("venue", MARKETS)
async def test_a_fault_turns_a_rate_for_a_while(autojump_clock, box, venue):
    face, symbol = getattr(box, venue), MARKETS[venue]
    usual = face.hourly_funding(symbol)
    box.faults.add({"venue": venue, "kind": "funding", "seconds": 10})

    assert face.hourly_funding(symbol) == -usual != 0
    await trio.sleep(10)
    assert face.hourly_funding(symbol) == usual
