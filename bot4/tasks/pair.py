"""One pair, kept for ever: waits for a decision, opens, holds, closes, and mends what fails.

The saga's table says what a trade needs; this task does it and feeds back what happened. It is
level-triggered: after any event, crash or restart it looks at the trade as it is and goes on.
"""

from __future__ import annotations

from math import inf

import structlog
import trio

from bot4.strategy.decision import Decision, Enter, Exit, Why
from bot4.strategy.events import (
    Ask,
    Cancel,
    Compensate,
    Finish,
    Overdue,
    Stopped,
    todo,
)
from bot4.strategy.legs import LegState
from bot4.strategy.saga import State, Trade, excess
from bot4.tasks.desk import Desk
from bot4.tasks.doubt import Doubts
from bot4.tasks.holdings import failed_exits
from bot4.tasks.naked_alarm import NakedAlarm
from bot4.tasks.words import say_exit_held, say_held, say_stranded

log = structlog.get_logger()

STRANDED_EVERY_S = 5.0
DOUBT_S = 6.0
"""What comparing positions may take before reducing goes on all the same."""
MARGIN_EVERY_S = 1.0
COMPARED_WITHIN_S = 5.0
"""From the stop on, before a pair whose positions nobody could compare is left as it is: two
readings some seconds apart, and an answer to each."""
LOOK_AGAIN_S = 0.1
LOOK_OPEN_S = 1.0
"""A venue that executes no order is asked again this often while a pair waits to be closed."""
HELD_EVERY_S = 10.0
EXIT_PAUSE_S = 0.5
EXIT_PAUSE_CAP_S = 10.0


class PairTask:
    """Drives the saga of one pair. ``look`` is called by the detector, ``keep`` is the task."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.name = desk.pair.name
        self._wake = trio.Event()
        self._doubts = Doubts(desk, self._wake_up)
        self._try_at = -inf
        self._cried_at = -inf
        self._alarm = NakedAlarm(desk)
        self._waiting_said_at = -inf
        self._doubted = 0
        self._doubt_until = -inf
        desk.ledger.watch(
            lambda _id, _event, trade: self._on_change(trade), finished=self._doubts.forget
        )

    def look(self) -> None:
        """Judge the newest books; wake the task when there is something to do."""
        if self.desk.look():
            self._wake.set()

    async def keep(self) -> None:
        """Run until the stop sign is up and nothing is left to settle.

        Cancellation: safe at every wait; what is on the wire goes on in the gateways.
        """
        self.desk.state_bound()
        async with trio.open_nursery() as asking:
            asking.start_soon(self._wake_on_stop)
            while True:
                self._wake = trio.Event()
                again_at = await self._turn(asking)
                if again_at is None:
                    break
                with trio.move_on_at(again_at):
                    await self._wake.wait()
            asking.cancel_scope.cancel(reason="the pair has settled")

    # --------------------------------------------------------------------------- turns

    async def _turn(self, asking: trio.Nursery) -> float | None:
        """Do what is due now; return when to look again, or None at the end."""
        await trio.lowlevel.checkpoint()
        desk, trade = self.desk, self.desk.trade
        stopping = desk.stop.raised
        if trade is None:
            if stopping:
                return None
            if desk.dispatcher.ready and isinstance(decision := desk.take_decision(), Enter):
                desk.enter(decision)
            return inf
        if not trade.open_legs():
            # Whatever is sent next would be refused for its token or time, and count as an attempt.
            await desk.dispatcher.get_ready(_next_venues(trade))
        if stopping and not trade.stopping:
            trade = desk.ledger.happen(trade.plan.trade_id, Stopped())
        next_at = self._overdue(trade)
        trade = desk.trade or trade
        for action in todo(trade):
            match action:
                case Ask(leg) | Cancel(leg):
                    due = self._doubts.ask(asking, leg, cancel=isinstance(action, Cancel))
                    next_at = min(next_at, due)
                case Compensate():
                    next_at = min(next_at, self._compensate(trade, action))
                case Finish():
                    await desk.finish(trade)
                    self._try_at = -inf
                    if desk.trade is None:
                        self._alarm.end(trade)
                    return trio.current_time()
        if trade.state is State.HEDGED:
            if self._wants_exit(trade, stopping=stopping) and (shut := await desk.why_shut(trade)):
                return self._wait_open(trade, shut)
            trade = desk.trade or trade
            if trade.state is State.HEDGED and not trade.open_legs():
                return self._hold(trade, stopping=stopping)
            return trio.current_time()
        return min(next_at, self._alarm.check(trade))

    def _wants_exit(self, trade: Trade, *, stopping: bool) -> bool:
        """Whether an exit may be decided now: then both venues are asked first."""
        desk = self.desk
        if trio.current_time() < self._try_at or not desk.reconciled:
            return False
        if stopping:
            return not desk.may_hold
        near = desk.margin.critical(trade.plan.long, trade.plan.short)
        return near or isinstance(desk.judge.decision, Exit)

    def _wait_open(self, trade: Trade, why: str) -> float:
        """One venue executes no order: both legs stay on, whatever the exit is for.

        The other leg alone would be naked for as long as that lasts. That holds near a liquidation
        too: one that only may come is no reason for an exposure that is certain.
        """
        now = trio.current_time()
        if now - self._waiting_said_at >= HELD_EVERY_S:
            self._waiting_said_at = now
            say_exit_held(trade, why)
        self._try_at = now + LOOK_OPEN_S
        return self._try_at

    def _hold(self, trade: Trade, *, stopping: bool) -> float | None:
        desk = self.desk
        if not desk.reconciled:
            if not stopping:
                return inf
            # Not yet: what we say last about a pair has to be so.
            if trio.current_time() < desk.stop.at + COMPARED_WITHIN_S:
                return trio.current_time() + LOOK_AGAIN_S
            say_held(trade, proven=False)
            return None
        desk.announce_hedged(trade)
        if stopping and desk.may_hold:
            say_held(trade)
            return None
        now = trio.current_time()
        if now < self._try_at:
            return self._try_at
        if stopping:
            decision: Decision | None = desk.forced_exit(trade, Why.STOP)
        elif desk.margin.critical(trade.plan.long, trade.plan.short):
            decision = desk.forced_exit(trade, Why.MARGIN)
        else:
            decision = desk.take_decision()
        if isinstance(decision, Exit):
            exits = failed_exits(trade)
            # The first again at once, and each clip that follows one which filled; then slower,
            # and not before the positions were compared: what both venues refuse is often a pair
            # that a person closed.
            if exits:
                self._try_at = now + min(EXIT_PAUSE_S * exits, EXIT_PAUSE_CAP_S)
                desk.doubt_positions()
            desk.leave(trade, decision)
            return inf
        return now + (0.2 if stopping else MARGIN_EVERY_S)

    def _compensate(self, trade: Trade, action: Compensate) -> float:
        now = trio.current_time()
        if now < self._try_at:
            return self._try_at
        self._doubt_positions(trade, now)
        if not self.desk.reconciled and now < self._doubt_until:
            return now + 0.1
        if trade.state is State.STRANDED and now - self._cried_at >= STRANDED_EVERY_S:
            self._cried_at = now
            say_stranded(trade)
        self.desk.mender.compensate(trade, action)
        tried = trade.compensations
        first_s = self.desk.execution.mend_backoff_ms / 1000
        pause = 0.0 if tried == 0 else min(first_s * 2 ** (tried - 1), 2.0)
        if trade.state is State.STRANDED:
            pause = STRANDED_EVERY_S
        self._try_at = now + pause if pause else now
        return now + max(pause, 0.05)

    def _doubt_positions(self, trade: Trade, now: float) -> None:
        """After reducing orders that found nothing to reduce, see first what is really held."""
        if self._doubted != len(trade.legs) and self.desk.mender.finds_nothing(trade):
            self._doubted = len(trade.legs)
            self._doubt_until = now + DOUBT_S
            self.desk.doubt_positions()

    # ------------------------------------------------------------------- doubt and time

    def _overdue(self, trade: Trade) -> float:
        """Put in doubt what was not answered in time; return when the next one is due."""
        budget_s = self.desk.execution.answer_by_ms / 1000
        now, next_at = trio.current_time(), inf
        for leg in trade.open_legs():
            if leg.state in (LegState.DOUBT, LegState.CANCELLING):
                continue
            name = leg.order.client_order_id
            due = self.desk.watch_of(trade).order(name, now).intended_at + budget_s
            if due <= now:
                self.desk.ledger.happen(trade.plan.trade_id, Overdue(name))
            else:
                next_at = min(next_at, due)
        return next_at

    # ----------------------------------------------------------------------- wakings

    def _on_change(self, trade: Trade) -> None:
        if trade.plan.pair == self.name:
            self.desk.note(trade)
            self._wake.set()

    async def _wake_on_stop(self) -> None:
        await self.desk.stop.wait()
        self._wake_up()

    def _wake_up(self) -> None:
        self._wake.set()


def _next_venues(trade: Trade) -> tuple[str, ...]:
    """Where the next orders may go: a venue that is dark must not hold up the other's leg."""
    what = excess(trade) if trade.state in (State.UNWINDING, State.STRANDED) else None
    return trade.venues if what is None else (what.venue,)
