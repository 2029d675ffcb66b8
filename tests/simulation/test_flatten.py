"""The way out by hand at venues that are not themselves: both legs of a pair go, or none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.domain.market import VENUES
from bot4.wiring.flatten import flatten_all, open_flatteners
from tests.simulation.test_hard_days import DUST, MARKETS, hedged
from tests.simulation.test_money import cash

D = Decimal
CALM = SimulationConfig(profile="calm", seed=3)
EVER_S = 3600.0
CLIP = D("0.0003")
"""A venue that says it is open and refuses is found out by an order of about this size, BTC."""
LASTING = {
    "paradex maintained": ("paradex", {"kind": "maintenance"}),
    "paradex post-only": ("paradex", {"kind": "post_only"}),
    "paradex cancel-only": ("paradex", {"kind": "cancel_only"}),
    "paradex halted": ("paradex", {"kind": "halt", "symbol": MARKETS["paradex"]}),
    "vest halted": ("vest", {"kind": "halt", "symbol": MARKETS["vest"]}),
    "vest blocked": ("vest", {"kind": "blocked"}),
    "paradex blocked": ("paradex", {"kind": "blocked"}),
    "vest unreachable": ("vest", {"kind": "refuse_connect"}),
    "paradex unreachable": ("paradex", {"kind": "refuse_connect"}),
}
REFUSALS = {
    "vest refuses orders": ("vest", {"kind": "refuse", "request": "order"}),
    "paradex refuses orders": ("paradex", {"kind": "refuse", "request": "order"}),
}


@attrs.define
class Watched:
    """What the venues held while flatten was at work."""

    run: Any
    code: int | None = None
    naked: Decimal = D(0)
    naked_s: float = 0.0
    took_s: float = 0.0

    async def watch(self) -> None:
        began = None
        while True:
            net = abs(self.run.net())
            self.naked = max(self.naked, net)
            now = trio.current_time()
            began = None if net < DUST else now if began is None else began
            self.naked_s = max(self.naked_s, 0.0 if began is None else now - began)
            await trio.sleep(0.02)


@asynccontextmanager
async def dead_with_a_pair(play: Any) -> AsyncIterator[tuple[Any, Any]]:
    """Kill a bot that holds a hedged pair; yield its run, which still sees the venues, and what
    it left.
    """
    runs: list[Any] = []

    async def held(run: Any) -> None:
        runs.append(run)
        await hedged(run)

    async with play.universe(simulation=CALM) as universe, play.killed(universe, held) as after:
        yield runs[0], after


async def flatten(
    after: Any,
    run: Any,
    *,
    close: bool = True,
    venues: tuple[str, ...] = VENUES,
    meanwhile: Callable[[], Any] = lambda: None,
) -> Watched:
    """Run flatten on what a dead bot left, with the venues watched; the run gets its lines."""
    watched = Watched(run)
    began = trio.current_time()
    async with (
        trio.open_nursery() as watching,
        open_flatteners(
            after.config, after.secrets, after.world, dict.fromkeys(venues)
        ) as flatteners,
    ):
        meanwhile()
        watching.start_soon(watched.watch)
        watched.code = await flatten_all(flatteners, close=close)
        watched.took_s = trio.current_time() - began
        watching.cancel_scope.cancel()
    return watched


def said(events: Any, event: str) -> list[str]:
    return [line["message"] for line in events if line["event"] == event]


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("what", ["order of another", "any cancel"])
@pytest.mark.ordinary("order of another-paradex")
async def test_a_cancel_that_is_refused_for_ever_stops_no_closing(
    play: Any, events: Any, autojump_clock: Any, venue: str, what: str
):
    async with dead_with_a_pair(play) as (dead, after):
        if what == "any cancel":
            dead.fault(venue, "refuse", request="cancel", count=-1)
        dead.fault(venue, "foreign_order", shape="tpsl", market=MARKETS[venue], cancel="refused")
        watched = await flatten(after, dead)

        assert dead.positions() == {}
        assert watched.naked_s < 3
        assert watched.code == 3
    (told,) = [m for m in said(events, "flatten.failed") if venue in m]
    assert "could not be cancelled" in told or "could not be read" in told
    assert "holds nothing" in told


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.ordinary("paradex")
async def test_many_orders_whose_cancels_are_slow_and_refused_hold_up_no_closing(
    play: Any, autojump_clock: Any, venue: str
):
    async with dead_with_a_pair(play) as (dead, after):
        for _ in range(30):
            dead.fault(
                venue, "foreign_order", shape="tpsl", market=MARKETS[venue], cancel="refused"
            )
        dead.fault(venue, "delay_answer", request="cancel", ms=2500, count=-1)
        watched = await flatten(after, dead)

        assert dead.positions() == {}
        assert watched.naked_s < 5
        assert watched.code == 3
        assert watched.took_s < 90


@pytest.mark.parametrize("what", LASTING)
@pytest.mark.ordinary("vest halted", "paradex unreachable")
async def test_no_leg_of_a_hedged_pair_goes_while_the_other_venue_stays_shut(
    play: Any, events: Any, autojump_clock: Any, what: str
):
    venue, fault = LASTING[what]
    async with dead_with_a_pair(play) as (dead, after):
        before = dead.positions()
        dead.fault(venue, seconds=EVER_S, **fault)
        watched = await flatten(after, dead)

        assert watched.naked < DUST
        assert dead.positions() == before
        assert watched.code == 3
        assert watched.took_s < 120
    words = " ".join(said(events, "flatten.failed"))
    assert "still short 0.0036 BTC-PERP" in words or "vest: NOT proven" in words
    assert "still long 0.0036 BTC-USD-PERP" in words or "paradex: NOT proven" in words
    assert "holds ?" not in words


@pytest.mark.parametrize("what", LASTING)
@pytest.mark.ordinary("vest unreachable", "paradex halted")
async def test_a_venue_that_opens_again_in_time_is_waited_for(
    play: Any, autojump_clock: Any, what: str
):
    venue, fault = LASTING[what]
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault(venue, seconds=20.0, **fault)
        watched = await flatten(after, dead)

        assert dead.positions() == {}
        assert watched.code == 0
        assert watched.naked_s < 3


async def test_a_pair_larger_than_the_largest_order_goes_in_parts_leg_after_leg(
    play: Any, autojump_clock: Any
):
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault("paradex", "limits", symbol=MARKETS["paradex"], order="0.001", seconds=EVER_S)
        watched = await flatten(after, dead)

        assert dead.positions() == {}
        assert watched.code == 0
        assert watched.naked <= D("0.001")


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("state", ["hedged", "one leg", "one leg, only what is alone"])
async def test_a_size_that_is_refused_without_a_limit_announced_is_halved_until_it_is_taken(
    play: Any, autojump_clock: Any, venue: str, state: str
):
    async with dead_with_a_pair(play) as (dead, after):
        if state != "hedged":
            (gone,) = set(VENUES) - {venue}
            dead.fault(gone, "manual_close", market=MARKETS[gone])
        limit = {"symbol": MARKETS[venue], "order": "0.001", "told": False}
        dead.fault(venue, "limits", seconds=EVER_S, **limit)
        watched = await flatten(after, dead, close="only" not in state)

        assert dead.positions() == {}
        assert watched.code == 0
        assert watched.naked_s < 8
        assert watched.took_s < 30


@pytest.mark.parametrize("venue", VENUES)
async def test_a_market_that_takes_no_size_at_all_is_told_with_what_is_left_there(
    play: Any, events: Any, autojump_clock: Any, venue: str
):
    async with dead_with_a_pair(play) as (dead, after):
        limit = {"symbol": MARKETS[venue], "order": "0.00001", "told": False}
        dead.fault(venue, "limits", seconds=EVER_S, **limit)
        watched = await flatten(after, dead)

        assert watched.naked <= CLIP
        assert set(dead.positions()) == {"vest:BTC-PERP", "paradex:BTC-USD-PERP"}
        assert watched.code == 3
    assert MARKETS[venue] in " ".join(said(events, "flatten.failed"))


@pytest.mark.parametrize("shut_s", [46.0, 54.0])
async def test_a_leg_whose_other_one_goes_as_the_time_is_over_still_follows_it(
    play: Any, autojump_clock: Any, shut_s: float
):
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault("paradex", "post_only", seconds=shut_s)
        dead.fault("paradex", "delay_answer", request="any", ms=1500, count=-1)
        watched = await flatten(after, dead)

        assert abs(dead.net()) < DUST, dead.positions()
        assert watched.took_s < 120
        assert watched.code == (3 if dead.positions() else 0)


async def test_a_rest_that_no_order_is_small_enough_for_is_not_called_hedged(
    play: Any, events: Any, autojump_clock: Any
):
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault("vest", "manual_close", market=MARKETS["vest"])
        dead.fault("paradex", "partial_fill", fraction=0.4, count=-1)
        watched = await flatten(after, dead, close=False)

        (rest,) = dead.positions().values()
        assert rest < DUST
        assert watched.code == 0
    (told,) = said(events, "pair.held")
    assert "hedged" not in told
    assert str(rest) in told


@pytest.mark.parametrize("what", REFUSALS)
@pytest.mark.ordinary("vest refuses orders")
async def test_a_venue_that_says_it_is_open_and_refuses_is_found_out_by_a_small_order(
    play: Any, events: Any, autojump_clock: Any, what: str
):
    venue, fault = REFUSALS[what]
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault(venue, count=-1, **fault)
        watched = await flatten(after, dead)

        assert watched.naked <= CLIP
        assert set(dead.positions()) == {"vest:BTC-PERP", "paradex:BTC-USD-PERP"}
        assert watched.code == 3
    naked = said(events, "exposure.left")
    assert bool(naked) == (watched.naked >= DUST)


@pytest.mark.parametrize("venue", VENUES)
async def test_a_venue_that_is_named_alone_is_closed_whatever_the_other_one_does(
    play: Any, autojump_clock: Any, venue: str
):
    async with dead_with_a_pair(play) as (dead, after):
        other = "vest" if venue == "paradex" else "paradex"
        dead.fault(other, "refuse_connect", seconds=EVER_S)
        watched = await flatten(after, dead, venues=(venue,))

        assert set(dead.positions()) == {f"{other}:{MARKETS[other]}"}
        assert watched.code == 0


@pytest.mark.parametrize("close", [True, False], ids=["flatten", "only what is alone"])
@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.ordinary("vest-flatten", "paradex-only what is alone")
async def test_a_leg_that_is_alone_is_brought_home(
    play: Any, events: Any, autojump_clock: Any, venue: str, close: bool
):
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault(venue, "manual_close", market=MARKETS[venue])
        assert len(dead.positions()) == 1
        watched = await flatten(after, dead, close=close)

        assert dead.positions() == {}
        assert watched.code == 0
    assert said(events, "exposure.left") == []


@pytest.mark.parametrize("venue", VENUES)
async def test_of_an_uneven_pair_only_what_is_alone_is_taken_back_and_the_rest_told_as_held(
    play: Any, events: Any, autojump_clock: Any, venue: str
):
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault(venue, "liquidate", market=MARKETS[venue], share="0.5")
        await trio.sleep(1)
        assert abs(dead.net()) >= DUST
        watched = await flatten(after, dead, close=False)

        held = dead.positions()
        assert len(held) == 2
        assert abs(dead.net()) < DUST
        assert watched.code == 0
    (told,) = said(events, "pair.held")
    for size in held.values():
        assert str(abs(size).normalize()) in told


async def test_a_lone_leg_at_a_venue_that_refuses_is_named_with_its_danger(
    play: Any, events: Any, autojump_clock: Any
):
    async with dead_with_a_pair(play) as (dead, after):
        dead.fault("paradex", "manual_close", market=MARKETS["paradex"])
        dead.fault("vest", "refuse", request="order", count=-1)
        watched = await flatten(after, dead)

        assert watched.code == 3
    told = " ".join(said(events, "exposure.left"))
    assert "vest still short 0.0036 BTC-PERP, paradex holds nothing: you are short 0.0036" in told


@pytest.mark.parametrize("alone", [False, True], ids=["hedged", "one leg closed by hand"])
async def test_a_bot_started_after_it_books_the_trade_with_the_venues_own_fills(
    play: Any, autojump_clock: Any, alone: bool
):
    async with dead_with_a_pair(play) as (dead, after):
        if alone:
            dead.fault("vest", "manual_close", market=MARKETS["vest"])
        watched = await flatten(after, dead)
        assert watched.code == 0
        again = attrs.evolve(after, world=after.new_world(98))
        async with play.bot(again) as run:
            line = await run.until("pair.closed")

            assert abs(D(line["net_usdc"]) - cash(run)) < D("0.001")
        assert run.code == 0
        assert run.said("exposure.found") == []
