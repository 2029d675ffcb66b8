from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
import trio

PARADEX_TIME = "/v1/system/time"


async def paradex_ms(client):
    reply = await client.request("paradex.rest", "GET", PARADEX_TIME)
    return int(reply.json["server_time"])


async def vest_ms(client):
    reply = await client.vest("GET", "/exchangeInfo")
    return int(parsedate_to_datetime(reply.headers["date"]).timestamp() * 1000)


@pytest.mark.parametrize("ms", [4000, -4000])
@pytest.mark.ordinary("-4000")
async def test_a_venue_can_have_a_clock_of_its_own(autojump_clock, client, ms):
    client.box.faults.add({"venue": "paradex", "kind": "clock_skew", "ms": ms})

    assert abs(await paradex_ms(client) - client.now_ms - ms) < 500
    assert abs(await vest_ms(client) - client.now_ms) < 1500
    await trio.sleep(300)
    assert abs(await paradex_ms(client) - client.now_ms - ms) < 500
    client.box.faults.clear()
    assert abs(await paradex_ms(client) - client.now_ms) < 500


async def test_a_clock_that_is_ahead_expires_orders_signed_on_time(autojump_clock, client):
    client.fault("clock_skew", ms=10_000, seconds=2)

    early = await client.vest("POST", "/orders", client.order(window=5_000))
    await trio.sleep(3)
    later = await client.vest("POST", "/orders", client.order(window=5_000))

    assert early.json["code"] == 1132
    assert later.status == 200
