"""The machine under the real process: one wrong byte in the journal, and a while asleep."""

from __future__ import annotations

from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest
import trio
from timeouts import ASLEEP_S, STORY_S

pytestmark = pytest.mark.slow


@pytest.mark.proof
async def test_a_damaged_journal_stops_the_start_and_not_the_flattening(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.hedged()
            assert await bot.stop() == 0  # The pair is held, and everything is in the one file.
        assert set(judge.positions(home.truth())) == {"vest", "paradex"}
        file = home.state / "journal.db"
        data = bytearray(file.read_bytes())
        data[data.index(b'"reduce_only"') + 1] ^= 1
        file.write_bytes(data)
        refused = await home.run("run")
        flat = await home.run("flatten", "--yes")

    assert refused.process.returncode == 4
    assert refused.said("pair.opening") == refused.said("leg.sent") == []
    assert refused.last["level"] == "error"
    assert "journal.db" in refused.last["message"]
    assert "flatten" in refused.last["message"]
    assert "\n" not in refused.last["message"]
    assert flat.process.returncode == 0
    judge.neutral(home.truth())
    assert judge.positions(home.truth()) == {}


@pytest.mark.proof
async def test_a_process_that_was_stopped_for_a_while_goes_on(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.hedged()
            # A busy machine has stalled it before, perhaps.
            before = len(bot.said("loop.stalled"))
            bot.deliver(SIGSTOP)
            await trio.sleep(ASLEEP_S)
            bot.deliver(SIGCONT)
            stalled = await bot.until("loop.stalled", count=before + 1)
            await bot.close_gap()
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    assert stalled["stalled_ms"] > 1000 * (ASLEEP_S - 1)
    judge.as_claimed(bot.last, home.truth())
