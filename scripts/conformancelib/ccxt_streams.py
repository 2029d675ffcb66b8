"""ccxt.pro's WebSocket client against the simulated Paradex, in JSON or in SBE.

Runs in ccxt's own environment, on its own event loop.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import ccxt.pro  # type: ignore[import-not-found]

from conformancelib.ccxt_rest import MARKET, SIZE, SYMBOL, make
from conformancelib.steps import Report, Venue, announced

LIMIT_S = 15.0
FRAMES = 200


async def main(encoding: str) -> None:
    """Run every step in one encoding: "json", "sbe", or "sbe private"."""
    said = announced()
    exchange = make(ccxt.pro.paradex({"cafile": said["ca_file"]}), said)
    exchange.options["sbe"] = encoding != "json"
    exchange.newUpdates = True
    report = Report(f"ccxt {ccxt.__version__} pro {encoding}")
    venue = Venue(said, "paradex")
    try:
        await exchange.load_markets()
        await _public(report, exchange, venue)
        await _private(report, exchange, venue)
    finally:
        await exchange.close()


async def _public(report: Report, exchange: Any, venue: Venue) -> None:
    with report.step("watch_order_book") as check:
        # Frames are compared that the venue still shows: by sequence number.
        for _ in range(FRAMES):
            book = await asyncio.wait_for(exchange.watch_order_book(SYMBOL), LIMIT_S)
            row = await asyncio.to_thread(lambda: venue.market()[MARKET])
            if book["nonce"] == row["seq_no"]:
                check.same("sequence", book["nonce"], row["seq_no"])
                check.same("bids", book["bids"], row["bids"][:15])
                check.same("asks", book["asks"], row["asks"][:15])
                break
    with report.step("watch_ticker") as check:
        ticker = await asyncio.wait_for(exchange.watch_ticker(SYMBOL), LIMIT_S)
        mark = venue.market()[MARKET]["mark"]
        check.near("mark price", ticker["markPrice"], mark, "0.01")
        check.that("bid is below ask", ticker["bid"] < ticker["ask"])
    with report.step("watch_trades") as check:
        [trade, *_] = await asyncio.wait_for(exchange.watch_trades(SYMBOL), LIMIT_S)
        tape = {t["id"]: t for t in await exchange.fetch_trades(SYMBOL)}
        known = tape[trade["id"]]
        for name in ("price", "amount", "side", "timestamp"):
            check.same(name, trade[name], known[name])
    with report.step("watch_funding_rate") as check:
        rate = await asyncio.wait_for(exchange.watch_funding_rate(SYMBOL), LIMIT_S)
        hourly = float(venue.market()[MARKET]["hourly_funding"])
        check.near("rate of 8 h", rate["fundingRate"], 8 * hourly)


async def _private(report: Report, exchange: Any, venue: Venue) -> None:
    with report.step("watch_orders, watch_my_trades, watch_positions, watch_balance") as check:
        seen: dict[str, list[Any]] = {"orders": [], "trades": [], "positions": [], "balance": []}
        watching = [
            asyncio.create_task(_collect(seen["orders"], exchange.watch_orders)),
            asyncio.create_task(_collect(seen["trades"], exchange.watch_my_trades)),
            asyncio.create_task(_collect(seen["positions"], exchange.watch_positions)),
            asyncio.create_task(_collect(seen["balance"], exchange.watch_balance)),
        ]
        try:
            await asyncio.sleep(1.0)
            before = len(venue.truth()["fills"])
            order = await exchange.create_order(SYMBOL, "market", "buy", SIZE)
            row = await asyncio.to_thread(venue.order, order["id"])
            await asyncio.sleep(1.0)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        truth = venue.truth()
        mine = [o for o in seen["orders"] if o["id"] == order["id"]]
        check.same("statuses", [o["status"] for o in mine], ["open", "closed"])
        check.same("filled", mine[-1]["filled"], row["filled"])
        check.near("average", mine[-1]["average"], row["avg_price"])
        fills = truth["fills"][before:]
        check.same("fills", [t["id"] for t in seen["trades"]], [f["id"] for f in fills])
        check.same("prices", [t["price"] for t in seen["trades"]], [f["price"] for f in fills])
        held = truth["positions"][MARKET]
        check.same("position", seen["positions"][-1]["contracts"], held)
        # What it calls the total is the account's value, which moves with the mark.
        check.near("value", seen["balance"][-1]["USDC"]["total"], truth["equity"], "0.001")


async def _collect(seen: list[Any], watch: Any) -> None:
    while True:
        news = await watch()
        # Copied at once: the client keeps changing what it handed out.
        seen.extend(dict(one) for one in (news if isinstance(news, list) else [news]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
