"""Positions that the venue, or a hand on its page, closes: whole, in part, or in several bites."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs
import trio

from bot4.simulator.faults import Fault, UnknownFault
from bot4.simulator.orders import ZERO

if TYPE_CHECKING:
    from bot4.simulator.venue import SimVenue

LIQUIDATION: Final = "LIQUIDATION"
UNWIND: Final = "UNWIND_TRANSFER"
TAKEN_AS: Final = (LIQUIDATION, UNWIND)
"""Types of what Paradex takes from an account. Source: Paradex API docs, Fill, seen 2026-11."""
SETTLE: Final = "SETTLE_MARKET"
MANUAL: Final = "MANUAL"
BITES_APART_S: Final = 2.0
"""Time between two bites of a fault that does not say. Source: a public report of such a case."""


def close_share(venue: SimVenue, symbol: str, kind: str, share: Decimal) -> None:
    """Close a share of a position, in whole lots rounded up; see ``SimVenue.house_order``."""
    close_size(venue, symbol, kind, abs(venue.ledger.position(symbol).size) * share)


def close_size(venue: SimVenue, symbol: str, kind: str, size: Decimal) -> None:
    """Close so much of a position, base units, in whole lots rounded up, at most all of it."""
    held = venue.ledger.position(symbol).size
    lot = venue.markets[symbol].lot
    size = min(-(-size // lot) * lot, abs(held))
    if size > 0:
        venue.house_order(symbol, "sell" if held > 0 else "buy", size, kind)


def close_by_hand(venue: SimVenue, fault: Fault) -> None:
    """Close all of ``market``, by default the first one, as a person on the venue's page.

    Raises:
        UnknownFault: there is no such market.
    """
    symbol = str(fault.args.get("market", next(iter(venue.markets))))
    if symbol not in venue.markets:
        raise UnknownFault(f"{venue.name} has no market {symbol!r}")
    close_share(venue, symbol, MANUAL, Decimal(1))


def delist(venue: SimVenue, fault: Fault) -> None:
    """Take ``symbol``, by default the first market, away: its orders end, positions are settled.

    ``settle`` says whether they are; by default the venue's switch ``settles_delisted``. A
    position that is kept can be closed once the market is listed again.

    Raises:
        UnknownFault: there is no such market.
    """
    symbol = str(fault.args.setdefault("symbol", next(iter(venue.markets))))
    if symbol not in venue.markets:
        raise UnknownFault(f"{venue.name} has no market {symbol!r}")
    for order in [one for one in venue.orders.values() if one.resting and not one.done]:
        if order.symbol == symbol:
            venue.withdraw(order)
    if fault.args.get("settle", venue.settles_delisted):
        close_share(venue, symbol, SETTLE, Decimal(1))


def liquidate_by_force(venue: SimVenue, fault: Fault) -> None:
    """Liquidate ``market``, by default that of the largest position, in ``bites``, by default one.

    Each takes ``share`` of what was held at the first, by default an equal part; they come
    ``every_s`` seconds apart. Meanwhile the fault is in force: see ``being_liquidated``. At
    Paradex its fills are of ``fill_type``, LIQUIDATION or UNWIND_TRANSFER.

    Raises:
        UnknownFault: there is no such market, or a number makes no sense.
    """
    symbol = str(fault.args.get("market") or venue.largest())
    if venue.ledger.positions and symbol not in venue.markets:
        raise UnknownFault(f"{venue.name} has no market {symbol!r}")
    bites, every_s = int(fault.args.get("bites", 1)), fault.number("every_s", BITES_APART_S)
    if bites < 1 or every_s < 0:
        raise UnknownFault("bites must be 1 or more, and every_s 0 or more")
    kind = str(fault.args.get("fill_type", LIQUIDATION))
    if kind not in TAKEN_AS:
        raise UnknownFault(f"fill_type must be one of {TAKEN_AS}, not {kind!r}")
    if symbol not in venue.ledger.positions:
        return
    share = Decimal(str(fault.args["share"])) if "share" in fault.args else Decimal(1) / bites
    size = abs(venue.ledger.position(symbol).size) * share
    bite = _Bite(venue, fault, symbol, size, bites, every_s, kind)
    if bites > 1:
        fault.until = trio.current_time() + every_s * (bites - 1)
        venue.faults.keep(fault)
    bite.take()


@attrs.define
class _Bite:
    venue: SimVenue
    fault: Fault
    symbol: str
    size: Decimal
    left: int
    every_s: float
    kind: str

    def take(self) -> None:
        """Close one bite, and plan the next while there is something to close."""
        close_size(self.venue, self.symbol, self.kind, self.size)
        self.left -= 1
        if self.left and self.venue.ledger.position(self.symbol).size != ZERO:
            self.venue.agenda.put(self.every_s, self._again)
        else:
            self.venue.faults.drop(self.fault)

    def _again(self) -> None:
        if self.venue.faults.holds(self.fault):
            self.take()
