"""From stories to rows of tables. Pure; numbers leave as text, so that no digit is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from bot4.domain.order import Purpose
from bot4.storage.mirror.fold import Story, Told
from bot4.storage.mirror.ids import key, number_text, time_text
from bot4.storage.mirror.needs import ORDER
from bot4.strategy.legs import Leg

Row = dict[str, Any]
OPENING: Final = frozenset({Purpose.ENTER, Purpose.MEND})
PLACES: Final = 12
"""Decimal places of an average price."""


def rows_of(told: Iterable[Told], account: str, journal: str) -> dict[str, list[Row]]:
    """Return the rows that these journal rows make or change, by table, in sending order.

    A thing that changed more than once has one row: as it stood at the end.

    Args:
        told: in the journal's order.
        account: its key.
        journal: its name.
    """
    tables: dict[str, list[Row]] = {name: [] for name in ORDER}
    stories: dict[str, Story] = {}
    orders: dict[tuple[str, str], None] = {}
    fills: dict[tuple[str, tuple[str, str]], None] = {}
    for one in told:
        tables["events"].append(_event(one, account, journal))
        if one.story is None:
            continue
        name = one.entry.trade_id
        stories[name] = one.story
        orders.update(dict.fromkeys((name, order) for order in one.orders))
        fills.update(dict.fromkeys((name, fill) for fill in one.fills))
        if one.purpose is not None:
            tables["decisions"].append(_decision(one, one.story, account))
    # Once for each, when all of them were read: a story is as it stands at the end.
    for name, story in stories.items():
        trade_key = key("trade", account, name)
        tables["trades"].append(_trade(story, account, trade_key))
        tables["positions"].append(_position(story, account, trade_key))
        tables["legs"] += _legs(story, account, trade_key)
    for name, fill in fills:
        trade_key = key("trade", account, name)
        tables["fills"].append(_fill(stories[name], account, trade_key, fill))
    for name, order in orders:
        trade_key = key("trade", account, name)
        tables["orders"].append(_order(stories[name], account, trade_key, order))
    return {name: rows for name, rows in tables.items() if rows}


def hold_row(account: str, pair: str, at_ms: int, reason: str, target: Decimal) -> Row:
    """Return the row that says why nothing was done at a moment."""
    return {
        "id": key("hold", account, pair, at_ms),
        "account_id": account,
        "trade_id": "",
        "pair": pair,
        "decided_at": time_text(at_ms),
        "decision": "hold",
        "reason": reason,
        "percent": None,
        "target_percent": number_text(target),
        "version": 1,
    }


def event_key(account: str, trade_id: str, seq: int) -> str:
    """Return the key of the n-th event of a trade."""
    return key("event", account, trade_id, seq)


def _event(told: Told, account: str, journal: str) -> Row:
    entry = told.entry
    return {
        "id": event_key(account, entry.trade_id, told.seq),
        "account_id": account,
        "trade_id": entry.trade_id,
        "seq": told.seq,
        "kind": entry.kind,
        "client_order_id": entry.client_order_id,
        # Text, not jsonb, which refuses some of what a venue's words may hold.
        "body": json.dumps(entry.body, separators=(",", ":"), allow_nan=False),
        "journal": journal,
        "journal_row": entry.row,
        "written_at": time_text(entry.wall_ms),
    }


def _trade(story: Story, account: str, trade_key: str) -> Row:
    plan, result = story.trade.plan, story.account or {}
    return {
        "id": trade_key,
        "account_id": account,
        "trade_id": plan.trade_id,
        "pair": plan.pair,
        "long_venue": plan.long.venue,
        "long_market": plan.long.symbol,
        "short_venue": plan.short.venue,
        "short_market": plan.short.symbol,
        "status": _status(story),
        "state": story.trade.state.value,
        "outcome": result.get("outcome"),
        "size": number_text(plan.size),
        "matched": result.get("size"),
        "target_percent": number_text(plan.target * 100),
        "detected_percent": number_text(plan.spread * 100),
        "entry_percent": _bare(result, "entry_spread_percent"),
        "exit_percent": _bare(result, "exit_spread_percent"),
        "entry_slippage_bps": result.get("entry_slippage_bps"),
        "exit_slippage_bps": result.get("exit_slippage_bps"),
        "quote_rate": number_text(plan.quote_rate),
        "gross_usdc": result.get("gross_usdc"),
        "fees_usdc": result.get("fees_usdc"),
        "funding_usdc": result.get("funding_usdc"),
        "net_usdc": result.get("net_usdc"),
        "mended": result.get("mended"),
        "orders": len(story.trade.legs),
        "naked_usd_s": result.get("naked_usd_s"),
        "naked_s": None if result.get("naked_s") is None else str(result["naked_s"]),
        "latency_ms": dict(result.get("latency_ms", {})),
        "decided_at": time_text(plan.decided_ms or None),
        "opened_at": time_text(story.opened_ms),
        "closed_at": time_text(story.closed_ms),
        "version": story.seq,
    }


def _position(story: Story, account: str, trade_key: str) -> Row:
    trade = story.trade
    long, short = (trade.position(venue) for venue in trade.venues)
    return {
        "id": trade_key,
        "account_id": account,
        "pair": trade.plan.pair,
        "status": _status(story),
        "state": trade.state.value,
        "long_size": number_text(long),
        "short_size": number_text(short),
        "net_size": number_text(long + short),
        "opened_at": time_text(story.opened_ms),
        "closed_at": time_text(story.closed_ms),
        "version": story.seq,
    }


def _legs(story: Story, account: str, trade_key: str) -> Iterable[Row]:
    plan = story.trade.plan
    for name, market in (("long", plan.long), ("short", plan.short)):
        legs = [leg for leg in story.trade.legs if leg.order.key.venue == market.venue]
        opened = [leg for leg in legs if leg.order.purpose in OPENING]
        closed = [leg for leg in legs if leg.order.purpose not in OPENING]
        yield {
            "id": key("leg", account, plan.trade_id, name),
            "account_id": account,
            "trade_key": trade_key,
            "leg": name,
            "venue": market.venue,
            "market": market.symbol,
            "status": _status(story),
            "held_size": number_text(story.trade.position(market.venue)),
            "opened_size": number_text(_filled(opened)),
            "closed_size": number_text(_filled(closed)),
            "entry_price": number_text(_average(opened)),
            "exit_price": number_text(_average(closed)),
            "fees": number_text(sum((_fee(leg) or Decimal(0) for leg in legs), Decimal(0))),
            "version": story.seq,
        }


def _order(story: Story, account: str, trade_key: str, name: str) -> Row:
    leg, told = story.trade.leg(name), story.orders[name]
    if leg is None:
        raise KeyError(name)
    order, plan = leg.order, story.trade.plan
    half = "long" if order.key.venue == plan.long.venue else "short"
    return {
        "id": _order_key(account, leg),
        "account_id": account,
        "trade_key": trade_key,
        "leg_key": key("leg", account, plan.trade_id, half),
        "client_order_id": order.client_order_id,
        "venue_order_id": leg.venue_order_id,
        "venue": order.key.venue,
        "market": order.key.symbol,
        "purpose": order.purpose.value,
        "attempt": order.attempt,
        "side": order.side.value,
        "size": number_text(order.size),
        "limit_price": number_text(order.limit),
        "reduce_only": order.reduce_only,
        "status": leg.state.value,
        "filled": number_text(leg.filled),
        "average_price": number_text(_average([leg])),
        "fee": number_text(_fee(leg)),
        "reason": _storable(leg.reason),
        "signed_at": time_text(order.signed_ms or None),
        "intended_at": time_text(told.intended_ms),
        "ended_at": time_text(told.ended_ms),
        "version": told.version,
    }


def _fill(story: Story, account: str, trade_key: str, which: tuple[str, str]) -> Row:
    fill, order_name, heard_ms, seq = story.fills[which]
    leg = story.trade.leg(order_name)
    if leg is None:
        raise KeyError(order_name)
    return {
        "id": key("fill", account, fill.venue, fill.fill_id),
        "account_id": account,
        "trade_key": trade_key,
        "order_key": _order_key(account, leg),
        "venue": fill.venue,
        "fill_id": fill.fill_id,
        "venue_order_id": fill.venue_order_id,
        "market": fill.symbol,
        "side": fill.side.value,
        "price": number_text(fill.price),
        "size": number_text(fill.size),
        "fee": number_text(fill.fee or Decimal(0)),
        "kind": "busted" if which in story.busted else fill.kind,
        "venue_time": time_text(fill.venue_time_ms),
        "heard_at": time_text(heard_ms),
        "version": story.busted.get(which, seq),
    }


def _decision(told: Told, story: Story, account: str) -> Row:
    plan = story.trade.plan
    entering = told.purpose is Purpose.ENTER
    return {
        "id": key("decision", account, plan.trade_id, told.seq),
        "account_id": account,
        "trade_id": plan.trade_id,
        "pair": plan.pair,
        "decided_at": time_text(told.entry.wall_ms),
        "decision": told.purpose.value if told.purpose else "hold",
        "reason": "",
        "percent": number_text(plan.spread * 100) if entering else None,
        "target_percent": number_text(plan.target * 100) if entering else None,
        "version": told.seq,
    }


def _status(story: Story) -> str:
    return "open" if story.account is None else "closed"


def _order_key(account: str, leg: Leg) -> str:
    return key("order", account, leg.order.key.venue, leg.order.client_order_id)


def _filled(legs: Iterable[Leg]) -> Decimal:
    return sum((leg.filled for leg in legs), Decimal(0))


def _average(legs: Iterable[Leg]) -> Decimal | None:
    priced = [(leg.filled, price) for leg in legs if leg.filled and (price := leg.average())]
    size = sum((filled for filled, _ in priced), Decimal(0))
    if not size:
        return None
    return round(sum((f * price for f, price in priced), Decimal(0)) / size, PLACES)


def _fee(leg: Leg) -> Decimal | None:
    """As the venue adds it up; else what its fills say; None before either."""
    if leg.fee is not None:
        return leg.fee
    told = [fill.fee for fill in leg.fills if fill.fee is not None]
    return sum(told, Decimal(0)) if leg.fills and len(told) == len(leg.fills) else None


def _bare(result: Mapping[str, Any], name: str) -> str | None:
    text = result.get(name)
    return None if text is None else str(text).removesuffix("%")


def _storable(text: str) -> str:
    """Without what PostgreSQL cannot hold in a text."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode()
