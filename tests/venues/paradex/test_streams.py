"""Paradex's two streams, in both encodings."""

from __future__ import annotations

import base64
import json
import struct
from decimal import Decimal

import attrs
import pytest

from bot4.config.schema import ParadexConfig
from bot4.domain.book import BookUpdate
from bot4.domain.fill import Fill
from bot4.domain.order import OrderReport, OrderState
from bot4.errors import ProtocolViolation
from bot4.ports import AccountChanged, Acknowledged, FillBusted, Frame, Pong
from bot4.venues.paradex.streams import ParadexPrivate, ParadexPublic

SBE = ParadexConfig()
JSON = attrs.evolve(SBE, book_encoding="json")
HEARTBEAT = struct.pack("<HHHHqq", 16, 40, 1, 2, 1, 1)
ORDER = {
    "id": "17",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "size": "0.02",
    "remaining_size": "0",
    "status": "CLOSED",
    "client_id": "b4-1",
    "avg_fill_price": "78520",
    "cancel_reason": "",
    "last_updated_at": 5,
}
FILL = {
    "id": "f1",
    "order_id": "17",
    "client_id": "b4-1",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "price": "78520",
    "size": "0.02",
    "fee": "0.7",
    "fill_type": "FILL",
    "created_at": 5,
}


def frame(message):
    data = message if isinstance(message, str | bytes) else json.dumps(message) + "\n"
    return Frame(data, 1.0)


def push(channel, data):
    return frame(
        {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}
    )


def level(side, price, size):
    return {"side": side, "price": price, "size": size}


def json_book(**change):
    data = {
        "market": "BTC-USD-PERP",
        "seq_no": 7,
        "last_updated_at": 1681493939981,
        "update_type": "s",
        "inserts": [level("BUY", "78500.1", "0.5"), level("SELL", "78501", "1")],
        "updates": [],
        "deletes": [],
    }
    return push("order_book.BTC-USD-PERP.deltas@15@50ms", data | change)


@pytest.fixture
def public():
    return ParadexPublic(SBE, ["ETH-USD-PERP", "BTC-USD-PERP"])


@pytest.fixture
def private(paradex):
    return ParadexPrivate(paradex)


# --------------------------------------------------------------------------- public


def test_the_url_asks_for_the_binary_schema_or_for_nothing(public):
    assert public.url() == ("wss://ws.api.prod.paradex.trade/v1?sbeSchemaId=1&sbeSchemaVersion=2")
    assert ParadexPublic(JSON, []).url() == "wss://ws.api.prod.paradex.trade/v1"
    assert public.ping() is None


@pytest.mark.parametrize(("config", "suffix"), [(SBE, ""), (JSON, "@15@50ms")])
def test_each_book_is_subscribed_to_by_a_request_of_its_own(config, suffix):
    hello = ParadexPublic(config, ["ETH-USD-PERP", "BTC-USD-PERP"]).hello()

    assert [json.loads(text) for text in hello] == [
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "subscribe",
            "params": {"channel": f"order_book.{market}.deltas{suffix}"},
        }
        for number, market in ((1, "BTC-USD-PERP"), (2, "ETH-USD-PERP"))
    ]


def test_captured_frames_are_a_snapshot_and_deltas_one_after_the_other(public, sbe_golden):
    updates = [
        notice
        for case in sbe_golden
        for notice in public.read(frame(base64.b64decode(case["base64"])))
    ]

    assert [update.snapshot for update in updates] == [True, False, False, False]
    first = updates[0].sequence
    assert [update.sequence for update in updates] == [first + n for n in range(4)]
    assert (len(updates[0].bids), len(updates[0].asks)) == (115, 60)


def test_a_heartbeat_is_a_sign_of_life_and_other_templates_are_skipped(public, private):
    for stream in (public, private):
        assert stream.read(frame(HEARTBEAT)) == (Pong(),)
        assert stream.read(frame(struct.pack("<HHHH", 0, 99, 1, 2))) == ()


def test_the_book_of_another_market_is_not_ours(sbe_golden):
    stream = ParadexPublic(SBE, ["SOL-USD-PERP"])

    assert stream.read(frame(base64.b64decode(sbe_golden[0]["base64"]))) == ()
    assert stream.read(json_book()) == ()


def test_a_json_snapshot_is_a_whole_book(public):
    assert public.read(json_book(seq_no="7")) == (
        BookUpdate(
            symbol="BTC-USD-PERP",
            snapshot=True,
            bids=[(7850010000000, 50000000)],
            asks=[(7850100000000, 100000000)],
            sequence=7,
            venue_time_ms=1681493939981,
        ),
    )


def test_a_json_delta_deletes_before_it_inserts(public):
    (update,) = public.read(
        json_book(
            update_type="d",
            deletes=[level("BUY", "78500.1", "0"), level("SELL", "78501", "9")],
            updates=[level("SELL", "78502", "0.1")],
            inserts=[level("BUY", "78500.1", "2")],
        )
    )

    assert not update.snapshot
    assert list(update.bids) == [(7850010000000, 0), (7850010000000, 200000000)]
    assert list(update.asks) == [(7850100000000, 0), (7850200000000, 10000000)]


def test_an_empty_level_is_dropped_from_a_json_snapshot(public):
    (update,) = public.read(json_book(inserts=[level("BUY", "1", "0"), level("BUY", "2", "1")]))

    assert update.bids == [(200000000, 100000000)]


def test_acknowledgements_keep_their_number(public):
    body = {"jsonrpc": "2.0", "result": {"channel": "x"}, "usIn": 1}

    assert public.read(frame(body | {"id": 1})) == (Acknowledged(1),)
    assert public.read(frame(body | {"id": "one"})) == (Acknowledged(None),)
    assert public.read(frame({"jsonrpc": "2.0"})) == ()
    assert public.read(push("bbo.BTC-USD-PERP", {})) == ()


def test_a_refused_request_is_a_violation_that_echoes_nothing(public):
    error = {"code": -32600, "message": "invalid subscribe request", "data": "invalid channel"}

    with pytest.raises(ProtocolViolation, match="-32600") as caught:
        public.read(frame({"jsonrpc": "2.0", "id": 1, "error": error}))
    assert "channel" not in str(caught.value)
    with pytest.raises(ProtocolViolation):
        public.read(frame({"error": "no"}))


# -------------------------------------------------------------------------- private


def test_the_private_greeting_authenticates_and_then_subscribes(private):
    auth, *subscribes = (json.loads(text) for text in private.hello())

    assert (auth["id"], auth["method"], auth["params"]) == (1, "auth", {"bearer": "a.b-c_d"})
    channels = [request["params"]["channel"] for request in subscribes]
    assert channels == ["orders.ALL", "fills.ALL", "positions", "account", "tradebusts"]
    assert [request["id"] for request in subscribes] == [2, 3, 4, 5, 6]


def test_taken_back_trades_are_listened_for_by_switch(make_paradex, answer, now_ms):
    deaf = make_paradex(ParadexConfig(tradebusts=False))
    for errand in deaf.logins(now_ms):
        errand.read(answer({"jwt_token": "a.b.c"}))

    assert not any("tradebusts" in text for text in ParadexPrivate(deaf).hello())


def test_orders_and_fills_can_be_had_market_by_market(paradex):
    hello = ParadexPrivate(paradex, ["BTC-USD-PERP"]).hello()

    channels = [json.loads(text)["params"].get("channel") for text in hello]
    assert channels[1:3] == ["orders.BTC-USD-PERP", "fills.BTC-USD-PERP"]


def test_there_is_no_private_greeting_before_signing_in(fresh_paradex):
    with pytest.raises(ProtocolViolation, match="not signed in"):
        ParadexPrivate(fresh_paradex).hello()


@pytest.mark.parametrize("code", [40110, 40111, 40300])
def test_a_token_refused_on_the_stream_ends_the_session(private, paradex, code):
    with pytest.raises(ProtocolViolation):
        private.read(frame({"id": 1, "error": {"code": code, "message": "invalid bearer"}}))

    assert paradex.login_due_ms() == 0


def test_another_error_leaves_the_session_alone(private, paradex):
    with pytest.raises(ProtocolViolation):
        private.read(frame({"id": 2, "error": {"code": 42901, "message": "slow"}}))

    assert paradex.login_due_ms() > 0


def test_orders_and_fills_are_heard_in_json(private):
    (report,) = private.read(push("orders.ALL", ORDER))
    (fill,) = private.read(push("fills.ALL", FILL))

    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.filled) == ("b4-1", Decimal("0.02"))
    assert isinstance(fill, Fill)
    assert (fill.fill_id, fill.fee) == ("f1", Decimal("0.7"))


def test_orders_and_fills_are_heard_in_binary(private):
    numbers = (7851010000000, -(2**63), 2000000, 2000000, -(2**63), 1000, 5000)
    block = struct.pack("<qqBBBBqqqqqqq32sqqBB", 1, 5, 4, 2, 1, 2, *numbers, b"", 1000, 1000, 2, 0)
    texts = (b"17", b"b4-1", b"BTC-USD-PERP", b"NOT_ENOUGH_MARGIN")
    tail = b"".join(bytes([len(text)]) + text for text in texts)
    order = struct.pack("<HHHH", len(block), 20, 1, 1) + block + tail
    numbers = (7852000000000, 2000000, 70000000, 0, 5000)
    block = struct.pack("<qqBBBqqqqq32sqq", 1, 1, 1, 2, 2, *numbers, b"", 0, 0)
    texts = (b"f1", b"17", b"b4-1", b"f1", b"BTC-USD-PERP")
    tail = b"".join(bytes([len(text)]) + text for text in texts)
    fill = struct.pack("<HHHH", len(block), 21, 1, 1) + block + tail

    (report,) = private.read(frame(order))
    (heard,) = private.read(frame(fill))

    assert (report.state, report.reason) == (OrderState.REFUSED, "NOT_ENOUGH_MARGIN")
    assert (report.venue_order_id, report.filled) == ("17", 0)
    assert (heard.price, heard.size, heard.fee) == (Decimal(78520), Decimal("0.02"), Decimal("0.7"))


def test_a_fill_taken_back_is_named(private):
    told = push("tradebusts", {"account": "0x1", "busted_fill_id": "f9", "created_at": 1})

    assert private.read(told) == (FillBusted("paradex", "f9"), AccountChanged("paradex"))


@pytest.mark.parametrize("channel", ["positions", "account", "balance_events"])
def test_what_moves_the_account_is_a_change_to_be_read_again(private, channel):
    assert private.read(push(channel, {})) == (AccountChanged("paradex"),)


def test_a_binary_position_is_a_change_to_be_read_again(private):
    block = struct.pack("<qqBqqqqqqqq32sqqqqqB", 0, 1, 2, *([0] * 8), b"", 0, 0, 0, 0, 0, 1)
    position = struct.pack("<HHHH", len(block), 22, 1, 1) + block

    assert private.read(frame(position)) == (AccountChanged("paradex"),)
    # What is in it is asked for anyway, so a cut one says as much.
    assert private.read(frame(position[:50])) == (AccountChanged("paradex"),)


def test_the_private_stream_ignores_other_channels(private):
    assert private.read(push("funding_payments.ALL", {})) == ()
    assert private.read(frame({"jsonrpc": "2.0", "id": 1, "result": {"node_id": "n"}})) == (
        Acknowledged(1),
    )


@pytest.mark.parametrize(
    "data", ["", "[]", "[" * 5000, " " * ((1 << 20) + 1), b"", b"{}", bytes(9), b"\xff" * 40]
)
def test_what_is_no_message_is_a_violation(public, private, data):
    for stream in (public, private):
        with pytest.raises(ProtocolViolation):
            stream.read(frame(data))
