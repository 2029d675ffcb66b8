"""Planted bugs: each is a saga that somebody really shipped; the exploration must refuse it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from bot4.domain.order import Side
from bot4.strategy.events import (
    Action,
    Answered,
    Ask,
    Cancel,
    Compensate,
    Event,
    Filled,
    Missing,
    Overdue,
    Reported,
    Restarted,
    Verdict,
    step,
    todo,
)
from bot4.strategy.legs import Leg, LegState
from bot4.strategy.saga import Excess, State, Trade
from modelchecklib.model import PAST, Saga


def _swap(change: Callable[[Trade, Event], Event]) -> Saga:
    return Saga(lambda trade, event, now_s: step(trade, change(trade, event), now_s), todo)


def _act(change: Callable[[Trade, Action], tuple[Action, ...]]) -> Saga:
    def acts(trade: Trade) -> tuple[Action, ...]:
        return tuple(new for action in todo(trade) for new in change(trade, action))

    return Saga(step, acts)


def _refuse(name: str) -> Answered:
    return Answered(name, Verdict.REFUSED, why="no answer")


def _timeout_is_refusal(_trade: Trade, event: Event) -> Event:
    return _refuse(event.client_order_id) if isinstance(event, Overdue) else event


def _doubt_is_refusal(_trade: Trade, event: Event) -> Event:
    if isinstance(event, Answered) and event.verdict is Verdict.IN_DOUBT:
        return _refuse(event.client_order_id)
    return event


def _absence_is_proof(_trade: Trade, event: Event) -> Event:
    return _refuse(event.client_order_id) if isinstance(event, Missing) else event


def _no_fence(trade: Trade, event: Event) -> Event:
    del trade
    if isinstance(event, Missing):
        return Missing(event.client_order_id, PAST + event.venue_now_ms)
    return event


def _double_counting(trade: Trade, event: Event, now_s: float) -> Trade:
    after = step(trade, event, now_s)
    if not isinstance(event, Reported) or not event.report.filled:
        return after
    legs = tuple(
        attrs.evolve(leg, reported=leg.reported + sum(f.size for f in leg.fills))
        if leg.order.client_order_id == event.client_order_id and leg.fills
        else leg
        for leg in after.legs
    )
    return attrs.evolve(after, legs=legs)


def _starts_fresh(trade: Trade, event: Event, now_s: float) -> Trade:
    if isinstance(event, Restarted):
        legs = tuple(
            leg if leg.state.terminal else leg.never("starting fresh") for leg in trade.legs
        )
        trade = attrs.evolve(trade, legs=legs)
    return step(trade, event, now_s)


def _zero_fill_is_success(trade: Trade, event: Event, now_s: float) -> Trade:
    after = step(trade, event, now_s)

    def rosy(leg: Leg) -> Leg:
        if leg.state is LegState.CANCELLED and not leg.filled:
            return attrs.evolve(leg, state=LegState.FILLED, reported=leg.order.size)
        return leg

    return attrs.evolve(after, legs=tuple(rosy(leg) for leg in after.legs))


def _forgets_partials(trade: Trade, event: Event) -> Event:
    leg = trade.leg(event.client_order_id) if isinstance(event, Filled | Reported) else None
    if leg is not None and isinstance(event, Reported):
        filled = event.report.filled
        if filled and filled < leg.order.size:
            return Reported(event.client_order_id, attrs.evolve(event.report, filled=None))
    return event


def _never_unwinds(_trade: Trade, action: Action) -> tuple[Action, ...]:
    return () if isinstance(action, Compensate) else (action,)


def _halts_when_spent(trade: Trade, action: Action) -> tuple[Action, ...]:
    return () if trade.state is State.STRANDED else (action,)


def _never_asks(_trade: Trade, action: Action) -> tuple[Action, ...]:
    return () if isinstance(action, Ask | Cancel) else (action,)


def _planned_size(trade: Trade, action: Action) -> tuple[Action, ...]:
    if isinstance(action, Compensate):
        excess = attrs.evolve(action.excess, size=trade.plan.size)
        return (attrs.evolve(action, excess=excess),)
    return (action,)


def _backwards(trade: Trade, action: Action) -> tuple[Action, ...]:
    """A failed exit opens the closed leg again instead of closing the other."""
    if isinstance(action, Compensate) and trade.closing:
        return (attrs.evolve(action, may_complete=True),)
    return (action,)


def _completes_after_stop(trade: Trade, action: Action) -> tuple[Action, ...]:
    if isinstance(action, Compensate) and trade.state is State.MENDING:
        return (attrs.evolve(action, may_complete=True),)
    return (action,)


def _wrong_leg(trade: Trade, action: Action) -> tuple[Action, ...]:
    if isinstance(action, Compensate) and trade.net:
        venue = next(v for v in trade.venues if v != action.excess.venue)
        side = Side.SELL if venue == trade.plan.long.venue else Side.BUY
        return (Compensate(Excess(venue, side, action.excess.size), action.may_complete),)
    return (action,)


def _acts_in_doubt(trade: Trade, action: Action) -> tuple[Action, ...]:
    """Does not wait for the leg in doubt: reduces what is filled at once, as if it were alone."""
    if isinstance(action, Ask) and trade.net and trade.state is State.SETTLING:
        venue = max(trade.venues, key=lambda v: abs(trade.position(v)))
        held = trade.position(venue)
        side = Side.SELL if held > 0 else Side.BUY
        return (action, Compensate(Excess(venue, side, abs(held)), may_complete=True))
    return (action,)


def _ignores_overdue(trade: Trade, event: Event, now_s: float) -> Trade:
    return trade if isinstance(event, Overdue) else step(trade, event, now_s)


MUTANTS: Final[Mapping[str, Saga]] = {
    "NT-1 unresolved means rejected": _swap(_timeout_is_refusal),
    "O4-4 any error means failed": _swap(_doubt_is_refusal),
    "HB-5 absence is proof": _swap(_absence_is_proof),
    "HB-5b not found counts before the fence": _swap(_no_fence),
    "NT-2 fills counted twice": Saga(_double_counting, todo),
    "O4-6 starts fresh after a crash": Saga(_starts_fresh, todo),
    "O4-5 a zero fill counts as success": Saga(_zero_fill_is_success, todo),
    "HB-4 a partial is forgotten on cancel": _swap(_forgets_partials),
    "HB-2 a failed leg leaves the other": _act(_never_unwinds),
    "PX-3 halts without unwinding": _act(_halts_when_spent),
    "R2-1 a doubt is never asked about": _act(_never_asks),
    "O4-3 rolls back the planned size": _act(_planned_size),
    "SG-1 a failed exit opens again": _act(_backwards),
    "HB-6 completes after the stop": _act(_completes_after_stop),
    "SP-1 reduces the wrong leg": _act(_wrong_leg),
    "SG-2 acts while a leg is in doubt": _act(_acts_in_doubt),
    "BB-3 waits for ever": Saga(_ignores_overdue, todo),
}
