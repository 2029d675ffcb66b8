"""Vest's session: its beginning, its renewal and its end."""

from __future__ import annotations

import json

import pytest

from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.ports import Pool

FILLED = {
    "id": "0xabc",
    "nonce": 1770000000001,
    "symbol": "BTC-PERP",
    "isBuy": True,
    "orderType": "MARKET",
    "size": "0.0100",
    "status": "FILLED",
    "code": None,
    "lastFilledSize": "0.0100",
    "lastFilledPrice": "78400.00",
    "lastFilledTime": 1770000000300,
    "avgFilledPrice": "78400.00",
    "fees": "0.010000",
    "postTime": 1770000000100,
}


def body_of(errand):
    return json.loads(errand.request.body)


def test_signing_in_registers_and_then_asks_for_a_listen_key(
    fresh_vest, vest_golden, answer, now_ms
):
    register, listen = fresh_vest.logins(now_ms)

    body = body_of(register)
    assert (register.request.method, register.request.path) == ("POST", "/register")
    assert register.pool is Pool.AUTH
    assert body["signingAddr"] == vest_golden["addresses"]["signing"]
    assert body["primaryAddr"] == vest_golden["addresses"]["primary"]
    assert body["expiryTime"] == now_ms + 7 * 86_400_000
    assert body["networkType"] == 0
    assert "x-api-key" not in listen.request.headers

    register.read(answer({"apiKey": "key-1", "accGroup": 3}))

    headers = dict(listen.request.headers)
    assert (listen.request.method, listen.request.path) == ("POST", "/account/listenKey")
    assert (headers["x-api-key"], headers["xrestservermm"]) == ("key-1", "restserver3")
    assert len(listen.request.headers) == len(headers)


def test_the_listen_key_is_renewed_at_half_its_life_without_registering_again(vest, answer, now_ms):
    assert vest.login_due_ms() == now_ms + 30 * 60_000

    (listen,) = vest.logins(now_ms + 30 * 60_000)
    listen.read(answer({"listenKey": "579e1280448d4843b190c50fbd170078"}))

    assert vest.login_due_ms() == now_ms + 60 * 60_000


def test_the_registration_is_renewed_before_its_last_tenth(vest, answer, now_ms):
    late = now_ms + 7 * 86_400_000 * 9 // 10 + 1

    assert len(vest.logins(late)) == 2
    assert len(vest.logins(late - 10)) == 1


def test_a_session_not_complete_or_lost_is_due_at_once(fresh_vest, vest, answer, now_ms):
    vest.session_lost()
    assert vest.login_due_ms() == 0
    assert len(vest.logins(now_ms)) == 2
    assert vest.session.secrets() == ()


@pytest.mark.parametrize("code", [1022, 1024, 1099])
def test_a_registration_refused_for_the_keys_sake_is_final(fresh_vest, answer, now_ms, code):
    register, _ = fresh_vest.logins(now_ms)

    with pytest.raises(AuthRefused):
        register.read(answer({"code": code, "msg": "no"}, 400))


def test_a_registration_refused_otherwise_may_be_tried_again(fresh_vest, answer, now_ms):
    register, _ = fresh_vest.logins(now_ms)

    with pytest.raises(VenueRefused):
        register.read(answer({"code": 1003, "msg": "slow"}, 429))
    with pytest.raises(ProtocolViolation):
        register.read(answer({"apiKey": "a\r\nb", "accGroup": 0}))
    assert fresh_vest.login_due_ms() == 0


def test_a_refused_api_key_ends_the_session_but_not_the_one_after_it(vest, answer, now_ms):
    before = vest.account(now_ms)
    late = vest.positions(now_ms)

    with pytest.raises(AuthRefused):
        before.read(answer({"code": 1002, "msg": "unauthorized"}, 401))
    assert vest.login_due_ms() == 0

    register, listen = vest.logins(now_ms)
    register.read(answer({"apiKey": "key-2", "accGroup": 3}))
    listen.read(answer({"listenKey": "ffff"}))
    with pytest.raises(AuthRefused):
        late.read(answer({"code": 1002, "msg": "unauthorized"}, 401))
    assert vest.login_due_ms() > 0


def test_the_keys_in_use_are_known_to_the_redactor(vest):
    assert [key.reveal() for key in vest.session.secrets()] == [
        "key-1",
        "579e1280448d4843b190c50fbd170078",
    ]
