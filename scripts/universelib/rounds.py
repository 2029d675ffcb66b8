"""What each round trip came to, by the venues' own fills: the bot is not asked.

A round goes from the first fill on flat accounts to the fill that makes them flat again, or to the
end of the universe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from bot4.domain.market import VENUES
from bot4.simulator.box import TwoVenues
from bot4.simulator.ledger import SimFill

DUST: Final = Decimal("0.00013")
"""Below the smallest order; nothing can be traded away."""
PLANNED: Final = "enter"
ZERO: Final = Decimal(0)


@attrs.frozen
class Round:
    """One round trip. Money in USD."""

    naked_usd_s: float
    """Size of what is not hedged x price x time; to the end of the universe when it stays."""
    net_usd: float
    """Of its fills and fees; what is still held is valued at the last mark."""
    failed: bool
    """One planned order filled more than the other."""
    stuck: bool
    """A leg was alone at the end of the universe."""


@attrs.frozen
class _Change:
    at_ms: int
    venue: str
    size: Decimal
    """Signed."""
    price: Decimal
    fee: Decimal
    handle: str


def rounds_of(
    box: TwoVenues, events: Iterable[Mapping[str, Any]], *, serial: bool = False
) -> list[Round]:
    """Return the rounds of a universe that has ended, in order.

    Args:
        box: the venues, as they are at the end.
        events: every log line; they say which orders were planned together.
        serial: whether the first order that completes an entry was planned as well.
    """
    uneven = _uneven(box, events, serial=serial)
    sizes, group, found = dict.fromkeys(VENUES, ZERO), list[_Change](), list[Round]()
    for change in _changes(box):
        sizes[change.venue] += change.size
        group.append(change)
        if all(abs(size) < DUST for size in sizes.values()):
            found.append(_round(box, group, uneven))
            group = []
    return [*found, _round(box, group, uneven)] if group else found


def _changes(box: TwoVenues) -> list[_Change]:
    """Return every fill, and every fill that was taken back, in the order of time."""
    found = []
    for venue in (box.vest, box.paradex):
        for fill in venue.ledger.fills:
            found.append(_change(venue.name, fill, fill.time_ms, 1))
            if fill.id in venue.ledger.busted:
                found.append(_change(venue.name, fill, venue.ledger.busted[fill.id], -1))
    return sorted(found, key=lambda change: change.at_ms)


def _change(venue: str, fill: SimFill, at_ms: int, sign: int) -> _Change:
    size = sign * fill.size * (1 if fill.side == "buy" else -1)
    return _Change(at_ms, venue, size, fill.price, sign * fill.fee, fill.handle)


def _round(box: TwoVenues, changes: list[_Change], uneven: set[tuple[str, str]]) -> Round:
    left = {
        venue.name: sum((c.size for c in changes if c.venue == venue.name), ZERO)
        for venue in (box.vest, box.paradex)
    }
    held = any(abs(size) >= DUST for size in left.values())
    ends = [change.at_ms for change in changes[1:]]
    ends.append(box.vest.wall_ms() if held else changes[-1].at_ms)
    net, cash, naked = ZERO, ZERO, ZERO
    for change, end_ms in zip(changes, ends, strict=True):
        net += change.size
        cash -= change.size * change.price + change.fee
        if abs(net) >= DUST:
            naked += abs(net) * change.price * (end_ms - change.at_ms)
    for venue in (box.vest, box.paradex):
        cash += left[venue.name] * venue.mark(next(iter(venue.markets)))
    return Round(
        naked_usd_s=float(naked) / 1000,
        net_usd=float(cash),
        failed=any((change.venue, change.handle) in uneven for change in changes),
        stuck=held and abs(net) >= DUST,
    )


def _uneven(
    box: TwoVenues, events: Iterable[Mapping[str, Any]], *, serial: bool
) -> set[tuple[str, str]]:
    """Return (venue, handle) of the planned orders of which one filled more than the other."""
    filled = {
        (venue.name, order.handle): order.filled
        for venue in (box.vest, box.paradex)
        for order in venue.orders.values()
    }
    planned: dict[str, dict[str, str]] = {}
    for line in events:
        if line["event"] != "leg.sent":
            continue
        if line["purpose"] == PLANNED or (serial and line["purpose"] == "mend"):
            orders = planned.setdefault(str(line["trade_id"]), {})
            orders.setdefault(str(line["venue"]), str(line["client_order_id"]))
    found = set[tuple[str, str]]()
    for orders in planned.values():
        got = [filled.get((venue, orders.get(venue, "")), ZERO) for venue in VENUES]
        if abs(got[0] - got[1]) >= DUST:
            found.update(orders.items())
    return found
