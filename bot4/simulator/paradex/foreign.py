"""Orders that our client never sent, and fills that do not look as documented, at Paradex.

Source: the types are from Paradex API docs, OpenAPI 1.132.1, seen 2026-11; that the TP/SL of a
whole position shows size "0" is inferred from what one client sends, 2026; the other shapes are
ours, for a client that must not fall over them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from bot4.simulator.faults import Fault, UnknownFault
from bot4.simulator.orders import ZERO, Side, SimMarket, SimOrder
from bot4.simulator.paradex import shapes
from bot4.simulator.paradex.desk import ParadexDesk
from bot4.simulator.paradex.drafts import STP_DEFAULT
from bot4.simulator.paradex.refusal import Refused

SHAPES: Final[dict[str, dict[str, Any]]] = {
    "tpsl": {},
    "unknown_status": {"status": "ARMED"},
    "unknown_type": {"type": "TRAILING_STOP"},
    "null_nonce": {"client_id": None},
    "null_field": {},
    "looks_like_ours": {},
}
"""What each shows otherwise than the order is. Paradex has no nonce: its client_id is null."""
ODD_FILLS: Final[dict[str, dict[str, Any]]] = {
    "zero_price": {"price": "0"},
    "no_side": {"side": None},
    "no_fee": {"fee": None},
    "other_currency": {"fee_currency": "DIME"},
    "unknown_type": {"fill_type": "AUTO_DELEVERAGE"},
}
AWAY: Final = Decimal("0.04")
"""How far from the mark the order's price is, as a share of it: within the price band."""
LOTS: Final = 100
PAIR: Final = {
    "TAKE_PROFIT_MARKET": "STOP_CONDITION_ABOVE_TRIGGER",
    "STOP_LOSS_MARKET": "STOP_CONDITION_BELOW_TRIGGER",
}
"""Of a long position, and the side of the mark each waits on."""


def place_foreign(desk: ParadexDesk, fault: Fault) -> None:
    """Carry out the fault ``foreign_order``: it rests until it is cancelled, and never fills.

    ``shape`` is one of ``SHAPES``, looks_like_ours unless told: a LIMIT whose client_id continues
    the newest one that a client chose. ``tpsl`` is a pair for the whole position, of size "0".
    ``market``, ``side``, ``size`` and ``client_id`` may be given, and ``field``: which one is
    null, price unless told. With ``cancel: refused`` every cancel is refused, with ``code``.

    Raises:
        UnknownFault: no such shape, market, side or field, or a size that is none.
    """
    args = fault.args
    shape = str(args.get("shape", "looks_like_ours"))
    market = desk.markets.get(str(args.get("market", next(iter(desk.markets)))))
    if shape not in SHAPES or market is None:
        raise UnknownFault(f"Paradex has no foreign order {shape!r} in {args.get('market')!r}")
    if shape == "tpsl":
        held = desk.ledger.position(market.symbol).size
        side = fault.side("buy" if held < 0 else "sell")
        orders = [_pair_order(desk, market, side, kind) for kind in PAIR]
    else:
        side = fault.side("buy")
        orders = [_limit_order(desk, market, side, fault.size(LOTS * market.lot))]
        orders[0].handle = str(args.get("client_id", _continued(desk)))
    shown = dict(SHAPES[shape])
    if shape == "null_field":
        field = str(args.get("field", "price"))
        if field not in shapes.order(desk, orders[0]):
            raise UnknownFault(f"an order of Paradex has no field {field!r}")
        shown[field] = None
    for order in orders:
        order.extra |= {"foreign": shape, "shown": shown}
        if args.get("cancel") == "refused":
            order.extra["cancel_refused"] = str(args.get("code", "REQUEST_NOT_ALLOWED"))
        desk.orders[order.id] = order
        desk.save(order)
    desk.tell([desk.order_event(order) for order in orders])


def check_cancel(order: SimOrder) -> None:
    """Refuse the cancel of an order that shall rest for ever.

    Raises:
        Refused: with the code that the fault named.
    """
    if "cancel_refused" in order.extra:
        raise Refused(str(order.extra["cancel_refused"]), "order cannot be cancelled")


def odd_fill(desk: ParadexDesk, order: SimOrder) -> dict[str, Any]:
    """Return what a fill remembers besides: nothing without the fault ``odd_fill``.

    ``shape`` is one of ``ODD_FILLS``, zero_price unless told.
    """
    fault = desk.faults.take(
        desk.name,
        "odd_fill",
        symbol=order.symbol,
        side=order.side,
        reduce_only=order.reduce_only,
    )
    if fault is None:
        return {}
    return {"shown": ODD_FILLS.get(str(fault.args.get("shape", "zero_price")), {})}


def _continued(desk: ParadexDesk) -> str:
    """Return a client_id like the newest one there is, with a figure more at its end."""
    newest = next((one.handle for one in reversed(desk.orders.values()) if one.handle), "b4-0-1-a")
    return f"{newest}7"


def _pair_order(desk: ParadexDesk, market: SimMarket, side: Side, kind: str) -> SimOrder:
    condition = PAIR[kind]
    if side == "buy":
        [condition] = set(PAIR.values()) - {condition}
    away = AWAY if condition.endswith("ABOVE_TRIGGER") else -AWAY
    trigger = _on_tick(market, desk.mark(market.symbol) * (1 + away))
    order = _order(desk, market, side, ZERO, kind)
    order.status, order.reduce_only, order.time_in_force = "UNTRIGGERED", True, "GTC"
    order.extra |= {"flags": ["REDUCE_ONLY", condition], "trigger_price": shapes.text(trigger)}
    return order


def _limit_order(desk: ParadexDesk, market: SimMarket, side: Side, size: Decimal) -> SimOrder:
    order = _order(desk, market, side, size, "LIMIT")
    away = -AWAY if side == "buy" else AWAY
    order.limit = _on_tick(market, desk.mark(market.symbol) * (1 + away))
    order.status = "OPEN"
    return order


def _order(desk: ParadexDesk, market: SimMarket, side: Side, size: Decimal, kind: str) -> SimOrder:
    now_ms = desk.wall_ms()
    return SimOrder(
        id=desk.order_id(),
        handle="",
        symbol=market.symbol,
        side=side,
        size=size,
        limit=None,
        kind=kind,
        time_in_force="GTC",
        reduce_only=False,
        sent_ms=now_ms,
        received_ms=now_ms,
        updated_ms=now_ms,
        resting=True,
        extra={"flags": [], "stp": STP_DEFAULT, "interactive": False},
    )


def _on_tick(market: SimMarket, price: Decimal) -> Decimal:
    return price // market.tick * market.tick
