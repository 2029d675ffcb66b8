"""Switches are read by name, and a misspelt one is not silently ignored."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio_websocket

from bot4.simulator.paradex.switches import Switches


def test_names_are_taken_plain_or_after_the_venue_and_other_venues_are_left_alone():
    switches = Switches.read(
        {
            "maker_fee": "0.0001",
            "paradex.require_sbe": True,
            "vest.frames": "text",
            "subkeys": ["0x5"],
        }
    )

    assert switches.maker_fee == Decimal("0.0001")
    assert switches.require_sbe is True
    assert switches.subkeys == ("0x5",)


@pytest.mark.parametrize("name", ["require_sbee", "paradex.nothing"])
def test_an_unknown_name_is_an_error(name):
    with pytest.raises(ValueError, match="Paradex has no switch"):
        Switches.read({name: 1})


@pytest.mark.parametrize(
    "given", [{"sbe_versions_to": 4}, {"paradex.interactive": "yes"}, {"modify_size": "whole"}]
)
def test_a_value_that_its_switch_does_not_know_is_an_error(given):
    with pytest.raises(ValueError, match=r"Paradex's switch \w+ is one of"):
        Switches.read(given)


@pytest.mark.parametrize(
    ("switches", "accepted"),
    [
        ({"sbe_versions_to": 0}, ["0"]),
        ({"sbe_versions_to": 1}, ["0", "1"]),
        ({"sbe_versions_to": 2}, ["0", "1", "2"]),
        ({"sbe_versions_to": 3}, ["0", "1", "2", "3"]),
        ({"sbe_versions_to": "none"}, []),
    ],
)
async def test_a_version_beyond_the_cap_is_refused_at_the_upgrade(
    autojump_clock, rig, switches, accepted
):
    taken, refusals = [], []
    for version in ("0", "1", "2", "3", "4", "x"):
        try:
            async with rig.ws(f"?sbeSchemaId=1&sbeSchemaVersion={version}"):
                taken.append(version)
        except* trio_websocket.ConnectionRejected as group:
            refusals += [error.status_code for error in group.exceptions]
    async with rig.ws() as ws:
        reply = await rig.call(ws, "subscribe", channel="trades.ALL")

    assert taken == accepted
    assert refusals == [400] * (6 - len(accepted))
    assert "result" in reply


@pytest.mark.parametrize(
    ("switches", "shown"), [({}, True), ({"interactive_fee_shown": False}, False)]
)
async def test_the_interactive_fee_is_shown_or_not(autojump_clock, rig, switches, shown):
    rows = (await rig.rest("GET", "/v1/markets")).body["results"]

    assert [("interactive_fee" in row["fee_config"]) for row in rows] == [shown] * len(rows)
    assert all("api_fee" in row["fee_config"] for row in rows)


@pytest.mark.parametrize(
    ("switches", "status", "flagged"),
    [
        ({}, 200, True),
        ({"interactive": "ignored"}, 200, False),
        ({"interactive": "refused"}, 403, None),
    ],
)
async def test_an_interactive_token_is_granted_ignored_or_refused(
    autojump_clock, rig, switches, status, flagged
):
    path = f"/v1/auth/{rig.venue.public_key}"
    wished = await rig.rest("POST", f"{path}?token_usage=interactive", headers=rig.login_headers())
    plain = await rig.rest("POST", path, headers=rig.login_headers())

    assert (wished.status, plain.status) == (status, 200)
    if flagged is not None:
        rig.token = wished.body["jwt_token"]
        order = await rig.landed(await rig.place())
        assert ("INTERACTIVE" in order["flags"]) is flagged


async def test_every_answer_tells_the_rate_limit_that_is_left(autojump_clock, logged_in):
    answers = [await logged_in.rest("GET", "/v1/account") for _ in range(3)]

    for answer in answers:
        told = answer.headers
        assert 0 <= int(told["x-ratelimit-remaining"]) < int(told["x-ratelimit-limit"])
        assert int(told["x-ratelimit-reset"]) > logged_in.now_ms // 1000 - 5
        assert told["x-ratelimit-window"] in ("1s", "60s")
        assert "retry-after" not in told
