"""From stories to rows of tables. Pure; numbers leave as text, so that no digit is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from bot4.domain.order import Purpose
from bot4.storage.mirror.fold import Story, Told
from bot4.storage.mirror.ids import key, number_text, storable, time_text
from bot4.storage.mirror.needs import ORDER
from bot4.storage.mirror.others import order_of_others, others_key
from bot4.storage.mirror.sums import average, fee_of, filled_by, paid_for
from bot4.strategy.journal_format import text_of
from bot4.strategy.legs import Leg

Row = dict[str, Any]
OPENING: Final = frozenset({Purpose.ENTER, Purpose.MEND})
ZERO: Final = Decimal(0)


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
        if not stories[name].fills[fill][1]:
            tables["orders"].append(order_of_others(stories[name], account, trade_key, fill))
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
        "state": text_of(story.trade.state),
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
        "state": text_of(trade.state),
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
        others = [fill for fill in story.trade.outside if fill.venue == market.venue]
        yield {
            "id": key("leg", account, plan.trade_id, name),
            "account_id": account,
            "trade_key": trade_key,
            "leg": name,
            "venue": market.venue,
            "market": market.symbol,
            "status": _status(story),
            "held_size": number_text(story.trade.position(market.venue)),
            "opened_size": number_text(filled_by(opened)),
            "closed_size": number_text(filled_by(closed) + sum((f.size for f in others), ZERO)),
            "entry_price": number_text(average(opened)),
            "exit_price": number_text(average(closed, others)),
            "fees": number_text(sum(((fee_of(leg) or ZERO) for leg in legs), paid_for(others))),
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
        "purpose": text_of(order.purpose),
        "attempt": order.attempt,
        "side": text_of(order.side),
        "size": number_text(order.size),
        "limit_price": number_text(order.limit),
        "reduce_only": order.reduce_only,
        "status": text_of(leg.state),
        "filled": number_text(leg.filled),
        "average_price": number_text(average([leg])),
        "fee": number_text(fee_of(leg)),
        "reason": storable(leg.reason),
        "signed_at": time_text(order.signed_ms or None),
        "intended_at": time_text(told.intended_ms),
        "ended_at": time_text(told.ended_ms),
        "version": told.version,
    }


def _fill(story: Story, account: str, trade_key: str, which: tuple[str, str]) -> Row:
    fill, order_name, heard_ms, seq = story.fills[which]
    leg = story.trade.leg(order_name)
    if leg is None and order_name:
        raise KeyError(order_name)
    return {
        "id": key("fill", account, fill.venue, fill.fill_id),
        "account_id": account,
        "trade_key": trade_key,
        "order_key": others_key(account, fill) if leg is None else _order_key(account, leg),
        "venue": fill.venue,
        "fill_id": fill.fill_id,
        "venue_order_id": fill.venue_order_id,
        "market": fill.symbol,
        "side": text_of(fill.side),
        "price": number_text(fill.price),
        "size": number_text(fill.size),
        "fee": number_text(fill.fee or ZERO),
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
        "decision": text_of(told.purpose) if told.purpose else "hold",
        "reason": "",
        "percent": number_text(plan.spread * 100) if entering else None,
        "target_percent": number_text(plan.target * 100) if entering else None,
        "version": told.seq,
    }


def _status(story: Story) -> str:
    return "open" if story.account is None else "closed"


def _order_key(account: str, leg: Leg) -> str:
    return key("order", account, leg.order.key.venue, leg.order.client_order_id)


def _bare(result: Mapping[str, Any], name: str) -> str | None:
    text = result.get(name)
    return None if text is None else str(text).removesuffix("%")
