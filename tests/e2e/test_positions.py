"""``positions`` beside a living bot, behind a dead one, and where the venues hold otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
import trio
from timeouts import STORY_S

pytestmark = pytest.mark.slow

FIGURES = ("value_usdc", "if_closed_usdc", "exit_spread_percent", "exit_target_percent")


async def positions(home: Any, *args: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "bot4", "positions", "--config", str(home.config), *args]
    done = await trio.run_process(
        command, capture_stdout=True, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode, done.stdout.decode()


async def valued(home: Any) -> tuple[int, str]:
    """Ask until books and the account are known: the pair has only just opened."""
    while True:
        code, told = await positions(home, "--json")
        if code or all(json.loads(told)[name] for name in (*FIGURES, "liquidation_percent")):
            return code, told


async def test_what_is_held_is_told_in_figures_by_the_living_bot_and_by_the_venues_of_a_dead_one(
    home: Any,
):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.hedged()
            code, living = await valued(home)
            _, screen = await positions(home)
            await bot.fault("vest", "manual_close", market="BTC-PERP")
            await bot.kill()
        _, dead = await positions(home, "--json")
        _, unasked = await positions(home)
        asked_code, asked = await positions(home, "--ask", "--json")
        _, told = await positions(home, "--ask")

    [record] = map(json.loads, living.splitlines())
    assert code == 0
    assert (record.get("source"), record.get("unhedged")) == ("bot", "0")
    assert all(Decimal(record[name]) for name in FIGURES)
    assert 250 < Decimal(record["value_usdc"]) < 350
    assert Decimal(record["liquidation_percent"]) > 0
    assert "to liquidation" in screen
    [record] = map(json.loads, dead.splitlines())
    assert (record["source"], record["value_usdc"]) == ("journal", None)
    assert "the venues were NOT asked" in unasked
    [record] = map(json.loads, asked.splitlines())
    assert asked_code == 0
    assert record["source"] == "venues"
    short = next(Decimal(leg["held"]) for leg in record["legs"] if leg["venue"] == "paradex")
    assert Decimal(record["unhedged"]) == short
    assert record["if_closed_usdc"] is None
    # The journal calls it hedged; a person closed one leg, and no later word may call it even.
    assert "no trade explains this: vest:BTC-PERP holds 0, the journal explains" in told, told
