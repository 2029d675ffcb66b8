"""REST over memory streams: what becomes of orders once they are accepted."""

from __future__ import annotations

from decimal import Decimal

import trio

ETH = "ETH-USD-PERP"


async def test_an_order_is_new_then_filled(autojump_clock, logged_in):
    answer = await logged_in.place()

    assert answer.status == 201
    assert answer.body["status"] == "NEW"
    assert len(answer.body["id"]) == 28
    assert answer.body["remaining_size"] == "0.1"
    order = await logged_in.landed(answer)
    assert (order["status"], order["cancel_reason"]) == ("CLOSED", "")
    assert (order["remaining_size"], order["avg_fill_price"]) == ("0", "2900.5")
    position = (await logged_in.rest("GET", "/v1/positions")).body["results"][0]
    assert (position["market"], position["side"], position["size"]) == (ETH, "LONG", "0.1")
    fill = (await logged_in.rest("GET", f"/v1/fills?market={ETH}")).body["results"][0]
    assert fill["order_id"] == answer.body["id"]
    assert fill["client_id"] == answer.body["client_id"]
    assert Decimal(fill["fee"]) == Decimal("2900.5") * Decimal("0.1") * Decimal("0.00045")


async def test_the_result_comes_300_to_400_ms_after_arrival(autojump_clock, logged_in):
    await logged_in.place()
    arrived_ms = next(iter(logged_in.venue.orders.values())).received_ms

    await trio.sleep(1)

    order = next(iter(logged_in.venue.orders.values()))
    assert 300 <= order.updated_ms - arrived_ms <= 401


async def test_a_flying_order_is_listed_but_not_found_by_its_client_id(autojump_clock, logged_in):
    answer = await logged_in.place()

    live = (await logged_in.rest("GET", "/v1/orders")).body["results"]
    by_id = await logged_in.rest("GET", f"/v1/orders/{answer.body['id']}")
    by_name = await logged_in.rest("GET", f"/v1/orders/by_client_id/{answer.body['client_id']}")
    history = await logged_in.rest("GET", "/v1/orders-history")

    assert [order["status"] for order in live] == ["NEW"]
    assert by_id.body["status"] == "NEW"
    assert (by_name.status, by_name.body["error"]) == (404, "CLIENT_ORDER_ID_NOT_FOUND")
    assert history.body["results"] == []


async def test_a_closed_order_is_only_in_the_history(autojump_clock, logged_in):
    answer = await logged_in.place()
    order = await logged_in.landed(answer)

    by_id = await logged_in.rest("GET", f"/v1/orders/{order['id']}")
    cancel = await logged_in.rest("DELETE", f"/v1/orders/{order['id']}")

    assert by_id.body["error"] == "ORDER_ID_NOT_FOUND"
    assert cancel.body["error"] == "ORDER_IS_CLOSED"


async def test_a_market_order_has_no_price_and_is_signed_with_zero(autojump_clock, logged_in):
    answer = await logged_in.place(type="MARKET", price=None, size="1.5")

    order = await logged_in.landed(answer)

    assert answer.body["price"] == "0"
    assert order["remaining_size"] == "0"
    assert order["avg_fill_price"] == "2900.83333333"


async def test_an_ioc_remainder_is_closed_with_a_reason(autojump_clock, logged_in):
    order = await logged_in.landed(await logged_in.place(size="3"))

    assert (order["status"], order["cancel_reason"]) == ("CLOSED", "IOC_REMAINDER")
    assert order["remaining_size"] == "2"


async def test_too_little_margin_closes_the_order_unfilled(autojump_clock, logged_in):
    order = await logged_in.landed(await logged_in.place(size="200"))

    assert (order["status"], order["cancel_reason"]) == ("CLOSED", "NOT_ENOUGH_MARGIN")
    assert order["remaining_size"] == "200"


async def test_a_limit_beyond_the_price_band_is_closed(autojump_clock, logged_in):
    order = await logged_in.landed(await logged_in.place(price="3100"))

    assert order["cancel_reason"] == "PRICE_BAND"


async def test_reduce_only_never_opens_and_never_flips(autojump_clock, logged_in):
    flat = await logged_in.landed(await logged_in.place(flags=["REDUCE_ONLY"]))
    await logged_in.landed(await logged_in.place(size="0.1"))
    close = await logged_in.place(side="SELL", price="2899", size="0.3", flags=["REDUCE_ONLY"])
    closed = await logged_in.landed(close)

    assert (flat["cancel_reason"], flat["remaining_size"]) == ("REDUCE_ONLY", "0.1")
    assert closed["remaining_size"] == "0.2"
    assert (await logged_in.rest("GET", "/v1/positions")).body["results"] == []


async def test_dust_may_be_closed_reduce_only_below_the_minimum(autojump_clock, logged_in):
    logged_in.faults.add({"venue": "paradex", "kind": "partial_fill", "fraction": "0.02"})
    await logged_in.landed(await logged_in.place(size="0.1"))
    dust = {"side": "SELL", "price": "2899", "size": "0.002"}

    refused = await logged_in.place(**dust)
    closed = await logged_in.place(**dust, flags=["REDUCE_ONLY"])

    assert refused.body["error"] == "INVALID_ORDER_SIZE"
    assert (await logged_in.landed(closed))["remaining_size"] == "0"


async def test_a_resting_order_is_cancelled_by_its_client_id(autojump_clock, logged_in):
    answer = await logged_in.place(instruction="GTC", price="2890")
    await trio.sleep(1)
    name = answer.body["client_id"]

    before = await logged_in.rest("GET", f"/v1/orders/by_client_id/{name}")
    cancel = await logged_in.rest("DELETE", f"/v1/orders/by_client_id/{name}?market={ETH}")
    order = await logged_in.landed(answer)

    assert before.body["status"] == "OPEN"
    assert (cancel.status, cancel.body) == (204, b"")
    assert (order["status"], order["cancel_reason"]) == ("CLOSED", "USER_CANCELED")


async def test_a_cancel_of_a_flying_order_loses_to_its_fill(autojump_clock, logged_in):
    answer = await logged_in.place()

    cancel = await logged_in.rest("DELETE", f"/v1/orders/{answer.body['id']}")
    order = await logged_in.landed(answer)

    assert cancel.status == 204
    assert (order["remaining_size"], order["cancel_reason"]) == ("0", "")


async def test_cancel_all_takes_every_order_of_a_market(autojump_clock, logged_in):
    for _ in range(3):
        await logged_in.place(instruction="GTC", price="2890")
    await trio.sleep(1)

    other = await logged_in.rest("DELETE", "/v1/orders?market=BTC-USD-PERP")
    await trio.sleep(1)
    still = (await logged_in.rest("GET", "/v1/orders")).body["results"]
    await logged_in.rest("DELETE", f"/v1/orders?market={ETH}")
    await trio.sleep(1)

    assert other.status == 200
    assert len(still) == 3
    assert (await logged_in.rest("GET", "/v1/orders")).body["results"] == []


async def test_a_resting_order_fills_as_maker_when_the_book_comes_to_it(autojump_clock, logged_in):
    answer = await logged_in.place(instruction="GTC", price="2890")
    await trio.sleep(1)

    logged_in.model.prices["ETH"] = Decimal(2889)
    order = await logged_in.landed(answer)

    fill = (await logged_in.rest("GET", "/v1/fills")).body["results"][0]
    assert (order["status"], order["avg_fill_price"]) == ("CLOSED", "2890")
    assert (fill["liquidity"], fill["price"]) == ("MAKER", "2890")


async def test_post_only_never_takes(autojump_clock, logged_in):
    order = await logged_in.landed(await logged_in.place(instruction="POST_ONLY"))

    assert order["cancel_reason"] == "POST_ONLY_WOULD_CROSS"


async def test_an_order_does_not_trade_with_its_own_account(autojump_clock, logged_in):
    maker = await logged_in.place(side="SELL", instruction="GTC", price="2900.6")
    await trio.sleep(1)

    taker = await logged_in.landed(await logged_in.place())

    assert taker["cancel_reason"] == "SELF_TRADE"
    assert (await logged_in.rest("GET", f"/v1/orders/{maker.body['id']}")).body["status"] == "OPEN"


async def test_a_stop_waits_for_its_trigger(autojump_clock, logged_in):
    stop = {"type": "STOP_MARKET", "price": None, "trigger_price": "2910"}
    answer = await logged_in.place(**stop)
    await trio.sleep(1)
    before = await logged_in.rest("GET", f"/v1/orders/{answer.body['id']}")

    logged_in.model.prices["ETH"] = Decimal(2911)
    order = await logged_in.landed(answer)

    assert before.body["status"] == "UNTRIGGERED"
    assert (order["status"], order["remaining_size"]) == ("CLOSED", "0")


async def test_history_and_fills_come_in_pages_newest_first(autojump_clock, logged_in):
    for _ in range(3):
        await logged_in.place()
    await trio.sleep(1)

    first = (await logged_in.rest("GET", "/v1/orders-history?page_size=2")).body
    second = (
        await logged_in.rest("GET", f"/v1/orders-history?page_size=2&cursor={first['next']}")
    ).body
    bad = await logged_in.rest("GET", "/v1/fills?cursor=abc")
    late = (await logged_in.rest("GET", f"/v1/fills?start_at={logged_in.now_ms + 1}")).body

    ids = [order["id"] for page in (first, second) for order in page["results"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
    assert second["next"] is None
    assert bad.body["error"] == "INVALID_REQUEST_PARAMETER"
    assert late["results"] == []


async def test_a_batch_with_one_bad_order_is_refused_whole(autojump_clock, logged_in):
    good, bad = logged_in.order(), logged_in.order(key=3)

    refused = await logged_in.rest("POST", "/v1/orders/batch", [good, bad])
    taken = await logged_in.rest("POST", "/v1/orders/batch", [good, logged_in.order()])

    assert refused.body["error"] == "INVALID_ORDER_SIGNATURE"
    assert [order["status"] for order in taken.body["orders"]] == ["NEW", "NEW"]
    assert taken.body["errors"] == []


async def test_a_batch_cancel_says_what_became_of_each(autojump_clock, logged_in):
    open_order = await logged_in.place(instruction="GTC", price="2890")
    closed = await logged_in.place()
    await trio.sleep(1)
    body = {
        "order_ids": [open_order.body["id"], "77"],
        "client_order_ids": [closed.body["client_id"]],
    }

    results = (await logged_in.rest("DELETE", "/v1/orders/batch", body)).body["results"]

    statuses = [one["status"] for one in results]
    assert statuses == ["QUEUED_FOR_CANCELLATION", "NOT_FOUND", "ALREADY_CLOSED"]


async def test_an_interactive_token_is_free_and_300_ms_slower(autojump_clock, rig):
    await rig.log_in("?token_usage=interactive")

    answer = await rig.place()
    order = await rig.landed(answer)

    fill = (await rig.rest("GET", "/v1/fills")).body["results"][0]
    fees = (await rig.rest("GET", "/v1/account/info")).body["results"][0]["fees"]
    assert order["flags"] == ["INTERACTIVE"]
    assert 600 <= order["last_updated_at"] - order["received_at"] <= 702
    assert (fill["fee"], fill["flags"]) == ("0", ["interactive"])
    assert fees["taker_rate"] == "0"


async def test_a_world_that_restarts_lands_what_was_flying(autojump_clock, logged_in):
    await logged_in.place()
    venue, order = logged_in.saved[-1][0], logged_in.saved[-1][1].dump()

    twin = type(logged_in.venue)(logged_in.venue.setup)
    twin.load(logged_in.saved[-1][3], [order], [])
    await logged_in.nursery.start(twin.run)
    await trio.sleep(1)

    assert venue == "paradex"
    assert twin.orders[order["id"]].status == "CLOSED"
    assert twin.ledger.position(ETH).size == Decimal("0.1")
