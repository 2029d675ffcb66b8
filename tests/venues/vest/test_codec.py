"""Vest's REST codec: its session, its questions and its orders."""

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
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
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


# ------------------------------------------------------------------------------ session


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


# ---------------------------------------------------------------------------- questions


def test_the_clock_is_the_middle_of_the_dates_second_until_signed_in(fresh_vest, answer):
    errand = fresh_vest.clock()

    assert errand.request.path == "/exchangeInfo"
    assert errand.read(answer({}, date="Sun, 06 Nov 1994 08:49:37 GMT")) == 784111777500
    with pytest.raises(ProtocolViolation):
        errand.read(answer({}))


def test_the_clock_is_the_accounts_own_once_signed_in(vest, answer, now_ms):
    errand = vest.clock()

    assert errand.request.path == f"/account?time={now_ms}"
    assert errand.read(answer({"time": 1770000000123})) == 1770000000123


def test_markets_are_all_those_that_can_be_read(fresh_vest, answer, exchange_info):
    markets = fresh_vest.markets().read(answer(exchange_info))

    assert [market.key.symbol for market in markets] == ["BTC-PERP", "AAPL-USD-PERP"]


def test_markets_of_which_none_can_be_read_are_a_violation(fresh_vest, answer):
    with pytest.raises(ProtocolViolation):
        fresh_vest.markets().read(answer({"symbols": [{"symbol": "X"}]}))


def test_a_book_is_asked_for_as_a_snapshot(fresh_vest, answer):
    errand = fresh_vest.book("BTC-PERP")
    update = errand.read(answer({"bids": [["4.00", "431.0000"]], "asks": [["4.02", "12.0"]]}))

    assert errand.request.path == "/depth?symbol=BTC-PERP&limit=100"
    assert (update.symbol, update.snapshot) == ("BTC-PERP", True)
    assert update.bids == [(400000000, 43100000000)]
    assert update.asks == [(402000000, 1200000000)]


def test_private_questions_carry_the_key_the_group_and_the_time(vest, now_ms):
    for errand in (vest.account(now_ms), vest.positions(now_ms)):
        assert errand.request.path == f"/account?time={now_ms}"
        assert errand.request.headers["x-api-key"] == "key-1"
        assert errand.request.headers["xrestservermm"] == "restserver3"
        assert "key-1" not in repr(errand)


def test_leverage_is_set_and_checked(vest, answer, now_ms):
    errand = vest.leverage("BTC-PERP", 10, now_ms)

    assert errand.request.path == "/account/leverage"
    assert body_of(errand) == {"time": now_ms, "symbol": "BTC-PERP", "value": 10}
    errand.read(answer({"symbol": "BTC-PERP", "value": 10}))
    with pytest.raises(ProtocolViolation):
        errand.read(answer({"symbol": "BTC-PERP", "value": 20}))


def test_an_order_is_found_by_its_nonce(vest, vest_order, answer, now_ms):
    errand = vest.find(vest_order, now_ms)

    assert errand.request.path == f"/orders?nonce=1770000000001&time={now_ms}"
    assert errand.read(answer([FILLED])).filled == Decimal("0.01")
    assert errand.read(answer([])) is None
    for wrong in ({"orders": []}, [FILLED | {"nonce": 4}], b"<html>"):
        with pytest.raises(ProtocolViolation):
            errand.read(answer(wrong))
    with pytest.raises(VenueRefused):
        errand.read(answer(b"<html>", 502))


def test_the_fills_of_an_order_are_in_the_order(vest, vest_order, answer, now_ms):
    errand = vest.fills(vest_order, now_ms)

    (fill,) = errand.read(answer([FILLED]))
    assert (fill.fill_id, fill.size) == ("0xabc:0.01", Decimal("0.01"))
    assert errand.read(answer([])) == ()


def test_open_orders_are_those_that_wait(vest, answer, now_ms):
    errand = vest.open_orders(now_ms)

    assert errand.request.path == f"/orders?status=NEW&time={now_ms}"
    (report,) = errand.read(answer([FILLED | {"status": "NEW"}]))
    assert report.state is OrderState.ACCEPTED


# ------------------------------------------------------------------------------- orders


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
    assert errand.request.path == "/orders/cancel"
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
