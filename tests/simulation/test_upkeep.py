"""A venue under maintenance, markets that change, and trades taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import ParadexConfig, SimulationConfig
from bot4.tasks import upkeep

CALM = SimulationConfig(profile="calm", seed=3)
SYMBOL = "BTC-USD-PERP"


@pytest.mark.parametrize("state", ["maintenance", "cancel_only", "post_only"])
@pytest.mark.ordinary("maintenance", "post_only")
async def test_a_venue_that_shuts_opens_nothing_says_it_once_and_goes_on_after(
    play: Any, autojump_clock: Any, state: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("paradex", "maintenance", state=state, seconds=40)
            stopped = await run.until("opening.stopped", within_s=15.0)
            run.gap(45.0, 5.0)
            await trio.sleep(10.0)
            assert run.said("leg.sent") == []
            await run.until("opening.resumed", within_s=45.0)
            run.gap(45.0, 5.0)
            await run.until("pair.opened")

        assert run.code == 0
        run.clean()
        assert stopped["reason"] == "paradex state"
        assert len(run.said("opening.stopped")) == 1


async def test_a_market_whose_lot_changed_opens_nothing_until_it_is_the_old_one_again(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upkeep, "MARKETS_EVERY_S", 20.0)
    monkeypatch.setattr(upkeep, "AGAIN_S", 10.0)
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            known = run_markets(universe)[SYMBOL]
            run_markets(universe)[SYMBOL] = attrs.evolve(known, lot=Decimal("0.001"))
            stopped = await run.until("opening.stopped")
            run.gap(45.0, 5.0)
            await trio.sleep(8.0)
            assert run.said("leg.sent") == []
            run_markets(universe)[SYMBOL] = known
            await run.until("opening.resumed")

        assert run.code == 0
        assert "lot 0.00001 to 0.001" in stopped["why"]


def run_markets(universe: Any) -> dict[str, Any]:
    return universe.box.paradex.markets


async def test_a_fee_that_rose_is_in_the_next_decision(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upkeep, "MARKETS_EVERY_S", 20.0)
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            known = run_markets(universe)[SYMBOL]
            dear = attrs.evolve(known, taker_fee=Decimal("0.005"))
            run_markets(universe)[SYMBOL] = dear
            await run.until("market.changed")
            run.gap(45.0, 8.0)
            held = await run.until("entry.held")

        assert run.code == 0
        assert run.said("leg.sent") == []
        assert held["reason"] == "edge", held


@pytest.mark.parametrize("listening", [True, False])
async def test_a_trade_taken_back_is_noticed_and_the_other_leg_reduced(
    play: Any, autojump_clock: Any, listening: bool
):
    paradex = ParadexConfig(tradebusts=listening)
    async with play.universe(simulation=CALM, paradex=paradex) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 60.0)
            await run.until("pair.opened")
            await trio.sleep(20.0)
            busted_at = trio.current_time()
            run.fault("paradex", "bust")
            noticed = await run.until("fill.busted" if listening else "trade.closed_outside")
            with trio.fail_after(30):
                while run.net():  # noqa: ASYNC110 - the venues have no event to wait for
                    await trio.sleep(0.1)

        assert run.code == 0
        run.clean()
        if listening:
            # Named, so that no reading has to confirm it.
            assert noticed["at"] - busted_at < 1.0
            assert run.said("trade.closed_outside") == []


async def test_a_pair_of_two_coins_opens_nothing_and_says_so(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM, more=("ETH",)) as universe:
        (pair,) = universe.config.pairs
        config = attrs.evolve(universe.config, pairs=(attrs.evolve(pair, vest="ETH-PERP"),))
        async with play.bot(attrs.evolve(universe, config=config)) as run:
            stopped = await run.until("opening.stopped")
            run.gap(45.0, 10.0)
            await trio.sleep(15)

        assert "pair BTC is no hedge" in stopped["why"]
        assert run.said("pair.opening") == []
        assert run.code == 0
