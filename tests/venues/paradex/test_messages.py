"""Paradex's JSON, read."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.domain.market import MarketKey
from bot4.domain.order import OrderState, Side
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.venues.paradex import markets, messages
from bot4.venues.reading import Unreadable, as_row

ORDER = {
    "id": "1748665803430201709269690001",
    "account": "0x5b00",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "type": "LIMIT",
    "size": "0.02",
    "remaining_size": "0.005",
    "price": "78510.1",
    "status": "OPEN",
    "created_at": 1748665803437,
    "last_updated_at": 1748665803448,
    "cancel_reason": "",
    "client_id": "b4-abc123-7-short1",
    "avg_fill_price": "78520",
}
FILL = {
    "id": "8615262148007718462",
    "order_id": "1748665803430201709269690001",
    "client_id": "b4-abc123-7-short1",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "liquidity": "TAKER",
    "price": "78520",
    "size": "0.015",
    "fee": "-0.5",
    "fill_type": "FILL",
    "created_at": 1748665803440,
}
POSITION = {
    "market": "BTC-USD-PERP",
    "side": "SHORT",
    "size": "-0.345",
    "status": "OPEN",
    "average_entry_price": "29001.34",
    "liquidation_price": "",
}
MARKET = {
    "symbol": "ETH-USD-PERP",
    "base_currency": "ETH",
    "order_size_increment": "0.0001",
    "price_tick_size": "0.01",
    "min_notional": "100",
    "asset_kind": "PERP",
    "price_bands_width": "0.05",
    "delta1_cross_margin_params": {"imf_base": "0.02", "mmf_factor": "0.5"},
    "fee_config": {
        "api_fee": {"taker_fee": {"fee": "0.00045"}},
        "interactive_fee": {"taker_fee": {"fee": "0"}},
    },
}


REFUSALS = (
    *("NOT_ENOUGH_MARGIN", "ORDER_EXCEEDS_POSITION_LIMIT", "POST_ONLY_WOULD_CROSS"),
    *("MMP_TRIGGERED", "MMP_FROZEN", "MMP_DISABLED", "MMP_NOT_CONFIGURED"),
    "MMP_GREEKS_UNAVAILABLE",
)
CLOSINGS = ("", "USER_CANCELED", "SELF_TRADE", "IOC_REMAINDER", "REDUCE_ONLY_WOULD_INCREASE")


@pytest.mark.parametrize(
    ("change", "state", "filled"),
    [
        ({"status": "NEW", "remaining_size": "0.02"}, OrderState.ACCEPTED, "0"),
        ({}, OrderState.OPEN, "0.015"),
        ({"status": "UNTRIGGERED"}, OrderState.OPEN, "0.015"),
        ({"status": "CLOSED", "remaining_size": "0"}, OrderState.CLOSED, "0.02"),
        (
            {"status": "CLOSED", "remaining_size": "0.02", "cancel_reason": "NOT_ENOUGH_MARGIN"},
            OrderState.REFUSED,
            "0",
        ),
        ({"status": "CLOSED", "cancel_reason": "NOT_ENOUGH_MARGIN"}, OrderState.CLOSED, "0.015"),
        (
            {"status": "CLOSED", "remaining_size": "0.02", "cancel_reason": "ANYTHING"},
            OrderState.CLOSED,
            "0",
        ),
    ],
)
def test_every_status_has_its_state_and_what_was_filled(change, state, filled):
    report = messages.read_order(ORDER | change)

    assert (report.state, report.filled) == (state, Decimal(filled))
    assert report.reason == change.get("cancel_reason", "")


@pytest.mark.parametrize("reason", [*REFUSALS, *CLOSINGS, "SOMETHING_NEW", "x" * 300, "\u202e"])
@pytest.mark.parametrize("remaining", ["0.02", "0.005", "0"])
def test_every_cancel_reason_closes_and_only_risk_refuses(reason, remaining):
    closed = ORDER | {"status": "CLOSED", "cancel_reason": reason, "remaining_size": remaining}

    report = messages.read_order(closed)

    refused = reason in REFUSALS and remaining == "0.02"
    assert report.state is (OrderState.REFUSED if refused else OrderState.CLOSED)
    assert report.state.terminal
    assert report.filled == Decimal("0.02") - Decimal(remaining)


def test_ids_of_28_digits_are_kept_to_the_last():
    long_id = "1753846435990201709277900001"

    assert messages.read_order(ORDER | {"id": long_id}).venue_order_id == long_id
    fill = messages.read_fill(FILL | {"id": long_id, "order_id": long_id})
    assert (fill.fill_id, fill.venue_order_id) == (long_id, long_id)


def test_an_order_is_read_in_full():
    report = messages.read_order(ORDER)

    assert (report.client_order_id, report.venue_order_id) == (ORDER["client_id"], ORDER["id"])
    assert (report.symbol, report.side, report.size) == ("BTC-USD-PERP", Side.SELL, Decimal("0.02"))
    assert (report.average_price, report.fee) == (Decimal(78520), None)
    assert report.venue_time_ms == 1748665803448


@pytest.mark.parametrize("average", ["", "0", None])
def test_no_average_price_is_none_however_it_is_spelled(average):
    assert messages.read_order(ORDER | {"avg_fill_price": average}).average_price is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": "LOST"},
        {"side": "LEFT"},
        {"size": "0"},
        {"remaining_size": "0.03"},
        {"remaining_size": "-1"},
        {"id": None},
        {"market": 5},
        {"avg_fill_price": "NaN"},
    ],
)
def test_an_order_that_makes_no_sense_is_unreadable(change):
    with pytest.raises(Unreadable):
        messages.read_order(ORDER | change)


def test_a_fill_is_read_with_its_rebate():
    fill = messages.read_fill(FILL)

    assert (fill.fill_id, fill.client_order_id) == (FILL["id"], FILL["client_id"])
    assert (fill.price, fill.size, fill.fee) == (Decimal(78520), Decimal("0.015"), Decimal("-0.5"))
    assert (fill.side, fill.kind, fill.venue_time_ms) == (Side.SELL, "trade", 1748665803440)


@pytest.mark.parametrize(
    ("said", "funding"),
    [("7.56", Decimal("7.56")), ("-0.1", Decimal("-0.1")), ("", None), (7, None)],
)
def test_a_fill_says_what_funding_came_with_it_and_is_not_lost_for_it(said, funding):
    assert messages.read_fill(FILL | {"realized_funding": said}).funding == funding


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("RPI", "trade"),
        ("LIQUIDATION", "liquidation"),
        ("UNWIND_TRANSFER", "transfer"),
        ("SETTLE_MARKET", "settle_market"),
    ],
)
def test_a_fill_says_what_kind_it_is(said, kind):
    assert messages.read_fill(FILL | {"fill_type": said}).kind == kind


@pytest.mark.parametrize("change", [{"price": "0"}, {"size": "-1"}, {"side": ""}, {"id": None}])
def test_a_fill_that_makes_no_sense_is_unreadable(change):
    with pytest.raises(Unreadable):
        messages.read_fill(FILL | change)


def test_positions_are_signed_by_their_side_and_closed_ones_left_out():
    long = POSITION | {"side": "LONG", "size": "1", "liquidation_price": "20000"}
    closed = POSITION | {"size": "0", "status": "CLOSED"}

    first, second = messages.read_positions({"results": [POSITION, closed, long]})

    assert (first.size, first.liquidation_price) == (Decimal("-0.345"), None)
    assert (second.size, second.liquidation_price) == (Decimal(1), Decimal(20000))
    assert first.key == MarketKey("paradex", "BTC-USD-PERP")


def test_a_position_that_makes_no_sense_costs_itself_alone():
    odd = POSITION | {"side": "", "market": "ETH-USD-PERP"}

    first, second = messages.read_positions({"results": [odd, POSITION]})

    assert (first.what, first.symbol, first.why) == ("position", "ETH-USD-PERP", "an unknown side")
    assert second.key == MarketKey("paradex", "BTC-USD-PERP")


@pytest.mark.parametrize("change", [{"fee": None}, {"fee": ""}, {"fee_currency": "DIME"}])
def test_a_fee_not_told_in_our_money_is_not_known(change):
    assert messages.read_fill(FILL | change).fee is None


def test_the_account_is_read():
    account = messages.read_account(
        {
            "account_value": "136285.06918911",
            "free_collateral": "73276.47229774",
            "maintenance_margin_requirement": "31597.25239676",
            "updated_at": 1681471234972,
        }
    )

    assert account.equity == Decimal("136285.06918911")
    assert account.free_collateral == Decimal("73276.47229774")
    assert account.maintenance_margin == Decimal("31597.25239676")
    assert (account.leverages, account.venue_time_ms) == ((), 1681471234972)


def test_a_market_is_read_with_the_fee_of_the_profile():
    market = markets.read_market(MARKET, interactive=False)

    assert market.key == MarketKey("paradex", "ETH-USD-PERP")
    assert (market.tick, market.lot, market.min_size) == (
        Decimal("0.01"),
        Decimal("0.0001"),
        Decimal("0.0001"),
    )
    assert (market.min_notional, market.max_leverage) == (Decimal(100), 50)
    assert (market.price_band, market.trading) == (Decimal("0.05"), True)
    assert market.taker_fee == Decimal("0.00045")
    assert markets.read_market(MARKET, interactive=True).taker_fee == 0


def test_a_market_without_fees_has_the_documented_ones():
    bare = {name: value for name, value in MARKET.items() if name != "fee_config"}

    assert markets.read_market(bare, interactive=False).taker_fee == Decimal("0.00045")


@pytest.mark.parametrize("change", [{"asset_kind": "PERP_OPTION"}, {"trading_mode": "RFQ_ONLY"}])
def test_a_market_not_ours_to_trade_is_listed_as_not_trading(change):
    assert not markets.read_market(MARKET | change, interactive=False).trading


@pytest.mark.parametrize(
    "change",
    [
        {"delta1_cross_margin_params": None},
        {"price_tick_size": "0"},
        {"order_size_increment": "x"},
        {"fee_config": {"api_fee": {}}},
    ],
)
def test_a_market_that_makes_no_sense_is_unreadable(change):
    with pytest.raises(Unreadable):
        markets.read_market(MARKET | change, interactive=False)


def test_answers_raise_what_their_reader_may_do(answer):
    body = {"error": "INVALID_TOKEN", "message": "invalid bearer jwt"}
    with pytest.raises(AuthRefused):
        messages.read_answer(answer(body, 401), "account", as_row)
    with pytest.raises(VenueRefused) as refused:
        messages.read_answer(answer({"error": "NOT_FOUND"}, 404), "account", as_row)
    with pytest.raises(VenueRefused) as html:
        messages.read_answer(answer(b"<html>", 503), "account", as_row)
    with pytest.raises(ProtocolViolation):
        messages.read_answer(answer(b"<html>"), "account", as_row)
    with pytest.raises(ProtocolViolation):
        messages.read_answer(answer([]), "account", as_row)

    assert (refused.value.code, refused.value.status) == ("NOT_FOUND", 404)
    assert html.value.why == "account: HTTP 503"


@pytest.mark.parametrize("levels", [[["0", "1"]], [["1", "-1"]], [["x", "1"]], None])
def test_a_book_that_makes_no_sense_is_unreadable(levels):
    with pytest.raises(Unreadable):
        messages.read_book({"market": "M", "seq_no": 1, "bids": levels, "asks": []})
