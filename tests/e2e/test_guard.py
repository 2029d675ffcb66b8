"""The second process: it ends a bot that hangs, cleans up, and yields to any other hand."""

from __future__ import annotations

import json
from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest
import trio
from timeouts import GUARD_SILENCE_S, LONG_STORY_S

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("closes", [True, False], ids=["flattens", "only cancels"])
async def test_a_bot_that_hangs_is_killed_and_its_account_cleaned_up(
    home: Any, judge: Any, closes: bool
):
    home.configure(silence_s=int(GUARD_SILENCE_S), flatten=str(closes).lower())
    with trio.fail_after(LONG_STORY_S):
        async with home.bot(command="guard") as guard, home.bot() as bot:
            await bot.hedged()
            watching = await guard.until("guard.watching")
            bot.deliver(SIGSTOP)
            await guard.until("guard.finished")
            assert await bot.end() == -9
            assert await guard.stop() == 0
        left = home.truth()
        # The next start finds what the guard left, and an account that explains it.
        async with home.bot() as again:
            await again.until("trade.recovered")
            await again.until("pair.closed" if closes else "pair.opened")
            assert await again.stop() == 0

    assert watching["pid"] == bot.process.pid
    said = [line["event"] for line in guard.lines if line["event"].startswith("guard.")]
    assert said == [f"guard.{what}" for what in ("watching", "silent", "killed", "finished")]
    assert guard.said("flatten.failed") == []
    assert {line["venue"] for line in guard.said("flatten.done")} == {"vest", "paradex"}
    assert [bool(line["closed"]) for line in guard.said("flatten.done")] == [closes] * 2
    judge.neutral(left)
    assert set(judge.positions(left)) == (set() if closes else {"vest", "paradex"})
    judge.as_claimed(again.last, home.truth())
    assert again.said("exposure.found") == []


async def test_a_bot_that_speaks_is_left_alone_and_so_is_one_that_left_in_order(
    home: Any, judge: Any
):
    home.configure(silence_s=int(GUARD_SILENCE_S), flatten="true")
    with trio.fail_after(LONG_STORY_S):
        async with home.bot(command="guard") as guard:
            async with home.bot() as bot:
                await bot.hedged()
                await trio.sleep(GUARD_SILENCE_S + 2)
                # A file that can no longer be written is no death: the bot still answers.
                (home.state / "status.new").mkdir()
                await trio.sleep(GUARD_SILENCE_S + 3)
                assert await bot.stop() == 0
            await trio.sleep(GUARD_SILENCE_S + 2)
            assert await guard.stop() == 0

    assert [line["event"] for line in guard.lines if "guard" in line["event"]] == ["guard.watching"]
    assert guard.said("flatten.done") == []
    judge.as_claimed(bot.last, home.truth())
    assert set(judge.positions(home.truth())) == {"vest", "paradex"}


async def test_a_bot_started_again_by_hand_wins(home: Any, judge: Any):
    home.configure(silence_s=int(GUARD_SILENCE_S), flatten="true")
    with trio.fail_after(LONG_STORY_S):
        async with home.bot(command="guard") as guard:
            async with home.bot() as bot:
                await bot.hedged()
                await guard.until("guard.watching")
                await bot.kill()
            async with home.bot() as again:
                await again.until("pair.opened")
                await guard.until("guard.watching", count=2)
                # It hangs for a moment, and wakes before its time is over.
                again.deliver(SIGSTOP)
                await trio.sleep(GUARD_SILENCE_S / 2)
                again.deliver(SIGCONT)
                await trio.sleep(GUARD_SILENCE_S + 1)
                assert await again.stop() == 0
            assert await guard.stop() == 0

    pids = [line["pid"] for line in guard.said("guard.watching")]
    assert pids == [bot.process.pid, again.process.pid]
    assert guard.said("guard.silent") == []
    judge.as_claimed(again.last, home.truth())


async def test_a_journal_in_other_hands_is_never_acted_beside(home: Any, judge: Any):
    home.configure(silence_s=int(GUARD_SILENCE_S), flatten="true")
    with trio.fail_after(LONG_STORY_S):
        async with home.bot(command="guard") as guard:
            async with home.bot() as first:
                await first.hedged()
                await guard.until("guard.watching")
                status = home.state / "status.json"
                last_word = status.read_text()
                await first.kill()
            async with home.bot() as again:
                await again.until("pair.opened")
                # As if this bot could neither write nor be asked: only the lock speaks for it.
                (home.state / "bot.sock").unlink()
                (home.state / "status.new").mkdir()
                status.write_text(last_word)
                refusal = await guard.until("guard.stepped_back")
                assert again.process.poll() is None
                assert await again.stop() == 0
            assert await guard.stop() == 0

    assert json.loads(last_word)["pid"] == first.process.pid
    assert "running" in refusal["why"]
    assert guard.said("guard.killed") == guard.said("flatten.done") == []
    judge.as_claimed(again.last, home.truth())
