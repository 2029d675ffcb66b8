"""What a stopped bot's journal says of its orders: whose they are, and how much of them filled."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import attrs

from bot4.config.load import load_config
from bot4.ports import CLOSED
from bot4.strategy.events import Intended, Planned, step
from bot4.strategy.journal_format import read_event
from bot4.strategy.saga import Trade
from bot4.wiring.history import Source


@attrs.frozen
class Book:
    """The journal, by the names of our orders."""

    trades_of: dict[str, set[str]]
    filled: dict[str, Decimal]
    trades: int


async def read_book(config: Path) -> Book:
    """Replay the whole journal, finished trades included.

    Raises:
        StartRefused, JournalFault, ValueError: it cannot be read or replayed.
    """
    trades: dict[str, Trade] = {}
    trades_of: dict[str, set[str]] = defaultdict(set)
    for raw in await Source(load_config(config)).rows(0, ()):
        if raw.kind == CLOSED:
            continue
        event = read_event(raw.kind, json.loads(raw.body))
        if isinstance(event, Planned):
            trades[raw.trade_id] = Trade(event.plan)
            continue
        if isinstance(event, Intended):
            for order in event.orders:
                trades_of[order.client_order_id].add(raw.trade_id)
        trades[raw.trade_id] = step(trades[raw.trade_id], event, 0.0)
    legs = [leg for trade in trades.values() for leg in trade.legs]
    filled = {leg.order.client_order_id: leg.filled for leg in legs}
    return Book(dict(trades_of), filled, len(trades))
