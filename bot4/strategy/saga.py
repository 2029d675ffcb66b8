"""The life of a trade: a pure table of states and facts, and the step that walks it.

An event changes the legs; the legs say one *fact* about the trade; the table says which state
that fact leads to; the state says what to do next. Tasks perform the actions and feed events
back. The same step replays the journal, so a restart stands where the crash stood.

One rule of compensation: reduce, and only reduce, the position whose sign is in excess. Entries
go back, exits go forward, and nothing ever opens again. Completing a missing entry leg is the
one exception, allowed only before a stop and only up to a proven fill.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import Purpose, Side
from bot4.domain.units import floor_step
from bot4.strategy.legs import Leg, LegState

ZERO: Final = Decimal(0)


class State(StrEnum):
    """Where a trade stands."""

    FLAT = "flat"
    OPENING = "opening"
    SETTLING = "settling"
    MENDING = "mending"
    HEDGED = "hedged"
    CLOSING = "closing"
    UNWINDING = "unwinding"
    STRANDED = "stranded"


class Fact(StrEnum):
    """What the legs say, taken together."""

    PENDING = "pending"
    """Some order has not ended, and none is in doubt."""
    NOT_SURE = "not_sure"
    """Some order is in doubt."""
    EVEN = "even"
    """All ended; the two positions cancel out, and there are two."""
    NONE = "none"
    """All ended; nothing is held that could be closed."""
    UNEVEN = "uneven"
    """All ended; one position is larger than the other."""
    SPENT = "spent"
    """Uneven, and every attempt allowed was made."""
    EXIT = "exit"
    """Closing was ordered for an even pair."""
    UNWIND = "unwind"
    """Going back was chosen for an uneven entry."""


S, F = State, Fact
TRANSITIONS: Final[Mapping[State, Mapping[Fact, State]]] = {
    S.FLAT: {
        F.PENDING: S.OPENING,
        F.NONE: S.FLAT,
        F.UNEVEN: S.UNWINDING,
        F.EVEN: S.HEDGED,
        F.SPENT: S.STRANDED,
    },
    S.OPENING: {
        F.PENDING: S.OPENING,
        F.NOT_SURE: S.SETTLING,
        F.EVEN: S.HEDGED,
        F.NONE: S.FLAT,
        F.UNEVEN: S.MENDING,
        F.SPENT: S.STRANDED,
    },
    S.SETTLING: {
        F.PENDING: S.SETTLING,
        F.NOT_SURE: S.SETTLING,
        F.EVEN: S.HEDGED,
        F.NONE: S.FLAT,
        F.UNEVEN: S.MENDING,
        F.SPENT: S.STRANDED,
    },
    S.MENDING: {
        F.PENDING: S.MENDING,
        F.NOT_SURE: S.SETTLING,
        F.EVEN: S.HEDGED,
        F.NONE: S.FLAT,
        F.UNEVEN: S.MENDING,
        F.UNWIND: S.UNWINDING,
        F.SPENT: S.STRANDED,
    },
    S.HEDGED: {
        F.EVEN: S.HEDGED,
        F.EXIT: S.CLOSING,
        F.NONE: S.FLAT,
        F.UNEVEN: S.UNWINDING,
        F.SPENT: S.STRANDED,
    },
    S.CLOSING: {
        F.PENDING: S.CLOSING,
        F.NOT_SURE: S.SETTLING,
        F.EVEN: S.HEDGED,
        F.NONE: S.FLAT,
        F.UNEVEN: S.UNWINDING,
        F.SPENT: S.STRANDED,
    },
    S.UNWINDING: {
        F.PENDING: S.UNWINDING,
        F.NOT_SURE: S.SETTLING,
        F.EVEN: S.HEDGED,
        F.NONE: S.FLAT,
        F.UNEVEN: S.UNWINDING,
        F.UNWIND: S.UNWINDING,
        F.SPENT: S.STRANDED,
    },
    S.STRANDED: {
        F.PENDING: S.STRANDED,
        F.NOT_SURE: S.STRANDED,
        F.UNEVEN: S.STRANDED,
        F.UNWIND: S.STRANDED,
        F.SPENT: S.STRANDED,
        F.EVEN: S.HEDGED,
        F.NONE: S.FLAT,
    },
}


@attrs.frozen
class Plan:
    """What a trade is, fixed before its first order."""

    trade_id: str
    pair: str
    long: MarketKey
    """Where we buy at entry."""
    short: MarketKey
    size: Decimal
    lots: tuple[tuple[str, Decimal], ...]
    """(venue, lot)."""
    dust: Decimal
    """An imbalance smaller than this cannot be traded away."""
    attempts: int
    """Compensating orders allowed before the trade is stranded."""
    settle_ms: int
    spread: Decimal = ZERO
    """Detected entry spread at size, a ratio."""
    target: Decimal = ZERO
    quote_rate: Decimal = Decimal(1)
    decided_ms: int = 0
    equity: Decimal | None = None
    """What both accounts were worth together before it, USDC; None when one was not known."""

    def key(self, venue: str) -> MarketKey:
        """The plan's market on this venue."""
        return self.long if self.long.venue == venue else self.short

    def lot(self, venue: str) -> Decimal:
        """The size step of this venue."""
        return dict(self.lots)[venue]


@attrs.frozen
class Trade:
    """One round trip, as far as it is known."""

    plan: Plan
    state: State = State.FLAT
    legs: tuple[Leg, ...] = ()
    closing: bool = False
    """Exits go forward: set by the first exit order, never unset while something is held."""
    unwinding: bool = False
    """Going back was chosen: nothing is completed any more."""
    stopping: bool = False
    corrections: tuple[tuple[str, Decimal], ...] = ()
    """(venue, signed base) that the venue holds beyond our fills: a human hand, a bust."""
    outside: tuple[Fill, ...] = ()
    """Fills that no order of ours caused and that explain corrections: what they cost is ours."""
    first_fill_s: float | None = None
    version: int = 0

    def position(self, venue: str) -> Decimal:
        """Signed base units that this trade holds on one venue."""
        filled = sum((leg.signed for leg in self.legs if leg.order.key.venue == venue), ZERO)
        return filled + sum((size for name, size in self.corrections if name == venue), ZERO)

    def unexplained(self, venue: str) -> Decimal:
        """Signed base units of a venue's corrections that no fill told of accounts for."""
        corrected = sum((size for name, size in self.corrections if name == venue), ZERO)
        return corrected - sum((f.signed for f in self.outside if f.venue == venue), ZERO)

    @property
    def venues(self) -> tuple[str, str]:
        """The long leg's venue, then the short leg's."""
        return self.plan.long.venue, self.plan.short.venue

    @property
    def net(self) -> Decimal:
        """Base exposure: zero when hedged or flat."""
        long, short = self.venues
        return self.position(long) + self.position(short)

    @property
    def compensations(self) -> int:
        """Those made since the last opening or closing attempt that did not fill in full."""
        return self._made(Purpose.MEND, Purpose.UNWIND, full=False)

    @property
    def reductions(self) -> int:
        """Orders made since then to take something back, those filled in full too."""
        return self._made(Purpose.UNWIND, full=True)

    def _made(self, *purposes: Purpose, full: bool) -> int:
        made = 0
        for leg in self.legs:
            if leg.order.purpose in purposes:
                made += full or leg.filled < leg.order.size
            elif leg.order.purpose is Purpose.EXIT:
                made = 0
        return made

    def leg(self, client_order_id: str) -> Leg | None:
        """The leg of this order, if it is ours."""
        for leg in self.legs:
            if leg.order.client_order_id == client_order_id:
                return leg
        return None

    def open_legs(self) -> tuple[Leg, ...]:
        """Legs that have not ended."""
        return tuple(leg for leg in self.legs if not leg.state.terminal)


@attrs.frozen
class Excess:
    """What must be reduced (or, at entry, matched on the other venue)."""

    venue: str
    side: Side
    """Side of the reducing order."""
    size: Decimal
    """Base units, a multiple of the venue's lot."""


def fact(trade: Trade) -> Fact:
    """Say what the legs mean together."""
    states = {leg.state for leg in trade.legs}
    if LegState.DOUBT in states or LegState.CANCELLING in states:
        return Fact.NOT_SURE
    if any(not state.terminal for state in states):
        return Fact.PENDING
    long, short = (trade.position(venue) for venue in trade.venues)
    if abs(long + short) < trade.plan.dust and min(abs(long), abs(short)) >= trade.plan.dust:
        return Fact.EVEN
    if excess(trade) is None:
        return Fact.NONE
    return Fact.SPENT if trade.compensations >= trade.plan.attempts else Fact.UNEVEN


def excess(trade: Trade) -> Excess | None:
    """Name the position to reduce, and by how much; None when nothing can be."""
    net = trade.net
    held = {venue: trade.position(venue) for venue in trade.venues}
    if abs(net) >= trade.plan.dust:
        for venue, size in sorted(held.items(), key=lambda item: -abs(item[1])):
            if size * net > 0:
                cut = floor_step(min(abs(net), abs(size)), trade.plan.lot(venue))
                if cut > 0:
                    return Excess(venue, Side.SELL if size > 0 else Side.BUY, cut)
    for venue, size in sorted(held.items(), key=lambda item: -abs(item[1])):
        cut = floor_step(abs(size), trade.plan.lot(venue))
        if cut > 0:
            return Excess(venue, Side.SELL if size > 0 else Side.BUY, cut)
    return None


def advance(trade: Trade, said: Fact | None = None) -> Trade:
    """Move the trade along the table, by a command or by what its legs say."""
    what = said or fact(trade)
    state = TRANSITIONS[trade.state].get(what)
    if state is None:
        msg = f"{trade.plan.trade_id}: {what} is impossible in state {trade.state}"
        raise ValueError(msg)
    return attrs.evolve(
        trade,
        state=state,
        unwinding=trade.unwinding or what is Fact.UNWIND,
        closing=trade.closing or what is Fact.EXIT,
        version=trade.version + 1,
    )
