"""What can happen to a trade, and the one function that makes it happen.

``step`` is deterministic and total: the journal keeps these events, and replaying them gives the
same trade. ``todo`` says what is to be done now; it depends on the trade alone, never on how it
got there, so a restart needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

import attrs

from bot4.domain.fill import Fill
from bot4.domain.order import Order, OrderReport, Purpose
from bot4.strategy.legs import Leg, LegState
from bot4.strategy.outside import explained
from bot4.strategy.saga import Excess, Fact, Plan, State, Trade, advance, excess


class Verdict(StrEnum):
    """How the venue's gateway answered when an order was sent."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"


@attrs.frozen
class Planned:
    """A trade begins."""

    plan: Plan


@attrs.frozen
class Intended:
    """These orders are durable and may leave now. Never applied after the first byte."""

    orders: tuple[Order, ...]


@attrs.frozen
class Sent:
    """The order's first byte may have left."""

    client_order_id: str


@attrs.frozen
class Answered:
    """The exchange that carried the order ended."""

    client_order_id: str
    verdict: Verdict
    venue_order_id: str = ""
    why: str = ""


@attrs.frozen
class Overdue:
    """The answer budget is spent and the order's end is not known."""

    client_order_id: str


@attrs.frozen
class Reported:
    """A venue said something of one of our orders."""

    client_order_id: str
    report: OrderReport


@attrs.frozen
class Filled:
    """A venue filled some of one of our orders; of somebody else's where the name is ""."""

    client_order_id: str
    fill: Fill


@attrs.frozen
class Busted:
    """A venue took a fill of one of our orders back."""

    client_order_id: str
    fill_id: str


@attrs.frozen
class Missing:
    """The venue, asked, does not know the order."""

    client_order_id: str
    venue_now_ms: int


@attrs.frozen
class Corrected:
    """The venue holds another position than our fills say: its truth wins.

    ``size`` is signed base, to be added to what our fills say.
    """

    venue: str
    size: Decimal
    why: str


@attrs.frozen
class Stopped:
    """The bot is stopping: nothing is completed any more."""


@attrs.frozen
class Restarted:
    """The process began anew: whatever had not ended is in doubt."""


@attrs.frozen
class Unwound:
    """Going back was chosen for an uneven entry."""


Event = (
    Intended
    | Sent
    | Answered
    | Overdue
    | Reported
    | Filled
    | Busted
    | Missing
    | Corrected
    | Stopped
    | Restarted
    | Unwound
)


def step(trade: Trade, event: Event, now_s: float) -> Trade:
    """Apply one event. Unknown orders are the caller's business and change nothing here.

    Args:
        trade: the trade so far.
        event: what happened.
        now_s: Trio time, kept for how long a leg was alone; no state depends on it.
    """
    match event:
        case Intended(orders):
            legs = (*trade.legs, *(Leg(order) for order in orders))
            closing = any(order.purpose is Purpose.EXIT for order in orders)
            trade = attrs.evolve(trade, legs=legs)
            if closing:
                return advance(trade, Fact.EXIT)
            return advance(trade)
        case Sent(name):
            return _on_leg(trade, name, Leg.sent)
        case Filled("", fill):
            return explained(trade, fill)
        case Answered() | Overdue() | Reported() | Filled() | Busted() | Missing():
            change = _change(event, trade.plan.settle_ms)
            return advance(_clocked(_on_leg(trade, event.client_order_id, change), now_s))
        case Corrected(venue, size, _):
            return advance(attrs.evolve(trade, corrections=(*trade.corrections, (venue, size))))
        case Stopped():
            return attrs.evolve(trade, stopping=True, version=trade.version + 1)
        case Restarted():
            legs = tuple(_restarted(leg) for leg in trade.legs)
            return advance(attrs.evolve(trade, legs=legs, stopping=False, first_fill_s=None))
        case Unwound():
            return advance(trade, Fact.UNWIND)


def _change(
    event: Answered | Overdue | Reported | Filled | Busted | Missing, settle_ms: int
) -> Callable[[Leg], Leg]:
    match event:
        case Answered(_, verdict, venue_order_id, why):
            return _answer(verdict, venue_order_id, why)
        case Overdue():
            return lambda leg: leg.doubted("no answer in time")
        case Reported(_, report):
            return lambda leg: leg.report(report)
        case Filled(_, fill):
            return lambda leg: leg.fill(fill)
        case Busted(_, fill_id):
            return lambda leg: leg.bust(fill_id)
        case Missing(_, venue_now_ms):
            return lambda leg: leg.missing(venue_now_ms, settle_ms)


def _answer(verdict: Verdict, venue_order_id: str, why: str) -> Callable[[Leg], Leg]:
    match verdict:
        case Verdict.ACCEPTED:
            return lambda leg: leg.accepted(venue_order_id)
        case Verdict.REFUSED:
            return lambda leg: leg.refused(why)
        case Verdict.NOT_SENT:
            return lambda leg: leg.never(why)
        case Verdict.IN_DOUBT:
            return lambda leg: leg.doubted(why)


def _on_leg(trade: Trade, client_order_id: str, change: Callable[[Leg], Leg]) -> Trade:
    return attrs.evolve(
        trade,
        legs=tuple(
            change(leg) if leg.order.client_order_id == client_order_id else leg
            for leg in trade.legs
        ),
    )


def _clocked(trade: Trade, now_s: float) -> Trade:
    if trade.first_fill_s is None and any(leg.filled for leg in trade.legs):
        return attrs.evolve(trade, first_fill_s=now_s)
    return trade


def _restarted(leg: Leg) -> Leg:
    if leg.state.terminal:
        return leg
    return attrs.evolve(leg.doubted("restarted"), missing_since_ms=None)


# --------------------------------------------------------------------------- what to do now


@attrs.frozen
class Ask:
    """Ask the venue what became of this order."""

    leg: Leg


@attrs.frozen
class Cancel:
    """Cancel this order, then ask again."""

    leg: Leg


@attrs.frozen
class Compensate:
    """Reduce the excess; or complete the pair on the other venue, where allowed and cheaper."""

    excess: Excess
    may_complete: bool


@attrs.frozen
class Finish:
    """Nothing is held and nothing can come any more: the trade is over."""


Action = Ask | Cancel | Compensate | Finish


def todo(trade: Trade) -> tuple[Action, ...]:
    """Say what the trade needs now, most urgent first; empty means wait."""
    asks = tuple(Ask(leg) for leg in trade.legs if leg.state is LegState.DOUBT)
    cancels = tuple(Cancel(leg) for leg in trade.legs if leg.state is LegState.CANCELLING)
    if asks or cancels:
        return (*cancels, *asks)
    if trade.open_legs():
        return ()
    if trade.state in (State.MENDING, State.UNWINDING, State.STRANDED):
        what = excess(trade)
        forward = trade.closing or trade.unwinding or trade.stopping
        if what is not None:
            return (Compensate(what, may_complete=not forward and trade.state is State.MENDING),)
    if trade.state is State.FLAT and trade.legs:
        return (Finish(),)
    return ()
