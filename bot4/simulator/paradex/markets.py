"""The public JSON shapes of Paradex: configuration, markets, books and prices.

Source: Paradex API docs, OpenAPI 1.132.1, seen 2026-11; live samples of January and October 2026.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from bot4.simulator.history import Candle, Rate, TapeTrade
from bot4.simulator.orders import Depth, Level
from bot4.simulator.paradex import curve
from bot4.simulator.paradex.desk import ParadexDesk
from bot4.simulator.paradex.engine import BAND, MAX_SLIPPAGE
from bot4.simulator.paradex.shapes import SETTLEMENT, text

FUNDING_PERIOD_H: Final = 8
DAY_MINUTES: Final = 1440
_ADDRESS: Final = "0x4638e3041366aa71720be63e32e53e1223316c7f0d56f7aa617542ed1e7554d"
_L1_ADDRESS: Final = "0x63e762538C70442758Fd622116d817761c94FD6A"
_RPC: Final = "https://rpc.api.testnet.paradex.trade"


def system_config(desk: ParadexDesk) -> dict[str, Any]:
    """Return GET /system/config with every field the official client insists on."""
    return {
        "assets_limit_per_account": 550,
        "block_explorer_url": "https://voyager.testnet.paradex.trade/",
        "bridged_tokens": [
            {
                "name": "TEST USDC",
                "symbol": SETTLEMENT,
                "decimals": 6,
                "l1_token_address": _L1_ADDRESS,
                "l1_bridge_address": _L1_ADDRESS,
                "l2_token_address": _ADDRESS,
                "l2_bridge_address": _ADDRESS,
            }
        ],
        "environment": "simulation",
        "l1_chain_id": "11155111",
        "l1_core_contract_address": _L1_ADDRESS,
        "l1_operator_address": _L1_ADDRESS,
        "l1_relayer_address": _L1_ADDRESS,
        "l2_relayer_address": _L1_ADDRESS,
        "liquidation_fee": "0.20",
        "oracle_address": _ADDRESS,
        "paraclear_account_hash": hex(curve.ACCOUNT_CLASS_HASH),
        "paraclear_account_proxy_hash": hex(curve.PROXY_CLASS_HASH),
        "paraclear_address": _ADDRESS,
        "paraclear_decimals": 8,
        "paraclear_evm_account_hash": hex(curve.ACCOUNT_CLASS_HASH),
        "partial_liquidation_buffer": "0.2",
        "partial_liquidation_share_increment": "0.05",
        "starknet_chain_id": desk.switches.chain_id,
        "starknet_fullnode_rpc_base_url": _RPC,
        "starknet_fullnode_rpc_url": f"{_RPC}/rpc/v0_10",
        "starknet_gateway_url": "",
        "universal_deployer_address": _ADDRESS,
    }


def _fee_pair(maker: Decimal, taker: Decimal) -> dict[str, Any]:
    return {
        "maker_fee": {"fee": text(maker), "fee_cap": text(maker), "fee_floor": text(maker)},
        "taker_fee": {"fee": text(taker), "fee_cap": text(taker), "fee_floor": text(taker)},
    }


def market(desk: ParadexDesk, symbol: str) -> dict[str, Any]:
    """Return one result of GET /markets."""
    spec = desk.markets[symbol]
    limits = desk.told_limits(symbol)
    free = _fee_pair(Decimal(0), Decimal(0))
    return {
        "asset_kind": "PERP",
        "base_currency": spec.base,
        "clamp_rate": "0.0005",
        "delta1_cross_margin_params": {
            "imf_base": text(spec.initial_margin),
            "imf_factor": "0",
            "imf_shift": "0",
            "mmf_factor": text(spec.maintenance_margin / spec.initial_margin),
        },
        "expiry_at": 0,
        "fee_config": {
            "api_fee": _fee_pair(desk.switches.maker_fee, spec.taker_fee),
            "interactive_fee": free,
            "rpi_fee": free,
        },
        "funding_multiplier": 1,
        "funding_period_hours": FUNDING_PERIOD_H,
        "interest_rate": "0.0001",
        "market_kind": "cross",
        "max_funding_rate": "0.02",
        "max_funding_rate_change": "0.0005",
        "max_open_orders": limits.open_orders,
        "max_order_size": text(limits.order),
        "max_slippage": text(MAX_SLIPPAGE),
        "max_tob_spread": "0.2",
        "min_notional": text(spec.min_notional),
        "open_at": 0,
        "oracle_ewma_factor": "0.2",
        "order_size_increment": text(spec.lot),
        "position_limit": text(limits.position),
        "price_bands_width": text(BAND),
        "price_feed_id": "",
        "price_tick_size": text(spec.tick),
        "quote_currency": "USD",
        "settlement_currency": SETTLEMENT,
        "symbol": symbol,
        "tags": [],
        "trading_mode": "STANDARD",
    }


def summary(desk: ParadexDesk, symbol: str) -> dict[str, Any]:
    """Return one result of GET /markets/summary; the funding rate is for the whole period."""
    shown, _ = desk.public_book(symbol)
    bid, ask = best(shown.bids), best(shown.asks)
    mark = text(desk.mark(symbol))
    past = desk.histories[symbol]
    day = past.candles(DAY_MINUTES)[-1:]
    volume = text(day[0].quote_volume) if day else "0"
    change = day[0].close / day[0].open - 1 if day else Decimal(0)
    last = text(past.tape[-1].price) if past.tape else mark
    return {
        "ask": ask[0],
        "ask_size": ask[1],
        "bid": bid[0],
        "bid_size": bid[1],
        "created_at": desk.wall_ms(),
        "delta": "1",
        "external_fair_price": text(desk.index(symbol)),
        "funding_rate": text(desk.hourly_funding(symbol) * FUNDING_PERIOD_H),
        "future_funding_rate": "0",
        "greeks": {"delta": "1", "gamma": "0", "rho": "0", "vanna": "0", "vega": "0", "volga": "0"},
        "last_traded_price": last,
        "mark_price": mark,
        "open_interest": "1000",
        "oracle_price": text(desk.index(symbol)),
        "price_change_rate_24h": text(change),
        "symbol": symbol,
        "total_volume": volume,
        "underlying_price": text(desk.index(symbol)),
        "volume_24h": volume,
    }


def funding(desk: ParadexDesk, symbol: str, past: Rate | None = None) -> dict[str, Any]:
    """Return one result of GET /funding/data: of a minute past, or of now."""
    ledger = desk.ledger
    index = ledger.funding_index.get(symbol, Decimal(0)) if past is None else past.index
    hourly = desk.hourly_funding(symbol) if past is None else past.hourly
    rate = hourly * FUNDING_PERIOD_H
    return {
        "created_at": desk.wall_ms() if past is None else past.time_ms,
        "funding_index": text(index),
        "funding_period_hours": FUNDING_PERIOD_H,
        "funding_premium": text(rate * desk.index(symbol)),
        "funding_rate": text(rate),
        "funding_rate_8h": text(rate * 8 / FUNDING_PERIOD_H),
        "market": symbol,
    }


def trade(symbol: str, done: TapeTrade) -> dict[str, Any]:
    """Return one trade of the tape, also the event of the trades channel."""
    return {
        "id": done.id,
        "market": symbol,
        "side": done.side.upper(),
        "size": text(done.size),
        "price": text(done.price),
        "created_at": done.time_ms,
        "trade_type": done.kind,
    }


def candle(bar: Candle) -> list[float]:
    """Return one result of GET /markets/klines: open time, four prices, volume, as numbers."""
    prices = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    return [bar.open_ms, *(float(text(value)) for value in prices)]


def best(levels: tuple[Level, ...]) -> list[str]:
    """Return the best level as price and size, empty texts when there is none."""
    return [text(part) for part in levels[0]] if levels else ["", ""]


def book(symbol: str, shown: Depth, *, seq_no: int, time_ms: int, depth: int) -> dict[str, Any]:
    """Return GET /orderbook, at most ``depth`` levels a side."""
    bid, ask = best(shown.bids), best(shown.asks)
    return {
        "asks": [[text(price), text(size)] for price, size in shown.asks[:depth]],
        "best_ask_api": ask,
        "best_ask_interactive": ask,
        "best_bid_api": bid,
        "best_bid_interactive": bid,
        "bids": [[text(price), text(size)] for price, size in shown.bids[:depth]],
        "last_updated_at": time_ms,
        "market": symbol,
        "seq_no": seq_no,
    }


def bbo(symbol: str, shown: Depth, *, seq_no: int, time_ms: int) -> dict[str, Any]:
    """Return GET /bbo, also the event of the bbo channel."""
    bid, ask = best(shown.bids), best(shown.asks)
    return {
        "ask": ask[0],
        "ask_size": ask[1],
        "bid": bid[0],
        "bid_size": bid[1],
        "last_updated_at": time_ms,
        "market": symbol,
        "seq_no": seq_no,
    }
