"""Vest's JSON objects. Decimals are strings of fixed width; times are integer milliseconds.

Source: Vest API docs, Account, Orders and WebSocket, seen 2025-11.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bot4.simulator.orders import ZERO, Level, SimMarket, SimOrder
from bot4.simulator.vest.intake import decimals_of

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

MONEY: Final = 6
RATIO: Final = 4
FUNDING: Final = 12
PARTS: Final = ("PARTIALLY_FILLED", "FILLED")


def fixed(value: Decimal, decimals: int) -> str:
    """Return a decimal with exactly so many decimals."""
    return f"{value:.{decimals}f}"


def price_text(market: SimMarket, price: Decimal) -> str:
    """Return a price in the market's decimals."""
    return fixed(price, decimals_of(market.tick))


def size_text(market: SimMarket, size: Decimal) -> str:
    """Return a size in the market's decimals."""
    return fixed(size, decimals_of(market.lot))


def level_rows(market: SimMarket, levels: tuple[Level, ...]) -> list[list[str]]:
    """Return levels as Vest shows them: price and quantity."""
    at, much = decimals_of(market.tick), decimals_of(market.lot)
    rows: list[list[str]] = []
    same, quantity = ZERO, fixed(ZERO, much)
    for price, size in levels:
        if size is not same:  # The levels of a curve share their size.
            same, quantity = size, fixed(size, much)
        rows.append([fixed(price, at), quantity])
    return rows


def shown(order: SimOrder, name: str, value: object) -> object:
    """Return what a field of an order says: its value, unless a fault shows another."""
    return order.extra.get("shown", {}).get(name, value)


def _as_shown(order: SimOrder, row: dict[str, Any]) -> dict[str, Any]:
    return {name: shown(order, name, value) for name, value in row.items()}


def _nonce(venue: VestVenue, order: SimOrder) -> int | None:
    if order.kind == "LIQUIDATION" and not venue.switches.house_nonce:
        return None
    nonce: int | None = order.extra["nonce"]
    return nonce


def order_row(venue: VestVenue, order: SimOrder) -> dict[str, Any]:
    """Return an order as GET /orders shows it."""
    market = venue.markets[order.symbol]
    filled = order.filled > 0
    average = order.avg_price or ZERO
    row = {
        "id": order.id,
        "nonce": _nonce(venue, order),
        "symbol": order.symbol,
        "isBuy": order.side == "buy",
        "orderType": order.kind,
        "limitPrice": price_text(market, order.limit or ZERO),
        "markPrice": price_text(market, Decimal(order.extra.get("mark", "0"))),
        "size": size_text(market, order.size),
        "status": order.status,
        "reduceOnly": order.reduce_only,
        "initMarginRatio": fixed(venue.ledger.initial_ratio(order.symbol), RATIO),
        "code": int(order.reason) if order.status == "REJECTED" else None,
        "lastFilledSize": size_text(market, order.filled) if filled else None,
        "lastFilledPrice": price_text(market, average) if filled else None,
        "lastFilledTime": order.updated_ms if filled else None,
        "avgFilledPrice": price_text(market, average) if filled else None,
        "settledFunding": order.extra.get("settled_funding", "0.000000") if filled else None,
        "fees": fixed(order.fees, MONEY),
        "realizedPnl": fixed(order.realized_pnl, MONEY) if filled else None,
        "postTime": order.received_ms,
        "tpPrice": None,
        "slPrice": None,
    }
    return _as_shown(order, row)


def order_event(venue: VestVenue, order: SimOrder) -> dict[str, Any]:
    """Return an order as account_private tells it, by its status."""
    market = venue.markets[order.symbol]
    args: dict[str, Any] = {
        "id": order.id,
        "status": order.status,
        "postTime": order.received_ms,
        "nonce": _nonce(venue, order),
    }
    if order.status == "REJECTED":
        args["code"] = int(order.reason)
    if order.status in ("NEW", *PARTS):
        args |= {
            "symbol": order.symbol,
            "isBuy": order.side == "buy",
            "orderType": order.kind,
            "limitPrice": price_text(market, order.limit or ZERO),
            "size": size_text(market, order.size),
            "reduceOnly": order.reduce_only,
            "initMarginRatio": fixed(venue.ledger.initial_ratio(order.symbol), RATIO),
        }
    if order.status in PARTS:
        average = price_text(market, order.avg_price or ZERO)
        args |= {
            "lastFilledSize": size_text(market, order.filled),
            "lastFilledPrice": average,
            "lastFilledTime": order.updated_ms,
            "avgFilledPrice": average,
            "cumFunding": fixed(venue.ledger.funding_index.get(order.symbol, ZERO), FUNDING),
            "fees": fixed(order.fees, MONEY),
        }
    told = {"event": "ORDER", "args": _as_shown(order, args)}
    return {"channel": "account_private", "data": told}


def account_row(venue: VestVenue) -> dict[str, Any]:
    """Return GET /account."""
    ledger, mark = venue.ledger, venue.mark
    equity = ledger.equity(mark)
    locked = ledger.position_margin(mark)
    held = ledger.initial_margin(mark) - locked
    return {
        "address": venue.switches.account_address or venue.sessions.primary,
        "balances": [
            {
                "asset": "USDC",
                "total": fixed(ledger.collateral, MONEY),
                "locked": fixed(held, MONEY),
            }
        ],
        "collateral": fixed(ledger.collateral, MONEY),
        "withdrawable": fixed(max(equity - locked - held, ZERO), MONEY),
        "totalAccountValue": fixed(equity, MONEY),
        "openOrderMargin": fixed(held, MONEY),
        "totalMaintMargin": fixed(ledger.maintenance_margin(mark), MONEY),
        "positions": [
            *(_position_row(venue, symbol) for symbol in ledger.positions),
            *(_flat_row(venue, symbol) for symbol in _once_held(venue)),
        ],
        "leverages": [
            {"symbol": symbol, "value": value} for symbol, value in ledger.leverage.items()
        ],
        "lp": {"balance": "0.000000", "shares": "0.000000", "unrealizedPnl": "0.000000"},
        "time": _account_time(venue),
        "twitterUsername": None,
        "discordUsername": None,
    }


def _account_time(venue: VestVenue) -> int:
    """Return ``time`` of the account, see the switch ``account_time``."""
    switches = venue.switches
    if switches.account_time == "changed":
        changes = (order.updated_ms for order in venue.orders.values())
        return max(changes, default=0) or venue.sessions.registered_ms
    return venue.wall_ms() + (switches.account_time_off_ms if switches.account_time == "off" else 0)


def _once_held(venue: VestVenue) -> list[str]:
    if not venue.switches.flat_positions:
        return []
    traded = dict.fromkeys(fill.symbol for fill in venue.ledger.fills)
    return [symbol for symbol in traded if symbol not in venue.ledger.positions]


def _flat_row(venue: VestVenue, symbol: str) -> dict[str, Any]:
    market = venue.markets[symbol]
    money, price = fixed(ZERO, MONEY), price_text(market, ZERO)
    return {
        "symbol": symbol,
        "isLong": True,
        "size": size_text(market, ZERO),
        "entryPrice": price,
        "entryFunding": fixed(ZERO, FUNDING),
        "unrealizedPnl": money,
        "settledFunding": money,
        "markPrice": price_text(market, venue.mark(symbol)),
        "indexPrice": price_text(market, venue.index(symbol)),
        "liqPrice": price,
        "initMargin": money,
        "maintMargin": money,
        "initMarginRatio": fixed(venue.ledger.initial_ratio(symbol), RATIO),
    }


def _position_row(venue: VestVenue, symbol: str) -> dict[str, Any]:
    ledger, market = venue.ledger, venue.markets[symbol]
    held, mark = ledger.position(symbol), venue.mark(symbol)
    ratio = ledger.initial_ratio(symbol)
    # The price at which this position alone would use up what is above all maintenance margins.
    spare = ledger.equity(venue.mark) - ledger.maintenance_margin(venue.mark)
    side = Decimal(1 if held.size > 0 else -1)
    wiped_out = mark - side * spare / (abs(held.size) * (1 - side * market.maintenance_margin))
    return {
        "symbol": symbol,
        "isLong": held.size > 0,
        "size": size_text(market, abs(held.size)),
        "entryPrice": price_text(market, held.entry),
        "entryFunding": fixed(held.entry_funding, FUNDING),
        "unrealizedPnl": fixed(ledger.unrealized(symbol, mark), MONEY),
        "settledFunding": fixed(held.settled_funding, MONEY),
        "markPrice": price_text(market, mark),
        "indexPrice": price_text(market, venue.index(symbol)),
        "liqPrice": price_text(market, max(wiped_out, ZERO)),
        "initMargin": fixed(abs(held.size) * mark * ratio, MONEY),
        "maintMargin": fixed(abs(held.size) * mark * market.maintenance_margin, MONEY),
        "initMarginRatio": fixed(ratio, RATIO),
    }
