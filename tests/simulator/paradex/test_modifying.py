"""Orders that are modified: the id stays, the outcome comes as an event."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

ETH = "ETH-USD-PERP"


def change(rig, order, *, key=None, signed_id=None, **over):
    """A signed modify of an order."""
    body = {
        "id": order["id"],
        "market": ETH,
        "side": order["side"],
        "type": order["type"],
        "size": order["size"],
        "price": order["price"],
        "signature_timestamp": rig.now_ms,
        **over,
    }
    message = rig.venue.notary.order_hash(
        timestamp_ms=body["signature_timestamp"],
        market=body["market"],
        side=body["side"],
        kind=body["type"],
        size=Decimal(body["size"]),
        price=Decimal(body["price"]),
        order_id=int(signed_id or order["id"]),
    )
    return {**body, "signature": rig.signature(message, key)}


async def resting(rig, **over):
    answer = await rig.place(**{"instruction": "GTC", "price": "2890", **over})
    await trio.sleep(1)
    return answer.body


async def put(rig, order, body):
    return await rig.rest("PUT", f"/v1/orders/{order['id']}", body)


async def now(rig, order):
    await trio.sleep(1)
    return (await rig.rest("GET", f"/v1/orders-history?client_id={order['client_id']}")).body[
        "results"
    ][0]


async def test_a_modified_order_keeps_its_id_and_rests_at_the_new_price(autojump_clock, logged_in):
    order = await resting(logged_in)

    answer = await put(logged_in, order, change(logged_in, order, price="2891.5", size="0.2"))
    after = await now(logged_in, order)

    assert (answer.status, answer.body["id"], answer.body["price"]) == (200, order["id"], "2890")
    assert answer.body["request_info"]["status"] == "PENDING"
    assert (after["id"], after["status"]) == (order["id"], "OPEN")
    assert (after["price"], after["size"], after["remaining_size"]) == ("2891.5", "0.2", "0.2")
    assert after["request_info"] == {
        **answer.body["request_info"],
        "request_type": "MODIFY_ORDER",
        "status": "PROCESSED",
    }


async def test_an_order_modified_into_the_book_fills(autojump_clock, logged_in):
    order = await resting(logged_in)

    await put(logged_in, order, change(logged_in, order, price="2901"))
    after = await now(logged_in, order)

    assert (after["status"], after["remaining_size"]) == ("CLOSED", "0")
    assert logged_in.venue.ledger.position(ETH).size == Decimal("0.1")


async def test_a_modify_that_risk_refuses_changes_nothing_and_says_why(autojump_clock, logged_in):
    order = await resting(logged_in)

    await put(logged_in, order, change(logged_in, order, size="1000"))
    after = await now(logged_in, order)

    assert (after["status"], after["size"], after["price"]) == ("OPEN", "0.1", "2890")
    assert after["request_info"]["status"] == "REJECTED"
    assert after["request_info"]["message"] == "NOT_ENOUGH_MARGIN"


async def test_a_post_only_order_is_not_modified_into_taking(autojump_clock, logged_in):
    order = await resting(logged_in, instruction="POST_ONLY")

    await put(logged_in, order, change(logged_in, order, price="2901"))
    after = await now(logged_in, order)

    assert (after["status"], after["price"]) == ("OPEN", "2890")
    assert after["request_info"]["message"] == "POST_ONLY_WOULD_CROSS"


async def test_a_stop_waits_at_its_new_trigger(autojump_clock, logged_in):
    stop = {"type": "STOP_LIMIT", "price": "2950", "trigger_price": "2910"}
    order = await resting(logged_in, **stop)

    await put(logged_in, order, change(logged_in, order, trigger_price="2930"))
    after = await now(logged_in, order)
    logged_in.model.prices["ETH"] = Decimal(2915)

    assert (after["status"], after["trigger_price"]) == ("UNTRIGGERED", "2930")
    assert (await now(logged_in, order))["status"] == "UNTRIGGERED"


@pytest.mark.parametrize(
    ("over", "error"),
    [
        ({"key": 3}, "INVALID_ORDER_SIGNATURE"),
        ({"signed_id": "5"}, "INVALID_ORDER_SIGNATURE"),
        ({"price": "2890.001"}, "VALIDATION_ERROR"),
        ({"size": "0.00001"}, "INVALID_ORDER_SIZE"),
        ({"side": "SELL"}, "VALIDATION_ERROR"),
        ({"id": "12"}, "VALIDATION_ERROR"),
    ],
)
async def test_a_modify_that_makes_no_sense_is_refused_at_once(
    autojump_clock, logged_in, over, error
):
    order = await resting(logged_in)

    answer = await put(logged_in, order, change(logged_in, order, **over))

    assert (answer.status, answer.body["error"]) == (400, error)
    assert (await now(logged_in, order))["request_info"] is None


async def test_only_an_open_order_can_be_modified(autojump_clock, logged_in):
    flying = (await logged_in.place()).body
    early = await put(logged_in, flying, change(logged_in, flying))
    await trio.sleep(1)
    late = await put(logged_in, flying, change(logged_in, flying))
    unknown = await put(logged_in, {"id": "77"}, change(logged_in, {**flying, "id": "77"}))

    assert early.body["error"] == "ORDER_IS_NOT_OPEN"
    assert late.body["error"] == "ORDER_IS_CLOSED"
    assert (unknown.status, unknown.body["error"]) == (404, "ORDER_ID_NOT_FOUND")


async def test_an_order_that_closed_meanwhile_stays_closed(autojump_clock, logged_in):
    order = await resting(logged_in)

    await logged_in.rest("DELETE", f"/v1/orders/{order['id']}")
    await put(logged_in, order, change(logged_in, order, price="2901"))
    after = await now(logged_in, order)

    assert after["status"] == "CLOSED"
    assert {after["cancel_reason"], after["request_info"]["status"]} in (
        {"USER_CANCELED", "REJECTED"},
        {"", "PROCESSED"},
    )


@pytest.mark.parametrize(
    ("switches", "size", "left"),
    [({"modify_size": "total"}, "1.5", "0.5"), ({"modify_size": "remaining"}, "0.5", "0.5")],
)
async def test_the_size_of_a_modify_counts_what_is_filled_or_not(
    autojump_clock, logged_in, switches, size, left
):
    logged_in.liquidity.budget = Decimal(1)
    order = await resting(logged_in, size="2", price="2901")

    await put(logged_in, order, change(logged_in, order, size=size, price="2890"))
    after = await now(logged_in, order)

    assert (after["size"], after["remaining_size"]) == ("1.5", left)


async def test_a_modify_over_the_socket_is_told_on_the_orders_channel(autojump_clock, logged_in):
    order = await resting(logged_in)
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "subscribe", channel="orders.ALL")
        reply = await logged_in.call(ws, "order.modify", **change(logged_in, order, price="2891"))
        event = await logged_in.event(ws, "orders.ALL")
        wrong = await logged_in.call(ws, "order.modify", **change(logged_in, order, key=3))

    assert reply["result"]["order"]["id"] == order["id"]
    assert (event["price"], event["request_info"]["status"]) == ("2891", "PROCESSED")
    assert (wrong["error"]["code"], wrong["error"]["data"]) == (100, "INVALID_ORDER_SIGNATURE")
