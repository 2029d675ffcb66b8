"""Vest's JSON, read and written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.domain.market import MarketKey
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.venues.reading import Unreadable, as_row
from bot4.venues.vest import messages
from bot4.venues.vest.messages import exact_text, read_answer, read_fault, read_http_date

ACCOUNT = {
    "address": "0x3d4fcE3C4b9435C2aB6A880D37F346fa10C844e1",
    "balances": [{"asset": "USDC", "total": "10.0", "locked": "0.000000"}],
    "collateral": "1333.000000",
    "withdrawable": "111222.120000",
    "totalAccountValue": "200000.120000",
    "totalMaintMargin": "123232.120000",
    "positions": [
        {
            "symbol": "BTC-PERP",
            "isLong": False,
            "size": "0.1000",
            "entryPrice": "30.00",
            "liqPrice": "20.00",
        },
        {"symbol": "ETH-PERP", "isLong": True, "size": "0.000", "entryPrice": "0"},
        {
            "symbol": "SOL-PERP",
            "isLong": True,
            "size": "3.12",
            "entryPrice": "2.0",
            "liqPrice": "0",
        },
    ],
    "leverages": [{"symbol": "BTC-PERP", "value": 20}],
    "time": 1233333333333,
}


@pytest.mark.parametrize(
    ("number", "decimals", "expected"),
    [
        ("0.01", 4, "0.0100"),
        ("78500", 2, "78500.00"),
        ("78500.00", 1, "78500.0"),
        ("3", 0, "3"),
        ("1E+2", 0, "100"),
        ("0.000001", 6, "0.000001"),
    ],
)
def test_numbers_are_padded_to_exactly_the_decimals_of_the_market(number, decimals, expected):
    assert exact_text(Decimal(number), decimals) == expected


@pytest.mark.parametrize(("number", "decimals"), [("0.01", 1), ("0.5", 0), ("NaN", 2)])
def test_a_number_is_never_rounded_to_fit(number, decimals):
    with pytest.raises(ValueError, match="decimals"):
        exact_text(Decimal(number), decimals)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": 1111, "msg": "BAD"}, 400, 1111),
        ({"detail": {"code": 1111, "msg": "BAD"}}, 422, 1111),
        ({"code": 1121, "msg": "bad symbol"}, 200, 1121),
        ({"detail": "Not Found"}, 404, None),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, 422, None),
        (b"<html>502 Bad Gateway</html>", 502, None),
        (b"", 503, None),
        ([], 500, None),
        ({"code": "1111"}, 400, None),
        ({}, 302, None),
    ],
)
def test_errors_are_recognised_in_every_shape(answer, body, status, code):
    fault = read_fault(answer(body, status))

    assert fault is not None
    assert fault.code == code
    assert "<" not in fault.why


@pytest.mark.parametrize("body", [{"id": "0x1"}, [], [{"code": None}], {"id": "0x1", "code": 7}])
def test_an_ordinary_answer_is_no_error(answer, body):
    assert read_fault(answer(body)) is None


def test_answers_raise_what_their_reader_may_do(answer):
    with pytest.raises(AuthRefused):
        read_answer(answer({"code": 1002, "msg": "no"}, 401), "account", as_row)
    with pytest.raises(AuthRefused):
        read_answer(answer({"code": 1002, "msg": "no"}, 200), "account", as_row)
    with pytest.raises(VenueRefused) as refused:
        read_answer(answer({"code": 1121, "msg": "BAD_SYMBOL"}, 400), "account", as_row)
    with pytest.raises(ProtocolViolation):
        read_answer(answer(b"<html>", 200), "account", as_row)
    with pytest.raises(ProtocolViolation):
        read_answer(answer([]), "account", as_row)

    assert (refused.value.code, refused.value.status) == ("1121", 400)
    assert refused.value.why == "account: 1121 BAD_SYMBOL: BAD_SYMBOL"


def test_an_http_date_is_read_to_the_second():
    assert read_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777000


@pytest.mark.parametrize(
    "text", ["", "now", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 99 Nov 1994 1:1:1 GMT"]
)
def test_another_date_is_unreadable(text):
    with pytest.raises(Unreadable):
        read_http_date(text)


def test_a_market_is_read_from_its_decimals(exchange_info):
    market, size_decimals, price_decimals = messages.read_market(exchange_info["symbols"][0])

    assert (size_decimals, price_decimals) == (4, 2)
    assert market.key == MarketKey("vest", "BTC-PERP")
    assert market.base == "BTC"
    assert (market.tick, market.lot, market.min_size) == (
        Decimal("0.01"),
        Decimal("0.0001"),
        Decimal("0.0001"),
    )
    assert market.min_notional == 0
    assert market.taker_fee == Decimal("0.0001")
    assert market.max_leverage == 25
    assert market.trading


def test_a_halted_market_is_listed_as_not_trading(exchange_info):
    market, *_ = messages.read_market(exchange_info["symbols"][1])

    assert not market.trading
    assert market.max_leverage == 3


@pytest.mark.parametrize(
    "change",
    [{"symbol": 1}, {"sizeDecimals": -1}, {"priceDecimals": 99}, {"initMarginRatio": "0"}],
)
def test_a_market_that_makes_no_sense_is_unreadable(exchange_info, change):
    with pytest.raises(Unreadable):
        messages.read_market(exchange_info["symbols"][0] | change)


def test_a_market_finer_than_books_are_kept_is_not_traded(exchange_info):
    market, *_ = messages.read_market(exchange_info["symbols"][0] | {"priceDecimals": 10})

    assert not market.trading


def test_the_account_is_read():
    account = messages.read_account(ACCOUNT)

    assert account.venue == "vest"
    assert account.equity == Decimal("200000.12")
    assert account.free_collateral == Decimal("111222.12")
    assert account.maintenance_margin == Decimal("123232.12")
    assert account.leverages == (("BTC-PERP", 20),)
    assert account.venue_time_ms == 1233333333333


def test_positions_are_signed_and_flat_ones_left_out():
    short, long = messages.read_positions(ACCOUNT)

    assert (short.key.symbol, short.size) == ("BTC-PERP", Decimal("-0.1"))
    assert (short.entry_price, short.liquidation_price) == (Decimal(30), Decimal(20))
    assert (long.key.symbol, long.size, long.liquidation_price) == (
        "SOL-PERP",
        Decimal("3.12"),
        None,
    )
