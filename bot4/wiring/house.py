"""The one way in, for the real world, the tests and the universe: everything, opened inside out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from decimal import Decimal
from functools import partial

import structlog

from bot4.app import House
from bot4.config.schema import Config, Secrets
from bot4.domain.market import PARADEX, VENUES, VEST
from bot4.errors import JournalFault, StartRefused
from bot4.ports import World
from bot4.storage.journal import SqliteJournal, open_journal
from bot4.storage.reading import COMPARED
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.dispatch import Dispatcher
from bot4.tasks.fee_watch import FeeWatch
from bot4.tasks.gate import Gate
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.margin import MarginWatch
from bot4.tasks.narrator import Narrator
from bot4.tasks.rebooking import Rebooking
from bot4.tasks.reconcile import Reconciler
from bot4.tasks.results import Results
from bot4.tasks.stop import StopSign
from bot4.tasks.suspend import SuspendWatch
from bot4.wiring.accounts import identity_of, lock_accounts
from bot4.wiring.disk import tell_disk
from bot4.wiring.files import StateFiles, journal_file, stop_file
from bot4.wiring.mirror import MirrorsHouse, open_mirror
from bot4.wiring.retention import Retention
from bot4.wiring.rooms import Rooms
from bot4.wiring.rules import day_of, margin_rules_for
from bot4.wiring.venues import Shared, VenueParts, keys_of, open_venue, speech_of
from bot4.wiring.waking import Waking
from bot4.wiring.window import open_window

log = structlog.get_logger()


def refuse_strangers(ledger: Ledger, config: Config) -> None:
    """Refuse to start beside an open trade whose pair nobody would look after.

    Raises:
        StartRefused: bot4.yaml no longer has the pair of a trade, or has other markets for it.
    """
    listed = {(pair.name, pair.vest, pair.paradex) for pair in config.pairs}
    for trade in ledger.trades:
        plan = trade.plan
        symbols = {key.venue: key.symbol for key in (plan.long, plan.short)}
        if (plan.pair, symbols[VEST], symbols[PARADEX]) not in listed:
            raise StartRefused(
                f"the journal has an open trade of {plan.pair} ({symbols[VEST]} and "
                f"{symbols[PARADEX]}), a pair that the settings no longer have",
                "put the pair back into bot4.yaml and start again: the trade is carried home first",
            )


def rate_of(judges: Mapping[str, Judge], pair: str, venue: str) -> Decimal:
    """The taker's rate of a pair at a venue; 0 of a pair that is not traded any more."""
    judge = judges.get(pair)
    return Decimal(0) if judge is None else judge.pair.on(venue).taker_fee


def remember_compared(journal: SqliteJournal) -> None:
    """Write down that both venues were compared with this journal once; a full disk is no news."""
    if not journal.known():
        with suppress(JournalFault):
            journal.next_number(COMPARED)


@asynccontextmanager
async def open_house(config: Config, secrets: Secrets, world: World) -> AsyncIterator[House]:
    """Open journal, doors and gateways, and yield the house that ``run_bot`` runs.

    Raises:
        StartRefused: another process trades one of the accounts, the journal belongs to another
            account, or has an open trade of a pair that bot4.yaml no longer has.
        JournalFault: the journal cannot be used.

    Closes: everything it opened, in reverse order.
    """
    config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = identity_of(secrets)
    async with AsyncExitStack() as stack:
        journal = open_journal(
            world,
            journal_file(config),
            mode=config.mode.value,
            identity=identity,
            durability=config.execution.durability.value,
        )
        stack.callback(journal.close)
        state = StateFiles(journal_file(config))
        tell_disk(config, journal)
        # After the journal, so that whoever gets our journal finds the accounts free.
        locks = await stack.enter_async_context(lock_accounts(config, secrets, world))
        known = journal.known()
        stop, closing = StopSign(), StopSign()
        books, accounts, gate = Books(), Accounts(), Gate()
        ledger = Ledger(journal, gate, Results(day_of(config)))
        narrator = Narrator()
        ledger.watch(narrator.heard, finished=narrator.forget)
        wanted = stop_file(config)
        wanted.unlink(missing_ok=True)  # whoever starts the bot means it

        def stays_home() -> str:
            if not stop.raised and wanted.exists():
                log.warning(
                    "shutdown.requested",
                    message="[SHUTDOWN] Asked to stop by another command, nothing opens any more",
                    why=f"{wanted.name} was put beside the journal",
                    do="nothing: flatten or guard does so before it closes anything",
                )
                stop.raise_sign("the stop file")
            return "stopping: nothing opens any more" if stop.raised else ""

        suspend = SuspendWatch(world.suspended_s)
        books.look = suspend.look
        shared = Shared(books, accounts, ledger, gate, closing, suspend)
        parts: dict[str, VenueParts] = {}
        for venue in VENUES:
            speech = speech_of(venue, config, secrets, journal.tag)
            parts[venue] = await stack.enter_async_context(
                open_venue(speech, config, world, stays_home, shared)
            )
        retail = config.paradex.profile == "retail"
        fees = FeeWatch(PARADEX, parts[PARADEX].session.markets, retail=retail)
        ledger.watch(fees.heard)
        judges: dict[str, Judge] = {}

        def busy() -> bool:
            return any(part.gateway.on_wire for part in parts.values())

        def keep_off() -> bool:
            return busy() or bool(state.lost())

        behind = MirrorsHouse(journal, identity, gate, closing, busy, judges)
        mirrored = await stack.enter_async_context(
            open_mirror(config, secrets.mirror, world, behind)
        )
        windows = await stack.enter_async_context(open_window(config, journal))
        replayed = ledger.replay()
        refuse_strangers(ledger, config)
        ledger.results.begin_run()
        for order in replayed:
            parts[order.key.venue].gateway.codec.seen_handle(order.client_order_id)
        waking = Waking(parts, books, accounts, gate, judges)
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
                config.risk.orders_per_second,
                (PARADEX,) if retail else (),
            ),
            parts=parts,
            judges=judges,
            reconciler=Reconciler(
                {venue: part.session for venue, part in parts.items()},
                accounts,
                ledger,
                gate,
                keys_of(config),
                first=lambda: remember_compared(journal),
            ),
            state=state,
            waking=waking,
            fees=fees,
            journal_known=known,
            margin=MarginWatch(
                accounts,
                books,
                gate,
                margin_rules_for(config),
                keys_of(config),
                changed_at=lambda: ledger.last_change,
            ),
        )
        suspend.on_wake.append(waking.wake)
        rooms.dispatcher.remember(replayed)
        yield House(
            stop=stop,
            closing=closing,
            sessions=[
                *(p for part in parts.values() for p in (part.gateway.run, part.session.keep)),
                rooms.watch(stays_home),
                *mirrored.services,
                Rebooking(
                    ledger,
                    rooms.dispatcher.gateways,
                    lambda pair, venue: rate_of(judges, pair, venue),
                ).keep,
                Retention(config, world, journal, mirrored.sent, keep_off).keep,
                *windows,
                *(lock.answer for lock in locks),
            ],
            streams=[
                partial(link.keep, closing, waited_for=link is not part.orders)
                for part in parts.values()
                for link in part.links
            ],
            recover=rooms.recover,
            trade=rooms.trade,
            leave=rooms.leave,
            abandon=rooms.abandon,
            hang_up=rooms.hang_up,
            goodbye=rooms.goodbye,
        )
