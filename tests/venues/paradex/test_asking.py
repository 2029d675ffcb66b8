"""Paradex's session: its beginning, its renewal and its end."""

from __future__ import annotations

import json

import attrs
import pytest

from bot4.config.schema import ParadexConfig
from bot4.domain.order import OrderReport, OrderState, Purpose
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.ports import Pool

FILL = {
    "id": "f1",
    "order_id": "1748665803430201709269690001",
    "client_id": "b4-abc123-7-short1",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "price": "78520",
    "size": "0.01",
    "fee": "0.35",
    "fill_type": "FILL",
    "created_at": 1748665803440,
}
OPEN = OrderReport("paradex", "b4-1", "17", OrderState.OPEN, symbol="BTC-USD-PERP")
RETAIL = ParadexConfig(profile="retail")


def test_signing_in_signs_the_path_and_names_the_key(fresh_paradex, paradex_golden, answer, now_ms):
    from starknet_py.hash.utils import verify_message_signature

    from bot4.secret import Secret
    from bot4.venues.paradex.signing import StarkSigner

    (errand,) = fresh_paradex.logins(now_ms)

    headers = errand.request.headers
    public_key = paradex_golden["public_key"]
    assert (errand.request.method, errand.request.path) == ("POST", f"/auth/{public_key}")
    assert (errand.request.body, errand.pool) == (b"", Pool.AUTH)
    assert headers["paradex-starknet-account"] == paradex_golden["account"]
    assert headers["paradex-timestamp"] == str(now_ms // 1000)
    assert headers["paradex-signature-expiration"] == str(now_ms // 1000 + 300)
    account, key = Secret(paradex_golden["account"]), Secret(paradex_golden["private_key"])
    message = StarkSigner(account, key, ParadexConfig().chain_id).auth_hash(
        now_ms // 1000, now_ms // 1000 + 300
    )
    signature = [int(number) for number in json.loads(headers["paradex-starknet-signature"])]
    assert verify_message_signature(message, signature, int(public_key, 16))


def test_a_token_is_renewed_after_three_minutes(fresh_paradex, answer, now_ms):
    assert fresh_paradex.login_due_ms() == 0

    for errand in fresh_paradex.logins(now_ms):
        errand.read(answer({"jwt_token": "a.b.c"}))

    assert fresh_paradex.login_due_ms() == now_ms + 180_000
    fresh_paradex.session_lost()
    assert fresh_paradex.login_due_ms() == 0


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"error": "INVALID_STARKNET_SIGNATURE"}, 401, AuthRefused),
        ({"error": "NOT_ONBOARDED", "message": "never called /onboarding"}, 400, AuthRefused),
        ({"error": "INVALID_TIMESTAMP"}, 401, VenueRefused),
        (b"<html>", 503, VenueRefused),
        ({"jwt_token": "a\nb"}, 200, ProtocolViolation),
        ({}, 200, ProtocolViolation),
    ],
)
def test_a_log_in_refused_for_the_keys_sake_is_final(
    fresh_paradex, answer, now_ms, body, status, error
):
    (errand,) = fresh_paradex.logins(now_ms)

    with pytest.raises(error):
        errand.read(answer(body, status))
    assert fresh_paradex.login_due_ms() == 0


def test_the_retail_profile_has_a_token_of_each_class(make_paradex, paradex_order, answer, now_ms):
    codec = make_paradex(RETAIL)
    pro, interactive = codec.logins(now_ms)
    assert interactive.request.path.endswith("?token_usage=interactive")

    pro.read(answer({"jwt_token": "pro"}))
    assert codec.login_due_ms() == 0
    interactive.read(answer({"jwt_token": "slow"}))
    assert codec.login_due_ms() == now_ms + 180_000

    tokens = {
        purpose: codec.sign(attrs.evolve(paradex_order, purpose=purpose), now_ms, 2000)[
            1
        ].request.headers["authorization"]
        for purpose in Purpose
    }
    assert {purpose for purpose, said in tokens.items() if said == "Bearer slow"} == {
        Purpose.ENTER,
        Purpose.EXIT,
    }
    assert codec.cancel(OPEN, now_ms, 2000).request.headers["authorization"] == "Bearer pro"
    assert [token.reveal() for token in codec.session.secrets()] == ["pro", "slow"]


def test_a_refused_token_ends_the_session_but_not_the_one_after_it(paradex, answer, now_ms):
    before, late = paradex.account(now_ms), paradex.positions(now_ms)
    body = {"error": "INVALID_TOKEN", "message": "expired"}

    with pytest.raises(AuthRefused):
        before.read(answer(body, 401))
    assert paradex.login_due_ms() == 0

    for errand in paradex.logins(now_ms):
        errand.read(answer({"jwt_token": "new"}))
    with pytest.raises(AuthRefused):
        late.read(answer(body, 401))
    assert paradex.login_due_ms() > 0
    assert len(paradex.session.secrets()) == 1


def test_the_system_s_state_is_asked_for_and_read(paradex, answer):
    errand = paradex.state()

    assert (errand.request.method, errand.request.path) == ("GET", "/system/state")
    assert errand.pool is Pool.PUBLIC
    assert errand.read(answer({"status": "ok"})) == ""
    assert "cancels" in errand.read(answer({"status": "cancel_only"}))
    with pytest.raises(ProtocolViolation):
        errand.read(answer({"status": 7}))


def test_an_order_that_rests_is_good_till_cancelled_and_signed_alike(
    paradex, paradex_order, now_ms
):
    _, immediate = paradex.sign(paradex_order, now_ms, 2000)
    signed, resting = paradex.sign_resting(paradex_order, now_ms, 2000)

    bodies = [json.loads(errand.request.body) for errand in (immediate, resting)]
    assert [body.pop("instruction") for body in bodies] == ["IOC", "GTC"]
    assert bodies[0] == bodies[1]
    assert (signed.signed_ms, signed.window_ms) == (now_ms, 2000)
