from __future__ import annotations

import trio

from bot4.simulator.buckets import Bucket, Limit


async def test_a_bucket_gives_what_is_in_it_and_refills_evenly(autojump_clock):
    bucket = Bucket(Limit(4, 2.0))

    assert [bucket.take() for _ in range(6)] == [True] * 4 + [False] * 2
    await trio.sleep(0.5)
    assert [bucket.take() for _ in range(2)] == [True, False]
    await trio.sleep(100)
    assert [bucket.take() for _ in range(5)] == [True] * 4 + [False]
