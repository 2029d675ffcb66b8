"""The one way in, for the real world, the tests and the universe: everything, opened inside out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from functools import partial

import attrs
import structlog
import trio

from bot4.app import Crashes, House
from bot4.config.schema import Config, PairConfig, Secrets
from bot4.domain.market import PARADEX, VENUES, VEST, Pair
from bot4.domain.quote import QuoteRate
from bot4.domain.units import plain
from bot4.ports import World
from bot4.storage.journal import open_journal
from bot4.strategy.premium import Premium
from bot4.strategy.saga import State
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.desk import Desk
from bot4.tasks.detector import Detector
from bot4.tasks.dispatch import Dispatcher
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.narrator import Narrator
from bot4.tasks.pair import PairTask
from bot4.tasks.reconcile import Reconciler
from bot4.tasks.shutdown import fire_cancel_all, leave, unfinished
from bot4.tasks.stop import StopSign
from bot4.wiring.rules import limits_for, mend_rules_for, rules_for
from bot4.wiring.venues import VenueParts, keys_of, open_venue, speech_of

log = structlog.get_logger()


def identity_of(secrets: Secrets) -> dict[str, str]:
    """What tells one account's journal from another's; public facts only."""
    from bot4.venues.vest.signing import address_of

    return {
        VEST: address_of(secrets.vest_primary_key),
        PARADEX: secrets.paradex_account.reveal().lower(),
    }


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
    recovered: bool = False
    started_at: float = attrs.field(factory=trio.current_time)
    booked_before: int = 0
    """Trades that earlier runs closed."""

    async def recover(self) -> None:
        """Cancel what rests at the venues; the pairs settle what the journal left open."""
        for trade in self.ledger.trades:
            log.warning(
                "trade.recovered",
                message=f"[RECOVERY] Trade {trade.plan.trade_id} found in the journal, "
                f"{trade.state}, {trade.plan.pair}",
                trade_id=trade.plan.trade_id,
                pair=trade.plan.pair,
                state=trade.state.value,
                why="the last run ended before this trade did",
                do="nothing: it is compared with both venues and carried on",
            )
        await self.reconciler.settle_start()
        self.recovered = True

    async def trade(self) -> None:
        """Run detector and pairs until every pair has settled after the stop sign."""
        if not self.recovered:
            return
        pairs = [self._pair_task(config) for config in self.config.pairs]
        detector = Detector(self.books, {task.name: task for task in pairs})
        crashes = Crashes(self.stop)
        async with trio.open_nursery() as trading:
            trading.start_soon(detector.keep, self.stop)
            trading.start_soon(self.reconciler.keep)
            trading.start_soon(self._bound, trading.cancel_scope)
            async with trio.open_nursery() as settling:
                for task in pairs:
                    settling.start_soon(_keep_pair, task, crashes)
            trading.cancel_scope.cancel(reason="every pair has settled")
        if crashes.errors:
            raise ExceptionGroup("pairs crashed", crashes.errors)

    async def leave(self) -> list[str]:
        """Prove that no order of ours is open, or list what is left."""
        touched = [venue for venue, parts in self.parts.items() if parts.session.markets]
        within_s = float(self.config.execution.leave_within_s)
        return await leave(self._gateways, self.ledger, touched, within_s)

    async def abandon(self) -> list[str]:
        """Fire cancel-all at both venues and list what is abandoned."""
        await fire_cancel_all(self._gateways)
        return unfinished(self.ledger)

    def goodbye(self, left: Sequence[str]) -> None:
        """Log how the run went, then the last line: clean, or what is left and what to do."""
        held = {
            trade.plan.pair: {venue: plain(trade.position(venue)) for venue in trade.venues}
            for trade in self.ledger.trades
            if trade.state is State.HEDGED
        }
        lived = max(trio.current_time() - self.started_at, 1e-9)
        uptime = {}
        for venue, parts in self.parts.items():
            parts.public.uptime.down()
            uptime[venue] = round(100 * parts.public.uptime.total_s / lived, 2)
        results = self.ledger.results[self.booked_before :]
        net = sum((Decimal(str(result["net_usdc"])) for result in results), Decimal(0))
        words = ", ".join(f"{venue} {share}%" for venue, share in uptime.items())
        log.info(
            "bot.ended",
            message=f"[SHUTDOWN] {len(results)} trades closed, "
            f"net {plain(net)} USDC, feeds up {words}",
            trades=len(results),
            net_usdc=plain(net),
            uptime_percent=uptime,
            seconds=round(lived, 1),
        )
        if not left:
            log.info(
                "shutdown.clean",
                message="[SHUTDOWN] Clean exit, no pending orders",
                held=held,
            )
            return
        log.critical(
            "shutdown.left",
            message=f"[SHUTDOWN] NOT clean: {'; '.join(left)}",
            left=list(left),
            held=held,
            why="it could not be proven closed in time",
            do="run scripts/flatten.py, or start the bot again: it takes up where it stopped",
        )

    @property
    def _gateways(self) -> dict[str, Gateway]:
        return {venue: parts.gateway for venue, parts in self.parts.items()}

    async def _bound(self, scope: trio.CancelScope) -> None:
        await self.stop.wait()
        await trio.sleep(float(self.config.execution.leave_within_s))
        scope.cancel(reason="out of time to settle")

    def _pair_task(self, config: PairConfig) -> PairTask:
        markets = {venue: self.parts[venue].session.markets for venue in VENUES}
        pair = Pair(config.name, markets[VEST][config.vest], markets[PARADEX][config.paradex])
        judge = Judge(
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
            premium=Premium(self.config.vest.premium_bps),
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
                quote=self._quote,
            )
        )

    def _quote(self) -> QuoteRate:
        return fixed_quote(self.config)


def fixed_quote(config: Config) -> QuoteRate:
    """The configured quote rate; always fresh."""
    rate, spread = config.quote_rate.rate, config.quote_rate.uncertainty / 100
    return QuoteRate(low=rate * (1 - spread), rate=rate, high=rate * (1 + spread), age_s=0.0)


async def _keep_pair(task: PairTask, crashes: Crashes) -> None:
    """A pair that crashes stops the bot, then goes on settling what it holds."""
    for _ in range(CRASHES_ALLOWED):
        try:
            await task.keep()
        except Exception as error:  # noqa: BLE001 - whatever it is, a leg may be open
            crashes.note(error)
            continue
        return


CRASHES_ALLOWED = 5


@asynccontextmanager
async def open_house(config: Config, secrets: Secrets, world: World) -> AsyncIterator[House]:
    """Open journal, doors and gateways, and yield the house that ``run_bot`` runs.

    Raises:
        StartRefused: another instance runs, or the journal belongs to another account.
        JournalFault: the journal cannot be used.

    Closes: everything it opened, in reverse order.
    """
    config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        journal = open_journal(
            world,
            config.state_dir / "journal.db",
            mode=config.mode.value,
            identity=identity_of(secrets),
            durability=config.execution.durability.value,
        )
        stack.callback(journal.close)
        stop, closing = StopSign(), StopSign()
        books, accounts, gate = Books(), Accounts(), Gate()
        ledger = Ledger(journal, gate)
        narrator = Narrator()
        ledger.watch(narrator.heard)
        parts: dict[str, VenueParts] = {}
        for venue in VENUES:
            speech = speech_of(venue, config, secrets, journal.tag)
            parts[venue] = await stack.enter_async_context(
                open_venue(speech, config, world, stop, books, accounts, ledger, gate)
            )
        for order in ledger.replay():
            parts[order.key.venue].gateway.codec.seen_handle(order.client_order_id)
        rooms = Rooms(
            config=config,
            world=world,
            stop=stop,
            closing=closing,
            books=books,
            accounts=accounts,
            ledger=ledger,
            gate=gate,
            dispatcher=Dispatcher(
                {venue: part.gateway for venue, part in parts.items()},
                ledger,
                journal,
                config.execution.window_ms,
            ),
            parts=parts,
            reconciler=Reconciler(
                {venue: part.session for venue, part in parts.items()},
                accounts,
                ledger,
                gate,
                keys_of(config),
            ),
            booked_before=len(ledger.results),
        )
        yield House(
            stop=stop,
            closing=closing,
            sessions=[p for part in parts.values() for p in (part.gateway.run, part.session.keep)],
            streams=[
                partial(connection.keep, closing)
                for part in parts.values()
                for connection in (part.public, part.private)
            ],
            recover=rooms.recover,
            trade=rooms.trade,
            leave=rooms.leave,
            abandon=rooms.abandon,
            goodbye=rooms.goodbye,
        )
