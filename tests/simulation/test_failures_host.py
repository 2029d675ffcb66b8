"""The process and its venues fail together: killed, crashed, cut off, asked to stop in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.errors import StartRefused
from bot4.tasks import pair as pair_room
from bot4.tasks.detector import Detector
from bot4.tasks.gateway import Gateway
from bot4.tasks.reconcile import Reconciler
from bot4.wiring.files import stop_file
from bot4.wiring.house import open_house
from bot4.wiring.universe import plain_config

CALM = SimulationConfig(profile="calm", seed=3)
VENUES = ["vest", "paradex"]
DETECT = Detector.keep


async def settled(run: Any, within_s: float = 90.0) -> None:
    """Wait until nothing is naked and nothing rests, and stays so for a while."""
    quiet = 0
    with trio.fail_after(within_s):
        while quiet < 30:
            await trio.sleep(0.1)
            quiet = 0 if run.open_orders() or run.net() else quiet + 1


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.ordinary("paradex")
async def test_killed_while_an_order_is_held_up_and_started_before_it_arrives(
    play: Any, autojump_clock: Any, venue: str
):
    async def held_up(run: Any) -> None:
        await run.until("feed.ready", 4)
        run.fault(venue, "delay_request", ms=1800)
        run.gap(45.0, 3.0)
        await run.until("pair.opening")
        await trio.sleep(0.2)

    async with (
        play.universe(simulation=CALM) as universe,
        play.killed(universe, held_up) as after,
        play.bot(after) as run,
    ):
        await run.until("trade.recovered")
        await settled(run)
        assert run.said("pair.opening") == []

    assert run.code == 0
    run.clean()
    for one in VENUES:
        assert len([o for o in run.truth[one]["orders"] if not o["reduce_only"]]) <= 1


async def test_fills_told_again_while_a_start_reads_them_count_once(play: Any, autojump_clock: Any):
    async def hedged(run: Any) -> None:
        await run.until("feed.ready", 4)
        run.gap(45.0, 8.0)
        await run.until("pair.opened")

    async with (
        play.universe(simulation=CALM) as universe,
        play.killed(universe, hedged) as after,
        play.bot(after) as run,
    ):
        for venue in VENUES:
            run.fault(venue, "double_event", count=100)
        await run.until("trade.recovered")
        for venue in VENUES:
            run.fault(venue, "cut", which="private")
        await run.until("pair.closed")

    assert run.code == 0
    assert run.positions() == {}
    assert run.said("exposure.found") == []


async def test_the_stop_file_between_decision_and_first_byte_keeps_both_orders_home(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        exchange = Gateway._exchange

        async def late(gateway: Any, parcel: Any) -> Any:
            if parcel.opens:
                stop_file(universe.config).touch()
            return await exchange(gateway, parcel)

        monkeypatch.setattr(Gateway, "_exchange", late)
        run.gap(45.0, 5.0)
        await run.until("pair.opening")
        await run.until("shutdown.clean")
        run.stop()

    assert run.code == 0
    assert [run.truth[venue]["orders"] for venue in VENUES] == [[], []]


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.ordinary("vest")
async def test_a_venue_dark_beside_a_filled_leg_is_cried_about_and_settled_when_back(
    play: Any, autojump_clock: Any, venue: str
):
    live = "paradex" if venue == "vest" else "vest"
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, "lose_request")
        run.gap(45.0, 8.0)
        await run.until("leg.filled")
        run.fault(venue, "lose_request", count=-1, request="any")
        run.fault(venue, "refuse_connect", seconds=600)
        run.fault(venue, "cut", which="all")
        await trio.sleep(60)
        dark = run.positions()
        universe.box.faults.clear()
        await settled(run)

    assert run.code == 0
    run.clean()
    # What became of the order at the dark venue is unknown: nothing is guessed, and it is told.
    assert {name.partition(":")[0] for name in dark} <= {live}
    assert run.said("leg.in_doubt")
    assert run.said("exposure.left")
    assert len(run.said("pair.opening")) == 1


async def test_a_task_that_crashes_stops_the_bot_and_brings_the_legs_home(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    turn = pair_room.PairTask._turn

    async def broken(task: Any, asking: Any) -> Any:
        if task.desk.trade is not None and not task.desk.stop.raised:
            raise RuntimeError("planted")
        return await turn(task, asking)

    async with play.universe(simulation=CALM) as universe:
        monkeypatch.setattr(pair_room.PairTask, "_turn", broken)
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 6.0)
            await run.until("bot.crashed")
            await run.until("bot.ended")
            run.stop()

    assert run.code == 1
    (crash,) = run.said("bot.crashed")
    assert "planted" in crash["why"]
    run.clean()


@pytest.mark.parametrize("room", [Detector, Reconciler])
async def test_a_service_that_crashes_does_not_cancel_a_pair(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch, room: Any
):
    async def broken(*_: Any) -> None:
        await trio.sleep(4)
        raise RuntimeError("planted")

    monkeypatch.setattr(room, "keep", broken)
    async with play.universe(simulation=CALM) as universe:
        if room is Detector:
            keep = Detector.keep

            async def late(detector: Any, stop: Any) -> None:
                async with trio.open_nursery() as both:
                    both.start_soon(DETECT, detector, stop)
                    await keep(detector)

            monkeypatch.setattr(room, "keep", late)
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("paradex", "delay_landing", ms=3000)
            run.gap(45.0, 60.0)
            await run.until("bot.crashed")
            await run.until("bot.ended")
            run.stop()

    assert run.code == 1
    assert len(run.said("bot.crashed")) == 1
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_an_error_nobody_foresaw_while_leaving_does_not_keep_the_other_venue_from_being_left(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch, venue: str
):
    open_orders, asked = Gateway.open_orders, []

    async def broken(gateway: Any) -> Any:
        asked.append(gateway.venue)
        if gateway.venue == venue:
            raise RuntimeError("planted")
        return await open_orders(gateway)

    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 300.0)
            await run.until("pair.opened")
            monkeypatch.setattr(Gateway, "open_orders", broken)
        run.clean()

    assert run.code in (1, 3)
    assert set(asked) == set(VENUES)
    last = [line for line in run.events if line["event"].startswith("shutdown.")][-1]
    assert last["event"] == "shutdown.left"
    assert venue in last["message"]


async def held(run: Any) -> None:
    await run.until("feed.ready", 4)
    run.gap(45.0, 3.0)
    await run.until("pair.opened")


async def test_a_pair_that_was_removed_while_it_is_open_stops_the_start_and_is_taken_up_again(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe, play.killed(universe, held) as after:
        btc = after.config.pairs[0]
        eth = attrs.evolve(btc, name="ETH", vest="ETH-PERP", paradex="ETH-USD-PERP")
        other = attrs.evolve(after, config=attrs.evolve(after.config, pairs=(eth,)))
        with pytest.raises(StartRefused) as refused:
            async with open_house(other.config, other.secrets, other.world):
                pytest.fail("it started beside a trade that nobody looks after")
        assert "an open trade of BTC" in refused.value.why
        assert "bot4.yaml" in refused.value.do

        async with play.bot(after) as run:
            await run.until("trade.recovered")
            await run.until("pair.closed")

    assert run.code == 0
    assert run.positions() == {}


async def test_a_pair_added_beside_one_that_is_held_gets_its_leverage(
    play: Any, autojump_clock: Any
):
    btc = plain_config(Path(), 1).pairs[0]
    eth = attrs.evolve(btc, name="ETH", vest="ETH-PERP", paradex="ETH-USD-PERP")
    async with play.universe(simulation=CALM, pairs=(btc, eth)) as universe:
        alone = attrs.evolve(universe, config=attrs.evolve(universe.config, pairs=(btc,)))
        async with play.killed(alone, held) as after:
            both = attrs.evolve(after, config=attrs.evolve(after.config, pairs=(btc, eth)))
            async with play.bot(both) as run:
                await run.until("feed.ready", 4)
                await run.until("pair.closed")
                await trio.sleep(35)
                run.gap(45.0, 10.0, base="ETH")
                await trio.sleep(15)

    assert run.code == 0
    assert [line["why"] for line in run.said("leg.refused")] == []
    assert "ETH" in [line["pair"] for line in run.said("pair.opened")]
    run.clean()
