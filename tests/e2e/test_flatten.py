"""One hand at a time on the account, and the way out by hand when the bot is dead."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
from timeouts import LINE_S, STORY_S

TRIO_RUN = Path(sys.executable).parent / "trio-run"

pytestmark = pytest.mark.slow


async def test_a_second_hand_is_refused_until_the_first_lets_go(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as first:
            await first.hedged()
            # Told so at once: what waited for the lock would wait as long as the first one lives.
            second = await home.run("run")
            looked = await home.run("flatten", "--dry-run")
            unsure = await home.run("flatten", typed="no\n")
            doctor = await trio.run_process(
                [str(TRIO_RUN), "bot4", "doctor", "--config", str(home.config)],
                capture_stdout=True,
                capture_stderr=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            # The first one neither noticed nor suffered.
            spoken = (home.state / "status.json").read_text()
            with trio.fail_after(LINE_S):
                while (home.state / "status.json").read_text() == spoken:  # noqa: ASYNC110
                    await trio.sleep(0.05)
            assert first.last["level"] == "info"
            assert not (home.state / "STOP").exists()
            # Flatten asks it to stop, waits for it, and closes what it held.
            flatten = await home.run("flatten", typed="oui\n")
            assert await first.end() == 0

    assert second.process.returncode == 4
    (refusal,) = second.said("start.refused")
    assert refusal is second.last
    assert re.search("running|in use|is using", refusal["why"]), refusal["why"]
    assert refusal["do"]
    assert second.stderr.read_bytes() == b""
    # The doctor asks the bot that runs.
    assert (doctor.returncode, doctor.stderr) == (0, b"")
    steps = doctor.stdout.decode().splitlines()
    assert all(step.startswith("OK") for step in steps)
    for venue, held in first.last["held"]["BTC"].items():
        assert any(venue in step and f"{held}, 0 open orders" in step for step in steps)
    # What is held and what closing costs is said before anything is touched, with the bot at work.
    assert looked.process.returncode == 0
    assert unsure.process.returncode == 4
    for bot in (looked, unsure, flatten):
        told = {line["venue"]: line for line in bot.said("flatten.planned") if "held" in line}
        assert {v: told[v]["held"] for v in told} == {
            v: {symbol: str(size)}
            for v, symbol in (("vest", "BTC-PERP"), ("paradex", "BTC-USD-PERP"))
            for size in (first.last["held"]["BTC"][v],)
        }
        for line in told.values():
            assert Decimal(0) < Decimal(line["cost"]) < 2
    assert [line for line in first.lines if line["level"] in ("error", "critical")] == []
    # The log of the one that ran is its own; flatten's lines follow once it has let go.
    filed = [line for line in home.log() if line["level"] != "debug"]
    assert filed[: len(first.lines)] == first.lines
    assert filed[len(first.lines) :] == flatten.lines
    assert set(first.last["held"]["BTC"]) == {"vest", "paradex"}
    assert flatten.process.returncode == 0
    assert {line["venue"] for line in flatten.said("flatten.done")} == {"vest", "paradex"}
    judge.neutral(home.truth())
    assert judge.positions(home.truth()) == {}


async def test_the_script_closes_what_a_dead_bot_left_without_its_journal(
    home: Any, judge: Any, root: Any
):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.hedged()
            await bot.kill()
        before = home.truth()
        looked = await home.run("flatten", "--dry-run")
        after_looking = home.truth()
        # Nobody is there to say yes, and no --yes.
        unsure = await home.run("flatten")
        after_all = home.truth()
        for file in home.state.glob("journal.db*"):
            file.unlink()
        script = [sys.executable, str(root / "scripts" / "flatten.py")]
        done = await trio.run_process(
            [*script, "--config", str(home.config), "--log", "json", "--yes", "--pair", "BTC"],
            capture_stdout=True,
            capture_stderr=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        flat = home.truth()
        again = await home.run("flatten", "--yes")

    held = judge.positions(before)
    assert set(held) == {"vest", "paradex"}
    assert looked.process.returncode == 0
    planned = {line["venue"]: line["held"] for line in looked.said("flatten.planned")}
    assert {v: Decimal(p) for v, by_symbol in planned.items() for p in by_symbol.values()} == held
    assert unsure.process.returncode == 4
    assert "--yes" in unsure.last["do"]
    for after in (after_looking, after_all):
        assert judge.positions(after) == held
        assert [after[v]["orders"] for v in held] == [before[v]["orders"] for v in held]

    assert (done.returncode, done.stderr) == (0, b"")
    judge.neutral(flat)
    assert judge.positions(flat) == {}
    for venue in held:
        opened, *closed = [order["reduce_only"] for order in flat[venue]["orders"]]
        assert not opened
        assert closed
        assert all(closed)
    assert again.process.returncode == 0
    assert [line["closed"] for line in again.said("flatten.done")] == [{}, {}]
    assert [home.truth()[v]["orders"] for v in held] == [flat[v]["orders"] for v in held]
