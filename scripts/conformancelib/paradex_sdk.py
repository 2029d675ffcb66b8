"""Paradex's own Python client against the simulated Paradex, REST and WebSocket.

Runs in an environment of its own, with stand-ins for what has no build for this Python.
"""

from __future__ import annotations

import asyncio
import sys
import time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from paradex_py.account.subkey_account import (  # type: ignore[import-not-found]
    SubkeyAccount,
)
from paradex_py.api.api_client import ParadexApiClient  # type: ignore[import-not-found]
from paradex_py.api.ws_client import ParadexWebsocketClient  # type: ignore[import-not-found]
from paradex_py.common.order import Order, OrderSide, OrderType  # type: ignore[import-not-found]
from timeouts import CLIENT_ANSWER_S, REQUEST_S

from conformancelib.steps import Check, Report, Venue, announced, wait_for

D = Decimal
MARKET = "BTC-USD-PERP"
SIZE = D("0.002")


async def main(encoding: str) -> None:
    """Run every step; ``encoding`` is "json" or "sbe"."""
    said = announced()
    venue = Venue(said, "paradex")
    report = Report(f"paradex-py {version('paradex-py')} {encoding}")
    api = ParadexApiClient(env="testnet", api_base_url=said["paradex.rest"])
    api.client.timeout = float(REQUEST_S)
    with report.step("system config, sign in") as check:
        config = api.fetch_system_config()
        account = SubkeyAccount(config, said["paradex.private_key"], said["paradex.account"])
        api.init_account(account)
        check.that("the token is a JWT", str(account.jwt_token).count(".") == 2)
    if encoding == "json":
        _rest(report, api, venue)
    stream = ParadexWebsocketClient(
        env="testnet",
        ws_url_override=said["paradex.ws"],
        api_client=api,
        sbe_enabled=encoding == "sbe",
        reader_sleep_on_no_connection=0.02,  # 0 would spin without ever giving way
    )
    stream.init_account(account)
    try:
        await _streams(report, stream, api, venue)
    finally:
        await _close(stream)


def _rest(report: Report, api: Any, venue: Venue) -> None:
    with report.step("fetch_markets, fetch_orderbook") as check:
        known = venue.market()
        rows = {row["symbol"]: row for row in api.fetch_markets()["results"]}
        check.same("symbols", sorted(rows), sorted(known))
        check.same("tick", rows[MARKET]["price_tick_size"], known[MARKET]["tick"])

        def look() -> Any:
            row = venue.market()[MARKET]
            return row["seq_no"], row["bids"], row["asks"]

        book, (_, bids, asks) = venue.steady(lambda: api.fetch_orderbook(MARKET), look)
        check.same("bids", book["bids"], bids)
        check.same("asks", book["asks"], asks)
    with report.step("fetch_account_summary") as check:
        summary, truth = api.fetch_account_summary(), venue.truth()
        check.near("collateral", summary.total_collateral, truth["balance"], "0.000000000002")
        check.near("value", summary.account_value, truth["equity"], "0.001")
    with report.step("submit_order, fetch_fills, fetch_positions") as check:
        best = D(api.fetch_orderbook(MARKET)["asks"][0][0])
        order = _order(OrderSide.Buy, (best * D("1.002")).quantize(D("0.1")), "IOC", "sdk-1")
        made = api.submit_order(order)
        row = venue.order(made["id"])
        check.same("filled at the venue", row["filled"], SIZE)
        [fill] = [f for f in api.fetch_fills()["results"] if f["order_id"] == row["id"]][:1]
        check.same("fill", (fill["side"].lower(), fill["client_id"]), ("buy", "sdk-1"))
        [position] = api.fetch_positions()["results"]
        check.same("position", position["size"], venue.truth()["positions"][MARKET])
    with report.step("submit_orders_batch, modify_order, cancel_orders_batch") as check:
        price = (best * D("0.98")).quantize(D("0.1"))
        batch = [_order(OrderSide.Buy, price, "GTC", f"sdk-b{n}") for n in range(2)]
        ids = [one["id"] for one in api.submit_orders_batch(batch)["orders"]]
        for one in ids:
            venue.order(one)
        change = _order(OrderSide.Buy, price - 10, "GTC", "")
        change.id = ids[0]
        check.same("id", api.modify_order(ids[0], change)["id"], ids[0])
        wait_for(lambda: _has(venue, ids[0], "limit", str(price - 10)))
        check.same("open", len(api.fetch_orders()["results"]), 2)
        answer = api.cancel_orders_batch(order_ids=ids)
        statuses = [row["status"] for row in answer["results"]]
        check.same("statuses", statuses, ["QUEUED_FOR_CANCELLATION"] * 2)
        wait_for(lambda: not venue.truth()["open_orders"])
    with report.step("fetch_tradebusts, fetch_funding_payments, fetch_klines") as check:
        venue.fault("bust", market=MARKET)
        busts = [row["busted_fill_id"] for row in api.fetch_tradebusts()["results"]]
        check.same("busts", sorted(busts), sorted(venue.truth()["busts"]))
        paid = api.fetch_funding_payments({"market": MARKET})["results"]
        check.that(f"{len(paid)} payments of {MARKET}", all(p["market"] == MARKET for p in paid))
        now = int(venue.truth()["time_ms"])
        bars = api.fetch_klines(MARKET, "1", now - 3_600_000, now)["results"]
        check.that(f"{len(bars)} bars of six columns", bars and all(len(b) == 6 for b in bars))


async def _streams(report: Report, stream: Any, api: Any, venue: Venue) -> None:
    heard: dict[str, list[dict[str, Any]]] = {}

    async def keep(  # noqa: ASYNC124 - what the client calls
        _: object, message: dict[str, Any]
    ) -> None:
        heard.setdefault(message["params"]["channel"], []).append(message["params"]["data"])

    book = f"order_book.{MARKET}.deltas" + ("" if stream.sbe_enabled else "@15@50ms")
    with report.step("connect, subscribe, book") as check:
        check.that("connected", await stream.connect())
        for channel in (book, "orders.ALL", "fills.ALL", "positions", "account", "tradebusts"):
            await stream.subscribe_by_name(channel, keep)
        await _until(lambda: len(heard.get(book, ())) >= 5)
        _check_book(check, heard[book][0], venue)
        numbers = [_sequence(frame) for frame in heard[book]]
        check.same("sequence", numbers, list(range(numbers[0], numbers[0] + len(numbers))))
    with report.step("order.create and its events") as check:
        await stream.cancel_on_disconnect(enabled=True)
        best = D(api.fetch_orderbook(MARKET)["bids"][0][0])
        order = _order(OrderSide.Sell, (best * D("0.998")).quantize(D("0.1")), "IOC", "")
        order.client_id = f"sdk-ws-{order.created_at}"
        made = (await stream.submit_order(order))["order"]
        row = await asyncio.to_thread(venue.order, made["id"])
        events = await _until(lambda: _ended(heard, made["id"]))
        check.that("more than the end was told", len(events) > 1)
        check.same("filled at the venue", row["filled"], SIZE)
        check.same("last event", _word(events[-1]["status"]), "CLOSED")
        named = events[-1].get("client_id") or events[-1].get("client_order_id")
        check.same("client id", named, row["client_id"])
        await _until(lambda: _filled(heard, made["id"]) >= SIZE)
        check.same("filled by events", _filled(heard, made["id"]), SIZE)
        check.that("position told", await _until(lambda: heard.get("positions")))
    with report.step("order.create_batch, modify, cancel_batch, cancel_all") as check:
        price = (best * D("0.98")).quantize(D("0.1"))
        batch = [_order(OrderSide.Buy, price, "GTC", "") for _ in range(3)]
        results = (await stream.submit_orders_batch(batch))["results"]
        ids = [one["order"]["id"] for one in results]
        for one in ids:
            await asyncio.to_thread(venue.order, one)
        change = _order(OrderSide.Buy, price - 20, "GTC", "")
        change.id = ids[0]
        await stream.modify_order(ids[0], change)
        await _until(lambda: _has(venue, ids[0], "limit", str(price - 20)))
        told = (await stream.cancel_orders_batch(ids[:2]))["results"]
        check.same("told", [one["status"] for one in told], ["QUEUED_FOR_CANCELLATION"] * 2)
        check.same("all", (await stream.cancel_all_orders())["status"], "ok")
        await _until(lambda: not venue.truth()["open_orders"])
        check.same("open at the venue", venue.truth()["open_orders"], [])
    with report.step("tradebusts channel") as check:
        venue.fault("bust", market=MARKET)
        await _until(lambda: heard.get("tradebusts"))
        bust = heard["tradebusts"][-1]["busted_fill_id"]
        check.that(f"{bust} is taken back", bust in venue.truth()["busts"])


async def _close(stream: Any) -> None:
    """Close the client, asking its reader again until it hears.

    Its reader sits in asyncio's wait_for, which in Python 3.11 loses a cancellation that comes
    together with a frame; the client would wait for its reader for ever.
    """
    reader, closing = stream._reader_task, asyncio.create_task(stream.close())  # noqa: SLF001
    while not closing.done():
        await asyncio.wait([closing], timeout=1.0)
        if reader is not None:
            reader.cancel()
    await closing


def _check_book(check: Check, first: dict[str, Any], venue: Venue) -> None:
    """Look at the first frame: a whole book, on the market's steps, around its mark."""
    mark, tick = D(venue.market()[MARKET]["mark"]), D(venue.market()[MARKET]["tick"])
    if "inserts" in first:
        prices = [D(level["price"]) for level in first["inserts"]]
    else:
        prices = [D(str(_part(level, "price"))) for level in (*first["bids"], *first["asks"])]
    check.that(f"{len(prices)} levels on ticks", all(price % tick == 0 for price in prices))
    check.that("around the mark", all(abs(p / mark - 1) < D("0.03") for p in prices))


def _part(level: Any, name: str) -> Any:
    return level[name] if isinstance(level, dict) else level[0]


def _sequence(frame: dict[str, Any]) -> int:
    return int(frame.get("seq_no") or frame.get("seq") or frame.get("sequence_number") or 0)


def _order_id(event: dict[str, Any]) -> object:
    """Return the order an event is about: its binary form names the field otherwise."""
    return event.get("order_id") or event.get("id")


def _ended(heard: dict[str, list[dict[str, Any]]], order_id: str) -> list[dict[str, Any]]:
    """Return the events of an order once its end is among them."""
    mine = [event for event in heard.get("orders.ALL", []) if _order_id(event) == order_id]
    return mine if mine and _word(mine[-1]["status"]) == "CLOSED" else []


def _filled(heard: dict[str, list[dict[str, Any]]], order_id: str) -> Decimal:
    """Return how much of an order was filled by what was heard."""
    fills = [fill for fill in heard.get("fills.ALL", []) if fill["order_id"] == order_id]
    return sum((D(str(fill["size"])) for fill in fills), D(0))


def _word(value: object) -> str:
    return str(getattr(value, "value", value))


def _order(side: Any, price: Decimal, instruction: str, client_id: str) -> Any:
    return Order(
        market=MARKET,
        order_type=OrderType.Limit,
        order_side=side,
        size=SIZE,
        limit_price=price,
        client_id=client_id,
        instruction=instruction,
    )


def _has(venue: Venue, order_id: str, name: str, value: str) -> bool:
    rows = venue.truth()["open_orders"]
    return any(r["id"] == order_id and D(r[name]) == D(value) for r in rows)


async def _until(find: Any) -> Any:
    until = time.monotonic() + CLIENT_ANSWER_S
    while time.monotonic() < until:
        found = find()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise TimeoutError("it never came")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
