"""What a stop says of a pair that stays on, and of a stop before anything was compared."""

from __future__ import annotations

import shutil
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import ExecutionConfig, OnStop, PairConfig, SimulationConfig
from bot4.wiring.files import journal_file
from bot4.wiring.snapshot import read_status
from bot4.wiring.universe import plain_config
from tests.simulation.test_hard_days import hedged
from tests.simulation.test_money import cash

D = Decimal
CALM = SimulationConfig(profile="calm", seed=3)
CLEAN = "[SHUTDOWN] Clean exit, no pending orders"
LOST = ["vest:BTC-PERP", "paradex:BTC-USD-PERP"]


async def test_the_very_last_line_says_loudly_that_a_pair_stays_on_and_what_it_is_worth(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            await trio.sleep(1)
            run.stop()

        assert run.code == 0
        clean, last = run.events[-2:]
        assert clean["message"] == CLEAN
        assert last["level"] == "warning"
        held = run.positions()["vest:BTC-PERP"]
        long, short = ("vest", "paradex") if held > 0 else ("paradex", "vest")
        assert f"BTC is STILL OPEN: {abs(held)} long on {long}, short on {short}" in last["message"]
        assert "nothing watches it until the next start" in last["message"]
        assert last["message"].count("USDC") == 2
        assert "from its liquidation" in last["message"]
        assert "old" not in last["message"]
        assert 295 < D(last["value_usdc"]) < 305
        assert "flatten" in last["do"]


@pytest.mark.parametrize("bps", [45.0, -45.0])
async def test_the_result_if_closed_now_is_what_closing_then_brings(
    play: Any, autojump_clock: Any, bps: float
):
    flatten = ExecutionConfig(on_stop=OnStop.FLATTEN)
    async with play.universe(simulation=CALM, execution=flatten) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(bps, 300.0)
            await run.until("pair.opened")
            await trio.sleep(2.5)
            [row] = (read_status(universe.config) or {})["trades"]
            run.stop()

        assert run.positions() == {}
        assert run.said("shutdown.held") == []
        assert row.get("if_closed_usdc") is not None
        assert abs(D(row["if_closed_usdc"]) - cash(run)) < D("0.1")


async def test_prices_of_before_a_feed_was_lost_are_called_old(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            run.fault("vest", "refuse_connect", seconds=500)
            run.fault("vest", "cut", which="public")
            await trio.sleep(6)
            run.stop()

        assert run.code == 0
        last = run.events[-1]
        assert "STILL OPEN" in last["message"]
        assert "by the last prices, " in last["message"]
        assert last["prices_age_s"] > 5


async def test_every_pair_that_stays_on_has_a_line(play: Any, autojump_clock: Any, tmp_path: Any):
    config = plain_config(tmp_path / "state", 3)
    eth = attrs.evolve(config.pairs[0], name="ETH", vest="ETH-PERP", paradex="ETH-USD-PERP")
    two = attrs.evolve(config, pairs=(*config.pairs, eth), simulation=CALM)
    assert isinstance(eth, PairConfig)
    async with play.universe(two) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 300.0)
            await run.until("pair.opened", 2)
            run.stop()

        assert run.code == 0
        assert {line["message"].split()[1] for line in run.events[-2:]} == {"BTC", "ETH"}
        assert run.events[-3]["message"] == CLEAN


async def test_nothing_more_is_said_where_nothing_is_held(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            await trio.sleep(2)
            run.stop()

        assert run.code == 0
        assert run.events[-1]["message"] == CLEAN


async def hedged_then_stopped(play: Any, universe: Any) -> None:
    async with play.bot(universe) as run:
        await hedged(run)
        run.stop()
    run.events.clear()


@pytest.mark.parametrize("after_s", [0.0, 0.2, 1.0])
async def test_with_the_journal_lost_a_stop_before_looking_ends_with_3_and_never_says_clean(
    play: Any, autojump_clock: Any, after_s: float
):
    async with play.universe(simulation=CALM) as universe:
        await hedged_then_stopped(play, universe)
        shutil.rmtree(universe.config.state_dir)
        for _ in range(2):  # The first stop leaves a new journal behind: it knows no more.
            async with play.bot(universe) as run:
                await trio.sleep(after_s)
                run.stop()

            assert run.code == 3
            last = run.events[-1]
            assert "Stopped before looking" in last["message"]
            assert "lean exit" not in "".join(line["message"] for line in run.events)
            if after_s > 0.5:
                assert all(f"{key} holds" in last["message"] for key in LOST)
            run.events.clear()


async def test_with_an_open_trade_in_the_journal_a_stop_before_looking_ends_with_3(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        await hedged_then_stopped(play, universe)
        async with play.bot(universe) as run:
            run.stop()

        assert run.code == 3
        assert "Stopped before looking" in run.events[-1]["message"]
        assert "BTC" in run.events[-1]["message"]


async def test_with_a_known_journal_that_holds_nothing_a_stop_before_looking_ends_with_0(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            await trio.sleep(2)
            run.stop()
        run.events.clear()
        async with play.bot(universe) as run:
            run.stop()

        assert run.code == 0
        assert "Stopped before looking" in run.events[-1]["message"]
        assert run.events[-1]["level"] == "warning"
        assert run.said("shutdown.clean") == []


async def test_a_stop_as_soon_as_both_accounts_are_read_compares_them_first(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.stop()

        assert journal_file(universe.config).exists()
        assert run.code == 0
        assert run.events[-1]["message"] == CLEAN
