"""Vest has no client package: the documented exchanges, replayed, and held against the truth."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import trio
from timeouts import CLIENT_ANSWER_S
from trio_websocket import ConnectionClosed

from conformancelib.shapes import differences
from conformancelib.steps import Check, Report, Venue, announced, wait_for
from conformancelib.vest_client import VestClient, next_message, now_ms

MARKET = "BTC-PERP"
SHAPES = json.loads(Path(__file__).with_name("vest_documented.json").read_text())
BAD: dict[str, tuple[dict[str, object], int]] = {
    # What the documents say of a mistake: the change to a good order, and its code.
    "a size with too few decimals": ({"size": "0.01"}, 1111),
    "an unknown symbol": ({"symbol": "X-PERP"}, 1121),
    "an unknown type": ({"orderType": "STOP"}, 1116),
    "an unknown time in force": ({"orderType": "LIMIT", "timeInForce": "DAY"}, 1133),
    "a time long past": ({"time": 1}, 1132),
}


async def main() -> None:
    """Run every step."""
    said = announced()
    report, client = Report("Vest documents"), VestClient(said)
    venue = Venue(said, "vest")
    _public(report, client, venue)
    _sign_in(report, client)
    await _trading(report, client, venue)
    await _streams(report, client, venue)
    _mistakes(report, client)
    await _goodbye(report, client)


def _shaped(check: Check, name: str, answer: Any, kind: str = "rest") -> Any:
    found = list(differences(SHAPES[kind][name], answer))
    check.that(f"{name} as documented{': ' if found else ''}{'; '.join(found[:4])}", not found)
    return answer


def _public(report: Report, client: VestClient, venue: Venue) -> None:
    wait_for(lambda: client.ask("GET", f"/trades?symbol={MARKET}").json())
    for name in SHAPES["rest"]:
        path = name.partition(" ")[2]
        if name.startswith("GET") and not path.startswith(("/account", "/orders")):
            with report.step(name) as check:
                _shaped(check, name, client.ask("GET", path).json())
    with report.step("exchangeInfo, depth and ticker against the truth") as check:
        row = venue.market()[MARKET]
        symbols = client.ask("GET", "/exchangeInfo").json()["symbols"]
        info = next(one for one in symbols if one["symbol"] == MARKET)
        check.same("size step", Decimal(1).scaleb(-info["sizeDecimals"]), row["lot"])
        check.same("price step", Decimal(1).scaleb(-info["priceDecimals"]), row["tick"])
        check.same("margin", info["initMarginRatio"], row["initial_margin"])
        check.same("fee", info["takerFee"], row["taker_fee"])

        def book() -> Any:
            shown = venue.market()[MARKET]
            return shown["bids"], shown["asks"]

        path = f"/depth?symbol={MARKET}"
        depth, (bids, asks) = venue.steady(lambda: client.ask("GET", path).json(), book)
        check.same("bids", depth["bids"], bids)
        check.same("asks", depth["asks"], asks)


def _sign_in(report: Report, client: VestClient) -> None:
    with report.step("POST /register") as check:
        answer = client.ask("POST", "/register", client.registration()).json()
        client.api_key = _shaped(check, "POST /register", answer)["apiKey"]
    with report.step("POST /account/leverage") as check:
        body = {"time": now_ms(), "symbol": MARKET, "value": 10}
        answer = client.ask("POST", "/account/leverage", body).json()
        check.same("value", _shaped(check, "POST /account/leverage", answer)["value"], 10)


async def _trading(report: Report, client: VestClient, venue: Venue) -> None:
    with report.step("POST /orders, GET /orders by id and by nonce") as check:
        body = client.order()
        order_id = _shaped(check, "POST /orders", client.ask("POST", "/orders", body).json())["id"]
        row = await trio.to_thread.run_sync(venue.order, order_id)
        nonce = body["order"]["nonce"]
        by_id, by_nonce = (
            client.ask("GET", f"/orders?{query}&time={now_ms()}").json()
            for query in (f"id={order_id}", f"nonce={nonce}")
        )
        check.same("both ways", by_id, by_nonce)
        [order] = _shaped(check, "GET /orders", by_id)
        check.same("status", order["status"], row["status"])
        check.same("filled", order["lastFilledSize"], row["filled"])
        check.near("price", order["avgFilledPrice"], row["avg_price"])
        check.near("fees", order["fees"], row["fees"], "0.0001")
    with report.step("the same order once more") as check:
        check.same("code", client.ask("POST", "/orders", body).json()["code"], 3015)
    with report.step("GET /account, GET /account/nonce") as check:
        account = client.ask("GET", f"/account?time={now_ms()}").json()
        truth = venue.truth()
        [position] = _shaped(check, "GET /account", account)["positions"]
        check.same("size", position["size"], truth["positions"][MARKET])
        check.near("collateral", account["collateral"], truth["balance"], "0.000001")
        check.near("value", account["totalAccountValue"], truth["equity"], "0.001")
        nonces = client.ask("GET", f"/account/nonce?time={now_ms()}").json()
        check.same("nonce", _shaped(check, "GET /account/nonce", nonces)["lastNonce"], nonce)


async def _streams(report: Report, client: VestClient, venue: Venue) -> None:
    with report.step("PING, SUBSCRIBE, public channels") as check:
        channels = [name for name in SHAPES["socket"] if "@" in name or name == "tickers"]
        async with client.socket(*channels) as socket:
            ack = await next_message(socket, lambda m: "id" in m)
            _shaped(check, "ack", ack, "socket")
            await socket.send_message(json.dumps({"method": "PING", "params": [], "id": 0}))
            pong = await next_message(socket, lambda m: m.get("data") == "PONG")
            _shaped(check, "PONG", pong, "socket")
            for name in channels:
                message = await next_message(socket, lambda m, n=name: m.get("channel") == n)
                _shaped(check, name, message, "socket")
    with report.step("account_private: NEW, FILLED, CANCELLED, REJECTED") as check:
        key = client.ask("POST", "/account/listenKey").json()["listenKey"]
        async with client.socket("account_private", key=key) as socket:
            await next_message(socket, lambda m: "id" in m)
            closing = client.order(isBuy=False, limitPrice="1.00", reduceOnly=True)
            await _told(check, client, socket, closing, "NEW", "FILLED")
            check.same("position", venue.truth()["positions"].get(MARKET, "0"), "0")
            far = client.order(orderType="LIMIT", limitPrice="9000.00", timeInForce="GTC")
            order_id = await _told(check, client, socket, far, "NEW")
            path = f"/orders/cancel?time={now_ms()}"
            answer = client.ask("POST", path, client.cancel(order_id)).json()
            _shaped(check, "POST /orders/cancel", answer)
            event = await next_message(socket, lambda m: _status(m) == "CANCELLED")
            _shaped(check, "CANCELLED", event, "socket")
            await _told(check, client, socket, client.order(limitPrice="1.00"), "NEW", "REJECTED")


async def _told(
    check: Check, client: VestClient, socket: Any, body: dict[str, Any], *statuses: str
) -> str:
    order_id = str(client.ask("POST", "/orders", body).json()["id"])
    for status in statuses:
        event = await next_message(socket, lambda m, s=status: _status(m) == s)
        args = _shaped(check, status, event, "socket")["data"]["args"]
        check.same("id", args["id"], order_id)
    return order_id


def _status(message: dict[str, Any]) -> str:
    data = message.get("data")
    return str(data["args"]["status"]) if isinstance(data, dict) and "args" in data else ""


def _mistakes(report: Report, client: VestClient) -> None:
    for name, (change, code) in BAD.items():
        with report.step(f"an order with {name}") as check:
            answer = client.ask("POST", "/orders", client.order(**change)).json()
            check.same("code", _shaped(check, "error", answer)["code"], code)
    with report.step("an order signed for another size") as check:
        body = client.order()
        body["order"]["size"] = "0.0200"
        check.same("code", client.ask("POST", "/orders", body).json()["code"], 1022)


async def _goodbye(report: Report, client: VestClient) -> None:
    with report.step("listen key: extend, close, and what follows") as check:
        key = client.ask("POST", "/account/listenKey").json()["listenKey"]
        extended = client.ask("PUT", "/account/listenKey").json()
        check.same("same key", _shaped(check, "PUT /account/listenKey", extended)["listenKey"], key)
        async with client.socket("account_private", key=key) as socket:
            await next_message(socket, lambda m: "id" in m)
            gone = client.ask("DELETE", "/account/listenKey").json()
            _shaped(check, "DELETE /account/listenKey", gone)
            code = await _close_code(socket)
        check.same("close code", code, 4005)
        late = client.ask("PUT", "/account/listenKey").json()
        check.same("code", _shaped(check, "error", late)["code"], 1125)
    with report.step("old mistakes stay mistakes") as check:
        check.same("DELETE /orders", client.ask("DELETE", "/orders").status_code, 405)
        check.same("DELETE /order", client.ask("DELETE", "/order").status_code, 404)
        client.api_key = "wrong"
        check.same("a wrong key", client.ask("GET", "/account").json()["code"], 1002)


async def _close_code(socket: Any) -> int:
    with trio.fail_after(CLIENT_ANSWER_S):
        try:
            while True:
                await socket.get_message()
        except ConnectionClosed as closed:
            return 0 if closed.reason is None else int(closed.reason.code)


if __name__ == "__main__":
    trio.run(main)
