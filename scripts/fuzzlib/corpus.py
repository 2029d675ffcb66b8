"""Good messages to break: what both venues send, binary and JSON, streams and answers.

The captured binary books are the tests' own; the other binary frames are written by the simulated
venue, whose encoder shares nothing with the bot's decoder.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import attrs

from bot4.simulator.paradex import sbe, sbe_summary

CAPTURED: Final = Path(__file__).resolve().parents[2] / "tests/golden/paradex_sbe_frames.json"
PARADEX: Final = "paradex"
VEST: Final = "vest"
MARKET: Final = "BTC-USD-PERP"
ACCOUNT: Final = "0x4638e3041366aa71720be63e32e53e1223316c7f0d56f7aa617542ed1e7554d"
MS: Final = 1_770_000_000_000
NS: Final = MS * 1_000_000
ERRORS: Final[tuple[Any, ...]] = (
    {"error": "INVALID_TOKEN", "message": "invalid bearer jwt", "data": None},
    {"code": 1003, "msg": "TOO_MANY_REQUESTS"},
    {"detail": {"code": 1022, "msg": "INVALID_SIGNATURE"}},
    {"detail": [{"loc": ["body"], "msg": "field required"}]},
)

PARADEX_ORDER: Final[dict[str, Any]] = {
    "id": "1795572414728201700000000001",
    "account": ACCOUNT,
    "market": MARKET,
    "side": "SELL",
    "type": "LIMIT",
    "size": "0.02",
    "remaining_size": "0.005",
    "price": "78510.1",
    "status": "CLOSED",
    "instruction": "IOC",
    "client_id": "b4-abc123-7-short1",
    "avg_fill_price": "78520.5",
    "cancel_reason": "IOC_REMAINDER",
    "flags": ["REDUCE_ONLY"],
    "stp": "EXPIRE_TAKER",
    "trigger_price": "",
    "created_at": MS,
    "received_at": MS,
    "last_updated_at": MS + 5,
    "published_at": MS + 6,
    "timestamp": MS,
    "seq_no": NS,
    "request_info": None,
}
PARADEX_FILL: Final[dict[str, Any]] = {
    "id": "1795572414844000002",
    "order_id": PARADEX_ORDER["id"],
    "client_id": PARADEX_ORDER["client_id"],
    "account": ACCOUNT,
    "market": MARKET,
    "side": "SELL",
    "liquidity": "TAKER",
    "price": "78520",
    "size": "0.015",
    "fee": "0.53",
    "fee_currency": "USDC",
    "fill_type": "FILL",
    "flags": ["interactive"],
    "realized_pnl": "-1.25",
    "realized_funding": "0.0001",
    "underlying_price": "78515.25",
    "remaining_size": "0.005",
    "orderbook_seq_no": 7687289234,
    "created_at": MS + 3,
}
PARADEX_PAYMENT: Final[dict[str, Any]] = {
    "id": "1795572414847",
    "account": ACCOUNT,
    "market": MARKET,
    "payment": "-0.0123",
    "index": "1.25",
    "fill_id": PARADEX_FILL["id"],
    "created_at": MS + 3,
}
PARADEX_POSITION: Final[dict[str, Any]] = {
    "id": f"{ACCOUNT}-{MARKET}",
    "account": ACCOUNT,
    "market": MARKET,
    "status": "OPEN",
    "side": "SHORT",
    "size": "-0.015",
    "average_entry_price": "78520",
    "average_entry_price_usd": "78520",
    "unrealized_pnl": "0.4",
    "unrealized_funding_pnl": "0.01",
    "realized_positional_pnl": "0",
    "cost": "-1177.8",
    "cost_usd": "-1177.8",
    "cached_funding_index": "12.5",
    "leverage": "10",
    "liquidation_price": "",
    "last_fill_id": PARADEX_FILL["id"],
    "last_updated_at": MS,
    "seq_no": NS,
}
PARADEX_ACCOUNT: Final[dict[str, Any]] = {
    "account": ACCOUNT,
    "account_value": "10000.25",
    "free_collateral": "9000",
    "initial_margin_requirement": "100.5",
    "maintenance_margin_requirement": "50.25",
    "margin_cushion": "9950",
    "total_collateral": "10000",
    "settlement_asset": "USDC",
    "status": "ACTIVE",
    "last_seen_notification": 0,
    "seq_no": NS,
    "updated_at": MS,
}
PARADEX_MARKET: Final[dict[str, Any]] = {
    "symbol": MARKET,
    "base_currency": "BTC",
    "quote_currency": "USD",
    "settlement_currency": "USDC",
    "asset_kind": "PERP",
    "market_kind": "cross",
    "price_tick_size": "0.1",
    "order_size_increment": "0.00001",
    "min_notional": "10",
    "max_order_size": "60",
    "position_limit": "500",
    "max_open_orders": 100,
    "price_bands_width": "0.05",
    "funding_period_hours": 8,
    "trading_mode": "STANDARD",
    "delta1_cross_margin_params": {
        "imf_base": "0.02",
        "imf_factor": "0",
        "imf_shift": "0",
        "mmf_factor": "0.5",
    },
    "fee_config": {
        "api_fee": {"maker_fee": {"fee": "0.00003"}, "taker_fee": {"fee": "0.00045"}},
        "interactive_fee": {"maker_fee": {"fee": "0"}, "taker_fee": {"fee": "0"}},
    },
}
PARADEX_BOOK: Final[dict[str, Any]] = {
    "market": MARKET,
    "seq_no": 7687289234,
    "last_updated_at": MS,
    "update_type": "s",
    "inserts": [
        {"side": "BUY", "price": "78500.1", "size": "0.5"},
        {"side": "BUY", "price": "78499.9", "size": "1.25"},
        {"side": "SELL", "price": "78501", "size": "1"},
        {"side": "SELL", "price": "78502.4", "size": "0.00001"},
    ],
    "updates": [],
    "deletes": [],
}
VEST_EVENT: Final[dict[str, Any]] = {
    "id": "0x70339d6f184ea022860912892806e8c2f451976e510cc4cd4b0a19dc6d2b896f",
    "symbol": "BTC-PERP",
    "isBuy": True,
    "orderType": "MARKET",
    "limitPrice": "78500.00",
    "size": "0.0100",
    "reduceOnly": False,
    "initMarginRatio": "0.1250",
    "status": "FILLED",
    "lastFilledSize": "0.0100",
    "lastFilledPrice": "78400.00",
    "lastFilledTime": MS + 300,
    "avgFilledPrice": "78400.00",
    "cumFunding": "0.100000000000",
    "fees": "0.010000",
    "postTime": MS,
    "nonce": MS + 1,
}
VEST_ORDER: Final[dict[str, Any]] = {
    **{name: value for name, value in VEST_EVENT.items() if name != "cumFunding"},
    "markPrice": "78450.00",
    "code": None,
    "settledFunding": "0.000000",
    "realizedPnl": "0.200000",
    "tpPrice": None,
    "slPrice": None,
}
VEST_ACCOUNT: Final[dict[str, Any]] = {
    "address": "0xc68cf431459e0864b845d8b332cee24bbcd28d52",
    "balances": [{"asset": "USDC", "total": "10000.000000", "locked": "0.000000"}],
    "collateral": "10000.000000",
    "withdrawable": "9000.000000",
    "totalAccountValue": "10001.250000",
    "openOrderMargin": "0.000000",
    "totalMaintMargin": "12.000000",
    "positions": [
        {
            "symbol": "BTC-PERP",
            "isLong": True,
            "size": "0.0100",
            "entryPrice": "78400.00",
            "entryFunding": "1.230000000000",
            "unrealizedPnl": "1.250000",
            "settledFunding": "0.000000",
            "markPrice": "78525.00",
            "indexPrice": "78520.00",
            "liqPrice": "10.00",
            "initMargin": "78.500000",
            "maintMargin": "12.000000",
            "initMarginRatio": "0.1000",
        }
    ],
    "leverages": [{"symbol": "BTC-PERP", "value": 10}],
    "lp": {"balance": "0.000000", "shares": "0.000000", "unrealizedPnl": "0.000000"},
    "time": MS,
    "twitterUsername": None,
    "discordUsername": None,
}
VEST_SYMBOL: Final[dict[str, Any]] = {
    "symbol": "BTC-PERP",
    "displayName": "BTC-PERP",
    "base": "BTC",
    "quote": "USDC",
    "sizeDecimals": 4,
    "priceDecimals": 2,
    "initMarginRatio": "0.040000",
    "maintMarginRatio": "0.020000",
    "takerFee": "0.0001",
    "isolated": False,
    "tradingStatus": "TRADING",
}
VEST_BOOK: Final[dict[str, Any]] = {
    "bids": [["78500.00", "0.0100"], ["78499.50", "1.2500"], ["78490.00", "3.0000"]],
    "asks": [["78501.00", "0.5000"], ["78502.25", "0.0001"]],
}


@attrs.frozen
class Sample:
    """One good message. ``reader`` names the REST reader of an answer; "" is a stream's frame."""

    venue: str
    data: bytes
    reader: str = ""

    @property
    def is_json(self) -> bool:
        """Whether it can be taken apart as JSON."""
        return self.data[:1] in (b"{", b"[")


def corpus() -> list[Sample]:
    """Return every good message, in a fixed order."""
    return [*_binary(), *_stream_texts(), *_answers()]


def _binary() -> list[Sample]:
    captured = json.loads(CAPTURED.read_text())["frames"]
    frames = [base64.b64decode(frame["base64"]) for frame in captured]
    us = MS * 1000
    data = {"order": PARADEX_ORDER, "fill": PARADEX_FILL}
    for version in sbe.VERSIONS:
        frames += [
            sbe.order_frame(version, data["order"], time_us=us),
            sbe.fill_frame(version, data["fill"], time_us=us, seq_no=NS),
            sbe.position_frame(version, PARADEX_POSITION, time_us=us),
            sbe.account_frame(version, PARADEX_ACCOUNT, time_us=us),
            sbe.heartbeat_frame(version, time_us=us, seq_no=0),
            sbe_summary.funding_frame(version, _FUNDING, time_us=us, seq_no=NS),
            sbe.book_frame(
                version,
                time_us=us,
                seq_no=7687289234,
                package=sbe.DELTA,
                bids=[(7850010000000, 50000000), (7849990000000, 0)],
                asks=[(7850100000000, 100000000)],
                market=MARKET,
            ),
        ]
    return [Sample(PARADEX, frame) for frame in frames]


_FUNDING: Final[dict[str, Any]] = {
    "funding_rate": "0.0001",
    "funding_index": "12.5",
    "funding_premium": "0.25",
    "funding_rate_8h": "0.0001",
    "funding_period_hours": 8,
    "created_at": MS,
    "market": MARKET,
}


def _event(channel: str, data: Any) -> dict[str, Any]:
    params = {"channel": channel, "data": data}
    return {"jsonrpc": "2.0", "method": "subscription", "params": params}


def _stream_texts() -> list[Sample]:
    delta = {
        **PARADEX_BOOK,
        "update_type": "d",
        "deletes": [{"side": "BUY", "price": "78499.9", "size": "0"}],
        "updates": [{"side": "SELL", "price": "78501", "size": "2"}],
    }
    rpc = {"jsonrpc": "2.0", "id": 2, "usIn": 1, "usDiff": 1, "usOut": 2}
    paradex: list[Any] = [
        _event(f"order_book.{MARKET}.deltas@15@50ms", PARADEX_BOOK),
        _event(f"order_book.{MARKET}.deltas@15@50ms", delta),
        _event("orders.ALL", PARADEX_ORDER),
        _event("fills.ALL", PARADEX_FILL),
        _event("positions", PARADEX_POSITION),
        _event("account", PARADEX_ACCOUNT),
        _event("tradebusts", {"account": ACCOUNT, "busted_fill_id": "1", "created_at": MS}),
        {**rpc, "result": {"channel": "orders.ALL"}},
        {**rpc, "id": 9, "result": {"order": PARADEX_ORDER, "created_at": MS, "received_at": NS}},
        {
            **rpc,
            "id": 9,
            "result": {
                "results": [
                    {"order": PARADEX_ORDER, "created_at": MS},
                    {"error": {"code": 100, "message": "no", "data": "INVALID_ORDER_SIZE"}},
                ]
            },
        },
        {**rpc, "id": 9, "result": {"results": [{"id": "17", "status": "ALREADY_CLOSED"}]}},
        {**rpc, "id": 9, "error": {"code": 100, "message": "no", "data": "INVALID_ORDER_SIZE"}},
        {**rpc, "error": {"code": 40111, "message": "invalid bearer token"}},
    ]
    private = "account_private"
    names = ("id", "status", "postTime", "nonce")
    ended = {name: VEST_EVENT[name] for name in names}
    vest: list[Any] = [
        {"channel": "BTC-PERP@depth", "data": VEST_BOOK},
        {"channel": "tickers", "data": [{"symbol": "BTC-PERP", "markPrice": "78525.00"}]},
        {"channel": private, "data": {"event": "ORDER", "args": VEST_EVENT}},
        {
            "channel": private,
            "data": {"event": "ORDER", "args": {**VEST_EVENT, "status": "PARTIALLY_FILLED"}},
        },
        {"channel": private, "data": {"event": "ORDER", "args": {**ended, "status": "CANCELLED"}}},
        {
            "channel": private,
            "data": {"event": "ORDER", "args": {**ended, "status": "REJECTED", "code": 3001}},
        },
        {"channel": private, "data": {"event": "TRANSFER", "args": {"id": "0x1"}}},
        {"data": "PONG"},
        {"result": None, "id": 1},
        {"error": {"code": 1130, "msg": "INVALID_PARAMETER"}, "id": 1},
    ]
    return [
        *(Sample(PARADEX, json.dumps(body).encode()) for body in paradex),
        *(Sample(VEST, json.dumps(body).encode()) for body in vest),
    ]


def _answers() -> list[Sample]:
    page = {"next": None, "prev": None}
    paradex: dict[str, Any] = {
        "clock": {"server_time": str(MS)},
        "state": {"status": "ok"},
        "markets": {"results": [PARADEX_MARKET, PARADEX_MARKET]},
        "book": {
            **{name: PARADEX_BOOK[name] for name in ("market", "seq_no", "last_updated_at")},
            "bids": [["78500.1", "0.5"], ["78499.9", "1.25"]],
            "asks": [["78501", "1"], ["78502.4", "0.00001"]],
        },
        "login": {"jwt_token": "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjF9.c2ln"},
        "account": PARADEX_ACCOUNT,
        "positions": {"results": [PARADEX_POSITION]},
        "balances": {"results": [{"token": "USDC", "size": "123.4", "last_updated_at": MS}]},
        "leverage": {"leverage": 10, "market": MARKET, "margin_type": "CROSS"},
        "order": {**page, "results": [PARADEX_ORDER]},
        "fills": {**page, "results": [PARADEX_FILL]},
        "funding": {**page, "results": [PARADEX_PAYMENT]},
        "open orders": {"results": [PARADEX_ORDER]},
        "placed": {**PARADEX_ORDER, "status": "NEW"},
        "cancel": {"error": "ORDER_IS_CLOSED", "message": "order is closed", "data": None},
    }
    vest: dict[str, Any] = {
        "clock": VEST_ACCOUNT,
        "markets": {"symbols": [VEST_SYMBOL, VEST_SYMBOL], "exchange": {"lp": "1.0"}},
        "book": VEST_BOOK,
        "login": {"apiKey": "abcdef0123456789", "accGroup": 0},
        "listen": {"listenKey": "579e1280448d4843b190c50fbd170078"},
        "account": VEST_ACCOUNT,
        "positions": VEST_ACCOUNT,
        "balances": VEST_ACCOUNT,
        "leverage": {"symbol": "BTC-PERP", "value": 10},
        "order": [VEST_ORDER],
        "fills": [VEST_ORDER],
        "open orders": [{**VEST_ORDER, "status": "NEW"}],
        "placed": {"id": VEST_EVENT["id"]},
        "cancel": {"id": VEST_EVENT["id"]},
    }
    samples = []
    for venue, answers in ((PARADEX, paradex), (VEST, vest)):
        for reader, body in answers.items():
            samples.append(Sample(venue, json.dumps(body).encode(), reader))
            samples += [Sample(venue, json.dumps(error).encode(), reader) for error in ERRORS]
            samples.append(Sample(venue, b"<!DOCTYPE html><html>Error 502</html>", reader))
    return samples
