"""A session that the venue ended while a leg stood alone: it is renewed before the next order."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from timeouts import STORY_S

pytestmark = pytest.mark.slow

LOST = {"status": 401, "code": "INVALID_TOKEN"}


def sent_without_a_session(bot: Any) -> list[str]:
    """What the venue says of orders that carried no token at all."""
    return [line["why"] for line in bot.said("leg.refused") if "missing value" in line["why"]]


@pytest.mark.proof
async def test_a_missing_leg_is_mended_with_a_new_session(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.ready()
            await bot.fault("paradex", "refuse", reduce_only=False, **LOST)
            await bot.open_gap()
            ended = await bot.until("pair.opened", *judge.over)
            assert await bot.stop() == 0

    judge.as_claimed(bot.last, home.truth())
    assert sent_without_a_session(bot) == []
    assert (ended["event"], ended.get("mended")) == ("pair.opened", True)


async def test_a_leg_that_stands_alone_is_taken_back_with_a_new_session(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.ready()
            # Vest refuses for good; Paradex fills, then refuses to take back without a new token.
            await bot.fault("vest", "refuse", count=-1, code=3002)
            await bot.fault("paradex", "refuse", reduce_only=True, **LOST)
            await bot.open_gap()
            ended = await bot.until(*judge.over)
            assert await bot.stop() == 0

    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}
    assert sent_without_a_session(bot) == []
    assert ended["event"] == "pair.unwound"
