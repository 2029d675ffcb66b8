"""One pair's desk: turns decisions into orders. Everything here is plain and does not wait."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import attrs
import structlog
import trio

from bot4.config.schema import ExecutionConfig
from bot4.domain.market import Pair, other
from bot4.domain.order import Purpose, Side
from bot4.domain.quote import QuoteRate
from bot4.errors import JournalFault
from bot4.ports import Retry
from bot4.strategy.complete_or_unwind import Complete, Wait
from bot4.strategy.decision import Decision, Enter, Exit, Reason
from bot4.strategy.events import Compensate, Unwound
from bot4.strategy.saga import Plan, Trade
from bot4.tasks import closing, words
from bot4.tasks.dispatch import LONG, SHORT, Dispatcher, Wanted
from bot4.tasks.gate import Gate
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.reconcile import RECONCILE
from bot4.tasks.stop import StopSign
from bot4.tasks.stopwatch import Stopwatch

log = structlog.get_logger()


@attrs.define
class Desk:
    """Enters, leaves and compensates for one pair."""

    pair: Pair
    execution: ExecutionConfig
    judge: Judge
    ledger: Ledger
    gate: Gate
    dispatcher: Dispatcher
    stop: StopSign
    quote: Callable[[], QuoteRate]
    watches: dict[str, Stopwatch] = attrs.field(factory=dict)
    _announced: set[str] = attrs.field(factory=set)
    _exit_seen: Decimal | None = None

    @property
    def trade(self) -> Trade | None:
        """The pair's unfinished trade."""
        return self.ledger.of_pair(self.pair.name)

    def look(self) -> bool:
        """Judge the newest books; True when there is something to do."""
        return self.judge.look()

    def take_decision(self) -> Decision | None:
        """The strategy's last word, once."""
        return self.judge.take()

    def forced_exit(self, trade: Trade) -> Decision:
        """What closing now, whatever it earns, would be."""
        return self.judge.forced(trade, "stop")

    @property
    def naked_bound_s(self) -> float:
        """How long one leg may be alone: an answer, its fence, and the attempts to mend it."""
        one = self.execution
        doubt_ms = one.answer_by_ms + one.window_ms + 2 * one.settle_ms
        return (doubt_ms + (one.mend_attempts + 2) * ATTEMPT_MS) / 1000

    @property
    def reconciled(self) -> bool:
        """Whether the venues' positions are known to be what the trades hold."""
        return RECONCILE not in self.gate.reasons

    def doubt_positions(self) -> None:
        """Have the positions compared before anything else is decided."""
        self.gate.block(RECONCILE, "positions are being compared", "wait", quiet=True)

    def watch_of(self, trade: Trade) -> Stopwatch:
        """The trade's stopwatch, begun anew after a restart."""
        return self.watches.setdefault(trade.plan.trade_id, Stopwatch())

    def note(self, trade: Trade) -> None:
        """Keep the exposure and the fill times of a trade that just changed."""
        now, watch = trio.current_time(), self.watch_of(trade)
        watch.exposed(trade, now)
        for leg in trade.legs:
            times = watch.order(leg.order.client_order_id, now)
            if times.filled_at is None and leg.filled >= leg.order.size:
                times.filled_at = now

    # --------------------------------------------------------------------------- entry

    def enter(self, decision: Enter) -> None:
        """Sign both legs, make them durable in one commit, and put both on the wire at once."""
        try:
            self._enter(decision)
        except JournalFault as fault:
            log.error(
                "journal.failed",
                message=f"[SAFETY] Entry abandoned, the journal cannot be written: {fault}",
                pair=self.pair.name,
                why=str(fault),
                do=FREE_DISK,
            )
            self.gate.block("journal", str(fault), FREE_DISK)

    def _enter(self, decision: Enter) -> None:
        decided = trio.current_time()
        deadline = decision.detected_at + self.execution.deadline_ms / 1000
        long, short = self.pair.on(decision.long), self.pair.on(other(decision.long))
        if not self.dispatcher.spend((long.key.venue, short.key.venue), closing=False):
            log.info(
                "entry.held",
                message=f"[HOLD] {self.pair.name}: too many orders for now",
                pair=self.pair.name,
                reason=Reason.ORDER_RATE.value,
            )
            return
        trade_id = self.dispatcher.new_trade_id()
        plan = Plan(
            trade_id=trade_id,
            pair=self.pair.name,
            long=long.key,
            short=short.key,
            size=decision.size,
            lots=((long.key.venue, long.lot), (short.key.venue, short.lot)),
            dust=self.judge.dust(decision.long_price),
            attempts=self.execution.unwind_attempts,
            settle_ms=self.execution.settle_ms,
            spread=decision.spread,
            target=decision.target,
            quote_rate=self.quote().rate,
            decided_ms=self.dispatcher.gateways[long.key.venue].now_ms(),
        )
        signed = self.dispatcher.sign(
            trade_id,
            (
                Wanted(long.key, Side.BUY, decision.size, decision.long_limit, *ENTER_1, LONG),
                Wanted(short.key, Side.SELL, decision.size, decision.short_limit, *ENTER_1, SHORT),
            ),
        )
        signed_at = trio.current_time()
        watch = self.watches[trade_id] = Stopwatch(decision.detected_at, decided, signed_at)
        self.ledger.begin(plan, tuple(one.order for one in signed))
        watch.durable_at = trio.current_time()
        if watch.durable_at - signed_at > SLOW_JOURNAL_S:
            # The prices are old by now; the gateway's gate keeps both orders home.
            deadline = watch.durable_at - 1.0
            why = f"a commit took {(watch.durable_at - signed_at) * 1000:.0f} ms"
            log.warning(
                "journal.failed",
                message=f"[SAFETY] Entry abandoned: {why}",
                pair=self.pair.name,
                why=why,
                do="look at this machine's disk if it happens often",
            )
        self.dispatcher.post(signed, deadline, watch)
        words.say_entering(self.pair.name, trade_id, decision)

    def announce_hedged(self, trade: Trade) -> None:
        """Say once that both legs are on."""
        if trade.plan.trade_id in self._announced:
            return
        self._announced.add(trade.plan.trade_id)
        words.say_hedged(trade, self.judge.realised_entry(trade), self.watch_of(trade).stages_ms())

    # ---------------------------------------------------------------------------- exit

    def leave(self, trade: Trade, decision: Exit) -> None:
        """Close both legs reduce-only, each by what its venue really holds."""
        watch = self.watch_of(trade)
        self._exit_seen = decision.spread
        attempt = 1 + max((leg.order.attempt for leg in trade.legs), default=0)
        wanted = []
        for key, side, limit, name in (
            (trade.plan.long, Side.SELL, decision.long_limit, LONG),
            (trade.plan.short, Side.BUY, decision.short_limit, SHORT),
        ):
            size = abs(trade.position(key.venue))
            wanted.append(
                Wanted(key, side, size, limit, Purpose.EXIT, attempt, reduce_only=True, leg=name)
            )
        signed = self.dispatcher.sign(trade.plan.trade_id, wanted)
        self.dispatcher.spend(trade.venues, closing=True)
        self.ledger.intend(trade.plan.trade_id, tuple(one.order for one in signed))
        self.dispatcher.post(signed, trio.current_time() + 1.0, watch)
        words.say_leaving(trade, decision)

    async def finish(self, trade: Trade) -> None:
        """Add the trade up and book it, unless it turns out not to be flat.

        Cancellation: it is finished after the next start.
        """
        watch, gateways = self.watch_of(trade), self.dispatcher.gateways
        if not await closing.finish(trade, self.judge, watch, gateways, self._exit_seen):
            return
        self._exit_seen = None
        self.watches.pop(trade.plan.trade_id, None)
        self._announced.discard(trade.plan.trade_id)

    # -------------------------------------------------------------------- compensation

    def compensate(self, trade: Trade, action: Compensate) -> None:
        """Complete the pair or reduce the excess, whichever is cheaper now and allowed."""
        excess = action.excess
        mends = sum(leg.order.purpose is Purpose.MEND for leg in trade.legs)
        rungs = self.execution.unwind_rungs_bps
        rung = rungs[min(trade.reductions, len(rungs) - 1)]
        if action.may_complete:
            left = mends < self.execution.mend_attempts and not self._refused_for_good(trade)
            choice = self.judge.choose(trade, excess, rung, may_complete=left)
            if isinstance(choice, Wait):
                return
            if isinstance(choice, Complete):
                wanted = self._wanted(trade, choice.venue, choice.side, choice.size, choice.limit)
                attempt = f"{mends + 2}/{self.execution.mend_attempts + 1}"
                why = self._mend(trade, wanted)
                if not why:
                    words.say_mending(trade, wanted, attempt, choice)
                    return
            else:
                why = choice.why
            trade = self.ledger.happen(trade.plan.trade_id, Unwound())
            words.say_unwinding(trade, why)
        limit = self.judge.unwind_limit(excess.venue, excess.side, rung)
        if limit is None:
            return
        words.say_reducing(trade, action, limit, rung)
        self._send(trade, self._wanted(trade, excess.venue, excess.side, excess.size, limit))

    def _mend(self, trade: Trade, wanted: Wanted) -> str:
        """Send the missing leg; return why it cannot be, "" when it was."""
        try:
            self._send(trade, attrs.evolve(wanted, purpose=Purpose.MEND, reduce_only=False))
        except JournalFault as fault:
            self.gate.block("journal", str(fault), FREE_DISK)
            return f"the journal cannot be written: {fault}"
        return ""

    def _wanted(
        self, trade: Trade, venue: str, side: Side, size: Decimal, limit: Decimal
    ) -> Wanted:
        key = trade.plan.key(venue)
        return Wanted(
            key=key,
            side=side,
            size=size,
            limit=limit,
            purpose=Purpose.UNWIND,
            attempt=1 + max((leg.order.attempt for leg in trade.legs), default=0),
            reduce_only=True,
            leg=LONG if key == trade.plan.long else SHORT,
        )

    def _send(self, trade: Trade, wanted: Wanted) -> None:
        self.dispatcher.spend((wanted.key.venue,), closing=True)
        signed = self.dispatcher.sign(trade.plan.trade_id, (wanted,))
        self.ledger.intend(trade.plan.trade_id, tuple(one.order for one in signed))
        self.dispatcher.post(signed, trio.current_time() + 1.0, self.watch_of(trade))

    def _refused_for_good(self, trade: Trade) -> bool:
        """Whether the missing leg's last refusal says that trying again is useless."""
        opening = [
            leg
            for leg in trade.legs
            if leg.order.purpose in (Purpose.ENTER, Purpose.MEND) and not leg.filled
        ]
        if not opening:
            return False
        last = opening[-1]
        codec = self.dispatcher.gateways[last.order.key.venue].codec
        told = codec.retry(last.reason) if last.reason else Retry.REQUOTE
        return Retry.NEVER in (self.dispatcher.retry_of(last.order.client_order_id), told)


FREE_DISK = "free the disk, then start the bot again"
SLOW_JOURNAL_S = 0.1
"""A commit that took longer came too late to trade on. Source: ours."""
ATTEMPT_MS = 600
"""One order out and back, at the slower venue."""
ENTER_1 = (Purpose.ENTER, 1, False)
