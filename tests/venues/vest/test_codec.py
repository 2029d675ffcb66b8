"""Vest's REST codec: its questions."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs
import pytest

from bot4.domain.order import OrderState
from bot4.errors import ProtocolViolation, VenueRefused
from bot4.ports import FillPage
from bot4.venues.vest.lookup import REMEMBERED, Lookup

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


def test_balances_are_the_account_s(vest, answer, now_ms):
    errand = vest.balances(now_ms)

    assert errand.request.path == f"/account?time={now_ms}"
    rows = [{"asset": "USDC", "total": "10.0", "locked": "0.000000"}]
    assert errand.read(answer({"balances": rows})) == (("USDC", Decimal(10)),)
    with pytest.raises(ProtocolViolation):
        errand.read(answer({"balances": None}))


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


def test_an_order_whose_id_is_known_is_asked_for_by_both_names_in_turn(
    vest, vest_order, answer, now_ms
):
    _, placing = vest.sign(vest_order, now_ms, 2000)
    placing.read(answer({"id": "0xabc"}))

    paths = [vest.find(vest_order, now_ms).request.path.partition("&")[0] for _ in range(4)]

    by_id, by_nonce = "/orders?id=0xabc", "/orders?nonce=1770000000001"
    assert paths == [by_id, by_nonce, by_id, by_nonce]
    assert vest.find(vest_order, now_ms).read(answer([FILLED])).filled == Decimal("0.01")


def test_only_so_many_ids_are_remembered(vest_order):
    lookup = Lookup()
    for nonce in range(REMEMBERED + 1):
        lookup.learn(str(nonce), f"0x{nonce:x}")

    assert lookup.query(attrs.evolve(vest_order, client_order_id="0")) == "nonce=0"
    assert lookup.query(attrs.evolve(vest_order, client_order_id="1")) == "id=0x1"


def test_the_fills_of_an_order_are_in_the_order(vest, vest_order, answer, now_ms):
    errand = vest.fills(vest_order, "", now_ms)

    (fill,) = errand.read(answer([FILLED])).fills
    assert (fill.fill_id, fill.size) == ("0xabc:0.01", Decimal("0.01"))
    assert errand.read(answer([])) == FillPage(())


def test_open_orders_are_those_that_wait(vest, answer, now_ms):
    errand = vest.open_orders(now_ms)

    assert errand.request.path == f"/orders?status=NEW&time={now_ms}"
    (report,) = errand.read(answer([FILLED | {"status": "NEW"}]))
    assert report.state is OrderState.ACCEPTED


def test_an_order_that_rests_is_a_limit_good_till_cancelled(vest, vest_order, now_ms):
    _, resting = vest.sign_resting(vest_order, now_ms, 2000)

    body = json.loads(resting.request.body)["order"]
    assert (body["orderType"], body["timeInForce"]) == ("LIMIT", "GTC")
    assert vest.state() is None
