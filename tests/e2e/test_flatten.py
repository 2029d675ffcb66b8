"""One hand at a time on the account, and the way out by hand when the bot is dead."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
import trio

pytestmark = pytest.mark.slow


async def test_a_second_hand_is_refused_while_the_bot_runs(home: Any, judge: Any):
    with trio.fail_after(45):
        async with home.bot() as first:
            await first.ready()
            async with trio.open_nursery() as others:
                ended: dict[str, Any] = {}

                async def try_command(command: str, *args: str) -> None:
                    ended[command] = await home.run(command, *args)

                others.start_soon(try_command, "run")
                others.start_soon(try_command, "flatten", "--yes")
            # The first one neither noticed nor suffered: it still opens and closes.
            await first.gap(1.0)
            await first.until("pair.closed")
            assert await first.stop() == 0

    for command, bot in ended.items():
        assert bot.process.returncode == 4, command
        refusals = bot.said("start.refused")
        assert len(refusals) == 1
        assert refusals[0] == bot.last
        assert "running" in refusals[0]["why"] or "using" in refusals[0]["why"], refusals[0]["why"]
        assert refusals[0]["do"]
        assert bot.stderr.read_bytes() == b""
    assert "the bot is running" in ended["flatten"].last["why"]
    assert [line for line in first.lines if line["level"] == "error"] == []
    judge.as_claimed(first.last, home.truth())


async def hedged_and_killed(home: Any) -> None:
    """Leave a hedged pair behind, with nobody alive, and the venues at rest."""
    async with home.bot() as bot:
        await bot.hedged(seconds=30.0)
        await bot.kill()


async def test_flatten_closes_what_a_dead_bot_left_and_can_be_run_again(home: Any, judge: Any):
    with trio.fail_after(60):
        await hedged_and_killed(home)
        before = home.truth()
        held = judge.positions(before)
        assert set(held) == {"vest", "paradex"}

        looked = await home.run("flatten", "--dry-run")
        after_looking = home.truth()
        pair = await home.run("flatten", "--yes", "--pair", "BTC")
        flat = home.truth()
        again = await home.run("flatten", "--yes")

        # The bot finds flat venues under its hedged trade, books that, and goes on.
        async with home.bot() as bot:
            await bot.until("trade.recovered")
            ended = await bot.until(*judge.over, within_s=15.0)
            assert await bot.stop() == 0

    assert looked.process.returncode == 0
    planned = {line["venue"]: line["held"] for line in looked.said("flatten.planned")}
    assert {v: Decimal(p) for v, held_by in planned.items() for p in held_by.values()} == held
    assert judge.positions(after_looking) == held
    for venue in held:
        assert len(after_looking[venue]["orders"]) == len(before[venue]["orders"])

    assert pair.process.returncode == 0
    assert len(pair.said("flatten.done")) == 2
    judge.neutral(flat)
    assert judge.positions(flat) == {}
    for venue in held:
        assert all(order["reduce_only"] for order in flat[venue]["orders"][1:])

    assert again.process.returncode == 0
    assert all(line["closed"] == {} for line in again.said("flatten.done"))

    assert ended["event"] == "pair.closed"
    assert bot.said("trade.closed_outside")
    assert bot.said("leg.sent") == []
    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}


async def test_the_script_flattens_without_a_journal(home: Any, judge: Any, root: Any):
    with trio.fail_after(60):
        await hedged_and_killed(home)
        for file in home.state.glob("journal.db*"):
            file.unlink()
        # What a person types, minus the door to the project's own venv.
        script = [sys.executable, str(root / "scripts" / "flatten.py")]
        done = await trio.run_process(
            [*script, "--config", str(home.config), "--yes", "--log", "json"],
            capture_stdout=True,
            capture_stderr=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        flat = home.truth()

    assert (done.returncode, done.stderr) == (0, b"")
    judge.neutral(flat)
    assert judge.positions(flat) == {}


async def test_without_a_person_or_yes_flatten_touches_nothing(home: Any, judge: Any):
    with trio.fail_after(45):
        await hedged_and_killed(home)
        held = judge.positions(home.truth())
        asked = await home.run("flatten")

    assert asked.process.returncode == 4
    assert "--yes" in asked.last["do"]
    assert judge.positions(home.truth()) == held
