"""One order's life as we know it: from intent to a proven end.

A leg never goes backwards: the rank of its state rises, its filled quantity rises, and what a
venue says twice or out of order changes nothing. The four ends are FILLED, PART_CLOSED,
CANCELLED, REFUSED and NEVER; in between, DOUBT is asked about and never resent.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.order import Order, OrderReport, OrderState

SECOND_READ_MS: Final = 1000
"""Two "not found" past the fence must be this far apart: acceptance is asynchronous."""


class LegState(StrEnum):
    """Where one order stands."""

    INTENT = "intent"
    """Durable; the first byte has not left."""
    SENDING = "sending"
    ACKED = "acked"
    PARTIAL = "partial"
    CANCELLING = "cancelling"
    DOUBT = "doubt"
    FILLED = "filled"
    PART_CLOSED = "part_closed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    NEVER = "never"
    """Proven never to have reached the venue, or never to be accepted."""

    @property
    def terminal(self) -> bool:
        """Whether the order can change nothing any more."""
        return self in _TERMINAL


_TERMINAL: Final = frozenset(
    {
        LegState.FILLED,
        LegState.PART_CLOSED,
        LegState.CANCELLED,
        LegState.REFUSED,
        LegState.NEVER,
    }
)


@attrs.frozen
class Leg:
    """An order with everything known of it."""

    order: Order
    state: LegState = LegState.INTENT
    venue_order_id: str = ""
    reported: Decimal = Decimal(0)
    """Cumulative filled, as reports say."""
    average_price: Decimal | None = None
    fee: Decimal | None = None
    fills: tuple[Fill, ...] = ()
    busted: tuple[Fill, ...] = ()
    """Fills that the venue took back; its reports may go on counting them."""
    reason: str = ""
    missing_since_ms: int | None = None
    """The venue's clock at the first "not found" past the fence."""
    funding: Decimal | None = None
    """Settled with its fills, as reports say; see ``settled``."""

    @property
    def filled(self) -> Decimal:
        """Base units filled, by whichever source knows more, less what was taken back."""
        lost = sum((f.size for f in self.busted), Decimal(0))
        return max(self.reported - lost, sum((f.size for f in self.fills), Decimal(0)))

    @property
    def signed(self) -> Decimal:
        """What this leg did to the position of its venue."""
        return self.filled * self.order.side.sign

    def average(self) -> Decimal | None:
        """Average price of what filled, from its fills, else as the venue reports it."""
        size = sum((f.size for f in self.fills), Decimal(0))
        if size and size >= self.filled:
            return sum((f.size * f.price for f in self.fills), Decimal(0)) / size
        return self.average_price

    def settled(self) -> Decimal | None:
        """Funding that came with what filled, USDC; None while the venue has not said all of it."""
        if self.funding is not None:
            return self.funding
        said = [fill.funding for fill in self.fills if fill.funding is not None]
        if (
            len(said) < len(self.fills)
            or sum((f.size for f in self.fills), Decimal(0)) < self.filled
        ):
            return None
        return sum(said, Decimal(0))

    def sent(self) -> Leg:
        """The first byte may have left."""
        return _to(self, LegState.SENDING) if self.state is LegState.INTENT else self

    def doubted(self, why: str) -> Leg:
        """No readable answer in time: ask, never resend."""
        if self.state.terminal:
            return self
        return attrs.evolve(self, state=LegState.DOUBT, reason=why)

    def accepted(self, venue_order_id: str) -> Leg:
        """The venue queued the order."""
        known = attrs.evolve(self, venue_order_id=venue_order_id or self.venue_order_id)
        if self.state in (LegState.INTENT, LegState.SENDING):
            return _to(known, LegState.ACKED)
        return known

    def refused(self, why: str) -> Leg:
        """A definite refusal: over, unless fills prove the contrary."""
        if self.state.terminal:
            return self
        if self.filled:
            return _end(self, "closed after part of it filled")
        return attrs.evolve(self, state=LegState.REFUSED, reason=why)

    def never(self, why: str) -> Leg:
        """Proven: it did not and cannot reach the venue."""
        if self.state.terminal or self.filled:
            return self
        return attrs.evolve(self, state=LegState.NEVER, reason=why)

    def proof_ms(self, settle_ms: int) -> int | None:
        """The venue's time from which its next "not found" counts; None where none ever does."""
        if self.state is not LegState.DOUBT or self.filled:
            return None
        if self.missing_since_ms is None:
            return self.order.fence_ms + settle_ms + 1
        return self.missing_since_ms + SECOND_READ_MS

    def missing(self, venue_now_ms: int, settle_ms: int) -> Leg:
        """The venue does not know the order, by its own clock. Proof only past the fence, twice."""
        due_ms = self.proof_ms(settle_ms)
        if due_ms is None or venue_now_ms < due_ms:
            return self
        if self.missing_since_ms is None:
            return attrs.evolve(self, missing_since_ms=venue_now_ms)
        return self.never("not found twice past its receive window")

    def report(self, report: OrderReport) -> Leg:
        """Merge what the venue says; older or repeated statements change nothing."""
        leg = attrs.evolve(
            self,
            venue_order_id=report.venue_order_id or self.venue_order_id,
            reported=max(self.reported, report.filled or Decimal(0)),
            average_price=report.average_price or self.average_price,
            fee=report.fee if report.fee is not None else self.fee,
            funding=report.funding if report.funding is not None else self.funding,
        )
        if leg.state.terminal:
            return _late(leg)
        if report.state is OrderState.REFUSED:
            return leg.refused(report.reason or "refused")
        if report.state is OrderState.CLOSED:
            return _end(leg, report.reason)
        if report.state is OrderState.OPEN and self.state is LegState.DOUBT:
            return _to(leg, LegState.CANCELLING)
        return _on(leg, LegState.PARTIAL if leg.filled else LegState.ACKED)

    def fill(self, fill: Fill) -> Leg:
        """Add one fill, once; told again, only what was not said before is new."""
        if any(gone.fill_id == fill.fill_id for gone in self.busted):
            return self
        for known in self.fills:
            if known.fill_id == fill.fill_id:
                told = attrs.evolve(
                    known,
                    fee=fill.fee if known.fee is None else known.fee,
                    funding=fill.funding if known.funding is None else known.funding,
                )
                return attrs.evolve(
                    self, fills=tuple(told if f is known else f for f in self.fills)
                )
        leg = attrs.evolve(self, fills=(*self.fills, fill))
        if leg.state.terminal:
            return _late(leg)
        if leg.filled >= leg.order.size:
            return _end(leg, "")
        return _on(leg, LegState.PARTIAL)

    def bust(self, fill_id: str) -> Leg:
        """The venue takes a fill back: it never was, but that the order ended stays true."""
        gone = tuple(fill for fill in self.fills if fill.fill_id == fill_id)
        kept = tuple(fill for fill in self.fills if fill.fill_id != fill_id)
        leg = attrs.evolve(self, fills=kept, busted=(*self.busted, *gone))
        return _end(leg, "taken back by the venue") if gone and leg.state.terminal else leg


_WAITING: Final = frozenset({LegState.INTENT, LegState.SENDING, LegState.ACKED, LegState.PARTIAL})


def _to(leg: Leg, state: LegState) -> Leg:
    return attrs.evolve(leg, state=state)


def _on(leg: Leg, state: LegState) -> Leg:
    """Move a leg that waits; one in doubt stays there until its end is known."""
    return _to(leg, state) if leg.state in _WAITING else leg


def _end(leg: Leg, reason: str) -> Leg:
    if leg.filled >= leg.order.size:
        return attrs.evolve(leg, state=LegState.FILLED, reason=reason)
    state = LegState.PART_CLOSED if leg.filled else LegState.CANCELLED
    return attrs.evolve(leg, state=state, reason=reason or "closed by the venue")


def _late(leg: Leg) -> Leg:
    """A fill that came after the end changes how it ended, never that it ended."""
    if not leg.filled:
        return leg
    full = leg.filled >= leg.order.size
    return _to(leg, LegState.FILLED if full else LegState.PART_CLOSED)
