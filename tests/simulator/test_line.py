from __future__ import annotations

import json

import pytest
import trio
from trio_websocket import ConnectionClosed

from bot4.simulator.box import TwoVenues
from bot4.simulator.options import Options

NEAREST_S = {"city": 0.005, "adsl": 0.025, "rough": 0.060}


async def round_trip_s(client, times=1):
    """How long PINGs of a Vest socket take, one after the other."""
    took = []
    async with client.socket("/ws-api?version=1.0&xwebsocketserver=restserver0") as socket:
        for number in range(times):
            began = trio.current_time()
            await socket.send_message(json.dumps({"method": "PING", "params": [], "id": number}))
            assert json.loads(await socket.get_message()) == {"data": "PONG"}
            took.append(trio.current_time() - began)
    return took


@pytest.mark.parametrize("line", NEAREST_S)
async def test_a_frame_and_its_answer_travel_the_line(autojump_clock, make_client, line):
    (took,) = await round_trip_s(await make_client(line=line))

    assert took >= 2 * NEAREST_S[line]


async def test_beside_the_venue_a_frame_takes_no_time(autojump_clock, make_client):
    assert await round_trip_s(await make_client(line="rack")) == [0.0]


async def test_a_calibrated_world_lies_in_the_same_city_and_the_others_beside_us(
    autojump_clock, make_client
):
    (calibrated,) = await round_trip_s(await make_client(profile="calibrated"))

    assert calibrated >= 2 * NEAREST_S["city"]
    for profile in ("demo", "calm"):
        assert await round_trip_s(await make_client(profile=profile)) == [0.0]


async def test_the_word_of_the_user_is_above_the_profile(autojump_clock, make_client):
    made = await make_client(profile="calibrated", line="rack")

    assert await round_trip_s(made) == [0.0]


async def test_frames_keep_their_order_on_a_rough_line(autojump_clock, make_client):
    client = await make_client(line="rough")
    numbers = list(range(60))
    async with client.socket("/ws-api?version=1.0&xwebsocketserver=restserver0") as socket:
        began = trio.current_time()
        for number in numbers:
            asked = {"method": "UNSUBSCRIBE", "params": [], "id": number}
            await socket.send_message(json.dumps(asked))
        seen = [json.loads(await socket.get_message())["id"] for _ in numbers]

    assert seen == numbers
    assert trio.current_time() - began >= 2 * NEAREST_S["rough"]


async def test_the_same_seed_delays_the_same_frames_the_same(autojump_clock, make_client):
    first, second, other = [
        await round_trip_s(await make_client(line="adsl", seed=seed), 8) for seed in (3, 3, 4)
    ]

    assert first == pytest.approx(second, abs=1e-9)
    assert first != pytest.approx(other, abs=1e-9)


async def test_the_venue_says_goodbye_over_the_line(autojump_clock, make_client):
    client = await make_client(line="adsl")
    async with client.socket("/ws-api?version=0&xwebsocketserver=restserver0") as socket:
        with pytest.raises(ConnectionClosed, match="4000"):
            await socket.get_message()


async def test_a_connection_that_the_venue_cuts_ends_for_the_client(autojump_clock, make_client):
    client = await make_client(line="adsl")
    async with client.socket("/ws-api?version=1.0&xwebsocketserver=restserver0") as socket:
        await socket.send_message(json.dumps({"method": "PING", "params": []}))
        await socket.get_message()
        client.fault("cut", which="all")
        with trio.fail_after(2), pytest.raises(ConnectionClosed):
            await socket.get_message()
    assert len(client.box.vest.links) == 0


async def test_a_line_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"\['auto', 'rack', 'city', 'adsl', 'rough'\]"):
        TwoVenues(Options(line="moon"), wall_ms=int)
