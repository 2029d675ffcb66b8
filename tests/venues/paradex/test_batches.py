"""Changing a resting order, and several orders in one request."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from bot4.domain.order import Order, OrderReport, OrderState
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.ports import Accepted, Answer, Frame, InDoubt, Pool, Refused, Replied, Retry
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.ws_orders import ParadexOrders

NUMBER = 1007
MakeAnswer = Callable[..., Answer]
OPEN = OrderReport("paradex", "b4-1", "1753846435990201709277900001", OrderState.OPEN)


@pytest.fixture
def orders(paradex_order: Order) -> list[Order]:
    return [attrs.evolve(paradex_order, client_order_id=name) for name in ("b4-1", "b4-2")]


def test_a_modify_is_signed_with_the_venues_id_and_keeps_the_size(
    paradex: ParadexCodec, paradex_order: Order, answer: MakeAnswer, now_ms: int
):
    errand = paradex.modify(paradex_order, OPEN, Decimal("78600.1"), now_ms)

    assert (errand.request.method, errand.request.path) == ("PUT", f"/orders/{OPEN.venue_order_id}")
    body = json.loads(errand.request.body)
    assert (body["id"], body["size"], body["price"]) == (OPEN.venue_order_id, "0.01", "78600.1")
    assert body["signature_timestamp"] == now_ms
    fresh = paradex.sign(attrs.evolve(paradex_order, limit=Decimal("78600.1")), now_ms, 2000)[1]
    assert body["signature"] != json.loads(fresh.request.body)["signature"]
    errand.read(answer({"id": OPEN.venue_order_id, "status": "OPEN"}))
    with pytest.raises(ProtocolViolation):
        errand.read(answer({"id": "1"}))
    with pytest.raises(VenueRefused):
        errand.read(answer({"error": "ORDER_IS_CLOSED", "message": "closed"}, 400))
    with pytest.raises(AuthRefused):
        errand.read(answer({"error": "INVALID_TOKEN", "message": ""}, 401))


@pytest.mark.parametrize("order_id", ["", "0x12", "b4-1", "\u0661"])
def test_a_modify_needs_an_id_of_the_venues(
    paradex: ParadexCodec, paradex_order: Order, now_ms: int, order_id: str
):
    report = attrs.evolve(OPEN, venue_order_id=order_id)
    with pytest.raises(ValueError, match="whole number"):
        paradex.modify(paradex_order, report, Decimal(78600), now_ms)


def test_a_batch_is_a_list_of_orders_that_rest(
    paradex: ParadexCodec, orders: list[Order], now_ms: int
):
    signed, errand = paradex.sign_batch(orders, now_ms, 2000)

    assert (errand.request.path, errand.pool) == ("/orders/batch", Pool.ORDER)
    bodies = json.loads(errand.request.body)
    assert [body["client_id"] for body in bodies] == ["b4-1", "b4-2"]
    assert {body["instruction"] for body in bodies} == {"GTC"}
    assert [one.signed_ms for one in signed] == [now_ms, now_ms]


FIRST = {"id": "17", "client_id": "b4-1"}
SECOND = {"id": "18", "client_id": "b4-2"}
DEFINITE = {"error": "INVALID_ORDER_SIZE", "message": "too small"}


@pytest.mark.parametrize(
    ("body", "status", "kinds"),
    [
        ({"orders": [SECOND, FIRST], "errors": []}, 201, (Accepted, Accepted)),
        ({"orders": [SECOND], "errors": [DEFINITE]}, 201, (Refused, Accepted)),
        ({"orders": [FIRST], "errors": [DEFINITE, {"error": "ODD"}]}, 201, (Accepted, InDoubt)),
        ({"orders": [FIRST]}, 201, (Accepted, InDoubt)),
        ({"orders": []}, 201, (InDoubt, InDoubt)),
        ({"orders": "17"}, 201, (InDoubt, InDoubt)),
        (b"<html>", 200, (InDoubt, InDoubt)),
        (b"<html>", 503, (InDoubt, InDoubt)),
        (DEFINITE, 400, (Refused, Refused)),
        ({"error": "BATCH_SIZE_OUT_OF_RANGE", "message": ""}, 400, (InDoubt, InDoubt)),
    ],
)
def test_what_became_of_each_order_of_a_batch(
    paradex: ParadexCodec,
    orders: list[Order],
    answer: MakeAnswer,
    now_ms: int,
    body: Any,
    status: int,
    kinds: tuple[type, ...],
):
    _, errand = paradex.sign_batch(orders, now_ms, 2000)

    outcomes = errand.read(answer(body, status))

    assert tuple(type(one) for one in outcomes) == kinds


def test_several_cancels_name_the_venues_ids_and_else_ours(
    paradex: ParadexCodec, answer: MakeAnswer, now_ms: int
):
    unnamed = attrs.evolve(OPEN, venue_order_id="", client_order_id="b4-2")
    errand = paradex.cancel_batch([OPEN, unnamed], now_ms)

    assert (errand.request.method, errand.pool) == ("DELETE", Pool.SAFETY)
    assert json.loads(errand.request.body) == {
        "order_ids": [OPEN.venue_order_id],
        "client_order_ids": ["b4-2"],
    }
    errand.read(answer({"results": [{"id": "17", "status": "ALREADY_CLOSED"}]}))
    with pytest.raises(VenueRefused):
        errand.read(answer(b"", 503))
    with pytest.raises(ValueError, match="nothing to cancel by"):
        paradex.cancel_batch([attrs.evolve(unnamed, client_order_id="")], now_ms)


# --------------------------------------------------------------------- over the socket


def reply(result: Any) -> Frame:
    return Frame(json.dumps({"jsonrpc": "2.0", "id": NUMBER, "result": result}), 1.0)


def test_changes_and_batches_become_calls(paradex: ParadexCodec, paradex_order: Order, now_ms: int):
    stream = ParadexOrders(paradex)
    report = OrderReport("paradex", "b4-1", "17", OrderState.OPEN)
    unnamed = OrderReport("paradex", "b4-2", "", OrderState.OPEN)
    modify = paradex.modify(paradex_order, report, Decimal("78600.1"), now_ms).request
    _, several = paradex.sign_batch([paradex_order, paradex_order], now_ms, 2000)

    calls = [
        json.loads(stream.call(request, NUMBER) or "")
        for request in (modify, several.request, paradex.cancel_batch([report], now_ms).request)
    ]

    names = ["order.modify", "order.create_batch", "order.cancel_batch"]
    assert [call["method"] for call in calls] == names
    assert calls[0]["params"] == json.loads(modify.body)
    assert calls[1]["params"] == {"orders": json.loads(several.request.body)}
    assert calls[2]["params"] == {"order_ids": ["17"]}
    assert stream.call(paradex.cancel_batch([report, unnamed], now_ms).request, NUMBER) is None


def test_the_reply_to_a_batch_reads_as_over_rest(
    paradex: ParadexCodec, paradex_order: Order, now_ms: int
):
    stream = ParadexOrders(paradex)
    other = attrs.evolve(paradex_order, client_order_id="b4-2")
    _, errand = paradex.sign_batch([paradex_order, other], now_ms, 2000)
    made = {"order": {"id": "17", "client_id": paradex_order.client_order_id}, "created_at": 1}
    error = {"error": {"code": 100, "message": "no", "data": "INVALID_ORDER_SIZE"}}

    (said,) = stream.read(reply({"results": [made, error]}))

    assert isinstance(said, Replied)
    outcomes = errand.read(Answer(said.status, {}, said.body, 1.0, 2.0))
    assert outcomes == (
        Accepted("17"),
        Refused("INVALID_ORDER_SIZE", "INVALID_ORDER_SIZE: no", Retry.LIMIT),
    )
    told = {"results": [{"id": "17", "status": "ALREADY_CLOSED"}]}
    (said,) = stream.read(reply(told))
    assert isinstance(said, Replied)
    assert json.loads(said.body) == told
