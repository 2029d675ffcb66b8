"""What a venue may do to an account that did nothing wrong: the bot ends flat or hedged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.config.schema import ExecutionConfig, OnStop, SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
FLATTEN = ExecutionConfig(on_stop=OnStop.FLATTEN)
DUST = Decimal("0.00013")
MARKETS = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}


async def hedged(run: Any, gap_s: float = 300.0) -> None:
    await run.until("feed.ready", 4)
    run.gap(45.0, gap_s)
    await run.until("pair.opened")


async def settled(run: Any, within_s: float = 90.0) -> None:
    """Wait until nothing is naked and nothing rests, and stays so for a while."""
    quiet = 0
    with trio.fail_after(within_s):
        while quiet < 30:
            await trio.sleep(0.1)
            ok = abs(run.net()) < DUST and not run.open_orders()
            quiet = quiet + 1 if ok else 0


async def test_a_busted_opening_fill_is_noticed_and_the_other_leg_taken_back(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            run.fault("paradex", "bust", market=MARKETS["paradex"], count=100)
            assert set(run.positions()) == {"vest:BTC-PERP"}
            await settled(run)

        assert run.code == 0
        run.clean()


async def test_a_busted_closing_fill_that_brings_a_leg_back_is_closed_again(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM, execution=FLATTEN) as universe:
        async with play.bot(universe) as run:
            await hedged(run, gap_s=3.0)
            await run.until("pair.closed")
            run.fault("paradex", "bust", market=MARKETS["paradex"])
            assert run.positions()
            await run.until("trade.reopened", within_s=2)
            await settled(run)
            await run.until("pair.closed", 2)
            run.gap(45.0, 5.0)
            await run.until("pair.opened", 2)

        assert run.code == 0
        assert run.positions() == {}


@pytest.mark.parametrize("share", ["1", "0.5"])
@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest-1", "paradex-0.5")
async def test_a_liquidated_leg_reduces_the_other(
    play: Any, autojump_clock: Any, venue: str, share: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            run.fault(venue, "liquidate", market=MARKETS[venue], share=share)
            assert abs(run.net()) >= DUST
            await settled(run)

        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("args", [{}, {"code": 3024}], ids=["at the door", "on landing"])
@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest-on landing", "paradex-at the door")
async def test_a_halt_while_entering_leaves_nothing_naked(
    play: Any, autojump_clock: Any, venue: str, args: dict[str, Any]
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "halt", symbol=MARKETS[venue], seconds=20, **args)
            run.gap(45.0, 6.0)
            await trio.sleep(30)
            await settled(run)

        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("paradex")
async def test_a_halt_while_hedged_is_waited_out(play: Any, autojump_clock: Any, venue: str):
    async with play.universe(simulation=CALM, execution=FLATTEN) as universe:
        async with play.bot(universe) as run:
            await hedged(run, gap_s=4.0)
            run.fault(venue, "halt", symbol=MARKETS[venue], seconds=15)
            await trio.sleep(25)
            await settled(run)

        assert run.code == 0
        assert run.positions() == {}


@pytest.mark.parametrize("ms", [4_000, -4_000, 400])
@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest-400", "paradex--4000")
async def test_a_venue_whose_clock_jumps_ends_hedged_or_flat(
    play: Any, autojump_clock: Any, venue: str, ms: int
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run, gap_s=4.0)
            run.fault(venue, "clock_skew", ms=ms, seconds=40)
            await trio.sleep(20)
            run.gap(45.0, 4.0)
            await trio.sleep(30)
            await settled(run)
            refused = [line for line in run.said("leg.refused") if line["venue"] == venue]

        # One refusal may be the first to tell of it; the next order carries the new time.
        assert len(refused) <= 1
        assert run.said("exposure.left") == []
        assert run.code == 0
        run.clean()


@pytest.mark.parametrize(
    ("venue", "side", "gap"),
    [("vest", "asks", -18.0), ("vest", "bids", 18.0), ("paradex", "asks", 18.0)],
)
@pytest.mark.ordinary("vest-bids-18.0", "paradex-asks-18.0")
async def test_a_level_that_is_not_there_is_never_taken_at_its_word(
    play: Any, autojump_clock: Any, venue: str, side: str, gap: float
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            # The gap alone is below what the bot enters at; the ghost makes the difference.
            run.gap(gap, 12.0)
            await trio.sleep(3)
            assert run.said("pair.opening") == []
            run.fault(venue, "ghost", side=side, bps=4.5, symbol=MARKETS[venue], seconds=6)
            await run.until("pair.opening")
            await trio.sleep(20)
            await settled(run)

        assert run.code == 0
        run.clean()
        ended = [run.said(f"pair.{how}") for how in ("missed", "unwound", "opened")]
        assert any(ended)
        for line in run.said("pair.opened"):
            # What the ghost promised was not had: a leg was completed for less, within its floor.
            assert line["mended"]
            assert Decimal(line["spread_percent"].rstrip("%")) >= Decimal("0.10")


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_events_in_the_wrong_order_change_nothing(play: Any, autojump_clock: Any, venue: str):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "reorder_event", count=20)
            run.gap(45.0, 4.0)
            await run.until("pair.opened")
            await run.until("pair.closed")

        assert run.code == 0
        assert run.positions() == {}
