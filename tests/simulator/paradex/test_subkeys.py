"""Subkeys: they trade for the account, and manage nothing."""

from __future__ import annotations

import trio
import trio.lowlevel

from bot4.simulator.paradex import curve

KEY = 123_456_789
PATH = "/v1/account/keys/subkeys"


def public():
    return hex(curve.public_key_of(KEY))


async def log_in_with_subkey(rig):
    headers = rig.login_headers()
    now_s = int(headers["PARADEX-TIMESTAMP"])
    message = rig.venue.notary.auth_hash(now_s, now_s + 600)
    headers["PARADEX-STARKNET-SIGNATURE"] = rig.signature(message, KEY)
    return await rig.rest("POST", f"/v1/auth/{public()}", headers=headers, token="")


async def test_a_registered_subkey_signs_in_and_trades(autojump_clock, logged_in):
    early = await log_in_with_subkey(logged_in)
    made = await logged_in.rest("POST", PATH, {"name": "bot", "public_key": public()})
    late = await log_in_with_subkey(logged_in)
    logged_in.token = late.body["jwt_token"]
    placed = await logged_in.rest("POST", "/v1/orders", logged_in.order(key=KEY))

    assert early.body["error"] == "INVALID_SUBKEY"
    assert made.status == 201
    assert placed.status == 201


async def test_a_subkey_manages_no_keys(autojump_clock, logged_in):
    await logged_in.rest("POST", PATH, {"name": "bot", "public_key": public()})
    logged_in.token = (await log_in_with_subkey(logged_in)).body["jwt_token"]

    made = await logged_in.rest("POST", PATH, {"name": "x", "public_key": "0x5"})
    revoked = await logged_in.rest("DELETE", f"{PATH}/{public()}")

    assert made.status == revoked.status == 403


async def test_a_revoked_subkey_is_worthless(autojump_clock, logged_in):
    await logged_in.rest("POST", PATH, {"name": "bot", "public_key": public()})
    renamed = await logged_in.rest("PUT", f"{PATH}/{public()}", {"name": "other"})
    one = await logged_in.rest("GET", f"{PATH}/{public()}")
    gone = await logged_in.rest("DELETE", f"{PATH}/{public()}")
    order = await logged_in.rest("POST", "/v1/orders", logged_in.order(key=KEY))

    assert renamed.body["name"] == one.body["name"] == "other"
    assert gone.body == {"public_key": public()}
    assert order.body["error"] == "INVALID_ORDER_SIGNATURE"
    assert (await logged_in.rest("GET", PATH)).body["results"] == []
    [row] = (await logged_in.rest("GET", f"{PATH}?with_revoked=true")).body["results"]
    assert row["state"] == "revoked"


async def test_keys_that_are_none_or_in_use_are_refused(autojump_clock, logged_in):
    await logged_in.rest("POST", PATH, {"name": "bot", "public_key": public()})

    for body, error in (
        ({"name": "bot", "public_key": public()}, "INVALID_SUBKEY"),
        ({"name": "bot", "public_key": "0x0"}, "PUBLIC_KEY_INVALID"),
        ({"name": "bot"}, "PUBLIC_KEY_INVALID"),
        ([], "BINDING_ERROR"),
    ):
        assert (await logged_in.rest("POST", PATH, body)).body["error"] == error
    assert (await logged_in.rest("GET", f"{PATH}/{hex(curve.public_key_of(7))}")).status == 404


async def test_the_main_key_is_wanted_where_the_path_names_none(autojump_clock, logged_in):
    await logged_in.rest("POST", PATH, {"name": "bot", "public_key": public()})
    headers = logged_in.login_headers()
    now_s = int(headers["PARADEX-TIMESTAMP"])
    message = logged_in.venue.notary.auth_hash(now_s, now_s + 600)
    headers["PARADEX-STARKNET-SIGNATURE"] = logged_in.signature(message, KEY)

    answer = await logged_in.rest("POST", "/v1/auth", headers=headers, token="")

    assert answer.body["error"] == "STARKNET_SIGNATURE_VERIFICATION_FAILED"


async def test_subkeys_survive_a_restart(autojump_clock, logged_in):
    await logged_in.rest("POST", PATH, {"name": "bot", "public_key": public()})
    twin = type(logged_in.venue)(logged_in.venue.setup)
    twin.load(logged_in.saved[-1][3], [], [])
    await trio.lowlevel.checkpoint()

    assert curve.public_key_of(KEY) in twin.notary.public_keys
