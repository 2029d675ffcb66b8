"""Vest's past: klines, trades, the day's ticker and funding history, as far as memory reaches.

Source: Vest API docs, Market data, seen 2025-11; that klines ignore their times and give at most
500 bars, and that the sign of ``qty`` tells the taker's side, is from public collectors, 2026.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bot4.simulator.history import MINUTE_MS, Candle, TapeTrade
from bot4.simulator.orders import SimMarket
from bot4.simulator.vest.refusals import VestRefusal
from bot4.simulator.vest.shapes import MONEY, fixed, price_text, size_text

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

INTERVALS: Final = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
    "3d": 4320,
    "1w": 10080,
    "1M": 43200,
}
"""Minutes by name; a month is counted as 30 days."""
MOST_BARS: Final = 500
MOST_ROWS: Final = 1000
RATE: Final = 7
DAY_MINUTES: Final = 1440
PERCENT: Final = 3


def klines(venue: VestVenue, query: dict[str, str]) -> list[list[Any]]:
    """Return GET /klines: the newest bars, oldest first; the times asked for do not matter."""
    symbol, minutes = _symbol(venue, query), _interval(query)
    most = min(_limit(query), MOST_BARS)
    bars = venue.histories[symbol].candles(minutes)[-most:]
    return [kline_row(venue.markets[symbol], bar, minutes) for bar in bars]


def kline_row(market: SimMarket, bar: Candle, minutes: int) -> list[Any]:
    """Return one bar: times, four prices, volumes and the number of trades."""
    prices = (price_text(market, p) for p in (bar.open, bar.high, bar.low, bar.close))
    return [
        bar.open_ms,
        *prices,
        bar.open_ms + minutes * MINUTE_MS - 1,
        size_text(market, bar.volume),
        fixed(bar.quote_volume, MONEY),
        bar.trades,
    ]


def trades(venue: VestVenue, query: dict[str, str]) -> list[dict[str, Any]]:
    """Return GET /trades, oldest first."""
    symbol = _symbol(venue, query)
    start, end = _span(query)
    rows = [t for t in venue.histories[symbol].tape if start <= t.time_ms <= end]
    return [trade_row(venue.markets[symbol], t) for t in rows[-_limit(query) :]]


def trade_row(market: SimMarket, trade: TapeTrade) -> dict[str, Any]:
    """Return one trade; a sale has a negative quantity."""
    sign = 1 if trade.side == "buy" else -1
    return {
        "id": trade.number,
        "price": price_text(market, trade.price),
        "qty": size_text(market, sign * trade.size),
        "quoteQty": fixed(sign * trade.price * trade.size, MONEY),
        "time": trade.time_ms,
    }


def day(venue: VestVenue, symbol: str) -> dict[str, Any]:
    """Return one row of GET /ticker/24hr; changes are null before there is a day to compare."""
    market = venue.markets[symbol]
    bars = venue.histories[symbol].candles(1)[-DAY_MINUTES:]
    whole = bars[0] if bars else None
    for bar in bars[1:]:
        bars[0].add(bar)
    if whole is None:
        mark = venue.mark(symbol)
        whole = Candle(venue.wall_ms(), mark, mark, mark, mark)
    change, percent = changes(venue, symbol)
    return {
        "symbol": symbol,
        "openPrice": price_text(market, whole.open),
        "closePrice": price_text(market, whole.close),
        "highPrice": price_text(market, whole.high),
        "lowPrice": price_text(market, whole.low),
        "quoteVolume": fixed(whole.quote_volume, MONEY),
        "volume": size_text(market, whole.volume),
        "priceChange": change,
        "priceChangePercent": percent,
        "openTime": whole.open_ms,
        "closeTime": venue.wall_ms(),
    }


def day_tickers(venue: VestVenue, query: dict[str, str]) -> dict[str, Any]:
    """Return GET /ticker/24hr."""
    names = query["symbols"].split(",") if query.get("symbols") else list(venue.listed())
    if any(name not in venue.listed() for name in names):
        raise VestRefusal(1121)
    return {"tickers": [day(venue, name) for name in names]}


def changes(venue: VestVenue, symbol: str) -> tuple[str | None, str | None]:
    """Return the change since the day before, absolute and percent, None while unknown."""
    bars = venue.histories[symbol].candles(DAY_MINUTES)
    if len(bars) < 2:
        return None, None
    before, now = bars[-2].close, venue.mark(symbol)
    percent = (now - before) / before * Decimal(100)
    return price_text(venue.markets[symbol], now - before), fixed(percent, PERCENT)


def funding_history(venue: VestVenue, query: dict[str, str]) -> list[dict[str, Any]]:
    """Return GET /funding/history: one point a minute, or the last of each interval."""
    symbol, minutes = _symbol(venue, query), _interval(query)
    start, end = _span(query)
    points = {
        rate.time_ms // (minutes * MINUTE_MS): rate
        for rate in venue.histories[symbol].rates
        if start <= rate.time_ms <= end
    }
    rows = list(points.values())[-_limit(query) :]
    return [
        {"symbol": symbol, "time": r.time_ms, "oneHrFundingRate": fixed(r.hourly, RATE)}
        for r in rows
    ]


def _symbol(venue: VestVenue, query: dict[str, str]) -> str:
    symbol = query.get("symbol", "")
    if symbol not in venue.listed():
        raise VestRefusal(1121)
    return symbol


def _interval(query: dict[str, str]) -> int:
    name = query.get("interval") or "1m"
    if name not in INTERVALS:
        raise VestRefusal(1130, "interval is not one of ours")
    return INTERVALS[name]


def _span(query: dict[str, str]) -> tuple[int, int]:
    return _whole(query, "startTime", 0, least=0), _whole(query, "endTime", 1 << 62, least=0)


def _limit(query: dict[str, str]) -> int:
    """Return how many rows, counted back from the newest; more than the most is refused."""
    most = _whole(query, "limit", MOST_ROWS)
    if most > MOST_ROWS:
        raise VestRefusal(1130, f"limit must be from 1 to {MOST_ROWS}")
    return most


def _whole(query: dict[str, str], name: str, default: int, *, least: int = 1) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal() or not text.isascii() or len(text) > 20 or int(text) < least:
        raise VestRefusal(1130, f"{name} must be an integer")
    return int(text)
