"""Vest's public market data, for REST and WebSocket alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot4.simulator.orders import Depth
from bot4.simulator.vest.intake import decimals_of
from bot4.simulator.vest.refusals import VestRefusal
from bot4.simulator.vest.shapes import FUNDING, MONEY, fixed, level_rows, price_text, size_text

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

MOST_DEPTH: Final = 100
DEPTH_LEVELS: Final = 20
"""Source: Vest API docs, Order book depth, seen 2025-11."""


def exchange_info(venue: VestVenue, query: dict[str, str]) -> dict[str, Any]:
    """Return GET /exchangeInfo."""
    rows = []
    for symbol in _symbols(venue, query):
        market = venue.markets[symbol]
        rows.append(
            {
                "symbol": symbol,
                "displayName": symbol,
                "base": market.base,
                "quote": "USDC",
                "sizeDecimals": decimals_of(market.lot),
                "priceDecimals": decimals_of(market.tick),
                "initMarginRatio": fixed(market.initial_margin, MONEY),
                "maintMarginRatio": fixed(market.maintenance_margin, MONEY),
                "takerFee": str(market.taker_fee),
                "isolated": False,
                "asset": "crypto",
                "tradingStatus": status(venue, symbol),
            }
        )
    exchange = {"lp": "760000.000000", "insurance": "100000.000000", "collateralDecimals": MONEY}
    return {"symbols": rows, "exchange": exchange}


def status(venue: VestVenue, symbol: str) -> str:
    """Return TRADING, or HALT while the fault ``halt`` is in force."""
    return "TRADING" if venue.halted(symbol) is None else "HALT"


def tickers(venue: VestVenue, query: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows of GET /ticker/latest and of the tickers channel."""
    rows = []
    for symbol in _symbols(venue, query):
        market = venue.markets[symbol]
        held = venue.ledger.position(symbol).size
        rows.append(
            {
                "symbol": symbol,
                "markPrice": price_text(market, venue.mark(symbol)),
                "indexPrice": price_text(market, venue.index(symbol)),
                "imbalance": size_text(market, -held),
                "oneHrFundingRate": fixed(venue.hourly_funding(symbol), 7),
                "cumFunding": fixed(venue.ledger.funding_index.get(symbol, venue.zero), FUNDING),
                "status": status(venue, symbol),
            }
        )
    return rows


def depth(venue: VestVenue, query: dict[str, str]) -> dict[str, Any]:
    """Return GET /depth: the curve as the feed shows it."""
    symbol = query.get("symbol", "")
    if symbol not in venue.listed():
        raise VestRefusal(1121)
    text = query.get("limit", str(DEPTH_LEVELS))
    if not text.isdecimal() or not 0 < int(text) <= MOST_DEPTH:
        raise VestRefusal(1130, "limit must be from 1 to 100")
    return depth_rows(venue, symbol, venue.published(symbol), int(text))


def depth_rows(
    venue: VestVenue, symbol: str, shown: Depth, most: int = DEPTH_LEVELS
) -> dict[str, Any]:
    """Return a depth as Vest writes it."""
    market = venue.markets[symbol]
    return {
        "bids": level_rows(market, shown.bids[:most]),
        "asks": level_rows(market, shown.asks[:most]),
    }


def open_interest(venue: VestVenue, query: dict[str, str]) -> dict[str, Any]:
    """Return GET /oi, base units; the account's own position over a made-up crowd."""
    rows = []
    for symbol in _symbols(venue, query):
        market = venue.markets[symbol]
        crowd = 1_000_000 / venue.index(symbol)
        held = venue.ledger.position(symbol).size
        rows.append(
            {
                "symbol": symbol,
                "longOi": size_text(market, crowd + max(held, venue.zero)),
                "shortOi": size_text(market, crowd + max(-held, venue.zero)),
            }
        )
    return {"ois": rows}


def _symbols(venue: VestVenue, query: dict[str, str]) -> list[str]:
    wanted = query.get("symbols")
    if not wanted:
        return list(venue.listed())
    names = wanted.split(",")
    if any(name not in venue.listed() for name in names):
        raise VestRefusal(1121)
    return names
