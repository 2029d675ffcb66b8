"""What the house's verbs do: recover, trade, leave, abandon, say goodbye."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial

import attrs
import structlog
import trio

from bot4.app import Crashes, Service
from bot4.config.schema import Config, OnStop, PairConfig
from bot4.domain.market import PARADEX, VENUES, VEST, Market, MarketKey, Pair
from bot4.domain.quote import QuoteRate
from bot4.domain.units import plain
from bot4.invocation import command
from bot4.ports import World
from bot4.strategy.premium import Premium
from bot4.strategy.saga import State, Trade
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.desk import Desk
from bot4.tasks.detector import Detector
from bot4.tasks.dispatch import Dispatcher
from bot4.tasks.fee_watch import FeeWatch
from bot4.tasks.gate import EXPOSURE, RECONCILE, STATE, UNKNOWN_ORDER, Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.margin import MarginWatch
from bot4.tasks.pair import PairTask
from bot4.tasks.reconcile import Reconciler
from bot4.tasks.shutdown import fire_cancel_all, hurry, leave, unfinished
from bot4.tasks.stop import StopSign
from bot4.tasks.watchdog import CLOCKS, keep_watch
from bot4.tasks.words import say_recovered
from bot4.wiring.ending import say_ended, say_last
from bot4.wiring.figures import Figures, Sight, row_of
from bot4.wiring.files import StateFiles
from bot4.wiring.pairing import refuse_mismatch, refuse_unlisted, tell_changed_lots
from bot4.wiring.rules import fixed_quote, limits_for, mend_rules_for, rules_for
from bot4.wiring.snapshot import describe, forget_status, write_status
from bot4.wiring.venues import VenueParts
from bot4.wiring.waking import Waking

log = structlog.get_logger()

CRASHES_ALLOWED = 5
PROOF, GOODBYE = 0.2, 0.1
"""Shares of the time that stopping may take: for proving what is open, and for hanging up."""


@attrs.define
class Rooms:
    """What the house's verbs work on."""

    config: Config
    world: World
    stop: StopSign
    closing: StopSign
    books: Books
    accounts: Accounts
    ledger: Ledger
    gate: Gate
    dispatcher: Dispatcher
    parts: Mapping[str, VenueParts]
    reconciler: Reconciler
    margin: MarginWatch
    fees: FeeWatch
    state: StateFiles
    waking: Waking
    judges: dict[str, Judge]
    """By pair, once trading has begun."""
    journal_known: bool
    """Whether the journal was here before, so that an empty one says that nothing is held."""
    recovered: bool = False
    figures: list[Figures] = attrs.field(factory=list, init=False)
    """Of the hedged pairs, as of the end of trading: the books close before the last line."""
    _firing: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _fired: bool = attrs.field(default=False, init=False)
    started_at: float = attrs.field(factory=trio.current_time)

    async def recover(self) -> None:
        """Cancel what rests at the venues; the pairs settle what the journal left open.

        Raises:
            ConfigError: no pair can be traded, for markets that are not listed, and none is held.
        """
        refuse_unlisted(self.config, self._markets, self.gate, held=bool(self.ledger.trades))
        for trade in self.ledger.trades:
            say_recovered(trade)
        await self.reconciler.settle_start()
        self.recovered = True

    async def trade(self, crashes: Crashes) -> None:
        """Run detector and pairs until every pair has settled after the stop sign."""
        if not self.recovered:
            return
        pairs = [self._pair_task(config) for config in self.config.pairs]
        for task in pairs:
            refuse_mismatch(task.desk.pair, self.gate)
            tell_changed_lots(task.desk.pair, self.ledger.trades)
        detector = Detector(self.books, {task.name: task for task in pairs})
        async with trio.open_nursery() as trading:
            # A crash of these must not cancel a pair that has a leg to bring home.
            trading.start_soon(crashes.outlive, partial(detector.keep, self.stop))
            trading.start_soon(crashes.outlive, self.reconciler.keep)
            trading.start_soon(self._bound, trading.cancel_scope)
            async with trio.open_nursery() as settling:
                for task in pairs:
                    # One that crashes stops the bot, then goes on settling what it holds.
                    settling.start_soon(crashes.outlive, task.keep, CRASHES_ALLOWED)
            trading.cancel_scope.cancel(reason="every pair has settled")

    async def leave(self) -> list[str]:
        """Prove that no order of ours is open, or list what is left, positions of nobody too."""
        touched = [venue for venue, parts in self.parts.items() if parts.session.markets]
        if set(touched) == set(self.parts):
            with trio.move_on_at(self._leave_by(PROOF + GOODBYE)):
                await self.reconciler.compare_once()
        by = self._leave_by(GOODBYE)
        left = await leave(self._gateways, self.ledger, touched, by, self.reconciler.strays.resting)
        return [*left, *self._unproven()]

    async def abandon(self) -> list[str]:
        """Fire cancel-all at both venues, once however often asked; list what is abandoned."""
        async with self._firing:
            if not self._fired:
                self._fired = True
                await fire_cancel_all(self._gateways)
        rest = self.reconciler.strays.resting.values()
        return [*rest, *unfinished(self.ledger), *self._unproven()]

    def _unproven(self) -> list[str]:
        """What the venues hold and no trade explains, and pairs whose positions are in question."""
        self.figures = [self.sight.of(trade) for trade in self._hedged()]
        if not self.reconciler.compared:
            return self._never_compared()
        reasons = self.gate.reasons
        lines = [reasons[EXPOSURE]] if EXPOSURE in reasons else []
        if lost := self.state.lost():
            lines.append(f"{lost}: the journal was at {self.state.journal}, with what is open")
        why = reasons.get(UNKNOWN_ORDER) or reasons.get(RECONCILE)
        if why is not None:
            lines += [f"{t.plan.pair} may not be hedged: {why}" for t in self._hedged()]
        if self.config.execution.on_stop is OnStop.FLATTEN or not self.margin.calm:
            lines += [
                f"{trade.plan.pair} is still on, hedged: "
                + (
                    self.gate.shut((trade.plan.long, trade.plan.short))
                    or "it was not closed in time"
                )
                for trade in self._hedged()
            ]
        return lines

    def _never_compared(self) -> list[str]:
        """What may be open, where nobody has compared both venues with the journal yet."""
        held = self.reconciler.seen_differences()
        held += [
            f"{trade.plan.pair} is held as the journal says, "
            + ", ".join(f"{venue} {plain(trade.position(venue))}" for venue in trade.venues)
            for trade in self._hedged()
        ]
        if not held and not self.journal_known:
            held = ["the journal is new here, so it cannot say that nothing is held"]
        return held

    def _hedged(self) -> list[Trade]:
        return [trade for trade in self.ledger.trades if trade.state is State.HEDGED]

    async def hang_up(self) -> None:
        """Close both doors."""
        for part in self.parts.values():
            await part.hang_up()

    def goodbye(self, left: Sequence[str]) -> None:
        """Log how the run went, then the last lines: clean, or what is left and what to do."""
        theirs = self.gate.reasons.get(EXPOSURE)
        if all(line == theirs for line in left) and not self.state.lost():
            # Else the last word stays: a guard then takes this for the death that it is. What no
            # trade of ours explains is for a person to close.
            forget_status(self.config)
        lived, uptime = max(trio.current_time() - self.started_at, 1e-9), {}
        for venue, parts in self.parts.items():
            parts.public.uptime.down()
            uptime[venue] = round(100 * parts.public.uptime.total_s / lived, 2)
        say_ended(self.ledger.results, uptime, lived)
        say_last(left, self.figures, compared=self.reconciler.compared, lost=self.state.lost())

    @property
    def _gateways(self) -> dict[str, Gateway]:
        return {venue: parts.gateway for venue, parts in self.parts.items()}

    @property
    def _markets(self) -> Mapping[str, Mapping[str, Market]]:
        return {venue: self.parts[venue].session.markets for venue in VENUES}

    async def _bound(self, scope: trio.CancelScope) -> None:
        await self.stop.wait()
        await trio.sleep_until(self._leave_by(PROOF + GOODBYE))
        hurry(self._gateways.values(), self._leave_by(GOODBYE))
        scope.cancel(reason="out of time to settle")

    def _leave_by(self, kept_back: float) -> float:
        """Trio time by which something must be over, so that this share of stopping is left."""
        within_s = float(self.config.execution.leave_within_s)
        begun = min(self.stop.at, trio.current_time())
        return begun + within_s * (1 - kept_back)

    def watch(self, stays_home: Callable[[], str]) -> Service:
        """The watchdog of this house."""
        gateways = self._gateways.values()

        def beat() -> None:
            if not self._lost():
                trades = [row_of(self.sight.of(trade)) for trade in self.ledger.trades]
                said = describe(self.parts, self.books, self.accounts, trades, self.gate)
                write_status(self.config, self.world.wall_ms(), said)
            self.margin.look()
            self.waking.look()
            if CLOCKS in self.gate.reasons and all(one.clock_known for one in gateways):
                self.gate.clear(CLOCKS)

        def measure() -> None:
            for gateway in gateways:
                gateway.doubt_clock()

        return partial(keep_watch, stays_home, beat, measure, self.gate, self.world)

    def _lost(self) -> bool:
        """Whether the state folder is not ours any more; opening stops while it is not."""
        lost = self.state.lost()
        if lost and STATE not in self.gate.reasons:
            log.error(
                "journal.lost",
                message=f"[DANGER] Nothing opens: {lost}",
                path=str(self.state.journal),
                why=f"{lost}; the next start would know nothing of what is open",
                do=f"put it back; else press Ctrl+C, then run {command('flatten')}",
            )
            self.gate.block(STATE, lost, "put it back", quiet=True)
        elif not lost:
            self.gate.clear(STATE)
        return bool(lost)

    @property
    def sight(self) -> Sight:
        """What the figures of open trades are made of."""

        def taker_fee(key: MarketKey) -> Decimal | None:
            market = self.parts[key.venue].session.markets.get(key.symbol)
            return None if market is None else self.fees.applied(market).taker_fee

        return Sight(self.books, self.accounts, self._quote(), self.judges, taker_fee)

    def _pair_task(self, config: PairConfig) -> PairTask:
        markets = self._markets

        def pair_now() -> Pair:
            paradex = self.fees.applied(markets[PARADEX][config.paradex])
            return Pair(config.name, markets[VEST][config.vest], paradex)

        pair = pair_now()
        judge = self.judges[config.name] = Judge(
            pair=pair,
            rules=rules_for(self.config, config),
            mend=mend_rules_for(self.config, config),
            limits=limits_for(self.config),
            books=self.books,
            accounts=self.accounts,
            ledger=self.ledger,
            gate=self.gate,
            quote=self._quote,
            wall_ms=self.world.wall_ms,
            pair_now=pair_now,
            premium=Premium(self.config.vest.premium_bps, charged_in=self.config.vest.premium_in),
        )
        return PairTask(
            Desk(
                pair=pair,
                execution=self.config.execution,
                judge=judge,
                ledger=self.ledger,
                gate=self.gate,
                dispatcher=self.dispatcher,
                stop=self.stop,
                margin=self.margin,
                quote=self._quote,
                shut=lambda key: self.parts[key.venue].session.why_shut(key.symbol),
            )
        )

    def _quote(self) -> QuoteRate:
        return fixed_quote(self.config)
