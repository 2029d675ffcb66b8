"""A position that others close: the venue by a liquidation, a person by hand, another tool."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.config.schema import SimulationConfig
from tests.simulation.test_disk_and_clock import FULL, machine
from tests.simulation.test_hard_days import DUST, MARKETS, hedged, settled
from tests.simulation.test_money import cash

D = Decimal
CALM = SimulationConfig(profile="calm", seed=3)
ONE_ORDER_S = 1.0
"""An event's way, an order's way out, its landing, and two looks of this test."""


async def longest_naked_s(run: Any, watched_s: float) -> float:
    """Watch the venues for so long; return the longest time in one piece that a leg was alone."""
    longest, since = 0.0, None
    until = trio.current_time() + watched_s
    while (now := trio.current_time()) < until:
        if abs(run.net()) < DUST:
            since = None
        else:
            since = now if since is None else since
            longest = max(longest, now - since)
        await trio.sleep(0.05)
    return longest


async def bite(run: Any, venue: str) -> None:
    """Have the venue take a position in eight bites of one size, two seconds apart."""
    for left in (8, 7, 6, 5, 4, 3, 2, 1):
        run.fault(venue, "liquidate", market=MARKETS[venue], share=1 / left)
        await trio.sleep(2)


@pytest.mark.parametrize("share", ["1", "0.5"])
@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest-1", "paradex-0.5")
async def test_the_other_leg_follows_a_liquidation_in_the_time_of_one_order(
    play: Any, autojump_clock: Any, venue: str, share: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            run.fault(venue, "liquidate", market=MARKETS[venue], share=share)
            assert await longest_naked_s(run, 8.0) < ONE_ORDER_S

        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest")
async def test_a_position_that_goes_in_bites_is_followed_bite_by_bite(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(bite, run, venue)
                assert await longest_naked_s(run, 20.0) < ONE_ORDER_S

        assert run.code == 0
        assert run.positions() == {}


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("paradex")
async def test_bites_that_no_event_tells_of_are_followed_by_what_two_readings_agree_on(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            run.fault(venue, "mute_private", count=1000)
            size = max(abs(one) for one in run.positions().values())

            async with trio.open_nursery() as nursery:
                nursery.start_soon(bite, run, venue)
                await trio.sleep(15)
                # Seven eighths went, the first six of them long enough ago.
                assert abs(run.net()) <= size / 2
            await settled(run)

        assert run.positions() == {}


@pytest.mark.parametrize("venues", [("vest",), ("paradex",), ("vest", "paradex")], ids="+".join)
@pytest.mark.parametrize("kind", ["liquidate", "manual_close"])
@pytest.mark.ordinary("liquidate-vest", "manual_close-paradex", "manual_close-vest+paradex")
async def test_what_others_closed_is_in_our_account_of_the_money_with_its_fees(
    play: Any, autojump_clock: Any, kind: str, venues: tuple[str, ...]
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run, gap_s=4.0)
            await trio.sleep(1)
            for venue in venues:
                run.fault(venue, kind, market=MARKETS[venue])
            line = await run.until("pair.closed")

        assert run.positions() == {}
        assert abs(D(line["net_usdc"]) - cash(run)) < D("0.001")


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_naked_time_counts_from_what_the_venue_did(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            run.fault(venue, "mute_private", count=1)
            run.fault(venue, "manual_close", market=MARKETS[venue])
            naked_s = await longest_naked_s(run, 12.0)
            line = await run.until("pair.closed")

        assert abs(line["naked_s"] - naked_s) < 0.7


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_a_price_that_the_venue_cannot_tell_in_time_is_not_invented_and_is_booked_later(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await hedged(run)
            run.fault(venue, "mute_private", count=1000)
            run.fault(venue, "manual_close", market=MARKETS[venue])
            path = "/orders" if venue == "vest" else "/v1/fills"
            run.fault(venue, "http_error", request="query", path=path, count=200)
            first = await run.until("pair.closed")
            run.universe.box.faults.clear()
            with trio.move_on_after(90):
                await run.until("trade.rebooked", within_s=120)
            again = run.said("trade.rebooked")
            assert [line["unknown"] for line in again] == [[]]
            assert abs(D(again[0]["net_usdc"]) - cash(run)) < D("0.001")

        # Both accounts' worth tells it nearly, whatever the venue does not say.
        assert abs(D(first["net_usdc"]) - cash(run)) < D("0.05")
        assert "not told yet" in first["message"]


async def test_what_was_closed_from_memory_on_a_full_disk_is_asked_of_the_venues_after_a_kill(
    play: Any, autojump_clock: Any
):
    async def close_unwritten(run: Any) -> None:
        await hedged(run, gap_s=4.0)
        run.universe.world.hurt(FULL)
        with trio.fail_after(60):
            while run.positions():  # noqa: ASYNC110 - a venue has no event to wait for
                await trio.sleep(0.05)

    async with (
        machine(play) as (universe, _),
        play.killed(universe, close_unwritten) as after,
        play.bot(after) as run,
    ):
        line = await run.until("pair.closed")

        assert abs(D(line["net_usdc"]) - cash(run)) < D("0.001")
