"""ccxt.pro's WebSocket client against the simulated Paradex, in JSON or in SBE.

Runs in ccxt's own environment, on its own event loop.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import ccxt.pro  # type: ignore[import-not-found]
from timeouts import CLIENT_ANSWER_S

from conformancelib.ccxt_rest import MARKET, SIZE, SYMBOL, make
from conformancelib.steps import Report, Venue, announced

NEAR = 0.001


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
        book, row = await asyncio.wait_for(_same_book(exchange, venue), CLIENT_ANSWER_S)
        check.same("sequence", book["nonce"], row["seq_no"])
        check.same("bids", book["bids"], row["bids"][:15])
        check.same("asks", book["asks"], row["asks"][:15])
    with report.step("watch_ticker") as check:
        ticker = await asyncio.wait_for(exchange.watch_ticker(SYMBOL), CLIENT_ANSWER_S)
        mark = venue.market()[MARKET]["mark"]
        check.near("mark price", ticker["markPrice"], mark, "0.01")
        check.that("bid is below ask", ticker["bid"] < ticker["ask"])
    with report.step("watch_trades") as check:
        [trade, *_] = await asyncio.wait_for(exchange.watch_trades(SYMBOL), CLIENT_ANSWER_S)
        tape = {t["id"]: t for t in await exchange.fetch_trades(SYMBOL)}
        known = tape[trade["id"]]
        for name in ("price", "amount", "side", "timestamp"):
            check.same(name, trade[name], known[name])
    with report.step("watch_funding_rate") as check:
        rate = await asyncio.wait_for(exchange.watch_funding_rate(SYMBOL), CLIENT_ANSWER_S)
        hourly = float(venue.market()[MARKET]["hourly_funding"])
        check.near("rate of 8 h", rate["fundingRate"], 8 * hourly)


async def _same_book(exchange: Any, venue: Venue) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a book that the client and the venue showed under one sequence number.

    Either may be late, so all that both have shown is kept.
    """
    books: dict[int, dict[str, Any]] = {}
    rows: dict[int, dict[str, Any]] = {}
    while not (both := books.keys() & rows.keys()):
        book = await exchange.watch_order_book(SYMBOL)
        # Copied at once: the client keeps changing what it handed out.
        books[book["nonce"]] = {
            "nonce": book["nonce"],
            **{side: [list(level) for level in book[side]] for side in ("bids", "asks")},
        }
        row = await asyncio.to_thread(lambda: venue.market()[MARKET])
        rows[row["seq_no"]] = row
    return books[max(both)], rows[max(both)]


class _Heard:
    """What a client told of the account, copied as it came."""

    def __init__(self, exchange: Any) -> None:
        self.orders: list[Any] = []
        self.trades: list[Any] = []
        self.positions: list[Any] = []
        self.balance: list[Any] = []
        self.statuses: list[tuple[str, str]] = []
        """Id and status after each frame: a busy client wakes its watcher once for two."""
        self._exchange = exchange
        self._handle = exchange.handle_order
        exchange.handle_order = self._note

    def _note(self, client: Any, message: Any) -> None:
        self._handle(client, message)
        order = self._exchange.orders[-1]
        self.statuses.append((order["id"], order["status"]))

    def told(self, order_id: str, truth: dict[str, Any], fills: int) -> bool:
        """Tell whether the end of an order, and all that it changed, has been told."""
        ends = [o["status"] for o in self.orders if o["id"] == order_id][-1:] == ["closed"]
        if not (ends and len(self.trades) >= fills and self.positions and self.balance):
            return False
        # What it calls the total is the account's value, which moves with the mark.
        value, equity = self.balance[-1]["USDC"]["total"], float(truth["equity"])
        held = float(self.positions[-1]["contracts"]) == float(truth["positions"][MARKET])
        return held and abs(value - equity) <= NEAR * equity


async def _private(report: Report, exchange: Any, venue: Venue) -> None:
    with report.step("watch_orders, watch_my_trades, watch_positions, watch_balance") as check:
        heard = _Heard(exchange)
        watching = [
            asyncio.create_task(_collect(heard.orders, exchange.watch_orders)),
            asyncio.create_task(_collect(heard.trades, exchange.watch_my_trades)),
            asyncio.create_task(_collect(heard.positions, exchange.watch_positions)),
            asyncio.create_task(_collect(heard.balance, exchange.watch_balance)),
        ]
        try:
            await asyncio.to_thread(
                venue.wait_subscribed, "orders", "fills", "positions", "account"
            )
            before = len(venue.truth()["fills"])
            order = await exchange.create_order(SYMBOL, "market", "buy", SIZE)
            row = await asyncio.to_thread(venue.order, order["id"])
            fills = venue.truth()["fills"][before:]
            until = time.monotonic() + CLIENT_ANSWER_S
            while not heard.told(order["id"], truth := venue.truth(), len(fills)):
                if time.monotonic() > until:
                    break  # What is missing is said below.
                await asyncio.sleep(0.05)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        mine = [o for o in heard.orders if o["id"] == order["id"]]
        statuses = [status for name, status in heard.statuses if name == order["id"]]
        check.same("statuses", statuses, ["open", "closed"])
        check.same("filled", mine[-1]["filled"], row["filled"])
        check.near("average", mine[-1]["average"], row["avg_price"])
        check.same("fills", [t["id"] for t in heard.trades], [f["id"] for f in fills])
        check.same("prices", [t["price"] for t in heard.trades], [f["price"] for f in fills])
        held = truth["positions"][MARKET]
        check.same("position", heard.positions[-1]["contracts"], held)
        check.near("value", heard.balance[-1]["USDC"]["total"], truth["equity"], str(NEAR))


async def _collect(seen: list[Any], watch: Any) -> None:
    while True:
        news = await watch()
        # Copied at once: the client keeps changing what it handed out.
        seen.extend(dict(one) for one in (news if isinstance(news, list) else [news]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
