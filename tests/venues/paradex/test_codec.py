"""Paradex's REST codec: its questions."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bot4.config.schema import ParadexConfig
from bot4.domain.order import OrderReport, OrderState, Side
from bot4.errors import ProtocolViolation
from bot4.ports import PaymentPage, Pool

OURS = {
    "id": "1748665803430201709269690001",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "size": "0.01",
    "remaining_size": "0",
    "status": "CLOSED",
    "cancel_reason": "",
    "client_id": "b4-abc123-7-short1",
    "avg_fill_price": "78520",
    "last_updated_at": 1748665803448,
}
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


def body_of(errand):
    return json.loads(errand.request.body)


def test_the_clock_is_read_from_its_text(fresh_paradex, answer):
    errand = fresh_paradex.clock()

    assert (errand.request.path, errand.pool) == ("/system/time", Pool.PUBLIC)
    assert errand.read(answer({"server_time": "1681493415023"})) == 1681493415023


def test_markets_are_all_those_that_can_be_read(fresh_paradex, make_paradex, answer):
    good = {
        "symbol": "BTC-USD-PERP",
        "base_currency": "BTC",
        "order_size_increment": "0.00001",
        "price_tick_size": "0.1",
        "delta1_cross_margin_params": {"imf_base": "0.02"},
    }
    rows = {"results": [{"symbol": "BTC-USD-99-C"}, good]}

    (market,) = fresh_paradex.markets().read(answer(rows))
    (retail,) = make_paradex(RETAIL).markets().read(answer(rows))

    assert market.taker_fee == Decimal("0.00045")
    assert retail.taker_fee == 0
    with pytest.raises(ProtocolViolation):
        fresh_paradex.markets().read(answer({"results": [{"symbol": "X"}]}))


def test_a_book_is_asked_for_as_a_snapshot(fresh_paradex, answer):
    errand = fresh_paradex.book("BTC-USD-PERP")
    update = errand.read(
        answer(
            {
                "market": "BTC-USD-PERP",
                "seq_no": "20784",
                "last_updated_at": 5,
                "bids": [["78500.1", "0.5"], ["78500", "0"]],
                "asks": [["78501", "1"]],
            }
        )
    )

    assert errand.request.path == "/orderbook/BTC-USD-PERP?depth=50"
    assert (update.symbol, update.sequence, update.venue_time_ms) == ("BTC-USD-PERP", 20784, 5)
    assert (update.bids, update.asks) == ([(7850010000000, 50000000)], [(7850100000000, 100000000)])


def test_account_and_positions_carry_the_token(paradex, answer, now_ms):
    account, positions = paradex.account(now_ms), paradex.positions(now_ms)

    assert (account.request.path, positions.request.path) == ("/account", "/positions")
    assert account.request.headers["authorization"] == "Bearer a.b-c_d"
    assert "a.b-c_d" not in repr(account)
    assert list(positions.read(answer({"results": []}))) == []


def test_balances_are_by_token(paradex, answer, now_ms):
    errand = paradex.balances(now_ms)

    assert errand.request.path == "/balance"
    rows = [{"token": "USDC", "size": "12.5"}, {"token": "DIME", "size": "0"}]
    assert errand.read(answer({"results": rows})) == (("USDC", Decimal("12.5")), ("DIME", 0))
    odd = [{"token": "DIME", "size": None}, rows[0]]
    assert errand.read(answer({"results": odd})) == (("USDC", Decimal("12.5")),)


def test_leverage_is_set_and_checked(paradex, answer, now_ms):
    errand = paradex.leverage("BTC-USD-PERP", 10, now_ms)

    assert errand.request.path == "/account/margin/BTC-USD-PERP"
    assert body_of(errand) == {"leverage": 10, "margin_type": "CROSS"}
    errand.read(answer({"leverage": 10, "margin_type": "CROSS"}))
    with pytest.raises(ProtocolViolation):
        errand.read(answer({"leverage": 5}))


def test_an_order_is_found_in_every_status_by_its_client_id(paradex, paradex_order, answer, now_ms):
    errand = paradex.find(paradex_order, now_ms)
    older = OURS | {"status": "NEW", "remaining_size": "0.01", "last_updated_at": 1}

    assert errand.request.path == "/orders-history?client_id=b4-abc123-7-short1"
    report = errand.read(answer({"results": [older, OURS], "next": None}))
    assert (report.state, report.filled) == (OrderState.CLOSED, Decimal("0.01"))
    assert errand.read(answer({"results": [], "next": None})) is None


@pytest.mark.parametrize(
    "body", [{"results": [OURS | {"client_id": "x"}]}, {"results": [], "next": "more"}, {}, []]
)
def test_a_list_of_something_else_is_no_proof_of_absence(
    paradex, paradex_order, answer, now_ms, body
):
    with pytest.raises(ProtocolViolation):
        paradex.find(paradex_order, now_ms).read(answer(body))


def test_the_fills_of_an_order_are_picked_from_its_time(paradex, paradex_order, answer, now_ms):
    order, _ = paradex.sign(paradex_order, now_ms, 2000)
    errand = paradex.fills(order, "", now_ms)

    assert errand.request.path == (
        f"/fills?market=BTC-USD-PERP&start_at={now_ms - 5000}&end_at={now_ms + 62_000}"
    )
    rows = [FILL | {"client_id": "another", "price": "bad"}, FILL]
    (fill,) = errand.read(answer({"results": rows})).fills
    assert (fill.fill_id, fill.size, fill.side) == ("f1", Decimal("0.01"), Side.SELL)


def test_open_orders_are_listed(paradex, answer, now_ms):
    errand = paradex.open_orders(now_ms)

    assert errand.request.path == "/orders"
    (report,) = errand.read(
        answer({"results": [OURS | {"status": "NEW", "remaining_size": "0.01"}]})
    )
    assert report.state is OrderState.ACCEPTED


PAYMENT = {
    "account": "0x1",
    "created_at": 1,
    "fill_id": "f1",
    "id": "p1",
    "index": "0.5",
    "market": "BTC-USD-PERP",
    "payment": "-0.25",
}


def test_funding_is_told_by_fill_and_a_payment_counts_once(paradex, paradex_order, answer, now_ms):
    order, _ = paradex.sign(paradex_order, now_ms, 2000)
    errand = paradex.funding(order, "", now_ms)

    assert errand.request.path == (
        f"/funding/payments?market=BTC-USD-PERP&start_at={now_ms - 5000}&end_at={now_ms + 62_000}"
    )
    rows = [
        PAYMENT,
        PAYMENT,
        PAYMENT | {"id": "p2", "payment": "1"},
        PAYMENT | {"id": "p3", "fill_id": "f2"},
    ]
    page = errand.read(answer({"results": rows, "next": None}))
    assert [(one.payment_id, one.fill_id, one.amount) for one in page.payments] == [
        ("p1", "f1", Decimal("-0.25")),
        ("p2", "f1", Decimal(1)),
        ("p3", "f2", Decimal("-0.25")),
    ]
    assert errand.read(answer({"results": []})) == PaymentPage(())


@pytest.mark.parametrize(
    "rows",
    [
        [PAYMENT | {"market": "ETH-USD-PERP"}],
        [PAYMENT | {"payment": "NaN"}],
        [PAYMENT | {"payment": "1e400"}],
        [PAYMENT | {"fill_id": None}],
        [PAYMENT, PAYMENT | {"payment": "1"}],
        None,
    ],
)
def test_payments_that_make_no_sense_are_refused(paradex, paradex_order, answer, now_ms, rows):
    with pytest.raises(ProtocolViolation):
        paradex.funding(paradex_order, "", now_ms).read(answer({"results": rows}))
