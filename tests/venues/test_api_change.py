"""What is well formed and new to us is told apart from noise, on every way in."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from bot4.config.schema import ParadexConfig
from bot4.errors import ApiChanged, ProtocolViolation
from bot4.ports import AccountChanged, Frame
from bot4.venues.paradex.streams import ParadexPrivate, ParadexPublic
from bot4.venues.vest.streams import VestPrivate, VestPublic

LEVELS = {"bids": [["78500.00", "0.5"]], "asks": [["78501.00", "0.5"]]}
ORDER = {
    "id": "1795572414728201700000000001",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "size": "0.02",
    "remaining_size": "0.02",
    "status": "OPEN",
    "client_id": "b4-1",
    "cancel_reason": "",
    "last_updated_at": 5,
}
EVENT = {
    "id": "0x12",
    "nonce": 5,
    "symbol": "BTC-PERP",
    "isBuy": True,
    "size": "0.0100",
    "status": "NEW",
    "postTime": 7,
}


def frame(body: Any) -> Frame:
    return Frame(body if isinstance(body, bytes) else json.dumps(body), 1.0)


def push(channel: str, data: Any) -> Frame:
    return frame({"method": "subscription", "params": {"channel": channel, "data": data}})


def json_book(**change: Any) -> Frame:
    level = {"side": "BUY", "price": "78500.1", "size": "1"}
    data = {"market": "BTC-USD-PERP", "seq_no": 7, "update_type": "s", "inserts": [level]}
    return push("order_book.BTC-USD-PERP.deltas@15@50ms", data | change)


def header(schema: int, template: int = 3) -> bytes:
    return struct.pack("<HHHH", 17, template, schema, 2) + struct.pack("<qqB", 1, 1, 0) + bytes(9)


@pytest.mark.parametrize(
    "changed",
    [
        frame(header(schema=2)),
        frame(header(schema=1)[:24] + b"\x02" + bytes(9)),  # a package that is neither
        json_book(update_type="x"),
        json_book(inserts=[{"side": "BID", "price": "1", "size": "1"}]),
        json_book(inserts=[{"side": "BUY", "price": 78500.1, "size": "1"}]),
        json_book(inserts={"78500.1": "1"}),
        json_book(seq_no=7.5),
    ],
)
def test_paradex_books_of_a_new_kind(changed: Frame):
    with pytest.raises(ApiChanged):
        ParadexPublic(ParadexConfig(), ["BTC-USD-PERP"]).read(changed)


@pytest.mark.parametrize(
    "noise",
    [
        frame(b"\xfe" * 40),
        frame(header(schema=2)[:9]),
        frame(header(schema=1)[:20]),
        Frame('{"method":', 1.0),
        json_book(inserts=[{"side": "BUY", "price": "NaN", "size": "1"}]),
        json_book(inserts=[{"side": "BUY", "price": "-1", "size": "1"}]),
    ],
)
def test_paradex_noise(noise: Frame):
    with pytest.raises(ProtocolViolation) as caught:
        ParadexPublic(ParadexConfig(), ["BTC-USD-PERP"]).read(noise)

    assert not isinstance(caught.value, ApiChanged)


@pytest.mark.parametrize(
    "change", [{"status": "PARKED"}, {"side": "BOTH"}, {"size": 0.02}, {"cancel_reason": 7}]
)
def test_paradex_orders_of_a_new_kind_cost_themselves_alone(
    paradex: Any, answer: Any, now_ms: int, change: Any
):
    rows = paradex.open_orders(now_ms).read(answer({"results": [ORDER | change, ORDER]}))
    event, changed = ParadexPrivate(paradex).read(push("orders.ALL", ORDER | change))

    for one in (event, rows[0]):
        assert (one.row_id, one.client_order_id, one.new) == (ORDER["id"], "b4-1", True)
    assert rows[1].venue_order_id == ORDER["id"]
    assert changed == AccountChanged("paradex")


def test_an_order_of_ours_of_a_new_kind_is_a_new_api(
    paradex: Any, vest: Any, answer: Any, now_ms: int, paradex_order: Any, vest_order: Any
):
    own = ORDER | {"status": "PARKED", "client_id": paradex_order.client_order_id}
    with pytest.raises(ApiChanged):
        paradex.find(paradex_order, now_ms).read(answer({"results": [own]}))
    own = EVENT | {"status": "PARKED", "nonce": int(vest_order.client_order_id)}
    with pytest.raises(ApiChanged):
        vest.find(vest_order, now_ms).read(answer([own]))


def test_a_list_of_orders_without_a_name_is_a_new_api(
    paradex: Any, vest: Any, answer: Any, now_ms: int
):
    with pytest.raises(ApiChanged):
        paradex.open_orders(now_ms).read(answer({"results": [{"order": 5}, 7]}))
    with pytest.raises(ApiChanged):
        vest.open_orders(now_ms).read(answer([{"orderId": {"hex": "0x1"}, "status": 9}]))


@pytest.mark.parametrize("change", [{"status": "PARKED"}, {"size": 0.01}, {"isBuy": "yes"}])
def test_vest_orders_of_a_new_kind_cost_themselves_alone(
    vest: Any, answer: Any, now_ms: int, change: Any
):
    event = {"channel": "account_private", "data": {"event": "ORDER", "args": EVENT | change}}
    rows = vest.open_orders(now_ms).read(answer([EVENT | change, EVENT]))
    told, changed = VestPrivate(vest).read(frame(event))

    for one in (told, rows[0]):
        assert (one.row_id, one.client_order_id, one.new) == ("0x12", "5", True)
    assert rows[1].venue_order_id == "0x12"
    assert changed == AccountChanged("vest")


@pytest.mark.parametrize(
    "sides", [{"bids": [[78500.0, 0.5]]}, {"asks": [{"p": "1", "q": "1"}]}, {"bids": "none"}]
)
def test_vest_books_of_a_new_kind(vest: Any, sides: Any):
    with pytest.raises(ApiChanged):
        VestPublic(vest, ["BTC-PERP"]).read(
            frame({"channel": "BTC-PERP@depth", "data": LEVELS | sides})
        )


@pytest.mark.parametrize("venue", ["vest", "paradex"])
def test_a_list_of_markets_of_which_none_can_be_read(
    request: pytest.FixtureRequest, answer: Callable[..., Any], venue: str
):
    codec = request.getfixturevalue(f"fresh_{venue}")
    rows = [{"name": "BTC"}, {"name": "ETH"}]
    with pytest.raises(ApiChanged):
        codec.markets().read(answer({"results": rows, "symbols": rows}))


def test_what_no_client_asked_for_is_stepped_over(vest: Any):
    stream = ParadexPublic(attrs.evolve(ParadexConfig()), ["BTC-USD-PERP"])
    assert list(stream.read(frame(header(schema=1, template=77)))) == []
    assert list(stream.read(push("weather.ALL", {"rain": True}))) == []
    assert list(VestPublic(vest, ["BTC-PERP"]).read(frame({"channel": "weather"}))) == []
