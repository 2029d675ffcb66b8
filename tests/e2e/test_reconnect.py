"""A connection is cut under the running bot: it comes back, and is useful again.

How soon is judged under a mock clock, in ``tests/simulation/test_feeds.py``.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import trio
from timeouts import STORY_S

pytestmark = pytest.mark.slow

VENUES = ("vest", "paradex")


async def test_every_connection_is_back_after_a_cut(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            # Hedged, so that there is something to lose.
            await bot.hedged()
            for which in ("public", "private"):
                for venue in VENUES:
                    feed = f"{venue} {which}"
                    await bot.fault(venue, "cut", which=which)
                    await bot.until("feed.lost", feed=feed)
                    await bot.until("feed.ready", feed=feed, count=2)
            # What came back is usable: the pair is closed on it.
            await bot.close_gap()
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    assert len(bot.said("feed.lost")) == 4
    assert bot.said("exposure.found") == []
    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}


@pytest.mark.proof
async def test_venues_that_refuse_for_two_seconds_are_taken_up_again(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.ready()
            cut_at = time.time()
            for venue in VENUES:
                await bot.fault(venue, "refuse_connect", seconds=2)
                await bot.fault(venue, "cut", which="all")
            feeds = [f"{venue} {which}" for venue in VENUES for which in ("public", "private")]
            back = {feed: await bot.until("feed.ready", feed=feed, count=2) for feed in feeds}
            await bot.open_gap()
            await bot.until("pair.opened")
            await bot.close_gap()
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    for feed, line in back.items():
        away_s = judge.seconds(line) - cut_at
        assert away_s >= 2.0, (feed, away_s)
    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}
