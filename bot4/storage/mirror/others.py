"""What others did to our trades (the venue, a person, another program), as rows of tables. Pure.

A fill belongs to an order of its trade. Of one that is not ours only its fills are told: each has
a row of its own that stands for its order.
"""

from __future__ import annotations

from typing import Any

from bot4.domain.fill import Fill
from bot4.domain.order import Purpose
from bot4.storage.mirror.fold import Story
from bot4.storage.mirror.ids import key, number_text, storable, time_text
from bot4.strategy.journal_format import text_of
from bot4.strategy.legs import LegState


def order_of_others(
    story: Story, account: str, trade_key: str, which: tuple[str, str]
) -> dict[str, Any]:
    """Return the row of the order behind a fill of others; what is not told of it is the fill's."""
    fill, _, heard_ms, seq = story.fills[which]
    plan = story.trade.plan
    half = "long" if fill.venue == plan.long.venue else "short"
    by = "by hand or another program" if fill.kind == "trade" else fill.kind
    return {
        "id": others_key(account, fill),
        "account_id": account,
        "trade_key": trade_key,
        "leg_key": key("leg", account, plan.trade_id, half),
        "client_order_id": _name(fill),
        "venue_order_id": fill.venue_order_id,
        "venue": fill.venue,
        "market": fill.symbol,
        "purpose": text_of(Purpose.FLATTEN),
        "attempt": 1,
        "side": text_of(fill.side),
        "size": number_text(fill.size),
        "limit_price": number_text(fill.price),
        "reduce_only": True,
        "status": text_of(LegState.FILLED),
        "filled": number_text(fill.size),
        "average_price": number_text(fill.price),
        "fee": number_text(fill.fee),
        "reason": storable(f"not ours: {by}"),
        "signed_at": None,
        "intended_at": time_text(heard_ms),
        "ended_at": time_text(heard_ms),
        "version": seq,
    }


def others_key(account: str, fill: Fill) -> str:
    """Return the key of that row."""
    return key("order", account, fill.venue, _name(fill))


def _name(fill: Fill) -> str:
    """What stands for the order's own name, which nobody told."""
    return f"not ours: {fill.fill_id}"
