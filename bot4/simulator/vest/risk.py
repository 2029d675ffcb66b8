"""What Vest's engine looks at before an order may trade.

Source: Vest API docs, Orders and Error codes, seen 2025-11.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bot4.simulator.orders import ZERO, SimOrder

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

HALTED: Final = 3024


def rejection(venue: VestVenue, order: SimOrder) -> int:
    """Return the code the engine refuses an order with, 0 when it may trade.

    The order of the checks: halt, price, margin, reduce-only, cap, leverage.
    """
    ledger, symbol, side, size = venue.ledger, order.symbol, order.side, order.size
    if venue.halted(symbol) is not None:
        return HALTED
    if "refuse" in order.extra:
        return int(order.extra["refuse"])
    # A LIMIT that waits for its trigger, or is killed, is not a failed price check.
    if order.kind == "MARKET" and not within(venue, order):
        return 3001
    room = ledger.reducible(symbol, side)
    price = venue.quote(symbol, side, size).average or venue.mark(symbol)
    if not order.reduce_only and not ledger.affords(symbol, side, size, price, venue.mark):
        return 3002
    if order.reduce_only and room == 0:
        return 3018
    if order.reduce_only and size > room:
        return 3019
    if (not order.reduce_only and _beyond_cap(venue, order)) or _too_large(venue, order):
        return 3010
    if venue.switches.leverage_required and symbol not in ledger.leverage:
        return 3020
    return 0


def within(venue: VestVenue, order: SimOrder) -> bool:
    """Tell whether the engine's price for the whole size is within the limit now."""
    quoted = venue.quote(order.symbol, order.side, order.size)
    if not quoted.fills or order.limit is None:
        return bool(quoted.fills)
    if order.side == "buy":
        return quoted.average <= order.limit
    return quoted.average >= order.limit


def triggered(venue: VestVenue, order: SimOrder) -> bool:
    """Tell whether the index has reached the limit."""
    limit, index = order.limit or ZERO, venue.index(order.symbol)
    return index <= limit if order.side == "buy" else index >= limit


def _beyond_cap(venue: VestVenue, order: SimOrder) -> bool:
    """Tell whether an order exceeds the cap: the switch, or the fault ``limits`` (``position``).

    What reduces a position never does.
    """
    fault = venue.faults.active(venue.name, "limits", symbol=order.symbol)
    forced = None if fault is None else fault.args.get("position")
    cap = venue.switches.oi_cap if forced is None else Decimal(str(forced))
    held = venue.ledger.position(order.symbol).size
    after = held + (order.size if order.side == "buy" else -order.size)
    return cap is not None and abs(after) > max(cap, abs(held))


def _too_large(venue: VestVenue, order: SimOrder) -> bool:
    """Tell whether the fault ``limits`` (``order``) forbids so large an order, reducing or not.

    Vest announces no largest order; that it may have one all the same is ours.
    """
    fault = venue.faults.active(venue.name, "limits", symbol=order.symbol)
    most = None if fault is None else fault.args.get("order")
    return most is not None and order.size > Decimal(str(most))
