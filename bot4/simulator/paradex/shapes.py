"""The private JSON shapes of Paradex, built from the venue's records.

The same shapes serve REST answers and WebSocket events, and the binary frames are written from
them. Decimals are strings, times unix milliseconds.
Source: Paradex API docs, OpenAPI 1.132.1 and AsyncAPI 1.3.1, seen 2026-11.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bot4.simulator.ledger import SimFill
from bot4.simulator.orders import ZERO, SimOrder

if TYPE_CHECKING:
    from bot4.simulator.paradex.desk import ParadexDesk

_PLACES: Final = Decimal("0.00000001")
SETTLEMENT: Final = "USDC"


def text(value: Decimal) -> str:
    """Return a decimal as the venue prints it: at most 8 places, no exponent, no tail of zeros."""
    rounded = value.quantize(_PLACES).normalize()
    return f"{rounded:f}" if rounded else "0"


def _as_shown(extra: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with what a fault shows otherwise."""
    return {**row, **extra.get("shown", {})}


def order(desk: ParadexDesk, record: SimOrder) -> dict[str, Any]:
    """Return an order, as in REST answers and on the orders channel."""
    extra = record.extra
    row = {
        "account": desk.account,
        "avg_fill_price": "" if record.avg_price is None else text(record.avg_price),
        "cancel_reason": record.reason,
        "client_id": record.handle,
        "created_at": record.received_ms,
        "flags": list(extra["flags"]),
        "id": record.id,
        "instruction": record.time_in_force,
        "last_updated_at": record.updated_ms or record.received_ms,
        "market": record.symbol,
        "price": "0" if record.limit is None else text(record.limit),
        "published_at": desk.wall_ms(),
        "received_at": record.received_ms,
        "remaining_size": text(record.remaining),
        "request_info": extra.get("request_info"),
        "seq_no": desk.stamp(),
        "side": record.side.upper(),
        "size": text(record.size),
        "status": record.status,
        "stp": extra["stp"],
        "timestamp": record.sent_ms,
        "trigger_price": extra.get("trigger_price", ""),
        "type": record.kind,
    }
    return _as_shown(extra, row)


def fill(desk: ParadexDesk, record: SimFill) -> dict[str, Any]:
    """Return a fill, as in GET /fills and on the fills channel; ``side`` is the order's own."""
    extra = record.extra
    row = {
        "account": desk.account,
        "client_id": record.handle,
        "created_at": record.time_ms,
        "fee": text(record.fee),
        "fee_currency": SETTLEMENT,
        "fill_type": extra.get("fill_type", "FILL"),
        "flags": list(extra.get("flags", ())),
        "id": record.id,
        "liquidity": extra.get("liquidity", "TAKER"),
        "market": record.symbol,
        "order_id": record.order_id,
        "orderbook_seq_no": int(extra.get("book_seq_no", 0)),
        "price": text(record.price),
        "realized_funding": extra.get("realized_funding", "0"),
        "realized_pnl": text(record.realized_pnl),
        "remaining_size": extra.get("remaining_size", "0"),
        "side": record.side.upper(),
        "size": text(record.size),
        "underlying_price": extra.get("underlying_price", "0"),
    }
    return _as_shown(extra, row)


def payment(desk: ParadexDesk, fill: SimFill, paid: Decimal, index: Decimal) -> dict[str, Any]:
    """Return a funding payment, as in GET /funding/payments; positive is received."""
    return {
        "account": desk.account,
        "created_at": fill.time_ms,
        "fill_id": fill.id,
        "id": f"{fill.time_ms:013d}{fill.id[-15:]}",
        "index": text(index),
        "market": fill.symbol,
        "payment": text(paid),
    }


def bust(desk: ParadexDesk, fill_id: str) -> dict[str, Any]:
    """Return a fill taken back, as in GET /tradebusts and on the tradebusts channel."""
    return {
        "account": desk.account,
        "busted_fill_id": fill_id,
        "created_at": desk.ledger.busted[fill_id],
    }


def balance_events(desk: ParadexDesk, fills: list[SimFill]) -> list[dict[str, Any]]:
    """Return what fills did to the balance, as on the balance_events channel."""
    after = desk.ledger.collateral
    events = []
    for record in reversed(fills):
        funding = Decimal(record.extra.get("realized_funding", "0"))
        before = after - record.realized_pnl + record.fee - funding
        events.append(
            {
                "created_at": record.time_ms,
                "fees": text(record.fee),
                "fill_id": record.id,
                "funding_index": text(desk.ledger.funding_index.get(record.symbol, ZERO)),
                "market": record.symbol,
                "realized_funding": text(funding),
                "realized_pnl": text(record.realized_pnl),
                "settlement_asset_address": desk.account,
                "settlement_asset_balance_after": text(after),
                "settlement_asset_balance_before": text(before),
                "settlement_asset_name": SETTLEMENT,
                "settlement_asset_price": "1",
                "status": "ON_BLOCKCHAIN",
                "type": "TRANSACTION_FILL",
            }
        )
        after = before
    return events[::-1]


def position(desk: ParadexDesk, symbol: str) -> dict[str, Any]:
    """Return a market's position; ``size`` is signed, a closed one has size 0."""
    held = desk.ledger.position(symbol)
    memory = desk.holdings[symbol]
    cost = held.size * held.entry
    mark = desk.mark(symbol)
    funding_index = desk.ledger.funding_index.get(symbol, ZERO)
    return {
        "account": desk.account,
        "average_entry_price": text(held.entry),
        "average_entry_price_usd": text(held.entry),
        "average_exit_price": memory.exit_price,
        "cached_funding_index": text(held.entry_funding if held.size else funding_index),
        "closed_at": memory.closed_ms,
        "cost": text(cost),
        "cost_usd": text(cost),
        "created_at": memory.created_ms,
        "id": f"{desk.account}-{symbol}",
        "last_fill_id": memory.last_fill_id,
        "last_updated_at": memory.updated_ms,
        "leverage": text(Decimal(1) / desk.ledger.initial_ratio(symbol)),
        "liquidation_price": _liquidation_price(desk, symbol),
        "market": symbol,
        "realized_positional_funding_pnl": text(Decimal(memory.funding)),
        "realized_positional_pnl": text(Decimal(memory.realized)),
        "seq_no": desk.stamp(),
        "side": memory.side,
        "size": text(held.size),
        "status": "OPEN" if held.size else "CLOSED",
        "unrealized_funding_pnl": text(desk.ledger.unsettled_funding(symbol)),
        "unrealized_pnl": text(desk.ledger.unrealized(symbol, mark)) if held.size else "0",
    }


def _liquidation_price(desk: ParadexDesk, symbol: str) -> str:
    """Return the mark at which equity meets maintenance, all else equal; empty when never."""
    ledger = desk.ledger
    size = ledger.position(symbol).size
    slope = size - abs(size) * ledger.maintenance_ratio(symbol)
    if slope == 0:
        return ""
    room = ledger.equity(desk.mark) - ledger.maintenance_margin(desk.mark)
    price = desk.mark(symbol) - room / slope
    return text(price) if price > 0 else ""


def forced_status(desk: ParadexDesk) -> str:
    """Return the account's status by the fault ``account_status`` (``status``), or nothing.

    RESYNC comes after trade busts. Source: Paradex docs, Trade busts, seen 2026-11.
    """
    fault = desk.faults.active(desk.name, "account_status")
    return "" if fault is None else str(fault.args.get("status", "RESYNC"))


def account(desk: ParadexDesk) -> dict[str, Any]:
    """Return the account's summary, as in GET /account and on the account channel."""
    ledger = desk.ledger
    value = ledger.equity(desk.mark)
    initial = ledger.initial_margin(desk.mark)
    maintenance = ledger.maintenance_margin(desk.mark)
    return {
        "account": desk.account,
        "account_value": text(value),
        "free_collateral": text(max(value - initial, ZERO)),
        "initial_margin_requirement": text(initial),
        "last_seen_notification": 0,
        "maintenance_margin_requirement": text(maintenance),
        "margin_cushion": text(value - maintenance),
        "seq_no": desk.stamp(),
        "settlement_asset": SETTLEMENT,
        "status": forced_status(desk) or ("LIQUIDATION" if desk.being_liquidated else "ACTIVE"),
        "total_collateral": text(ledger.collateral),
        "updated_at": desk.wall_ms(),
    }


def account_info(desk: ParadexDesk, symbol: str, *, interactive: bool) -> dict[str, Any]:
    """Return kind, keys and fees, as in GET /account/info, for the token's class."""
    maker, taker = (
        text(desk.fee_rate(symbol, maker=is_maker, interactive=interactive))
        for is_maker in (True, False)
    )
    fees = {
        "commission_rate": "0",
        "dated_option_maker_rate": maker,
        "dated_option_taker_rate": taker,
        "discount_rate": "0",
        "maker_rate": maker,
        "perp_option_maker_rate": maker,
        "perp_option_taker_rate": taker,
        "spot_maker_rate": maker,
        "spot_taker_rate": taker,
        "taker_rate": taker,
    }
    return {
        "account": desk.account,
        "created_at": 0,
        "derivation_path": "",
        "fees": fees,
        "has_ecosystem_nft": False,
        "isolated_market": "",
        "kind": "main",
        "parent_account": "",
        "public_key": desk.public_key,
        "username": "",
        "volume_tiers": {},
    }


def balance(desk: ParadexDesk) -> dict[str, Any]:
    """Return the one balance there is, as in GET /balance."""
    collateral = text(desk.ledger.collateral)
    return {
        "average_entry_price": "1",
        "average_entry_price_usd": "1",
        "cost": collateral,
        "cost_usd": collateral,
        "last_updated_at": desk.wall_ms(),
        "size": collateral,
        "token": SETTLEMENT,
    }
