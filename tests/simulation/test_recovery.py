"""Killed at every stage and started again: found, reconciled, carried on; never opened twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)


def handles(run: Any, venue: str) -> Counter[str]:
    """How often each of our order names reached a venue."""
    name = "nonce" if venue == "vest" else "client_id"
    return Counter(str(order[name]) for order in run.truth[venue]["orders"])


async def entering(run: Any, after_ms: int, gap_s: float = 3.0) -> None:
    await run.until("feed.ready", 4)
    run.gap(45.0, gap_s)
    await run.until("pair.opening")
    await trio.sleep(after_ms / 1000)


async def closing(run: Any, after_ms: int) -> None:
    await run.until("feed.ready", 4)
    run.gap(45.0, 3.0)
    await run.until("pair.closing")
    await trio.sleep(after_ms / 1000)


@pytest.mark.parametrize("after_ms", [*range(0, 420, 20), 600, 1200])
@pytest.mark.ordinary("0", "100", "200", "300", "600")
async def test_killed_while_entering(play: Any, autojump_clock: Any, after_ms: int):
    async with (
        play.universe(simulation=CALM) as universe,
        play.killed(universe, lambda run: entering(run, after_ms)) as after,
    ):
        async with play.bot(after) as run:
            await run.until("trade.recovered")
            with trio.fail_after(60):
                while True:
                    over = [*run.said("pair.closed"), *run.said("pair.unwound")]
                    if over or run.said("pair.missed"):
                        break
                    await trio.sleep(0.1)

        assert run.code == 0
        run.clean()
        assert run.positions() == {}
        for venue in ("vest", "paradex"):
            assert max(handles(run, venue).values(), default=1) == 1
            entries = [o for o in run.truth[venue]["orders"] if not o["reduce_only"]]
            assert len(entries) <= 1


@pytest.mark.parametrize("after_ms", range(0, 300, 20))
@pytest.mark.ordinary("0", "120", "260")
async def test_killed_while_closing(play: Any, autojump_clock: Any, after_ms: int):
    async with (
        play.universe(simulation=CALM) as universe,
        play.killed(universe, lambda run: closing(run, after_ms)) as after,
    ):
        async with play.bot(after) as run:
            await run.until("trade.recovered")
            await run.until("pair.closed")

        assert run.code == 0
        assert run.positions() == {}


async def test_killed_before_the_journal_knew_anything(play: Any, autojump_clock: Any):
    async def feeds(run: Any) -> None:
        await run.until("feed.ready", 4)

    async with (
        play.universe(simulation=CALM) as universe,
        play.killed(universe, feeds) as after,
    ):
        async with play.bot(after) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 3.0)
            await run.until("pair.closed")

        assert run.code == 0
        assert run.positions() == {}


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest")
async def test_closed_by_hand_while_dead_is_booked_and_trading_goes_on(
    play: Any, autojump_clock: Any, venue: str
):
    async def hedged(run: Any) -> None:
        await entering(run, 0, gap_s=5.0)
        await run.until("pair.opened")

    async with (
        play.universe(simulation=CALM) as universe,
        play.killed(universe, hedged) as after,
    ):
        after.box.faults.add({"venue": "vest", "kind": "manual_close", "market": "BTC-PERP"})
        if venue == "paradex":
            manual = {"venue": "paradex", "kind": "manual_close", "market": "BTC-USD-PERP"}
            after.box.faults.add(manual)
        async with play.bot(after) as run:
            await run.until("trade.closed_outside")
            await run.until("pair.closed")
            await trio.sleep(35)
            run.gap(45.0, 3.0)
            await run.until("pair.opened")

        assert run.code == 0
        run.clean()


async def test_a_position_nobody_explains_stops_opening_and_says_what_to_do(
    play: Any, autojump_clock: Any, tmp_path: Any
):
    import attrs

    async def hedged(run: Any) -> None:
        await entering(run, 0, gap_s=200.0)
        await run.until("pair.opened")

    async with (
        play.universe(simulation=CALM) as universe,
        play.killed(universe, hedged) as after,
    ):
        empty = attrs.evolve(after, config=attrs.evolve(after.config, state_dir=tmp_path / "new"))
        async with play.bot(empty) as run:
            found = await run.until("exposure.found")
            await trio.sleep(5)

        assert "flatten" in found["do"]
        assert run.said("pair.opening") == []
        [last] = run.said("shutdown.left")
        assert all(one["why"] in last["left"][0] for one in run.said("exposure.found"))
        assert {one["venue"] for one in run.said("exposure.found")} == {"vest", "paradex"}
