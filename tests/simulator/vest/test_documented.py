"""The simulated Vest answers in the documented shapes: every field, and no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
from conformancelib.shapes import differences

SCRIPTS = Path(__file__).parents[3] / "scripts"
SHAPES = json.loads((SCRIPTS / "conformancelib/vest_documented.json").read_text())
READS = [name for name in SHAPES["rest"] if name.startswith("GET ")]


@pytest.mark.parametrize("name", READS)
async def test_each_answer_has_its_documented_shape(autojump_clock, client, name):
    await client.settled(await client.place())
    await trio.sleep(30)

    path = name.removeprefix("GET ")
    answer = await client.vest("GET", f"{path}{'&' if '?' in path else '?'}time={client.now_ms}")

    assert list(differences(SHAPES["rest"][name], answer.json)) == []


async def test_each_public_frame_has_its_documented_shape(autojump_clock, client):
    channels = [name for name in SHAPES["socket"] if "@" in name or name == "tickers"]
    waiting = set(channels)
    async with client.vest_socket(*channels) as socket:
        while waiting:
            frame = json.loads(await socket.get_message())
            assert list(differences(SHAPES["socket"][frame["channel"]], frame)) == []
            waiting.discard(frame["channel"])


async def test_each_private_event_has_its_documented_shape(autojump_clock, client):
    key = await client.listen_key()
    waiting = {"NEW", "FILLED", "CANCELLED", "REJECTED"}
    async with client.vest_socket("account_private", key=key) as socket:
        await client.place()
        await client.place(limitPrice="1.00")
        await client.cancel(await client.place(orderType="LIMIT", limitPrice="9000.00"))
        while waiting:
            frame = json.loads(await socket.get_message())
            status = frame["data"]["args"]["status"]
            assert list(differences(SHAPES["socket"][status], frame)) == []
            waiting.discard(status)
