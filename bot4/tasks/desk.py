"""One pair's desk: turns decisions into orders. Everything here is plain and does not wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from math import inf

import attrs
import structlog
import trio

from bot4.config.schema import ExecutionConfig, OnStop
from bot4.domain.market import MarketKey, Pair, other
from bot4.domain.order import Order, Purpose, Side
from bot4.domain.quote import QuoteRate
from bot4.errors import JournalFault
from bot4.strategy.bound import NakedBound, naked_bound
from bot4.strategy.decision import Decision, Enter, Exit, Reason, Why
from bot4.strategy.edge import round_trip_fees
from bot4.strategy.saga import Plan, Trade
from bot4.tasks import closing, words
from bot4.tasks.dispatch import LONG, SHORT, Dispatcher, Signed, Wanted
from bot4.tasks.following import FOLLOWS_S, Following
from bot4.tasks.gate import RECONCILE, UNKNOWN_ORDER, Gate
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.margin import MarginWatch
from bot4.tasks.mending import FREE_DISK, Mender
from bot4.tasks.stop import StopSign
from bot4.tasks.stopwatch import Stopwatch

log = structlog.get_logger()


@attrs.define
class Desk:
    """Enters and leaves for one pair; its mender makes it even in between."""

    pair: Pair
    execution: ExecutionConfig
    judge: Judge
    ledger: Ledger
    gate: Gate
    dispatcher: Dispatcher
    stop: StopSign
    margin: MarginWatch
    quote: Callable[[], QuoteRate]
    shut: Callable[[MarketKey], Awaitable[str]]
    """Asks a venue now why no order of a market can be executed, "" when it can."""
    watches: dict[str, Stopwatch] = attrs.field(factory=dict)
    _announced: set[str] = attrs.field(factory=set)
    _changed: trio.Event = attrs.field(factory=trio.Event)
    mender: Mender = attrs.field(init=False)
    _exit_seen: Decimal | None = None

    @mender.default
    def _hire(self) -> Mender:
        return Mender(
            self.execution, self.judge, self.ledger, self.gate, self.dispatcher, self.watch_of
        )

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

    def forced_exit(self, trade: Trade, why: Why) -> Decision:
        """What closing now, whatever it earns, would be."""
        return self.judge.forced(trade, why)

    @property
    def may_hold(self) -> bool:
        """Whether a hedged pair may stay on while nobody watches it."""
        return self.execution.on_stop is OnStop.HOLD and self.margin.calm

    @property
    def naked_bound(self) -> NakedBound:
        """How long one leg may be alone, with the windows of now."""
        one = self.execution
        window_ms = max(gateway.window.ms for gateway in self.dispatcher.gateways.values())
        rungs = len(one.unwind_rungs_bps)
        return naked_bound(one.mend_attempts, rungs, window_ms, one.settle_ms)

    def state_bound(self) -> None:
        """Say before trading what a leg that is alone may last and cost."""
        bound, fees = self.naked_bound, round_trip_fees(self.pair) / 2
        notional = self.judge.rules.size.notional
        cost = bound.cost(notional, self.execution.unwind_rungs_bps[-1], fees)
        words.say_bound(self.pair.name, bound, notional, cost)

    @property
    def reconciled(self) -> bool:
        """Whether the venues' positions are known to be what the trades hold."""
        return not {RECONCILE, UNKNOWN_ORDER} & self.gate.reasons.keys()

    def doubt_positions(self) -> None:
        """Have the positions compared before anything else is decided."""
        self.gate.block(RECONCILE, "positions are being compared", "wait", quiet=True)

    def until_proof(self, order: Order) -> float:
        """Seconds until its next "not found" proves something; inf where none does."""
        trade = self.ledger.get(order.trade_id)
        leg = None if trade is None else trade.leg(order.client_order_id)
        due_ms = None if trade is None or leg is None else leg.proof_ms(trade.plan.settle_ms)
        if due_ms is None:
            return inf
        return max(0.0, self.dispatcher.gateways[order.key.venue].until(due_ms))

    def watch_of(self, trade: Trade) -> Stopwatch:
        """The trade's stopwatch, begun anew after a restart."""
        return self.watches.setdefault(trade.plan.trade_id, Stopwatch())

    def note(self, trade: Trade) -> None:
        """Keep the exposure and the fill times of a trade that just changed."""
        now, watch = trio.current_time(), self.watch_of(trade)
        self._changed.set()
        self._changed = trio.Event()
        watch.exposed(trade, now)
        for fill in trade.outside:
            if fill.venue_time_ms is not None:
                late_ms = self.dispatcher.gateways[fill.venue].now_ms() - fill.venue_time_ms
                watch.backdate(fill.fill_id, now - max(late_ms, 0) / 1000)
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
            equity=self.judge.equity(),
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
        orders = tuple(one.order for one in signed)
        watch.promised(orders, buy=decision.long_price, sell=decision.short_price)
        self.ledger.begin(plan, orders)
        watch.durable_at = trio.current_time()
        if watch.durable_at > deadline:
            # The prices are old by now; the gateway's gate keeps both orders home.
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

    async def why_shut(self, trade: Trade) -> str:
        """Ask both venues whether they execute orders now; why one does not, "" when both do.

        Cancellation: waits for the questions under way.
        """
        found: list[str] = []

        async def ask(key: MarketKey) -> None:
            if why := await self.shut(key):
                found.append(why)

        async with trio.open_nursery() as asking:
            for key in (trade.plan.long, trade.plan.short):
                asking.start_soon(ask, key)
        return "; ".join(sorted(found))

    def leave(self, trade: Trade, decision: Exit) -> None:
        """Close both legs reduce-only, by no more than their venues really hold.

        Where nobody says whether a market executes orders, its leg goes first, and the other one
        once that is accepted: a refusal leaves the pair hedged.
        """
        watch = self.watch_of(trade)
        self._exit_seen = decision.spread
        attempt = 1 + max((leg.order.attempt for leg in trade.legs), default=0)
        wanted = []
        for key, side, limit, name in (
            (trade.plan.long, Side.SELL, decision.long_limit, LONG),
            (trade.plan.short, Side.BUY, decision.short_limit, SHORT),
        ):
            size = min(abs(trade.position(key.venue)), decision.size(key.venue))
            wanted.append(
                Wanted(key, side, size, limit, Purpose.EXIT, attempt, reduce_only=True, leg=name)
            )
        signed = self.dispatcher.sign(trade.plan.trade_id, wanted, round(FOLLOWS_S * 1000))
        self.dispatcher.spend(trade.venues, closing=True)
        orders = tuple(one.order for one in signed)
        watch.promised(orders, buy=decision.short_price, sell=decision.long_price)
        self.ledger.intend(trade.plan.trade_id, orders)
        first = [one for one in signed if not self._tells_halts(one)] or list(signed)
        later = [one for one in signed if one not in first]
        deadline = trio.current_time() + FOLLOWS_S
        self.dispatcher.post(first, deadline, watch)
        if later:
            lead = first[0].order
            follow = Following(self.ledger, lead, lambda: self._changed)
            self.dispatcher.post(later, deadline, watch, follow.wait)
        words.say_leaving(trade, decision)

    def _tells_halts(self, signed: Signed) -> bool:
        return self.dispatcher.gateways[signed.order.key.venue].codec.tells_halts

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


ENTER_1 = (Purpose.ENTER, 1, False)
