"""Two bots on the same accounts: on one machine the second is refused, elsewhere it is noticed."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.errors import StartRefused

CALM = SimulationConfig(profile="calm", seed=3)


class Elsewhere:
    """Another machine: nothing of this one is known there."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def lock_account(self, _account: Any, _holder: str) -> Any:
        await trio.lowlevel.checkpoint()
        return Free()


class Free:
    def close(self) -> None:
        """Nothing was taken."""

    async def answer(self, *, task_status: Any) -> None:
        await trio.lowlevel.checkpoint()
        task_status.started()


def beside(universe: Any, world: Any, **changes: Any) -> Any:
    """The same venues and accounts, from another state folder."""
    folder = universe.config.state_dir.parent / "beside"
    config = attrs.evolve(universe.config, state_dir=folder, **changes)
    return attrs.evolve(universe, config=config, world=world)


async def test_a_second_bot_on_the_accounts_of_a_running_one_is_refused_and_holds_nothing(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as first:
        await first.until("feed.ready", 4)

        async def begin_beside_it() -> None:
            async with play.bot(beside(universe, universe.new_world(2))):
                first.gap(45.0, 5.0)
                await first.until("pair.opened")
                await trio.sleep(10)

        said = f"trades this account: vest 0x.* is held by the bot of {universe.config.state_dir}"
        with pytest.RaisesGroup(pytest.RaisesExc(StartRefused, match=said), flatten_subgroups=True):
            await begin_beside_it()
        first.gap(45.0, 5.0)
        await first.until("pair.opened")
        sent = [order for state in first.truth.values() for order in state["orders"]]
        assert len(sent) == 2

    assert first.code == 0


async def test_once_the_first_bot_has_ended_the_second_may_begin(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as first:
            await first.until("feed.ready", 4)
        first.events.clear()
        async with play.bot(beside(universe, universe.new_world(2))) as second:
            await second.until("feed.ready", 4)

    assert (first.code, second.code) == (0, 0)


async def test_an_order_that_only_another_bot_can_have_sent_stops_opening_until_a_new_start(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as first:
        await first.until("feed.ready", 4)
        there = beside(universe, Elsewhere(universe.new_world(2)))
        async with play.bot(there):
            await first.until("feed.ready", 8)
            first.gap(45.0, 5.0)
            with trio.move_on_after(30):
                while not stopped_for_another(first):  # noqa: ASYNC110 - a log has no event
                    await trio.sleep(0.1)
            await trio.sleep(10)
            told = stopped_for_another(first)
            # Both may have begun at one instant; whoever was told begins no more.
            begun = len(first.said("pair.opening"))
            if len(told) == 2:
                first.gap(45.0, 5.0)
                await trio.sleep(40)
                assert len(first.said("pair.opening")) == begun

    assert told
    assert begun <= 2
    for line in told:
        assert "another bot trades this account: paradex tells of its order b4-" in line["why"]
        assert "start the other one again" in line["do"]


def stopped_for_another(run: Any) -> list[Any]:
    return [line for line in run.said("opening.stopped") if line["reason"] == "another bot"]
