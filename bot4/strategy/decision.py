"""The one decision: what a pair should do now, from what is seen and what is held."""

from __future__ import annotations

from bot4.strategy.ages import stale
from bot4.strategy.entering import enter
from bot4.strategy.hold import Hold, Reason
from bot4.strategy.leaving import forced_by, leave
from bot4.strategy.memory import Memory
from bot4.strategy.rules import Rules
from bot4.strategy.view import Decision, Enter, Exit, Holding, View, Why

__all__ = [
    "Decision",
    "Enter",
    "Exit",
    "Hold",
    "Holding",
    "Memory",
    "Reason",
    "View",
    "Why",
    "decide",
]


def decide(view: View, rules: Rules, memory: Memory) -> Decision:
    """Judge one pair that is flat or hedged. To be called at every newer book, in order.

    Args:
        view: everything seen at this instant.
        rules: the pair's configuration.
        memory: the pair's own; updated.

    Returns:
        What to do. Whoever acts on an ``Enter`` restarts the memory, so that the gap has to be
        confirmed anew; until then a newer book gives a newer ``Enter``, or takes it back.
    """
    blind = stale(view.now_s, view.vest, view.paradex, view.vest_heartbeat_at, rules.ages)
    if blind is not None:
        memory.blind(view.now_s)
        return blind
    memory.look(view, rules)
    if view.holding is not None:
        memory.restart()
        return _held(view, view.holding, rules, memory)
    doubt = _unfit_to_open(view)
    if doubt is not None:
        memory.blind(view.now_s)
        return doubt
    return enter(view, rules, memory)


def _held(view: View, holding: Holding, rules: Rules, memory: Memory) -> Exit | Hold:
    if view.rate.old and forced_by(view, holding, rules.leave) is None:
        return Hold(Reason.QUOTE_RATE, view.rate.trouble())
    return leave(view, holding, rules, memory)


def _unfit_to_open(view: View) -> Hold | None:
    trouble = view.rate.trouble()
    if trouble:
        return Hold(Reason.QUOTE_RATE, trouble)
    for market in (view.pair.vest, view.pair.paradex):
        if not market.trading:
            return Hold(Reason.MARKET_CLOSED, f"{market.key} is not trading")
    return None
