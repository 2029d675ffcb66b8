"""Feeds that lie, stall, break or stay away: nothing trades on them, and they come back."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import PairConfig, SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
VENUES = ["vest", "paradex"]


@pytest.mark.parametrize("which", ["public", "private"])
@pytest.mark.parametrize("venue", VENUES)
async def test_a_cut_connection_is_useful_again_within_five_seconds(
    play: Any, autojump_clock: Any, venue: str, which: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "cut", which=which)
            lost = await run.until("feed.lost")
            back = await run.until("feed.ready", 5)

        assert back["at"] - lost["at"] < 5.0
        assert run.code == 0


@pytest.mark.parametrize("venue", VENUES)
async def test_a_venue_that_refuses_connections_for_a_while_is_back_soon_after(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "refuse_connect", seconds=8, which="ws")
            refused_until = trio.current_time() + 8
            run.fault(venue, "cut", which="public")
            back = await run.until("feed.ready", 5)

        assert refused_until <= back["at"] < refused_until + 5.0


@pytest.mark.parametrize("venue", VENUES)
async def test_a_silent_feed_is_never_traded_on(play: Any, autojump_clock: Any, venue: str):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "silence", seconds=4.5)
            await trio.sleep(3.2)
            run.gap(45.0, 1.2)
            await trio.sleep(2.5)
            sent = [line for line in run.said("leg.sent") if line["purpose"] == "enter"]

        assert sent == []
        assert run.code == 0


@pytest.mark.parametrize("kind", ["gap", "crossed", "garbage"])
async def test_a_book_that_cannot_be_true_is_dropped_and_fetched_anew(
    play: Any, autojump_clock: Any, kind: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("paradex", kind, count=1)
            lost = await run.until("feed.lost")
            back = await run.until("feed.ready", 5)

        assert lost["venue"] == "paradex"
        assert back["at"] - lost["at"] < 5.0
        assert "Traceback" not in str(lost)


async def test_a_venue_down_at_start_is_named_and_waited_for(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": "vest", "kind": "refuse_connect", "seconds": 25})
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4, within_s=40)
            named = run.said("venue.unreachable")

        assert 2 <= len(named) <= 4
        assert {line["venue"] for line in named} == {"vest"}
        assert run.code == 0


async def test_an_expired_token_is_renewed_without_anybody_noticing(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("paradex", "expire_token")
            run.fault("vest", "expire_token")
            await trio.sleep(15)
            run.gap(45.0, 3.0)
            await run.until("pair.closed")

        assert run.code == 0
        assert run.positions() == {}


async def test_two_pairs_trade_side_by_side(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM, more=("ETH",)) as universe:
        btc = universe.config.pairs[0]
        eth = PairConfig(
            "ETH", "ETH-PERP", "ETH-USD-PERP", btc.spread_entry, btc.spread_exit, btc.notional
        )
        both = attrs.evolve(universe, config=attrs.evolve(universe.config, pairs=(btc, eth)))
        async with play.bot(both) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 4.0)
            await run.until("pair.opened", 2)
            await run.until("pair.closed", 2)

        assert {line["pair"] for line in run.said("pair.closed")} == {"BTC", "ETH"}
        assert run.positions() == {}
        assert run.code == 0


async def test_a_gap_that_lives_eight_tenths_of_a_second_is_traded(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 0.8)
            await run.until("pair.opening", within_s=5)

        assert run.code == 0
        run.clean()


async def test_a_gap_that_flickers_is_not_traded(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 0.3)
            await trio.sleep(5)

        assert run.said("pair.opening") == []
