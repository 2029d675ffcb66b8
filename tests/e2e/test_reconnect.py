"""A connection is cut under the running bot: how long until it is useful again."""

from __future__ import annotations

import time
from typing import Any

import pytest
import trio

pytestmark = pytest.mark.slow

BACK_LIMIT_S = 5.0
"""From the cut to the first usable book."""


async def test_every_connection_is_back_within_five_seconds_of_a_cut(home: Any, judge: Any):
    took_s: dict[str, float] = {}
    with trio.fail_after(45):
        async with home.bot() as bot:
            await bot.ready()
            for which in ("public", "private"):
                for venue in ("vest", "paradex"):
                    feed = f"{venue} {which}"
                    cut_at = time.time()
                    await bot.fault(venue, "cut", which=which)
                    lost = await bot.until("feed.lost", feed=feed)
                    ready = await bot.until("feed.ready", feed=feed, count=2)
                    took_s[feed] = judge.seconds(ready) - cut_at
                    assert judge.seconds(ready) >= judge.seconds(lost)
            # What came back is usable: a pair is opened and closed on it.
            await bot.gap(1.5)
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    assert len(took_s) == 4
    assert max(took_s.values()) < BACK_LIMIT_S, took_s
    assert len(bot.said("feed.lost")) == 4
    judge.as_claimed(bot.last, home.truth())


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_a_venue_that_refuses_for_two_seconds_is_taken_up_again(
    home: Any, judge: Any, venue: str
):
    with trio.fail_after(45):
        async with home.bot() as bot:
            await bot.ready()
            await bot.fault(venue, "refuse_connect", seconds=2)
            cut_at = time.time()
            await bot.fault(venue, "cut", which="all")
            back = {
                feed: await bot.until("feed.ready", feed=feed, count=2)
                for feed in (f"{venue} public", f"{venue} private")
            }
            await bot.gap(1.5)
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    for feed, line in back.items():
        away_s = judge.seconds(line) - cut_at
        assert 2.0 <= away_s < 2.0 + BACK_LIMIT_S, (feed, away_s)
    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}


async def test_a_cut_while_hedged_loses_nothing(home: Any, judge: Any):
    with trio.fail_after(45):
        async with home.bot() as bot:
            await bot.hedged(seconds=2.5)
            for venue in ("vest", "paradex"):
                await bot.fault(venue, "cut", which="all")
            await bot.until("feed.ready", count=8)
            await bot.until("pair.closed")
            assert await bot.stop() == 0

    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}
    assert bot.said("exposure.found") == []
