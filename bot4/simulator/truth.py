"""The truth about a venue: what tests compare the bot's opinion with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bot4.simulator.orders import SimOrder
from bot4.simulator.venue import SimVenue


def truth_of(venue: SimVenue) -> dict[str, Any]:
    """Return orders, positions, fills and money of a venue as JSON values.

    Decimals are plain text, never in scientific notation. ``open_orders`` are those that may
    still fill: resting, or accepted and on their way to the engine. ``foreign`` is the shape of an
    order that a fault placed, "" for a client's.
    """
    orders = [_order_row(venue, order) for order in venue.orders.values()]
    ledger = venue.ledger
    return {
        "orders": orders,
        "open_orders": [row for row in orders if not row["done"]],
        "positions": {symbol: plain(held.size) for symbol, held in ledger.positions.items()},
        "fills": [_flat(fill.dump()) for fill in ledger.standing],
        "busts": list(ledger.busted),
        "balance": plain(ledger.collateral),
        "equity": plain(ledger.equity(venue.mark)),
        "fees": plain(ledger.fees),
        "realized_pnl": plain(ledger.realized_pnl),
        "leverage": dict(ledger.leverage),
        "being_liquidated": venue.being_liquidated,
        "time_ms": venue.wall_ms(),
    }


def market_of(venue: SimVenue) -> dict[str, Any]:
    """Return what a venue lists and shows now, by symbol, as JSON values.

    Levels are those of the public feed, best first; ``seq_no`` is 0 where a venue has none.
    """
    rows = {}
    for symbol, market in venue.markets.items():
        shown, seq_no = venue.public_book(symbol)
        rows[symbol] = {
            "tick": plain(market.tick),
            "lot": plain(market.lot),
            "min_notional": plain(market.min_notional),
            "initial_margin": plain(market.initial_margin),
            "taker_fee": plain(market.taker_fee),
            "mark": plain(venue.mark(symbol)),
            "index": plain(venue.index(symbol)),
            "hourly_funding": plain(venue.hourly_funding(symbol)),
            "seq_no": seq_no,
            "bids": [[plain(price), plain(size)] for price, size in shown.bids],
            "asks": [[plain(price), plain(size)] for price, size in shown.asks],
        }
    return rows


def plain(value: Decimal) -> str:
    """Return a decimal as plain text without trailing zeros."""
    return f"{value.normalize():f}"


def _order_row(venue: SimVenue, order: SimOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "handle": order.handle,
        "symbol": order.symbol,
        "side": order.side,
        "size": plain(order.size),
        "filled": plain(order.filled),
        "status": order.status,
        "done": order.done,
        "reason": order.reason,
        "kind": order.kind,
        "time_in_force": order.time_in_force,
        "limit": None if order.limit is None else plain(order.limit),
        "reduce_only": order.reduce_only,
        "sent_ms": order.sent_ms,
        "received_ms": order.received_ms,
        "accepted_ms": order.received_ms,
        "updated_ms": order.updated_ms,
        "avg_price": None if order.avg_price is None else plain(order.avg_price),
        "fees": plain(order.fees),
        "foreign": order.extra.get("foreign", ""),
        **venue.truth_order(order),
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    extra = row.pop("extra")
    return {**extra, **row}
