"""A venue that changed its API under us: nothing opens, in one line; what is open is closed."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
PUBLIC = [("paradex", "schema", "sbe"), ("paradex", "schema", "json"), ("vest", "type", "sbe")]


def stopped(run: Any, venue: str) -> list[dict[str, Any]]:
    return [line for line in run.said("opening.stopped") if line["reason"] == f"{venue} api"]


@pytest.mark.parametrize(("venue", "what", "encoding"), PUBLIC)
@pytest.mark.ordinary("paradex-schema-sbe", "vest-type-sbe")
async def test_books_of_another_kind_stop_opening_in_one_line_that_says_what_to_do(
    play: Any, autojump_clock: Any, venue: str, what: str, encoding: str
):
    async with play.universe(simulation=CALM) as universe:
        paradex = attrs.evolve(universe.config.paradex, book_encoding=encoding)
        changed = attrs.evolve(universe, config=attrs.evolve(universe.config, paradex=paradex))
        async with play.bot(changed) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "api_change", what=what, count=3)
            await run.until("opening.stopped")
            await trio.sleep(20)
            # The feed is back and would show a gap; what was not understood once is enough.
            run.gap(45.0, 10.0)
            await trio.sleep(12)

        (line,) = stopped(run, venue)
        assert f"{venue} does not speak api" in line["why"]
        assert line["do"]
        assert run.said("pair.opening") == []
        assert run.code == 0


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("vest")
async def test_a_status_nobody_knows_stops_opening_and_never_closing(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 4.0)
            await run.until("pair.opened")
            run.fault(venue, "api_change", what="enum", count=-1)
            await run.until("pair.closed")
            run.gap(45.0, 10.0)
            await trio.sleep(20)

        (line,) = stopped(run, venue)
        assert "an unknown order status" in line["why"]
        assert len(run.said("pair.opening")) == 1
        assert run.positions() == {}
        assert run.code == 0


@pytest.mark.parametrize("venue", ["vest", "paradex"])
@pytest.mark.ordinary("paradex")
async def test_a_status_nobody_knows_while_entering_ends_hedged_or_flat(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "api_change", what="enum", count=-1)
            run.gap(45.0, 4.0)
            await run.until("pair.opening")
            await trio.sleep(20)

        assert len(stopped(run, venue)) == 1
        run.clean()
        assert run.code == 0


async def test_noise_is_no_new_api(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            for venue in ("vest", "paradex"):
                run.fault(venue, "garbage", count=3)
            await trio.sleep(20)
            run.gap(45.0, 4.0)
            await run.until("pair.opening")

        assert stopped(run, "vest") == stopped(run, "paradex") == []
