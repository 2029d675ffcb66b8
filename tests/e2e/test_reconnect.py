"""A connection is cut under the running bot: how long until it is useful again."""

from __future__ import annotations

import time
from typing import Any

import pytest
import trio

pytestmark = pytest.mark.slow

VENUES = ("vest", "paradex")
BACK_LIMIT_S = 5.0
"""From the cut to the first usable book."""


async def test_every_connection_is_back_within_five_seconds_of_a_cut(home: Any, judge: Any):
    took_s: dict[str, float] = {}
    with trio.fail_after(45):
        async with home.bot() as bot:
            # Hedged, so that there is something to lose.
            await bot.hedged(seconds=30.0)
            for which in ("public", "private"):
                for venue in VENUES:
                    feed = f"{venue} {which}"
                    cut_at = time.time()
                    await bot.fault(venue, "cut", which=which)
                    await bot.until("feed.lost", feed=feed)
                    ready = await bot.until("feed.ready", feed=feed, count=2)
                    took_s[feed] = judge.seconds(ready) - cut_at
            # What came back is usable: the pair is closed on it.
            await bot.gap(seconds=0.1)
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    assert len(took_s) == 4
    assert max(took_s.values()) < BACK_LIMIT_S, took_s
    assert len(bot.said("feed.lost")) == 4
    assert bot.said("exposure.found") == []
    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}


async def test_venues_that_refuse_for_two_seconds_are_taken_up_again(home: Any, judge: Any):
    with trio.fail_after(45):
        async with home.bot() as bot:
            await bot.ready()
            cut_at = time.time()
            for venue in VENUES:
                await bot.fault(venue, "refuse_connect", seconds=2)
                await bot.fault(venue, "cut", which="all")
            feeds = [f"{venue} {which}" for venue in VENUES for which in ("public", "private")]
            back = {feed: await bot.until("feed.ready", feed=feed, count=2) for feed in feeds}
            await bot.gap(1.0)
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    for feed, line in back.items():
        away_s = judge.seconds(line) - cut_at
        assert 2.0 <= away_s < 2.0 + BACK_LIMIT_S, (feed, away_s)
    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}
