"""ccxt's REST client against the simulated Paradex. Runs in ccxt's own environment."""

from __future__ import annotations

from typing import Any

import ccxt  # type: ignore[import-not-found]
from timeouts import REQUEST_S

from conformancelib.steps import Check, Report, Venue, announced, wait_for

SYMBOL, MARKET = "BTC/USD:USDC", "BTC-USD-PERP"
SIZE = 0.002


def make(exchange: Any, said: dict[str, str]) -> Any:
    """Point a ccxt exchange at the simulated venue, with its account's keys."""
    exchange.timeout = int(1000 * REQUEST_S)
    exchange.urls["api"]["v1"] = said["paradex.rest"]
    exchange.urls["api"]["v2"] = said["paradex.rest"].replace("/v1", "/v2")
    exchange.urls["api"]["ws"] = said["paradex.ws"]
    exchange.options["paradexAccount"] = {
        "privateKey": said["paradex.private_key"],
        "publicKey": "0x1",
        "address": said["paradex.account"],
    }
    # Asked for, and not used: the account's keys are known.
    exchange.walletAddress, exchange.privateKey = "0x" + "1" * 40, "0x" + "1" * 64
    return exchange


def main() -> None:
    """Run every step."""
    said = announced()
    exchange = make(ccxt.paradex({"requests_trust_env": True}), said)
    venue = Venue(said, "paradex")
    report = Report(f"ccxt {ccxt.__version__} REST")
    _public(report, exchange, venue)
    _trading(report, exchange, venue)
    _resting(report, exchange, venue)
    _account(report, exchange, venue)


def _public(report: Report, exchange: Any, venue: Venue) -> None:
    with report.step("load_markets") as check:
        exchange.load_markets()
        known = venue.market()
        check.same("symbols", sorted(m["id"] for m in exchange.markets.values()), sorted(known))
        for market in exchange.markets.values():
            row = known[market["id"]]
            check.same(f"{market['id']} tick", market["precision"]["price"], row["tick"])
            check.same("lot", market["precision"]["amount"], row["lot"])
            check.same("min notional", market["limits"]["cost"]["min"], row["min_notional"])
    with report.step("fetch_time, fetch_status") as check:
        check.near("time", exchange.fetch_time(), venue.truth()["time_ms"])
        check.same("status", exchange.fetch_status()["status"], "ok")

    def book() -> Any:
        row = venue.market()[MARKET]
        return row["seq_no"], row["bids"], row["asks"]

    with report.step("fetch_ticker") as check:
        ticker, (_, bids, asks) = venue.steady(lambda: exchange.fetch_ticker(SYMBOL), book)
        check.same("bid", ticker["bid"], bids[0][0])
        check.same("ask", ticker["ask"], asks[0][0])
    with report.step("fetch_order_book") as check:
        shown, (_, bids, asks) = venue.steady(lambda: exchange.fetch_order_book(SYMBOL), book)
        check.same("bids", shown["bids"], bids)
        check.same("asks", shown["asks"], asks)
    with report.step("fetch_trades") as check:
        trades = wait_for(lambda: exchange.fetch_trades(SYMBOL))
        low, high = (float(venue.market()[MARKET]["mark"]) * (1 + x) for x in (-0.02, 0.02))
        check.that(
            f"{len(trades)} trades near the mark", all(low < t["price"] < high for t in trades)
        )
        check.that("in order of time", trades == sorted(trades, key=lambda t: t["timestamp"]))
    with report.step("fetch_ohlcv") as check:
        bars = exchange.fetch_ohlcv(SYMBOL)
        mark = venue.market()[MARKET]["mark"]
        check.near("close of the last bar", bars[-1][4], mark, "0.01")
        check.that("high and low enclose it", bars[-1][3] <= bars[-1][4] <= bars[-1][2])
    with report.step("fetch_funding_rate, _history") as check:
        hourly = float(venue.market()[MARKET]["hourly_funding"])
        check.near("rate of 8 h", exchange.fetch_funding_rate(SYMBOL)["fundingRate"], 8 * hourly)
        history = exchange.fetch_funding_rate_history(SYMBOL)
        check.near("last of the history", history[-1]["fundingRate"], 8 * hourly)


def _trading(report: Report, exchange: Any, venue: Venue) -> None:
    with report.step("fetch_balance") as check:
        balance = exchange.fetch_balance()["USDC"]["total"]
        check.near("USDC", balance, venue.truth()["balance"], "0.000000000002")
    with report.step("create_order limit IOC") as check:
        best = exchange.fetch_order_book(SYMBOL)["asks"][0][0]
        params = {"timeInForce": "IOC", "clientOrderId": "conformance-1"}
        order = exchange.create_order(SYMBOL, "limit", "buy", SIZE, best * 1.002, params)
        row = venue.order(order["id"])
        check.same("answer", order["status"], "open")
        check.same("client id", order["clientOrderId"], row["client_id"])
        check.same("limit", order["price"], row["limit"])
        check.same("filled at the venue", row["filled"], SIZE)
        _same_order(check, exchange, row)
    with report.step("create_order market") as check:
        order = exchange.create_order(SYMBOL, "market", "buy", SIZE)
        row = venue.order(order["id"])
        check.same("kind", row["kind"], "MARKET")
        check.same("filled at the venue", row["filled"], SIZE)
        _same_order(check, exchange, row)
    with report.step("fetch_positions") as check:
        positions, held = venue.steady(
            lambda: exchange.fetch_positions([SYMBOL]), lambda: venue.truth()["positions"]
        )
        check.same("contracts", positions[0]["contracts"], held[MARKET])
        check.same("side", positions[0]["side"], "long")
    with report.step("create_order reduce-only market sell") as check:
        size = float(venue.truth()["positions"][MARKET])
        order = exchange.create_order(SYMBOL, "market", "sell", size, None, {"reduceOnly": True})
        row = venue.order(order["id"])
        check.same("reduce-only", row["reduce_only"], order["reduceOnly"])
        check.same("positions", exchange.fetch_positions(), [])
        check.same("positions at the venue", venue.truth()["positions"].get(MARKET, "0"), "0")
    with report.step("fetch_my_trades") as check:
        trades, fills = exchange.fetch_my_trades(SYMBOL), venue.truth()["fills"]
        check.same("ids", [t["id"] for t in trades], [f["id"] for f in fills])
        for name, truth in (("price", "price"), ("amount", "size"), ("side", "side")):
            check.same(name, [t[name] for t in trades], [f[truth] for f in fills])
        check.same("fees", [t["fee"]["cost"] for t in trades], [_fee(f) for f in fills])
    with report.step("create_order refused by margin") as check:
        order = exchange.create_order(SYMBOL, "limit", "buy", 20, _away(exchange, 0.99))
        row = venue.order(order["id"])
        check.same("reason", row["cancel_reason"], "NOT_ENOUGH_MARGIN")
        check.same("status", _history(exchange, order["id"])["status"], "rejected")
    with report.step("create_order with a wrong size") as check:
        raised = None
        try:
            exchange.create_order(SYMBOL, "limit", "buy", 0.00001, _away(exchange, 0.99))
        except ccxt.ExchangeError as error:
            raised = error
        check.that("an ExchangeError names INVALID_ORDER_SIZE", "INVALID_ORDER_SIZE" in str(raised))


def _resting(report: Report, exchange: Any, venue: Venue) -> None:
    with report.step("create_order GTC, fetch_open_orders, fetch_order") as check:
        price = _away(exchange, 0.98)
        order = exchange.create_order(SYMBOL, "limit", "buy", SIZE, price)
        row = venue.order(order["id"])
        shown = exchange.fetch_open_orders(SYMBOL)
        check.same("open orders", [o["id"] for o in shown], [row["id"]])
        check.same("price", shown[0]["price"], row["limit"])
        check.same("fetch_order", exchange.fetch_order(order["id"])["status"], "open")
    with report.step("edit_order keeps the id") as check:
        changed = exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 2 * SIZE, price)
        row = wait_for(lambda: _with_size(venue, order["id"], 2 * SIZE))
        check.same("id", changed["id"], row["id"])
        check.same("amount", exchange.fetch_open_orders(SYMBOL)[0]["amount"], row["size"])
    with report.step("cancel_order") as check:
        exchange.cancel_order(order["id"], SYMBOL)
        row = wait_for(lambda: _done(venue, order["id"]))
        check.same("reason", row["cancel_reason"], "USER_CANCELED")
        check.same("open orders", exchange.fetch_open_orders(SYMBOL), [])
        check.same("status", _history(exchange, order["id"])["status"], "canceled")
    with report.step("cancel_orders, cancel_all_orders") as check:
        prices = [_away(exchange, share) for share in (0.98, 0.975, 0.97)]
        ids = [exchange.create_order(SYMBOL, "limit", "buy", SIZE, p)["id"] for p in prices]
        for one in ids:
            venue.order(one)
        exchange.cancel_orders(ids[:2], SYMBOL)
        wait_for(lambda: all(_done(venue, one) for one in ids[:2]))
        check.same("left", [o["id"] for o in exchange.fetch_open_orders(SYMBOL)], ids[2:])
        exchange.cancel_all_orders(SYMBOL)
        wait_for(lambda: _done(venue, ids[2]))
        check.same("open at the venue", venue.truth()["open_orders"], [])


def _account(report: Report, exchange: Any, venue: Venue) -> None:
    with report.step("set_leverage, fetch_leverage") as check:
        exchange.set_leverage(7, SYMBOL)
        leverage = exchange.fetch_leverage(SYMBOL)["longLeverage"]
        check.same("leverage", leverage, venue.truth()["leverage"][MARKET])
    with report.step("fetch_trading_fee") as check:
        taker = venue.market()[MARKET]["taker_fee"]
        check.same("taker", exchange.fetch_trading_fee(SYMBOL)["taker"], taker)
    with report.step("a trade bust") as check:
        order = exchange.create_order(SYMBOL, "market", "buy", SIZE)
        venue.order(order["id"])
        before = len(venue.truth()["busts"])
        venue.fault("bust", market=MARKET, count=50)
        check.that("fills were taken back", len(venue.truth()["busts"]) > before)
        check.same("positions", exchange.fetch_positions(), [])
        balance = exchange.fetch_balance()["USDC"]["total"]
        check.near("USDC", balance, venue.truth()["balance"], "0.000000000002")


def _same_order(check: Check, exchange: Any, row: dict[str, Any]) -> None:
    """Compare a closed order of the history with the venue's."""
    order = _history(exchange, row["id"])
    check.same("status", order["status"], "closed")
    check.same("filled", order["filled"], row["filled"])
    check.near("average", order["average"], row["avg_price"])


def _history(exchange: Any, order_id: str) -> dict[str, Any]:
    return next(dict(o) for o in exchange.fetch_orders(SYMBOL) if o["id"] == order_id)


def _fee(fill: dict[str, Any]) -> float:
    return round(float(fill["fee"]), 8)


def _away(exchange: Any, share: float) -> float:
    return float(exchange.price_to_precision(SYMBOL, exchange.fetch_ticker(SYMBOL)["bid"] * share))


def _with_size(venue: Venue, order_id: str, size: float) -> dict[str, Any] | None:
    rows = venue.truth()["open_orders"]
    return next((r for r in rows if r["id"] == order_id and float(r["size"]) == size), None)


def _done(venue: Venue, order_id: str) -> dict[str, Any] | None:
    return next((r for r in venue.truth()["orders"] if r["id"] == order_id and r["done"]), None)


if __name__ == "__main__":
    main()
