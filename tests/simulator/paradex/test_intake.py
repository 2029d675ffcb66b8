"""What the API refuses before an order exists."""

from __future__ import annotations

import pytest
import trio

from bot4.simulator.paradex import curve

ETH = "ETH-USD-PERP"


async def test_an_order_signed_by_a_stranger_is_refused_and_leaves_no_trace(
    autojump_clock, logged_in
):
    answer = await logged_in.place(key=12345)

    assert (answer.status, answer.body["error"]) == (400, "INVALID_ORDER_SIGNATURE")
    assert logged_in.venue.orders == {}


@pytest.mark.parametrize(
    "lie", [{"size": "0.2"}, {"price": "2902"}, {"side": "SELL"}, {"market": "BTC-USD-PERP"}]
)
async def test_an_order_that_differs_from_what_was_signed_is_refused(
    autojump_clock, logged_in, lie
):
    answer = await logged_in.place(signed=lie)

    assert answer.body["error"] == "INVALID_ORDER_SIGNATURE"


@pytest.mark.parametrize("signature", ['["0","1"]', '["1"]', "", None, f'["{2**256}","5"]'])
async def test_impossible_signatures_are_refused_politely(autojump_clock, logged_in, signature):
    body = {**logged_in.order(), "signature": signature}

    answer = await logged_in.rest("POST", "/v1/orders", body)

    assert (answer.status, answer.body["error"]) == (400, "INVALID_ORDER_SIGNATURE")


async def test_an_order_received_after_its_window_is_refused(autojump_clock, logged_in):
    answer = await logged_in.place(signature_timestamp=logged_in.now_ms - 2001)

    assert (answer.status, answer.body["error"]) == (400, "INVALID_TIMESTAMP")


async def test_the_window_is_checked_on_receipt_not_on_sending(autojump_clock, logged_in):
    logged_in.faults.add({"venue": "paradex", "kind": "delay_request", "ms": 2500})

    answer = await logged_in.place()

    assert answer.body["error"] == "INVALID_TIMESTAMP"
    assert logged_in.venue.orders == {}


@pytest.mark.parametrize(
    ("over", "error", "words"),
    [
        ({"recv_window": 9}, "VALIDATION_ERROR", "recv_window"),
        ({"type": "MARKET"}, "VALIDATION_ERROR", "must be omitted when type=MARKET"),
        ({"price": "2901.001"}, "VALIDATION_ERROR", "price"),
        ({"price": None}, "VALIDATION_ERROR", "price"),
        ({"size": "0.10001"}, "INVALID_ORDER_SIZE", "size"),
        ({"size": "0.003"}, "INVALID_ORDER_SIZE", "below 10"),
        ({"client_id": "x" * 65}, "VALIDATION_ERROR", "client_id"),
        ({"flags": ["SOMETHING"]}, "VALIDATION_ERROR", "flags"),
        ({"instruction": "FOK"}, "VALIDATION_ERROR", "instruction"),
        ({"instruction": "RPI"}, "RPI_ACCOUNT_NOT_WHITELISTED", ""),
        ({"market": "DOGE-USD-PERP"}, "MARKET_NOT_FOUND", ""),
        ({"size": "NaN"}, "VALIDATION_ERROR", "size"),
        ({"signature_timestamp": 1_770_001_000_000}, "INVALID_TIMESTAMP", "future"),
    ],
)
async def test_orders_the_rules_forbid_are_refused(autojump_clock, logged_in, over, error, words):
    signed = {"size": "1"} if over.get("size") == "NaN" else None

    answer = await logged_in.place(signed=signed, **over)

    assert answer.body["error"] == error
    assert words in answer.body["message"]


async def test_a_client_id_is_free_again_once_its_order_is_closed(autojump_clock, logged_in):
    first = await logged_in.place(client_id="same")
    second = await logged_in.place(client_id="same")
    await logged_in.landed(first)
    third = await logged_in.place(client_id="same")

    assert second.body["error"] == "DUPLICATED_CLIENT_ID"
    assert third.status == 201


@pytest.mark.parametrize("switches", [{"unique_client_ids": "all"}])
async def test_a_switch_makes_client_ids_unique_for_ever(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(client_id="same"))

    assert (await logged_in.place(client_id="same")).body["error"] == "DUPLICATED_CLIENT_ID"


async def test_beyond_the_retail_rate_an_interactive_token_pays_as_pro(autojump_clock, rig):
    await rig.log_in("?token_usage=interactive")
    bodies = [rig.order() for _ in range(4)]

    taken = await rig.rest("POST", "/v1/orders/batch", bodies)

    flags = [order["flags"] for order in taken.body["orders"]]
    assert flags == [["INTERACTIVE"]] * 3 + [[]]


@pytest.mark.parametrize(
    ("state", "status", "error"),
    [
        ("maintenance", 503, "SERVICE_UNAVAILABLE"),
        ("cancel_only", 400, "SYSTEM_STATUS_CANCEL_ONLY"),
        ("post_only", 400, "SYSTEM_STATUS_POST_ONLY"),
    ],
)
async def test_maintenance_refuses_orders_and_says_so(
    autojump_clock, logged_in, state, status, error
):
    logged_in.faults.add({"venue": "paradex", "kind": "maintenance", "seconds": 5, "state": state})

    answer = await logged_in.place()

    assert (answer.status, answer.body["error"]) == (status, error)
    assert (await logged_in.rest("GET", "/v1/system/state")).body == {"status": state}
    await trio.sleep(5)
    assert (await logged_in.place()).status == 201


async def test_a_subkey_may_sign_for_the_account(autojump_clock, logged_in):
    key = 0xABCDEF
    logged_in.venue.notary.public_keys |= {curve.public_key_of(key)}

    assert (await logged_in.place(key=key)).status == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "/v1/orders", [1], "BINDING_ERROR"),
        ("POST", "/v1/orders/batch", [], "BATCH_SIZE_OUT_OF_RANGE"),
        ("POST", "/v1/orders/batch", {"a": 1}, "BATCH_SIZE_OUT_OF_RANGE"),
        ("DELETE", "/v1/orders/batch", [], "BINDING_ERROR"),
        ("DELETE", "/v1/orders/batch", {"order_ids": "5"}, "BINDING_ERROR"),
        ("DELETE", "/v1/orders/5", None, "ORDER_ID_NOT_FOUND"),
        ("DELETE", "/v1/orders/by_client_id/x", None, "CLIENT_ORDER_ID_NOT_FOUND"),
        ("GET", "/v1/orderbook/NOTHING", None, "MARKET_NOT_FOUND"),
        ("GET", "/v1/markets/summary", None, "VALIDATION_ERROR"),
        ("GET", "/v1/fills?page_size=0", None, "INVALID_REQUEST_PARAMETER"),
        ("GET", "/v1/fills?start_at=x", None, "INVALID_REQUEST_PARAMETER"),
        ("POST", "/v1/account/margin/NOTHING", {"leverage": 5}, "MARKET_NOT_FOUND"),
        ("POST", "/v1/auth/me", None, "PUBLIC_KEY_INVALID"),
    ],
)
async def test_nonsense_gets_a_named_error(autojump_clock, logged_in, method, path, body, error):
    answer = await logged_in.rest(method, path, body)

    assert answer.status in (400, 404)
    assert answer.body["error"] == error


async def test_a_body_that_is_no_json_is_a_binding_error(autojump_clock, logged_in):
    answer = await logged_in.rest("POST", "/v1/orders")  # An empty body.

    assert answer.body["error"] == "BINDING_ERROR"


@pytest.mark.parametrize(
    ("over", "error"),
    [
        ({"size": "abc"}, "VALIDATION_ERROR"),
        ({"size": 5}, "VALIDATION_ERROR"),
        ({"size": "1e30"}, "VALIDATION_ERROR"),
        ({"size": "0"}, "INVALID_ORDER_SIZE"),
        ({"size": "5000"}, "INVALID_ORDER_SIZE"),
        ({"signature_timestamp": "soon"}, "VALIDATION_ERROR"),
        ({"side": ["BUY"]}, "VALIDATION_ERROR"),
        ({"type": "STOP_MARKET", "price": None}, "VALIDATION_ERROR"),
        ({"market": 5}, "VALIDATION_ERROR"),
    ],
)
async def test_malformed_fields_are_refused_before_anything_else(
    autojump_clock, logged_in, over, error
):
    body = {**logged_in.order(), **over}
    body = {name: value for name, value in body.items() if value is not None}
    if "size" in over and over["size"] == "5000":
        body = logged_in.order(size="5000")

    answer = await logged_in.rest("POST", "/v1/orders", body)

    assert (answer.status, answer.body["error"]) == (400, error)
