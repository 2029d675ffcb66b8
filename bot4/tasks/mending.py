"""A trade that is uneven: complete it or take it back, whichever is cheaper now and allowed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import attrs
import trio

from bot4.config.schema import ExecutionConfig
from bot4.domain.order import Purpose, Side
from bot4.domain.units import floor_step
from bot4.errors import JournalFault
from bot4.ports import Retry
from bot4.strategy.clips import smallest
from bot4.strategy.complete_or_unwind import Complete, Wait
from bot4.strategy.events import Compensate, Unwound
from bot4.strategy.legs import Leg
from bot4.strategy.saga import Trade
from bot4.tasks import words
from bot4.tasks.dispatch import LONG, SHORT, Dispatcher, Wanted
from bot4.tasks.gate import Gate
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.stopwatch import Stopwatch

FREE_DISK: Final = "free the disk, then start the bot again"
FAILED_REDUCTIONS: Final = 2
"""So many reducing orders in a row without a fill, which no price explains, are no accident: the
position may be gone."""
PATIENCE_S: Final = 2.0
"""A leg without a picture of its market is naked so long at most before its last one will do."""


@attrs.frozen
class Mender:
    """Sends what makes a pair even again. Plain; nothing here waits."""

    execution: ExecutionConfig
    judge: Judge
    ledger: Ledger
    gate: Gate
    dispatcher: Dispatcher
    watch_of: Callable[[Trade], Stopwatch]

    def compensate(self, trade: Trade, action: Compensate) -> None:
        """Complete the pair or reduce the excess, whichever is cheaper now and allowed."""
        excess = action.excess
        mends = sum(leg.order.purpose is Purpose.MEND for leg in trade.legs)
        rungs = self.execution.unwind_rungs_bps
        rung = rungs[min(trade.reductions, len(rungs) - 1)]
        if action.may_complete:
            left = mends < self.execution.mend_attempts and not self._refused_for_good(trade)
            choice = self.judge.choose(trade, excess, rung, may_complete=left)
            if isinstance(choice, Wait) and self._naked_s(trade) < PATIENCE_S:
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
        most = self._refused_size(trade, excess.venue)
        whole = self.judge.whole_lots(excess.venue, excess.size)
        clip = self.judge.reduction(excess.venue, excess.side, whole, rung, most)
        if clip is None or not whole:
            return
        size, limit = clip
        wanted = self._wanted(trade, excess.venue, excess.side, size, limit)
        words.say_reducing(trade, wanted, rung)
        self._send(trade, wanted)

    def finds_nothing(self, trade: Trade) -> bool:
        """Whether the last reducing orders look as if there were nothing left to reduce.

        Some that no price explains, or one for each step of the ladder whatever the price.
        """
        failed = strange = 0
        for leg in reversed(trade.legs):
            if leg.order.purpose is not Purpose.UNWIND or leg.filled:
                break
            if Retry.LIMIT in self._told(leg):
                continue
            failed += 1
            strange += not self.judge.left_behind(leg.order)
        every_step = len(self.execution.unwind_rungs_bps)
        return strange >= FAILED_REDUCTIONS or failed >= every_step

    def _naked_s(self, trade: Trade) -> float:
        since = self.watch_of(trade).naked_since
        return 0.0 if since is None else trio.current_time() - since

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
        # A trade that came back to life when its exit was taken back may lie across a newer one:
        # the venue then holds nothing that could be reduced, and would refuse for ever.
        held = self.ledger.held(key)
        across = abs(held) < size or (held > 0) == (side is Side.BUY)
        return Wanted(
            key=key,
            side=side,
            size=size,
            limit=limit,
            purpose=Purpose.UNWIND,
            attempt=1 + max((leg.order.attempt for leg in trade.legs), default=0),
            reduce_only=not across,
            leg=LONG if key == trade.plan.long else SHORT,
        )

    def _send(self, trade: Trade, wanted: Wanted) -> None:
        self.dispatcher.spend((wanted.key.venue,), closing=True)
        signed = self.dispatcher.sign(trade.plan.trade_id, (wanted,))
        self.ledger.intend(trade.plan.trade_id, tuple(one.order for one in signed))
        self.dispatcher.post(signed, trio.current_time() + 1.0, self.watch_of(trade))

    def _refused_size(self, trade: Trade, venue: str) -> Decimal | None:
        """Half of the smallest reducing order that was refused for its size, None without one.

        The limits that the venue announces are read anew, but a leg that is alone does not wait.
        """
        refused = [
            leg.order.size
            for leg in trade.legs
            if leg.order.key.venue == venue
            and leg.order.closes
            and not leg.filled
            and Retry.LIMIT in self._told(leg)
        ]
        if not refused:
            return None
        market, part = self.judge.pair.on(venue), min(refused) / 2
        least = smallest(market, trade.legs[0].order.limit)
        # Below the smallest order nothing helps: then it was no matter of size, and all of it is
        # tried again.
        return floor_step(part, market.lot) if part >= least else None

    def _told(self, leg: Leg) -> tuple[Retry, Retry]:
        """What an order's refusal allows, by its answer and by its end."""
        codec = self.dispatcher.gateways[leg.order.key.venue].codec
        told = codec.retry(leg.reason) if leg.reason else Retry.REQUOTE
        return self.dispatcher.retry_of(leg.order.client_order_id), told

    def _refused_for_good(self, trade: Trade) -> bool:
        """Whether the missing leg's last refusal says that trying again is useless."""
        opening = [
            leg
            for leg in trade.legs
            if leg.order.purpose in (Purpose.ENTER, Purpose.MEND) and not leg.filled
        ]
        if not opening:
            return False
        told = self._told(opening[-1])
        return Retry.NEVER in told or Retry.LIMIT in told
