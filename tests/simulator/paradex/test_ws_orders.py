"""WebSocket over memory streams: private events, and orders sent over the socket."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
import trio_websocket

ETH = "ETH-USD-PERP"
DELTAS = f"order_book.{ETH}.deltas"
SBE = "?sbeSchemaId=1&sbeSchemaVersion=1"


async def private(rig, ws, *channels):
    """Log a session in and subscribe it."""
    assert "result" in await rig.call(ws, "auth", bearer=rig.token)
    for channel in channels:
        assert "result" in await rig.call(ws, "subscribe", channel=channel)


async def drain(ws):
    """Read until the connection is over."""
    while True:
        await ws.get_message()


async def test_private_channels_need_a_valid_token(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        early = await logged_in.call(ws, "subscribe", channel="orders.ALL")
        order = await logged_in.call(ws, "order.create", **logged_in.order())
        malformed = await logged_in.call(ws, "auth", bearer="nonsense")
        forged = await logged_in.call(ws, "auth", bearer=logged_in.token[:-4] + "AAAA")
        good = await logged_in.call(ws, "auth", bearer=logged_in.token)

    assert early["error"]["code"] == 40300
    assert order["error"]["code"] == 40300
    assert malformed["error"]["code"] == 40110
    assert forged["error"]["code"] == 40111
    assert good["result"]["node_id"]


async def test_an_order_tells_its_life_on_the_private_channels(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws, f"orders.{ETH}", "fills.ALL", "positions", "account")
        answer = await logged_in.place(size="1.5")
        new = await logged_in.event(ws, f"orders.{ETH}")
        closed = await logged_in.event(ws, f"orders.{ETH}")
        fills = [await logged_in.event(ws, "fills.ALL")]
        position = await logged_in.event(ws, "positions")
        account = await logged_in.event(ws, "account")

    assert (new["status"], closed["status"]) == ("NEW", "CLOSED")
    assert new["id"] == closed["id"] == answer.body["id"]
    assert closed["remaining_size"] == "0.5"
    assert closed["seq_no"] > new["seq_no"]
    assert [(fill["price"], fill["size"], fill["side"]) for fill in fills] == [
        ("2900.5", "1", "BUY")
    ]
    assert (position["size"], position["side"]) == ("1", "LONG")
    assert Decimal(account["total_collateral"]) == 10000 - Decimal(fills[0]["fee"])


async def test_events_of_another_market_stay_away(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws, "orders.BTC-USD-PERP", "positions")
        await logged_in.place()
        position = await logged_in.event(ws, "positions")
        waiting = logged_in.inbox[ws]

    assert position["market"] == ETH
    assert not any("orders." in frame for frame in waiting)


@pytest.mark.parametrize("switches", [{"private_sbe": True}])
async def test_a_switch_makes_private_events_binary(autojump_clock, logged_in, header_of):
    async with logged_in.ws("?sbeSchemaId=1&sbeSchemaVersion=2") as ws:
        await private(logged_in, ws, "orders.ALL", "fills.ALL", "positions", "account")
        await logged_in.place()
        frames = [await logged_in.event(ws) for _ in range(5)]

    assert [header_of(frame)[0] for frame in frames] == [20, 20, 21, 22, 23]


async def test_orders_are_created_and_cancelled_over_the_socket(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws)
        resting = logged_in.order(instruction="GTC", price="2890")
        created = await logged_in.call(ws, "order.create", **resting)
        await trio.sleep(1)
        order_id = created["result"]["order"]["id"]
        cancelled = await logged_in.call(ws, "order.cancel", id=order_id)
        await trio.sleep(1)
        again = await logged_in.call(ws, "order.cancel", client_id=resting["client_id"], market=ETH)
        unknown = await logged_in.call(ws, "order.cancel", id="5")
        everything = await logged_in.call(ws, "order.cancel_all")

    assert created["result"]["order"]["status"] == "NEW"
    assert created["result"]["received_at"] == created["result"]["created_at"] * 1_000_000
    assert cancelled["result"] == {"order_id": order_id, "status": "QUEUED_FOR_CANCELLATION"}
    assert (again["error"]["code"], again["error"]["data"]) == (100, "ORDER_IS_CLOSED")
    assert unknown["error"]["data"] == "ORDER_ID_NOT_FOUND"
    assert everything["result"] == {"status": "ok"}
    assert logged_in.venue.orders[order_id].reason == "USER_CANCELED"


async def test_a_market_order_over_the_socket_may_say_price_zero(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws)
        reply = await logged_in.call(
            ws, "order.create", **logged_in.order(type="MARKET", price="0")
        )

    assert reply["result"]["order"]["type"] == "MARKET"


async def test_a_lost_connection_cancels_its_orders_only_when_asked(autojump_clock, logged_in):
    ids = []
    for enabled in (False, True):
        async with logged_in.ws(SBE) as ws:
            await private(logged_in, ws)
            await logged_in.call(ws, "order.cancel_on_disconnect", enabled=enabled)
            order = logged_in.order(instruction="GTC", price="2890")
            created = await logged_in.call(ws, "order.create", **order)
            ids.append(created["result"]["order"]["id"])
            await trio.sleep(1)
            logged_in.faults.add({"venue": "paradex", "kind": "cut", "which": "all"})
            with pytest.raises(trio_websocket.ConnectionClosed):
                await drain(ws)
        await trio.sleep(1)

    kept, cancelled = (logged_in.venue.orders[order_id] for order_id in ids)
    assert kept.status == "OPEN"
    assert (cancelled.status, cancelled.reason) == ("CLOSED", "USER_CANCELED")


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        ({"kind": "lose_request"}, False),
        ({"kind": "lose_answer"}, True),
    ],
)
async def test_order_requests_get_lost_over_the_socket_too(
    autojump_clock, logged_in, fault, effect
):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws)
        logged_in.faults.add({"venue": "paradex", **fault})
        with trio.move_on_after(5) as waiting:
            await logged_in.call(ws, "order.create", **logged_in.order())

    assert waiting.cancelled_caught
    assert bool(logged_in.venue.orders) is effect


async def test_a_broken_proxy_is_an_internal_error_on_the_socket(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws)
        logged_in.faults.add({"venue": "paradex", "kind": "http_error"})
        reply = await logged_in.call(ws, "order.create", **logged_in.order())
        none = await logged_in.call(ws, "order.cancel")
        unnamed = await logged_in.call(ws, "order.cancel", client_id="nobody")

    assert reply["error"]["code"] == -32603
    assert none["error"]["code"] == -32602
    assert unnamed["error"]["data"] == "CLIENT_ORDER_ID_NOT_FOUND"


async def test_a_refused_cancel_leaves_the_order_open(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws)
        order = logged_in.order(instruction="GTC", price="2890")
        created = await logged_in.call(ws, "order.create", **order)
        await trio.sleep(1)
        logged_in.faults.add({"venue": "paradex", "kind": "refuse", "request": "cancel"})
        order_id = created["result"]["order"]["id"]
        reply = await logged_in.call(ws, "order.cancel", id=order_id)
        await trio.sleep(1)

    assert reply["error"]["code"] == 100
    assert logged_in.venue.orders[order_id].status == "OPEN"
