"""REST over memory streams: who comes in, what an order goes through."""

from __future__ import annotations

import base64

import pytest
import trio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

ETH = "ETH-USD-PERP"


async def test_public_endpoints_need_no_token(autojump_clock, rig):
    time = await rig.rest("GET", "/v1/system/time")
    config = await rig.rest("GET", "/v1/system/config")
    market = (await rig.rest("GET", f"/v1/markets?market={ETH}")).body["results"][0]
    book = await rig.rest("GET", f"/v1/orderbook/{ETH}?depth=1")
    bbo = await rig.rest("GET", f"/v1/bbo/{ETH}")
    summary = (await rig.rest("GET", "/v1/markets/summary?market=ALL")).body["results"]

    assert abs(int(time.body["server_time"]) - rig.now_ms) < 1000
    assert config.body["starknet_chain_id"] == "PRIVATE_SN_POTC_SEPOLIA"
    assert (market["price_tick_size"], market["order_size_increment"]) == ("0.01", "0.0001")
    assert (market["min_notional"], market["price_bands_width"]) == ("10", "0.05")
    assert book.body["bids"] == [["2899.5", "1"]]
    assert book.body["asks"] == [["2900.5", "1"]]
    assert (bbo.body["bid"], bbo.body["ask"]) == ("2899.5", "2900.5")
    assert [one["symbol"] for one in summary] == [ETH, "BTC-USD-PERP"]
    assert (await rig.rest("GET", "/v1/system/state")).body == {"status": "ok"}


async def test_every_answer_tells_the_rate_limit(autojump_clock, rig):
    first = await rig.rest("GET", "/v1/system/time")
    second = await rig.rest("GET", "/v1/system/time")

    assert first.headers["x-ratelimit-limit"] == "1500"
    assert int(first.headers["x-ratelimit-remaining"]) <= 1499
    assert int(second.headers["x-ratelimit-reset"]) >= rig.now_ms // 1000


async def test_a_login_gives_a_token_that_opens_private_doors(autojump_clock, rig):
    token = await rig.log_in()

    account = await rig.rest("GET", "/v1/account")

    assert token.count(".") == 2
    assert account.body["account"] == rig.venue.account
    assert account.body["account_value"] == "10000"


async def test_without_a_token_even_unknown_paths_answer_invalid_token(autojump_clock, rig):
    answer = await rig.rest("GET", "/v1/nowhere")

    assert answer.status == 401
    assert answer.body["error"] == "INVALID_TOKEN"
    assert "missing value in request header" in answer.body["message"]


async def test_an_unknown_path_is_not_found_with_a_token(autojump_clock, logged_in):
    answer = await logged_in.rest("GET", "/v1/nowhere")

    assert (answer.status, answer.body["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("header", "value", "status", "error"),
    [
        ("PARADEX-STARKNET-ACCOUNT", "0x1234", 400, "NOT_ONBOARDED"),
        ("PARADEX-STARKNET-ACCOUNT", "me", 400, "INVALID_STARKNET_ADDRESS"),
        ("PARADEX-STARKNET-SIGNATURE", '["1","2"]', 401, "STARKNET_SIGNATURE_VERIFICATION_FAILED"),
        ("PARADEX-STARKNET-SIGNATURE", '["0","0"]', 401, "STARKNET_SIGNATURE_VERIFICATION_FAILED"),
        ("PARADEX-STARKNET-SIGNATURE", "nonsense", 400, "INVALID_STARKNET_SIGNATURE"),
        ("PARADEX-TIMESTAMP", "1", 401, "STARKNET_SIGNATURE_VERIFICATION_FAILED"),
        ("PARADEX-TIMESTAMP", "soon", 400, "INVALID_TIMESTAMP"),
        ("PARADEX-SIGNATURE-EXPIRATION", "1", 400, "INVALID_TIMESTAMP"),
        ("PARADEX-SIGNATURE-EXPIRATION", "1999999999", 400, "INVALID_TIMESTAMP"),
    ],
)
async def test_a_login_with_a_wrong_header_is_refused(
    autojump_clock, rig, header, value, status, error
):
    headers = rig.login_headers(**{header: value})

    answer = await rig.rest("POST", "/v1/auth", headers=headers)

    assert (answer.status, answer.body["error"]) == (status, error)


async def test_a_login_for_a_stranger_key_is_refused(autojump_clock, rig):
    answer = await rig.rest("POST", "/v1/auth/0x1234", headers=rig.login_headers())

    assert answer.body["error"] == "INVALID_SUBKEY"


async def test_onboarding_checks_its_own_signature(autojump_clock, rig):
    headers = {
        "PARADEX-ETHEREUM-ACCOUNT": "0x" + "1" * 40,
        "PARADEX-STARKNET-ACCOUNT": rig.venue.account,
        "PARADEX-STARKNET-SIGNATURE": rig.signature(rig.venue.notary.onboarding_hash()),
    }

    good = await rig.rest("POST", "/v1/onboarding", {}, headers=headers)
    headers["PARADEX-STARKNET-SIGNATURE"] = rig.signature(5)
    bad = await rig.rest("POST", "/v1/onboarding", {}, headers=headers)

    assert good.status == 200
    assert bad.status == 401


async def test_a_token_dies_after_five_minutes(autojump_clock, logged_in):
    await trio.sleep(301)

    answer = await logged_in.rest("GET", "/v1/account")

    assert (answer.status, answer.body["error"]) == (401, "INVALID_TOKEN")


async def test_the_fault_menu_expires_tokens_at_once(autojump_clock, logged_in):
    logged_in.faults.add({"venue": "paradex", "kind": "expire_token"})

    assert (await logged_in.rest("GET", "/v1/account")).status == 401
    await logged_in.log_in()
    assert (await logged_in.rest("GET", "/v1/account")).status == 200


async def test_leverage_is_set_and_locks_margin(autojump_clock, logged_in):
    wrong = await logged_in.rest("POST", f"/v1/account/margin/{ETH}", {"leverage": 51})
    right = await logged_in.rest("POST", f"/v1/account/margin/{ETH}", {"leverage": 5})
    await logged_in.landed(await logged_in.place(size="1"))

    account = (await logged_in.rest("GET", "/v1/account")).body
    margin = (await logged_in.rest("GET", f"/v1/account/margin?market={ETH}")).body

    assert wrong.status == 400
    assert right.body["leverage"] == 5
    assert account["initial_margin_requirement"] == "581.305"
    assert margin["configs"][0]["leverage"] == 5


async def test_the_published_key_verifies_the_tokens(autojump_clock, logged_in):
    key = (await logged_in.rest("GET", "/v1/jwks.json")).body["keys"][0]
    x, y = (int.from_bytes(unpack(key[name]), "big") for name in "xy")
    signed, _, tail = logged_in.token.rpartition(".")
    raw = unpack(tail)
    signature = encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    public.verify(signature, signed.encode(), ec.ECDSA(hashes.SHA256()))

    with pytest.raises(InvalidSignature):
        public.verify(signature, signed.encode() + b"x", ec.ECDSA(hashes.SHA256()))


async def test_lists_that_stay_empty_have_the_shape_of_lists(autojump_clock, logged_in):
    for path in (
        f"/v1/funding/payments?market={ETH}",
        "/v1/tradebusts",
        f"/v1/trades?market={ETH}",
    ):
        body = (await logged_in.rest("GET", path)).body
        assert body == {"next": None, "prev": None, "results": []}


async def test_balance_and_summaries_tell_the_same_money(autojump_clock, logged_in):
    balance = (await logged_in.rest("GET", "/v1/balance")).body["results"][0]
    summary = (await logged_in.rest("GET", "/v1/account/summary")).body["results"][0]
    info = (await logged_in.rest("GET", "/v1/account/info")).body["results"][0]

    assert (balance["token"], balance["size"]) == ("USDC", "10000")
    assert summary["total_collateral"] == "10000"
    assert (info["kind"], info["fees"]["taker_rate"]) == ("main", "0.00045")


async def test_funding_is_quoted_for_eight_hours(autojump_clock, rig):
    body = (await rig.rest("GET", f"/v1/funding/data?market={ETH}")).body["results"][0]

    assert (body["funding_rate"], body["funding_period_hours"]) == ("0.00008", 8)


async def test_onboarding_tells_known_keys_from_others(autojump_clock, rig):
    path = "/v1/onboarding?account_signer_type=starknet&public_key="

    known = (await rig.rest("GET", path + rig.venue.public_key)).body
    other = (await rig.rest("GET", path + "0x5")).body

    assert (known["exists"], known["address"]) == (True, rig.venue.account)
    assert (other["exists"], other["address"]) == (False, "")


def unpack(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
