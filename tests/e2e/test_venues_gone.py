"""The embedded venues die under the bot: one line names them, and the bot stops."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
import trio
from timeouts import ENDS_S, STORY_S

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", ["ready", "hedged"])
@pytest.mark.ordinary("hedged")
async def test_simulated_venues_that_are_killed_are_named_in_one_line_and_the_bot_stops(
    home: Any, stage: str
):
    with trio.move_on_after(STORY_S) as story:
        async with home.bot() as bot:
            await getattr(bot, stage)()
            before = len(bot.lines)
            os.kill(bot.simulator, signal.SIGKILL)
            with trio.move_on_after(ENDS_S):
                await bot.end()
            code = bot.process.returncode
            if code is None:
                await bot.kill()

    assert not story.cancelled_caught
    assert code == 1
    after = bot.lines[before:]
    assert after[-1]["event"] == "simulator.died"
    assert "the simulated venues ended" in after[-1]["message"]
    assert len(after) < 12
    assert [line for line in after if line["event"] == "bot.crashed"] == []
