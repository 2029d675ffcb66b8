"""Asked to stop at every stage: nothing rests, nothing is naked, and the last line is true."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from bot4.config.schema import ExecutionConfig, OnStop, SimulationConfig
from bot4.wiring.files import stop_file

CALM = SimulationConfig(profile="calm", seed=3)
CLEAN = "[SHUTDOWN] Clean exit, no pending orders"


async def stopped_in_doubt_of_a_dark_venue(run: Any) -> None:
    """Lose an order to Vest, and every question about it; then ask the bot to stop."""
    await run.until("feed.ready", 4)
    run.fault("vest", "lose_request", count=1)
    run.gap(45.0, 10.0)
    await run.until("pair.opening")
    run.fault("vest", "lose_request", count=-1, request="any")
    await trio.sleep(1.0)
    run.stop()


@pytest.mark.parametrize("after_ms", range(0, 1000, 50))
@pytest.mark.ordinary("0", "150", "300", "450", "600", "750", "900")
async def test_a_stop_at_any_moment_of_an_entry_leaves_flat_or_hedged(
    play: Any, autojump_clock: Any, after_ms: int
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 4.0)
            await run.until("pair.opening")
            await trio.sleep(after_ms / 1000)
            run.stop()

        assert run.code == 0
        run.clean()
        clean, *held = run.events[-2:] if run.positions() else run.events[-1:]
        assert clean["message"] == CLEAN
        assert [line["event"] for line in held] == ["shutdown.held"] * bool(run.positions())


@pytest.mark.parametrize("after_ms", range(0, 3000, 200))
async def test_a_stop_during_start_up_ends_at_once_and_is_clean_only_after_a_look(
    play: Any, autojump_clock: Any, after_ms: int
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await trio.sleep(after_ms / 10_000)
            asked = trio.current_time()
            run.stop()

        assert trio.current_time() - asked < 3.0
        last = run.events[-1]["message"]
        if run.code == 0:
            assert last == CLEAN
        else:
            # Nobody has seen this journal before: an older one may be lost.
            assert run.code == 3
            assert "Stopped before looking" in last
            assert after_ms < 1000


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_a_stop_while_a_venue_never_answers_ends_at_once(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": venue, "kind": "refuse_connect", "seconds": 500})
        async with play.bot(universe) as run:
            await run.until("venue.unreachable")
            await trio.sleep(3.0)
            asked = trio.current_time()
            run.stop()

        assert trio.current_time() - asked < 5.0
        assert run.code == 3
        assert "Stopped before looking" in run.events[-1]["message"]


@pytest.mark.parametrize("after_ms", range(0, 600, 50))
@pytest.mark.ordinary("0", "150", "300", "450")
async def test_a_stop_while_closing_ends_flat_or_hedged(
    play: Any, autojump_clock: Any, after_ms: int
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 3.0)
            await run.until("pair.closing")
            await trio.sleep(after_ms / 1000)
            run.stop()

        assert run.code == 0
        run.clean()


async def test_on_stop_flatten_closes_the_hedged_pair(
    play: Any, autojump_clock: Any, tmp_path: Any
):
    flatten = ExecutionConfig(on_stop=OnStop.FLATTEN)
    async with play.universe(simulation=CALM, execution=flatten) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 60.0)
            await run.until("pair.opened")
            run.stop()

        assert run.code == 0
        assert run.positions() == {}
        assert run.said("pair.closed")


async def test_a_leg_in_doubt_is_resolved_before_the_last_line(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("vest", "lose_request", count=1)
            run.gap(45.0, 10.0)
            await run.until("pair.opening")
            await trio.sleep(0.3)
            run.stop()

        assert run.code == 0
        run.clean()
        assert run.positions() == {}


async def test_a_second_signal_abandons_loudly_and_says_what(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("vest", "lose_request", count=1)
            run.gap(45.0, 10.0)
            await run.until("pair.opening")
            await trio.sleep(0.5)
            run.stop()
            await trio.sleep(1.2)
            run.stop()
            hurried_at = trio.current_time()

        assert run.code == 70
        assert run.events[-1]["event"] == "shutdown.left"
        assert "in doubt" in run.events[-1]["message"]
        assert run.events[-1]["at"] - hurried_at <= 2.0 + 0.25


async def test_a_second_signal_is_not_held_up_by_a_venue_that_hangs(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await stopped_in_doubt_of_a_dark_venue(run)
            await trio.sleep(4.0)
            run.stop()
            hurried_at = trio.current_time()

        assert run.code == 70
        assert run.events[-1]["at"] - hurried_at <= 2.0 + 0.25


async def test_the_stop_file_stops_as_a_signal_does_and_is_told(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            stop_file(universe.config).touch()
            await run.until("shutdown.clean", within_s=15)

        assert run.code == 0
        assert [line["why"] for line in run.said("shutdown.requested")] == [
            "STOP was put beside the journal"
        ]


async def test_leaving_takes_no_longer_than_it_may(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await stopped_in_doubt_of_a_dark_venue(run)
            stopped_at = trio.current_time()

        assert run.code == 3
        assert "vest" in run.events[-1]["message"]
        assert run.events[-1]["at"] - stopped_at <= 10.0


async def test_a_stranded_leg_at_the_stop_is_listed_with_exit_code_3(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            refusal = {"status": 400, "code": "INVALID_ORDER_SIZE"}
            run.fault("paradex", "refuse", count=-1, reduce_only=True, **refusal)
            run.fault("vest", "refuse", count=-1, code=3002)
            run.gap(45.0, 10.0)
            await run.until("pair.opening")
            await trio.sleep(2.0)
            run.stop()

        assert run.code == 3
        assert run.events[-1]["event"] == "shutdown.left"
        assert run.net() != 0


async def test_nothing_opens_after_the_stop_sign(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 30.0)
            await trio.sleep(2)
            run.stop()
            stopped_at = trio.current_time()

        late = [line for line in run.said("leg.sent") if line["at"] > stopped_at]
        assert [line for line in late if line["purpose"] == "enter"] == []


async def test_a_clean_stop_complains_of_no_venue(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 60.0)
            await run.until("pair.opened")
            run.stop()

        assert run.code == 0
        assert run.said("venue.unreachable") == []


@pytest.mark.parametrize("after", ["pair.opening", "pair.opened"])
@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest-pair.opening", "paradex-pair.opened")
async def test_a_venue_that_is_away_is_listed_within_what_stopping_may_take(
    play: Any, autojump_clock: Any, venue: str, after: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 30.0)
            await run.until(after)
            await trio.sleep(0.03)
            run.fault(venue, "refuse_connect", seconds=500)
            for stream in universe.world._streams:
                stream.cut()
            await trio.sleep(0.5)
            asked = trio.current_time()
            run.stop()

        assert run.code == 3
        assert run.said("shutdown.left")[0]["at"] - asked <= 10.0
        assert any(venue in line for line in run.said("shutdown.left")[0]["left"])
