"""A market that a venue no longer lists when the bot starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.errors import ConfigError, leaves
from bot4.wiring.universe import plain_config
from tests.simulation.test_hard_days import DUST, MARKETS
from tests.simulation.test_outside import longest_naked_s

CALM = SimulationConfig(profile="calm", seed=3)
VENUES = pytest.mark.parametrize("venue", ["vest", "paradex"])
BTC = plain_config(Path(), 1).pairs[0]
ETH = attrs.evolve(BTC, name="ETH", vest="ETH-PERP", paradex="ETH-USD-PERP")


def delist(universe: Any, venue: str, **args: Any) -> None:
    universe.box.faults.add(
        {"venue": venue, "kind": "delist", "symbol": MARKETS[venue], "seconds": 9000, **args}
    )


@asynccontextmanager
async def started(play: Any, universe: Any) -> AsyncIterator[Any]:
    """Run a bot that must not be refused its start."""
    refused: list[str] = []
    try:
        async with play.bot(universe) as run:
            yield run
    except* ConfigError as errors:
        refused += [str(leaf) for leaf in leaves(errors)]
    assert refused == []


async def hold_btc(run: Any) -> None:
    await run.until("feed.ready", 4)
    run.gap(45.0, 300.0, base="BTC")
    await run.until("pair.opened")


@VENUES
@pytest.mark.ordinary("paradex")
async def test_the_other_pairs_trade_when_one_market_was_delisted_before_the_start(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM, pairs=(BTC, ETH)) as universe:
        delist(universe, venue)
        async with started(play, universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 60.0, base="ETH")
            await run.until("pair.opened", within_s=20)
            run.gap(45.0, 20.0, base="BTC")
            await trio.sleep(20)

        assert run.code == 0
        assert {line["pair"] for line in run.said("pair.opening")} == {"ETH"}
        told = [line for line in run.said("opening.stopped") if MARKETS[venue] in line["why"]]
        assert len(told) == 1
        assert "not list" in told[0]["why"]


@VENUES
@pytest.mark.ordinary("vest")
async def test_a_market_that_is_listed_again_is_traded_with_no_restart(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM, pairs=(BTC, ETH)) as universe:
        delist(universe, venue, seconds=60)
        async with started(play, universe) as run:
            await trio.sleep(100)
            assert run.said("pair.opening") == []
            run.gap(45.0, 60.0, base="BTC")
            await run.until("pair.opened", within_s=20)

        assert run.code == 0


@VENUES
@pytest.mark.ordinary("vest")
async def test_a_pair_whose_market_was_settled_while_the_bot_was_down_is_taken_back(
    play: Any, autojump_clock: Any, venue: str
):
    async with (
        play.universe(simulation=CALM, pairs=(BTC, ETH)) as first,
        play.killed(first, hold_btc) as second,
    ):
        delist(second, venue, settle=True)
        async with started(play, second) as run:
            assert await longest_naked_s(run, 40.0) < 12.0
            assert run.positions() == {}
            run.gap(45.0, 60.0, base="ETH")
            await run.until("pair.opened", within_s=20)

        assert run.code == 0
        assert abs(run.net()) < DUST


@VENUES
@pytest.mark.ordinary("paradex")
async def test_a_pair_whose_market_is_gone_and_its_position_kept_stays_hedged_and_names_flatten(
    play: Any, autojump_clock: Any, venue: str
):
    async with (
        play.universe(simulation=CALM, pairs=(BTC, ETH)) as first,
        play.killed(first, hold_btc) as second,
    ):
        delist(second, venue, settle=False)
        async with started(play, second) as run:
            assert await longest_naked_s(run, 40.0) == 0
            assert len(run.positions()) == 2
            [told] = [one for one in run.said("opening.stopped") if MARKETS[venue] in one["why"]]

        assert "flatten" in told["do"]
        assert len(run.positions()) == 2


@VENUES
@pytest.mark.ordinary("vest")
async def test_a_single_pair_whose_market_is_gone_starts_where_something_is_held(
    play: Any, autojump_clock: Any, venue: str
):
    async with (
        play.universe(simulation=CALM) as first,
        play.killed(first, hold_btc) as second,
    ):
        delist(second, venue, settle=True)
        async with started(play, second) as run:
            assert await longest_naked_s(run, 40.0) < 12.0
            assert run.positions() == {}

        assert run.code == 0


@VENUES
async def test_where_no_pair_can_be_traded_the_start_is_refused_and_near_names_are_told(
    play: Any, autojump_clock: Any, venue: str
):
    wrong = attrs.evolve(BTC, **{venue: MARKETS[venue].replace("BTC", "BTCC")})
    async with play.universe(simulation=CALM) as universe:
        config = attrs.evolve(universe.config, pairs=(wrong,))
        with pytest.raises(BaseException) as refused:  # noqa: PT011 - a group of one kind
            async with play.bot(attrs.evolve(universe, config=config)):
                await trio.sleep(5)

    [error] = {str(leaf) for leaf in leaves(refused.value) if isinstance(leaf, ConfigError)}
    assert MARKETS[venue] in error


@VENUES
@pytest.mark.ordinary("paradex")
async def test_a_lot_that_grew_while_the_bot_was_down_leaves_less_than_a_lot_and_both_legs_alike(
    play: Any, autojump_clock: Any, venue: str
):
    async with (
        play.universe(simulation=CALM) as first,
        play.killed(first, hold_btc) as second,
    ):
        markets = getattr(second.box, venue).markets
        markets[MARKETS[venue]] = attrs.evolve(markets[MARKETS[venue]], lot=Decimal("0.001"))
        async with started(play, second) as run:
            await run.until("feed.ready", 4)
            run.gap(-8.0, 300.0)
            assert await longest_naked_s(run, 30.0) < 1.0
            assert {abs(size) for size in run.positions().values()} == {Decimal("0.0006")}

        assert run.said("bot.crashed") == []
        [told] = run.said("market.changed")
        assert "flatten" in told["do"]
