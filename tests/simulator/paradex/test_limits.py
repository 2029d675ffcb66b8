"""Token buckets: what is left, what is refused, when it comes back."""

from __future__ import annotations

import trio

from bot4.simulator.paradex.limits import Limit, RateLimits


async def test_an_empty_bucket_refuses_and_refills_evenly(autojump_clock):
    limits = RateLimits({"x": (Limit(2, 10),)})

    granted = [limits.take("x").granted for _ in range(3)]
    refused = limits.take("x")
    await trio.sleep(5)
    later = [limits.take("x").granted for _ in range(2)]

    assert granted == [True, True, False]
    assert refused.headers(0)["Retry-After"] == "1"
    assert refused.headers(0)["X-RateLimit-Limit"] == "2"
    assert later == [True, False]


async def test_of_two_limits_the_tighter_one_refuses(autojump_clock):
    limits = RateLimits({"x": (Limit(1, 1), Limit(2, 60))})

    outcomes = []
    for _ in range(3):
        outcomes.append(limits.take("x").granted)
        await trio.sleep(1)

    assert outcomes == [True, True, False]


async def test_the_venue_answers_429_beyond_its_rate(autojump_clock, logged_in):
    for _ in range(120):
        logged_in.venue.limits.take("private")

    answer = await logged_in.rest("GET", "/v1/account")

    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"


async def test_a_socket_shares_the_order_limit(autojump_clock, logged_in):
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        while logged_in.venue.limits.take("orders").granted:
            pass
        reply = await logged_in.call(ws, "order.create", **logged_in.order())

    assert reply["error"]["code"] == 42901
