"""Private order events come 50 to 300 ms after what they tell of, and in its order."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from bot4.simulator.box import TwoVenues
from bot4.simulator.options import Options

LATE_S = (0.050, 0.300)


async def test_events_of_vest_come_late(autojump_clock, client):
    key, late = await client.listen_key(), []
    async with client.vest_socket("account_private", key=key) as socket:
        for _ in range(8):
            await client.place(size="0.0010")
            for status in ("NEW", "FILLED"):
                event = await client.next_event(socket)
                told_of = event["postTime" if status == "NEW" else "lastFilledTime"]
                assert event["status"] == status
                late.append((client.now_ms - told_of) / 1000)

    assert LATE_S[0] - 0.001 <= min(late) < 0.15 < max(late) <= LATE_S[1] + 0.001


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_later_events_never_overtake_earlier_ones(autojump_clock, nursery, venue):
    box = TwoVenues(Options(profile="calm", bases=("BTC",)), wall_ms=lambda: 1)
    await nursery.start(box.run)
    told, times, began = [], [], trio.current_time()
    face = box.vest if venue == "vest" else box.paradex
    symbol = next(iter(face.markets))

    def hear(kind, body):
        row = body["data"]["args"] if venue == "vest" else body
        if kind in ("account_private", "orders"):
            told.append(Decimal(row["size"]))
            times.append(trio.current_time() - began)

    face.subscribe_private(hear)
    sizes = [Decimal(n) * face.markets[symbol].lot for n in range(1, 41)]
    for size in sizes:
        face.house_order(symbol, "buy", size, "MANUAL")
    await trio.sleep(1)

    assert told == sizes
    assert LATE_S[0] <= min(times)
    assert max(times) <= LATE_S[1]
