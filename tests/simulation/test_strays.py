"""An order that nobody can cancel: told with its id, its market opens nothing, the rest goes on."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from bot4.app import run_bot
from bot4.config.schema import SimulationConfig
from bot4.signals import Signals
from bot4.wiring.house import open_house

CALM = SimulationConfig(profile="calm", seed=3)
MARKETS = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}


def strays(run: Any, venue: str) -> list[str]:
    return [order["id"] for order in run.truth[venue]["open_orders"]]


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest")
async def test_the_bot_starts_and_trades_what_the_order_does_not_concern(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM, more=("ETH",)) as universe:
        (btc,) = universe.config.pairs
        eth = attrs.evolve(btc, name="ETH", vest="ETH-PERP", paradex="ETH-USD-PERP")
        both = attrs.evolve(universe.config, pairs=(btc, eth))
        universe.box.faults.add(
            {"venue": venue, "kind": "foreign_order", "market": MARKETS[venue], "cancel": "refused"}
        )
        async with play.bot(attrs.evolve(universe, config=both)) as run:
            (order_id,) = strays(run, venue)
            with trio.move_on_after(30):
                await run.until("feed.ready", 4)
                await trio.sleep(10)
                run.gap(45.0, 10.0)
                await trio.sleep(12)
            opened = {line["pair"] for line in run.said("pair.opening")}

        errors = [line for line in run.said("exposure.found") if line["level"] == "error"]
        assert [order_id in line["message"] for line in errors] == [True]
        assert f"{venue}'s page" in errors[0]["do"]
        assert opened == {"ETH"}
        assert run.code == 3
        assert order_id in run.said("shutdown.left")[0]["message"]


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("paradex")
async def test_opening_goes_on_when_somebody_took_the_order_away(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": venue, "kind": "foreign_order", "cancel": "refused"})
        async with play.bot(universe) as run:
            with trio.move_on_after(30):
                await run.until("feed.ready", 4)
                await trio.sleep(10)
            orders = getattr(universe.box, venue).orders
            for order_id in strays(run, venue):
                del orders[order_id].extra["cancel_refused"]
            await trio.sleep(35)
            run.gap(45.0, 6.0)
            await trio.sleep(12)

        assert len(run.said("pair.opening")) == 1
        assert run.code == 0


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.parametrize("when", ["before the start", "while it runs"])
async def test_a_second_signal_beside_the_order_never_says_clean(
    play: Any, autojump_clock: Any, venue: str, when: str
):
    refused = {"venue": venue, "kind": "foreign_order", "cancel": "refused"}
    async with play.universe(simulation=CALM) as universe:
        if when == "before the start":
            universe.box.faults.add(refused)
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            await trio.sleep(10)
            if when == "while it runs":
                universe.box.faults.add(refused)
            run.stop()
            await trio.sleep(1.2)
            run.stop()

        (order_id,) = strays(run, venue)
        assert run.code == 70
        assert run.said("shutdown.clean") == []
        assert order_id in run.events[-1]["message"]
        assert run.events[-1]["event"] == "shutdown.left"


async def test_a_run_with_a_time_ends_by_it_though_a_venue_never_answered(
    play: Any, autojump_clock: Any, events: Any
):
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": "vest", "kind": "maintenance", "seconds": 300})
        began, codes = trio.current_time(), []
        with trio.move_on_after(120):
            async with open_house(universe.config, universe.secrets, universe.world) as house:
                codes.append(await run_bot(house, Signals(clock=trio.current_time), for_s=10.0))

        assert trio.current_time() - began < 30
        assert codes
