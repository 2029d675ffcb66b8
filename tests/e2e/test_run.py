"""From the command line to the last line: what a person sees, held against the venues' truth."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from timeouts import STORY_S

pytestmark = pytest.mark.slow


async def test_it_opens_and_closes_a_hedged_pair_and_exits_clean(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            opened = await bot.hedged()
            await bot.close_gap()
            closed = await bot.until("pair.closed")
            assert await bot.stop() == 0

    truth = home.truth()
    judge.as_claimed(bot.last, truth)
    feeds = {line["feed"] for line in bot.said("feed.ready")}
    assert feeds == {"vest public", "vest private", "paradex public", "paradex private"}
    assert opened["message"].startswith("[TRADE] Entry executed: spread=")
    assert closed["outcome"] == "closed"
    assert [line["level"] for line in bot.lines if line["level"] not in ("info", "warning")] == []
    assert bot.stderr.read_bytes() == b""
    # Both books filled what the line says, at both venues, and the file tells the same story.
    assert [line["event"] for line in home.log() if line["level"] != "debug"] == [
        line["event"] for line in bot.lines
    ]


async def test_it_stops_by_itself_when_its_time_is_over(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot("--for-ready", "2s") as bot:
            assert await bot.end() == 0

    judge.as_claimed(bot.last, home.truth())
    # Both feeds were ready before the two seconds began. How late it is, is the machine's affair.
    lived_s = judge.seconds(bot.last) - judge.seconds(bot.said("feed.ready")[3])
    assert lived_s >= 2.0


async def test_a_reader_that_goes_away_stops_nothing(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.hedged()
            await bot.close_gap()
            await bot.hang_up()
            while not any(line["event"] == "pair.closed" for line in home.log()):  # noqa: ASYNC110
                await trio.sleep(0.05)
            assert await bot.stop() == 0

    judge.as_claimed(home.last, home.truth())
    assert judge.positions(home.truth()) == {}
    assert bot.stderr.read_bytes() == b""
