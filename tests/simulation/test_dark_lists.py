"""An order of which nothing is known while its venue's lists of orders answer nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
VENUES = ["vest", "paradex"]
DUST = Decimal("0.00013")
NEVER, FILLED, ACCEPTED = "lose_request", "lose_answer", ""
DARK = {
    "refuses": ("http_error", {"status": 503}),
    "says nothing": ("lose_request", {}),
}


async def doubtful(
    run: Any, venue: str, lost: str, how: str = "refuses", gap_s: float = 4.0
) -> None:
    """Lose an entry's order at one venue, which tells nothing of orders from then on."""
    await run.until("feed.ready", 4)
    kind, args = DARK[how]
    if lost:
        run.fault(venue, lost)
    run.fault(venue, "mute_private", count=-1)
    run.gap(45.0, gap_s)
    await run.until("pair.opening")
    run.fault(venue, kind, request="query", count=-1, **args)
    await run.until("leg.in_doubt")


def bound_s(run: Any) -> float:
    return float(run.said("bound.stated")[0]["doubt_s"])


async def alone_s(run: Any, within_s: float) -> float:
    """Watch for so long; return how long the venues held a leg alone."""
    step, alone = 0.1, 0.0
    for _ in range(int(within_s / step)):
        await trio.sleep(step)
        alone += step if abs(run.net()) >= DUST else 0.0
    return alone


def entries(run: Any, venue: str) -> int:
    return sum(not order["reduce_only"] for order in run.truth[venue]["orders"])


@pytest.mark.parametrize("how", DARK)
@pytest.mark.parametrize("venue", VENUES)
async def test_the_other_leg_of_an_order_that_never_arrived_is_not_left_alone(
    play: Any, autojump_clock: Any, venue: str, how: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await doubtful(run, venue, NEVER, how)
        assert run.net()

        alone = await alone_s(run, 30)

        assert alone < bound_s(run)
        assert run.net() == 0
        universe.box.faults.clear()
        resolved = run.said("leg.resolved")[0]
        assert "position" in resolved["why"]
    run.clean()


@pytest.mark.parametrize("lost", [FILLED, ACCEPTED])
@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_that_the_position_shows_filled_is_believed_and_not_sent_again(
    play: Any, autojump_clock: Any, venue: str, lost: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await doubtful(run, venue, lost)
        await trio.sleep(15)

        assert run.said("pair.opened")
        assert [entries(run, one) for one in VENUES] == [1, 1]
        assert run.net() == 0
        universe.box.faults.clear()
        await run.until("pair.closed", within_s=120)
        await run.until("trade.rebooked", within_s=400)
        assert "unknown" not in run.said("trade.rebooked")[-1]["message"]
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_nothing_is_believed_while_the_order_may_still_be_taken_or_positions_do_not_answer(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await doubtful(run, venue, NEVER)
        run.fault(venue, "http_error", status=503, request="account", count=-1)
        both = [len(run.truth[one]["orders"]) for one in VENUES]

        await trio.sleep(30)

        assert [len(run.truth[one]["orders"]) for one in VENUES] == both
        assert "naked" in run.said("exposure.left")[0]["why"]
        universe.box.faults.clear()
        await run.until("pair.unwound", within_s=60)
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_a_position_closed_by_hand_meanwhile_takes_the_other_leg_back(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await doubtful(run, venue, FILLED)
        run.fault(venue, "manual_close")

        assert await alone_s(run, 30) < bound_s(run) + 1

        assert run.positions() == {}
        universe.box.faults.clear()
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_a_closing_order_in_doubt_is_settled_by_the_position_too(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.gap(45.0, 6.0)
        await run.until("pair.opened")
        run.fault(venue, NEVER, reduce_only=True)
        run.fault(venue, "http_error", status=503, request="query", count=-1)
        await run.until("pair.closing", within_s=90)

        assert await alone_s(run, 30) < bound_s(run)

        assert run.positions() == {}
        universe.box.faults.clear()
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_what_a_venue_executes_later_than_anybody_waits_is_met_once_its_lists_answer(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        run.fault(venue, "delay_landing", ms=9_000)
        await doubtful(run, venue, FILLED, gap_s=20.0)
        await trio.sleep(15)
        assert run.positions(), "it was executed, and nobody told"

        universe.box.faults.clear()
        await trio.sleep(15)

        assert run.positions() == {}
        assert run.said("trade.reopened")
    run.clean()
