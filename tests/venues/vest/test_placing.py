"""Our orders and cancels at Vest: as sent, and as answered."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs
import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_defunct

from bot4.config.schema import VestConfig
from bot4.domain.order import OrderReport, OrderState, Purpose, Side
from bot4.errors import VenueRefused
from bot4.ports import Accepted, InDoubt, Pool, Refused, Retry
from bot4.venues.vest.signing import hashed

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
WAITING = OrderReport("vest", "5", "0xdef", OrderState.ACCEPTED)


def body_of(errand):
    return json.loads(errand.request.body)


def test_an_order_is_sent_as_it_is_signed(vest, vest_order, vest_golden, now_ms):
    signed, errand = vest.sign(vest_order, now_ms, 2000)

    body = body_of(errand)
    assert signed == attrs.evolve(vest_order, signed_ms=now_ms, window_ms=2000)
    assert (errand.request.method, errand.request.path) == ("POST", "/orders")
    assert body["recvWindow"] == 2000
    assert body["order"] == {
        "time": now_ms,
        "nonce": 1770000000001,
        "symbol": "BTC-PERP",
        "isBuy": True,
        "size": "0.0100",
        "orderType": "MARKET",
        "limitPrice": "78500.00",
        "reduceOnly": False,
    }
    names = ["time", "nonce", "orderType", "symbol", "isBuy", "size", "limitPrice", "reduceOnly"]
    types = ["uint256", "uint256", "string", "string", "bool", "string", "string", "bool"]
    digest = hashed(encode(types, [body["order"][name] for name in names]))
    signer = Account.recover_message(encode_defunct(primitive=digest), signature=body["signature"])
    assert signer.lower() == vest_golden["addresses"]["signing"]


def test_the_switches_choose_the_order_type_and_reduce_only(make_vest, vest_order, now_ms):
    codec = make_vest(VestConfig(order_type="LIMIT_FOK", reduce_only=False))
    order = attrs.evolve(vest_order, reduce_only=True, side=Side.SELL, purpose=Purpose.FLATTEN)

    _, errand = codec.sign(order, now_ms, 2000)

    sent = body_of(errand)["order"]
    assert (sent["orderType"], sent["timeInForce"]) == ("LIMIT", "FOK")
    assert (sent["reduceOnly"], sent["isBuy"]) == (False, False)
    assert errand.pool is Pool.SAFETY


def test_reduce_only_is_asked_for_by_default(vest, vest_order, now_ms):
    _, errand = vest.sign(attrs.evolve(vest_order, reduce_only=True), now_ms, 2000)

    assert body_of(errand)["order"]["reduceOnly"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"size": Decimal("0.00001")},
        {"limit": Decimal("78500.001")},
        {"size": Decimal(0)},
        {"limit": Decimal(-1)},
        {"client_order_id": "b4-x-1"},
        {"client_order_id": "9" * 17},
        {"client_order_id": "٣"},
    ],
)
def test_an_order_that_does_not_fit_is_not_signed(vest, vest_order, now_ms, change):
    with pytest.raises(ValueError, match=r"nonce|decimals|above zero"):
        vest.sign(attrs.evolve(vest_order, **change), now_ms, 2000)


def test_an_order_on_an_unknown_market_is_not_signed(vest, paradex_order, now_ms):
    with pytest.raises(ValueError, match="not a market"):
        vest.sign(paradex_order, now_ms, 2000)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"id": "0xabc"}, 200, Accepted("0xabc")),
        ({"code": 1111, "msg": "x"}, 400, Retry.NEVER),
        ({"detail": {"code": 1132, "msg": "late"}}, 422, Retry.RESIGN),
        ({"code": 3001, "msg": "price"}, 200, Retry.REQUOTE),
        ({"code": 1002, "msg": "who"}, 401, Retry.RESIGN),
        ({"code": 3015, "msg": "dup"}, 400, InDoubt),
        ({"code": 429, "msg": "Rate limited"}, 429, InDoubt),
        ({"code": 1111, "msg": "x"}, 502, InDoubt),
        (b"<html>error 530</html>", 530, InDoubt),
        (b"", 200, InDoubt),
        (b"\xff\xfe", 200, InDoubt),
        ({}, 200, InDoubt),
        ({"id": ""}, 200, InDoubt),
        ({"id": 7}, 200, InDoubt),
        (b"", 301, InDoubt),
        ({"code": 4242}, 400, InDoubt),
    ],
)
def test_the_first_answer_accepts_refuses_or_proves_nothing(
    vest, vest_order, answer, now_ms, body, status, expected
):
    _, errand = vest.sign(vest_order, now_ms, 2000)

    outcome = errand.read(answer(body, status))

    if isinstance(expected, Retry):
        assert isinstance(outcome, Refused)
        assert outcome.retry is expected
    elif expected is InDoubt:
        assert isinstance(outcome, InDoubt)
        assert outcome.sent_at == 1.0
    else:
        assert outcome == expected


def test_an_order_refused_for_its_api_key_ends_the_session(vest, vest_order, answer, now_ms):
    _, errand = vest.sign(vest_order, now_ms, 2000)

    errand.read(answer({"code": 1002, "msg": "who"}, 401))

    assert vest.login_due_ms() == 0


def test_the_switch_makes_too_many_requests_a_refusal(make_vest, vest_order, answer, now_ms):
    codec = make_vest(VestConfig(too_many_is_definite=True))
    _, errand = codec.sign(vest_order, now_ms, 2000)

    assert errand.read(answer(b"", 429)) == Refused("429", "HTTP 429", Retry.WAIT)


def test_a_cancel_names_the_venues_id_and_not_found_is_fine(vest, answer, now_ms):
    errand = vest.cancel(WAITING, now_ms, 2000)

    body = body_of(errand)
    assert errand.request.path == f"/orders/cancel?time={now_ms}"
    assert errand.pool is Pool.SAFETY
    assert body["order"] == {"time": now_ms, "nonce": now_ms, "id": "0xdef"}
    errand.read(answer({"id": "0xdef"}))
    errand.read(answer({"code": 3017, "msg": "ORDER_NOT_FOUND"}, 400))
    with pytest.raises(VenueRefused):
        errand.read(answer({"code": 1022, "msg": "INVALID_SIGNATURE"}, 400))
    with pytest.raises(ValueError, match="id"):
        vest.cancel(attrs.evolve(WAITING, venue_order_id=""), now_ms, 2000)
    assert vest.cancel_all(now_ms) is None


def test_nonces_rise_even_when_the_clock_does_not(vest, now_ms):
    given = [vest.next_handle(at, 1, "long", 1) for at in (now_ms, now_ms, now_ms - 500)]

    assert given == [str(now_ms), str(now_ms + 1), str(now_ms + 2)]

    vest.seen_handle(str(now_ms + 99))
    vest.seen_handle("b4-abc-1-long1")
    vest.seen_handle("3")
    assert vest.next_handle(now_ms, 1, "long", 1) == str(now_ms + 100)


def test_a_later_refusal_says_what_may_be_tried_next(vest):
    assert vest.retry("3001 PRICE_CHECK_FAILED") is Retry.REQUOTE
