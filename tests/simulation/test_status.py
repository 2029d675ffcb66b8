"""What ``status`` says: of a running bot by its own word, of a dead one by the venues'."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import trio

from bot4.config.schema import SimulationConfig
from bot4.wiring.snapshot import read_status, status_file
from bot4.wiring.status import Status, ask_venues, table

CALM = SimulationConfig(profile="calm", seed=3)


async def test_a_running_bot_says_every_second_how_it_is(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 60.0)
            await run.until("pair.opened")
            await trio.sleep(2.5)
            said = read_status(universe.config)
            run.stop()

        assert said is not None
        for venue, symbol in (("vest", "BTC-PERP"), ("paradex", "BTC-USD-PERP")):
            row = said["venues"][venue]
            assert row["links"] == {"public": True, "private": True}
            assert 0 <= row["books"][symbol] < 2
            assert abs(row["clock_offset_ms"]) < 100
            assert row["token_due_s"] > 100
            assert Decimal(row["positions"][symbol]) == run.positions()[f"{venue}:{symbol}"]
        (trade,) = said["trades"]
        assert trade["state"] == "hedged"
        assert sum(map(Decimal, trade["held"].values())) == 0
        lines = "\n".join(table(Status(said, 0.5, complete=True)))
        assert "the bot runs" in lines
        assert "links public up, private up" in lines
        assert "BTC hedged" in lines
        assert "opening  allowed" in lines
        limits = said["venues"]["paradex"]["limits"]
        assert 0 < limits["orders"]["left"] < limits["orders"]["of"] == 800
        assert limits["read"]["left"] < limits["read"]["of"]
        assert f"orders {limits['orders']['left']} of 800 left in 1s" in lines
        assert "vest     limits not told by the venue" in lines
        assert [said["venues"][venue]["open_orders"] for venue in ("vest", "paradex")] == [0, 0]


async def test_a_link_that_is_down_and_what_stops_opening_are_named(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault("vest", "refuse_connect", seconds=100)
        run.fault("vest", "cut", which="all")
        await trio.sleep(2.0)
        said = read_status(universe.config)
        assert said is not None
        said["stopped"] = {"vest health": "6 of the last 12 exchanges with vest failed"}
        lines = "\n".join(table(Status(said, 0.5, complete=True)))

        assert "links public DOWN, private DOWN; books BTC-PERP none" in lines
        assert "opening  6 of the last 12 exchanges with vest failed" in lines


async def test_words_that_are_old_are_called_old(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            said = read_status(universe.config)
        assert said is not None

        headline = table(Status(said, 312.0, complete=False))[0]

        assert "has said nothing for 312 s" in headline


async def test_with_the_bot_dead_the_venues_and_the_journal_are_asked(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 60.0)
            await run.until("pair.opened")
            run.stop()
        assert not status_file(universe.config).exists()
        before = universe.config.state_dir.joinpath("journal.db").read_bytes()

        status = await ask_venues(universe.config, universe.secrets, universe.new_world(7))

        assert status.complete
        (trade,) = status.known["trades"]
        assert trade["state"] == "hedged"
        held = status.known["venues"]["paradex"]["positions"]["BTC-USD-PERP"]
        assert Decimal(held) == run.positions()["paradex:BTC-USD-PERP"]
        assert "no bot runs" in table(status)[0]
        lines = "\n".join(table(status))
        assert "read " in next(li for li in table(status) if li.startswith("paradex  limits"))
        assert lines.count("token renewed in") == 2
        assert universe.config.state_dir.joinpath("journal.db").read_bytes() == before


async def test_a_venue_that_does_not_answer_is_said_beside_the_one_that_does(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": "vest", "kind": "refuse_connect", "seconds": 500})

        status = await ask_venues(universe.config, universe.secrets, universe.world)

        lines = "\n".join(table(status))
        assert not status.complete
        assert "vest     NOT READ" in lines
        assert "paradex  equity 10000 USDC" in lines
