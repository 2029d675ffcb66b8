"""Batches: one that is wrongly signed refuses all, one that is in the way refuses itself."""

from __future__ import annotations

import pytest
import trio

ETH = "ETH-USD-PERP"


def by_name(order):
    return order["client_id"]


async def test_a_used_client_id_refuses_only_its_own_order(autojump_clock, logged_in):
    first = logged_in.order(instruction="GTC", price="2890")
    await logged_in.rest("POST", "/v1/orders", first)
    again = logged_in.order(client_id=first["client_id"])
    other = logged_in.order()

    answer = await logged_in.rest("POST", "/v1/orders/batch", [again, other])

    assert answer.status == 201
    assert [by_name(order) for order in answer.body["orders"]] == [other["client_id"]]
    assert [error["error"] for error in answer.body["errors"]] == ["DUPLICATED_CLIENT_ID"]


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_batch_over_the_socket_answers_each_in_order(autojump_clock, logged_in, wrapped):
    first = logged_in.order(instruction="GTC", price="2890")
    second = logged_in.order(client_id=first["client_id"])
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        orders = [first, second]
        if wrapped:
            reply = await logged_in.call(ws, "order.create_batch", orders=orders)
        else:
            reply = await logged_in.ask(ws, "order.create_batch", orders)

    made, refused = reply["result"]["results"]
    assert by_name(made["order"]) == first["client_id"]
    assert made["received_at"] == made["created_at"] * 1_000_000
    assert refused["error"]["data"] == "DUPLICATED_CLIENT_ID"


async def test_one_wrong_signature_refuses_the_whole_batch_over_the_socket(
    autojump_clock, logged_in
):
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        orders = [logged_in.order(), logged_in.order(key=3)]
        reply = await logged_in.call(ws, "order.create_batch", orders=orders)
        none = await logged_in.call(ws, "order.create_batch", orders=[])

    assert reply["error"]["data"] == "INVALID_ORDER_SIGNATURE"
    assert none["error"]["data"] == "BATCH_SIZE_OUT_OF_RANGE"
    assert logged_in.venue.orders == {}


async def test_a_batch_of_cancels_over_the_socket_says_what_became_of_each(
    autojump_clock, logged_in
):
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        kept = await logged_in.place(instruction="GTC", price="2890")
        await trio.sleep(1)
        ids = [kept.body["id"], "77"]
        reply = await logged_in.call(ws, "order.cancel_batch", order_ids=ids)
        wrong = await logged_in.call(ws, "order.cancel_batch")
        await trio.sleep(1)

    assert reply["result"]["results"] == [
        {"id": ids[0], "market": ETH, "status": "QUEUED_FOR_CANCELLATION"},
        {"id": "77", "status": "NOT_FOUND"},
    ]
    assert wrong["error"]["code"] == -32602
    assert logged_in.venue.orders[ids[0]].reason == "USER_CANCELED"


async def test_orders_of_a_batch_die_with_their_connection_when_asked(autojump_clock, logged_in):
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "order.cancel_on_disconnect", enabled=True)
        orders = [logged_in.order(instruction="GTC", price="2890") for _ in range(2)]
        await logged_in.call(ws, "order.create_batch", orders=orders)
        await trio.sleep(1)
        logged_in.faults.add({"venue": "paradex", "kind": "cut"})
        await trio.sleep(1)

    reasons = [order.reason for order in logged_in.venue.orders.values()]
    assert reasons == ["USER_CANCELED", "USER_CANCELED"]
