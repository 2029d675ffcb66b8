"""Vest's two streams: books in public, our orders in private."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bot4.domain.book import BookUpdate, Ladder
from bot4.domain.fill import Fill
from bot4.domain.order import OrderReport, OrderState
from bot4.errors import ProtocolViolation
from bot4.ports import AccountChanged, Acknowledged, Frame, Pong
from bot4.venues.vest.streams import VestPrivate, VestPublic

BOOK = {
    "channel": "BTC-PERP@depth",
    "data": {
        "bids": [["78500.00", "0.0100"], ["78499.50", "1.2500"]],
        "asks": [["78501.00", "0.5000"]],
    },
}
FILLED = {
    "id": "0xabc",
    "symbol": "BTC-PERP",
    "isBuy": True,
    "orderType": "MARKET",
    "limitPrice": "78500.00",
    "size": "0.0100",
    "reduceOnly": False,
    "initMarginRatio": "0.1250",
    "status": "FILLED",
    "lastFilledSize": "0.0100",
    "lastFilledPrice": "78400.00",
    "lastFilledTime": 1770000000300,
    "avgFilledPrice": "78400.00",
    "cumFunding": "0.1",
    "fees": "0.010000",
    "postTime": 1770000000100,
    "nonce": 1770000000001,
}


def frame(message):
    data = message if isinstance(message, str | bytes) else json.dumps(message)
    return Frame(data, 1.0)


def event(**change):
    args = FILLED | change
    return frame({"channel": "account_private", "data": {"event": "ORDER", "args": args}})


@pytest.fixture
def public(vest):
    return VestPublic(vest, ["ETH-PERP", "BTC-PERP"])


@pytest.fixture
def private(vest):
    return VestPrivate(vest)


# --------------------------------------------------------------------------- public


def test_the_public_url_names_our_account_group_and_no_key(public):
    assert public.url() == (
        "wss://ws-prod.hz.vestmarkets.com/ws-api?version=1.0&xwebsocketserver=restserver3"
    )


def test_greeting_and_heartbeat_have_numbers_of_their_own(public):
    (hello,) = public.hello()

    assert json.loads(hello) == {
        "method": "SUBSCRIBE",
        "params": ["BTC-PERP@depth", "ETH-PERP@depth"],
        "id": 1,
    }
    assert json.loads(public.ping() or "") == {"method": "PING", "params": [], "id": 2}


@pytest.mark.parametrize("encode", [json.dumps, lambda message: json.dumps(message).encode()])
def test_a_depth_frame_is_a_whole_book_in_text_or_binary(public, encode):
    expected = BookUpdate(
        symbol="BTC-PERP",
        snapshot=True,
        bids=Ladder((7850000000000, 7849950000000), (1000000, 125000000)),
        asks=Ladder((7850100000000,), (50000000,)),
    )

    assert public.read(frame(encode(BOOK))) == (expected,)


@pytest.mark.parametrize(
    ("bids", "expected"),
    [
        (
            [["78500.0", "0.01"], ["78499", "1"]],
            [(7850000000000, 1000000), (7849900000000, 100000000)],
        ),
        ([["78500.00", "0.0000"], ["78499.00", "1.0000"]], [(7849900000000, 100000000)]),
        ([["78500.00", "1.0", "extra"]], [(7850000000000, 100000000)]),
        ([["123456789012.00000000", "1.0"]], [(12345678901200000000, 100000000)]),
        ([], []),
    ],
)
def test_unusual_levels_are_read_exactly_and_empty_ones_dropped(public, bids, expected):
    message = {"channel": "BTC-PERP@depth", "data": {"bids": bids, "asks": [["1.0", "2.0"]]}}

    (update,) = public.read(frame(message))

    assert list(update.bids) == expected
    assert list(update.asks) == [(100000000, 200000000)]


@pytest.mark.parametrize(
    "bids",
    [
        [["0.00", "1.0"]],
        [["-1.00", "1.0"]],
        [["1.00", "-1.0"]],
        [["NaN", "1.0"]],
        [["Infinity", "1.0"]],
        [["1.000000001", "1.0"]],
        [["1e5", "1e400"]],
        [[1.5, 2]],
        [["1.0"]],
        ["78500.00"],
        "x",
        None,
        [["1.0", "1.0"]] * 2001,
        [["123456789012.00000000", "1.0"]] * 2001,
    ],
)
def test_a_book_that_makes_no_sense_is_a_violation(public, bids):
    message = {"channel": "BTC-PERP@depth", "data": {"bids": bids, "asks": []}}

    with pytest.raises(ProtocolViolation):
        public.read(frame(message))


def test_other_channels_and_other_symbols_are_not_ours(public):
    assert public.read(frame({"channel": "tickers", "data": []})) == ()
    assert public.read(frame(BOOK | {"channel": "BTC-PERP@trades"})) == ()
    assert public.read(frame(BOOK | {"channel": "SOL-PERP@depth"})) == ()
    assert public.read(frame({"data": "hello"})) == ()


def test_the_same_key_twice_is_harmless(public):
    text = '{"channel":"x","channel":"BTC-PERP@depth","data":{"bids":[],"asks":[],"asks":[]}}'

    empty = Ladder((), ())

    assert public.read(frame(text)) == (BookUpdate("BTC-PERP", True, empty, empty),)


def test_heartbeats_and_acknowledgements_are_told_apart(public):
    assert public.read(frame({"data": "PONG"})) == (Pong(),)
    assert public.read(frame(b'{"data":"PONG"}')) == (Pong(),)
    assert public.read(frame({"result": None, "id": 4})) == (Acknowledged(4),)


@pytest.mark.parametrize(
    "message",
    [
        {"code": 1121, "msg": "BAD_SYMBOL"},
        {"error": {"code": 2, "msg": "no"}, "id": 1},
        {"result": "no such channel", "id": 1},
    ],
)
def test_a_refused_request_is_a_violation_that_echoes_nothing(public, message):
    with pytest.raises(ProtocolViolation) as caught:
        public.read(frame(message))

    assert "BAD_SYMBOL" not in str(caught.value)
    assert "such" not in str(caught.value)


@pytest.mark.parametrize(
    "data", ["", "PONG", "[]", "7", "[" * 5000, " " * ((1 << 20) + 1), b"\xff"]
)
def test_what_is_no_message_is_a_violation(public, private, data):
    for stream in (public, private):
        with pytest.raises(ProtocolViolation):
            stream.read(frame(data))


# -------------------------------------------------------------------------- private


def test_the_private_url_carries_the_listen_key(private, fresh_vest):
    assert private.url().endswith(
        "&xwebsocketserver=restserver3&listenKey=579e1280448d4843b190c50fbd170078"
    )
    (hello,) = private.hello()
    assert json.loads(hello)["params"] == ["account_private"]


def test_there_is_no_private_url_before_signing_in(fresh_vest):
    with pytest.raises(ProtocolViolation, match="not signed in"):
        VestPrivate(fresh_vest).url()


def test_a_listen_key_that_never_spoke_is_asked_for_again(private, vest, now_ms):
    private.url()
    private.read(frame({"result": None, "id": 1}))
    private.url()
    assert vest.login_due_ms() > now_ms

    private.url()
    assert vest.login_due_ms() == 0
    assert len(vest.logins(now_ms)) == 1


def test_a_filled_order_is_a_report_a_fill_and_a_changed_account(private):
    report, fill, changed = private.read(event())

    assert isinstance(report, OrderReport)
    assert (report.state, report.filled) == (OrderState.CLOSED, Decimal("0.01"))
    assert isinstance(fill, Fill)
    assert (fill.fill_id, fill.size, fill.price) == ("0xabc:0.01", Decimal("0.01"), Decimal(78400))
    assert changed == AccountChanged("vest")


def test_a_new_order_is_only_accepted(private):
    bare = {k: v for k, v in FILLED.items() if not k.startswith(("last", "avg", "fees"))}
    message = {"event": "ORDER", "args": bare | {"status": "NEW"}}

    (report,) = private.read(frame({"channel": "account_private", "data": message}))

    assert (report.state, report.filled) == (OrderState.ACCEPTED, Decimal(0))


def test_a_rejected_order_names_its_reason(private):
    args = {"id": "0x1", "status": "REJECTED", "code": 3001, "postTime": 1, "nonce": 5}

    (report,) = private.read(
        frame({"channel": "account_private", "data": {"event": "ORDER", "args": args}})
    )

    assert (report.state, report.filled) == (OrderState.REFUSED, Decimal(0))
    assert report.reason == "3001 PRICE_CHECK_FAILED"


def test_the_rejection_of_a_second_copy_says_nothing_of_the_first(private):
    args = {"id": "0x2", "status": "REJECTED", "code": 3015, "postTime": 1, "nonce": 1770000000001}

    notices = private.read(
        frame({"channel": "account_private", "data": {"event": "ORDER", "args": args}})
    )

    assert notices == (AccountChanged("vest"),)


def test_partial_fills_add_up_and_repetitions_add_nothing(private):
    first = event(status="PARTIALLY_FILLED", lastFilledSize="0.004", lastFilledTime=1, fees="0.004")
    second = event(
        status="PARTIALLY_FILLED", lastFilledSize="0.003", lastFilledTime=2, fees="0.007"
    )
    last = event(lastFilledSize="0.003", lastFilledTime=3)

    heard = [n for f in (first, first, second, last) for n in private.read(f)]

    fills = [notice for notice in heard if isinstance(notice, Fill)]
    assert [fill.fill_id for fill in fills] == ["0xabc:0.004", "0xabc:0.007", "0xabc:0.01"]
    assert sum(fill.size for fill in fills) == Decimal("0.01")
    assert sum(fill.fee for fill in fills) == Decimal("0.01")
    reports = [notice for notice in heard if isinstance(notice, OrderReport)]
    assert [r.filled for r in reports] == [Decimal("0.004"), Decimal("0.007"), Decimal("0.01")]


def test_only_so_many_unfinished_orders_are_remembered(private):
    for number in range(300):
        private.read(event(id=hex(number), status="PARTIALLY_FILLED", lastFilledSize="0.004"))

    assert len(private._progress) == 256


@pytest.mark.parametrize("kind", ["LP", "TRANSFER"])
def test_what_moves_collateral_changes_the_account(private, kind):
    message = {"channel": "account_private", "data": {"event": kind, "args": {}}}

    assert private.read(frame(message)) == (AccountChanged("vest"),)


def test_the_private_stream_ignores_what_is_not_its_own(private):
    assert private.read(frame(BOOK)) == ()
    assert private.read(frame({"data": "PONG"})) == (Pong(),)


@pytest.mark.parametrize(
    "change", [{"status": "LOST"}, {"size": "x"}, {"id": None}, {"nonce": 1.5}]
)
def test_an_event_that_makes_no_sense_costs_itself_alone(private, change):
    unread, changed = private.read(event(**change))

    assert (unread.what, changed) == ("order", AccountChanged("vest"))
    assert unread.row_id == (change.get("id", FILLED["id"]) or "")
