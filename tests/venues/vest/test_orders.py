"""Vest's orders as reports and fills."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.domain.order import OrderState, Side
from bot4.venues.reading import Unreadable
from bot4.venues.vest.orders import Progress, pick_order, read_fills, read_order, read_orders

FILLED = {
    "id": "0xabc",
    "nonce": 1770000000001,
    "symbol": "BTC-PERP",
    "isBuy": True,
    "orderType": "MARKET",
    "limitPrice": "78500.00",
    "size": "0.0100",
    "status": "FILLED",
    "reduceOnly": False,
    "code": None,
    "lastFilledSize": "0.0100",
    "lastFilledPrice": "78400.00",
    "lastFilledTime": 1770000000300,
    "avgFilledPrice": "78400.00",
    "fees": "0.010000",
    "postTime": 1770000000100,
}


def test_a_filled_order_is_closed_with_its_one_fill():
    report = read_order(FILLED)
    (fill,) = read_fills(FILLED, report)

    assert report.state is OrderState.CLOSED
    assert (report.client_order_id, report.venue_order_id) == ("1770000000001", "0xabc")
    assert (report.symbol, report.side, report.size) == ("BTC-PERP", Side.BUY, Decimal("0.01"))
    assert report.filled == Decimal("0.01")
    assert (report.average_price, report.fee) == (Decimal(78400), Decimal("0.01"))
    assert (report.reason, report.venue_time_ms) == ("", 1770000000300)
    assert fill.fill_id == "0xabc:0.01"
    assert (fill.price, fill.size, fill.fee) == (Decimal(78400), Decimal("0.01"), Decimal("0.01"))
    assert fill.side is Side.BUY


@pytest.mark.parametrize(
    ("said", "funding"),
    [("0.100000", Decimal("0.1")), ("-2.5", Decimal("-2.5")), (None, None), ("much", None)],
)
def test_an_order_says_what_funding_it_settled(said, funding):
    assert read_order(FILLED | {"settledFunding": said}).funding == funding
    assert read_order(FILLED | {"status": "NEW", "settledFunding": said}).funding is None


@pytest.mark.parametrize(
    ("change", "state", "filled"),
    [
        ({"status": "NEW"}, OrderState.ACCEPTED, Decimal(0)),
        ({"status": "REJECTED", "code": 3001}, OrderState.REFUSED, Decimal(0)),
        ({"status": "CANCELLED", "lastFilledSize": None}, OrderState.CLOSED, Decimal(0)),
        ({"status": "CANCELLED", "lastFilledSize": "0.004"}, OrderState.CLOSED, Decimal("0.004")),
        (
            {"status": "PARTIALLY_FILLED", "lastFilledSize": "0.004"},
            OrderState.OPEN,
            Decimal("0.004"),
        ),
    ],
)
def test_every_status_has_its_state(change, state, filled):
    report = read_order(FILLED | change)

    assert (report.state, report.filled) == (state, filled)


def test_a_rejection_carries_its_reason_and_no_price():
    report = read_order(FILLED | {"status": "REJECTED", "code": 3002})

    assert report.reason == "3002 MARGIN_CHECK_FAILED"
    assert report.average_price is None
    assert read_fills(FILLED, report) == []


def test_a_cancelled_event_does_not_say_what_was_filled():
    report = read_order({"id": "0xabc", "status": "CANCELLED", "postTime": 5, "nonce": 7})

    assert report.filled is None
    assert (report.client_order_id, report.symbol, report.side) == ("7", "", None)
    assert report.reason == "CANCELLED"


def test_progress_adds_up_partial_fills():
    before = Progress(Decimal("0.004"), Decimal("0.001"))
    row = FILLED | {"status": "PARTIALLY_FILLED", "lastFilledSize": "0.002", "fees": "0.002"}

    report = read_order(row, before)
    (fill,) = read_fills(row, report, before)

    assert report.filled == Decimal("0.006")
    assert (fill.fill_id, fill.size, fill.fee) == (
        "0xabc:0.006",
        Decimal("0.002"),
        Decimal("0.001"),
    )


def test_without_progress_the_last_fill_and_all_before_it_are_told_apart():
    row = FILLED | {
        "lastFilledSize": "0.0040",
        "lastFilledPrice": "78500.00",
        "avgFilledPrice": "78440.00",
        "fees": "0.010000",
    }

    first, last = read_fills(row, read_order(row))

    assert (first.fill_id, first.size, first.price) == (
        "0xabc:0.006",
        Decimal("0.006"),
        Decimal(78400),
    )
    assert (last.fill_id, last.size, last.price) == ("0xabc:0.01", Decimal("0.004"), Decimal(78500))
    assert first.fee + last.fee == Decimal("0.01")


def test_with_partial_fills_missed_the_sizes_still_add_up():
    before = Progress(Decimal("0.002"), Decimal("0.001"))
    row = FILLED | {"lastFilledSize": "0.004"}

    (fill,) = read_fills(row, read_order(row, before), before)

    assert (fill.fill_id, fill.size, fill.fee) == ("0xabc:0.01", Decimal("0.008"), Decimal("0.009"))


def test_a_fill_that_was_told_before_adds_nothing():
    before = Progress(Decimal("0.01"), Decimal("0.01"))

    assert read_fills(FILLED, read_order(FILLED, before), before) == []


@pytest.mark.parametrize(
    "change",
    [{"status": "LOST"}, {"size": "0"}, {"nonce": 7.5}, {"id": 7}, {"size": None}, {"isBuy": 1}],
)
def test_an_order_that_makes_no_sense_is_unreadable(change):
    with pytest.raises(Unreadable):
        read_order(FILLED | change)


def test_a_fill_at_no_price_is_unreadable():
    row = FILLED | {"lastFilledSize": "0.004", "avgFilledPrice": "1.00"}

    with pytest.raises(Unreadable):
        read_fills(row, read_order(row))


def test_the_order_is_picked_by_nonce_and_symbol_and_not_its_children(vest_order):
    child = FILLED | {"orderType": "TAKE_PROFIT", "id": "0xchild"}
    other = FILLED | {"symbol": "ETH-PERP", "id": "0xother"}

    assert pick_order([child, other, FILLED], vest_order) == FILLED
    assert pick_order([], vest_order) is None
    assert pick_order([other], vest_order) is None


def test_orders_of_another_nonce_prove_nothing(vest_order):
    with pytest.raises(Unreadable):
        pick_order([FILLED | {"nonce": 5}], vest_order)


def test_the_rejection_of_a_second_copy_is_never_picked(vest_order):
    copy = {"id": "0x2", "status": "REJECTED", "code": 3015, "symbol": "BTC-PERP", "postTime": 1}
    copy |= {"nonce": FILLED["nonce"]}

    assert pick_order([copy, FILLED], vest_order) == FILLED
    assert pick_order([copy], vest_order) is None


def test_a_list_of_orders_is_read_in_order():
    reports = read_orders([FILLED | {"status": "NEW"}, FILLED])

    assert [report.state for report in reports] == [OrderState.ACCEPTED, OrderState.CLOSED]


def test_more_filled_than_ordered_is_unreadable():
    partial = FILLED | {"status": "PARTIALLY_FILLED", "lastFilledSize": "0.006"}

    assert read_order(partial, Progress(filled=Decimal("0.004"))).filled == Decimal("0.01")
    with pytest.raises(Unreadable, match="more is filled"):
        read_order(partial, Progress(filled=Decimal("0.005")))
