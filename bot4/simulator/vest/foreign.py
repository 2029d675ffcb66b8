"""Orders that our client never sent, and fills that do not look as documented, at Vest.

Source: that positions carry TAKE_PROFIT and STOP_LOSS orders is from Vest API docs, Orders, seen
2025-11; null nonces and the other shapes are ours, for a client that must not fall over them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bot4.simulator.faults import Fault, UnknownFault
from bot4.simulator.orders import Side, SimMarket, SimOrder
from bot4.simulator.vest.digests import keccak256
from bot4.simulator.vest.refusals import VestRefusal
from bot4.simulator.vest.shapes import order_event, order_row

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

SHAPES: Final[dict[str, dict[str, Any]]] = {
    "tpsl": {},
    "unknown_status": {"status": "ARMED"},
    "unknown_type": {"orderType": "TRAILING_STOP"},
    "null_nonce": {},
    "null_field": {},
    "looks_like_ours": {},
}
"""What each shows otherwise than the order is. Those without a nonce: the first and the fourth."""
ODD_FILLS: Final[dict[str, dict[str, Any]]] = {
    "zero_price": {"lastFilledPrice": "0", "avgFilledPrice": "0"},
    "no_side": {"isBuy": None},
    "no_fee": {"fees": None},
}
AWAY: Final = Decimal("0.3")
"""How far from the index the order's price is, as a share of it."""
LOTS: Final = 10


def place_foreign(venue: VestVenue, fault: Fault) -> None:
    """Carry out the fault ``foreign_order``: it rests until it is cancelled, and never fills.

    ``shape`` is one of ``SHAPES``, looks_like_ours unless told. ``tpsl`` is a pair, TAKE_PROFIT
    and STOP_LOSS of what is held, or of a long position. ``market``, ``side`` and ``size`` may be
    given, and ``field``: which one is null, limitPrice unless told. With ``cancel: refused`` every
    cancel is refused, with ``code``.

    Raises:
        UnknownFault: no such shape, market, side or field, or a size that is none.
    """
    args = fault.args
    shape = str(args.get("shape", "looks_like_ours"))
    market = venue.markets.get(str(args.get("market", next(iter(venue.markets)))))
    if shape not in SHAPES or market is None:
        raise UnknownFault(f"Vest has no foreign order {shape!r} in {args.get('market')!r}")
    held = venue.ledger.position(market.symbol).size
    side = fault.side("buy" if shape != "tpsl" or held < 0 else "sell")
    size = fault.size(abs(held) if shape == "tpsl" and held else LOTS * market.lot)
    shown = dict(SHAPES[shape])
    if shape == "null_field":
        field = str(args.get("field", "limitPrice"))
        if field not in order_row(venue, _order(venue, market, side, size, "LIMIT")):
            raise UnknownFault(f"an order of Vest has no field {field!r}")
        shown[field] = None
    extra: dict[str, Any] = {"foreign": shape, "shown": shown}
    if args.get("cancel") == "refused":
        extra["cancel_refused"] = int(args.get("code", 1130))
    kinds = ("TAKE_PROFIT", "STOP_LOSS") if shape == "tpsl" else ("LIMIT",)
    for kind in kinds:
        order = _order(venue, market, side, size, kind)
        if shape in ("tpsl", "null_nonce"):
            order.extra["nonce"], order.handle = None, ""
        order.extra |= extra
        venue.orders[order.id] = order
        venue.save(order)
        venue.publish("account_private", order_event(venue, order))


def check_cancel(order: SimOrder) -> None:
    """Refuse the cancel of an order that shall rest for ever.

    Raises:
        VestRefusal: with the code that the fault named.
    """
    if "cancel_refused" in order.extra:
        raise VestRefusal(int(order.extra["cancel_refused"]))


def odd_fill(venue: VestVenue, order: SimOrder) -> dict[str, Any]:
    """Return what an execution adds to ``order.extra``: nothing without the fault ``odd_fill``.

    ``shape`` is one of ``ODD_FILLS``, zero_price unless told.
    """
    fault = venue.faults.take(
        venue.name,
        "odd_fill",
        symbol=order.symbol,
        side=order.side,
        reduce_only=order.reduce_only,
    )
    if fault is None:
        return {}
    changes = ODD_FILLS.get(str(fault.args.get("shape", "zero_price")), {})
    return {"shown": {**order.extra.get("shown", {}), **changes}}


def _order(venue: VestVenue, market: SimMarket, side: Side, size: Decimal, kind: str) -> SimOrder:
    now_ms, number = venue.wall_ms(), venue.next_serial()
    # A STOP_LOSS waits on the losing side of the price, the others on the other one.
    below = (side == "buy") != (kind == "STOP_LOSS")
    price = venue.index(market.symbol) * (1 - AWAY if below else 1 + AWAY)
    return SimOrder(
        id="0x" + keccak256(f"{venue.setup.seed}/foreign/{number}".encode()).hex(),
        handle=str(now_ms),
        symbol=market.symbol,
        side=side,
        size=size,
        limit=price // market.tick * market.tick,
        kind=kind,
        time_in_force="GTC",
        reduce_only=kind != "LIMIT",
        sent_ms=now_ms,
        received_ms=now_ms,
        updated_ms=now_ms,
        resting=True,
        extra={"nonce": now_ms, "mark": str(venue.mark(market.symbol))},
    )
