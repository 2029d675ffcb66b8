"""The product's own rooms around one pair, put on the twins: nothing of it is rewritten here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from random import Random
from typing import Final

import attrs
import trio

from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, VENUES, VEST, Pair
from bot4.domain.order import OrderReport
from bot4.ports import Entry
from bot4.strategy.premium import Premium
from bot4.strategy.saga import Trade
from bot4.tasks.account import OrderListener
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.desk import Desk
from bot4.tasks.dispatch import Dispatcher
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.margin import MarginWatch
from bot4.tasks.pair import PairTask
from bot4.tasks.reconcile import Reconciler
from bot4.tasks.session import Session
from bot4.tasks.stop import StopSign
from bot4.wiring.rules import fixed_quote, limits_for, margin_rules_for, mend_rules_for, rules_for
from bot4.wiring.universe import wall_ms
from exposurelib.policies import Kind, Policy, SerialDispatcher
from exposurelib.twins import Door, Twins, hear, read_private

NEVER_MS: Final = 10**9
HOLD_HOURS: Final = Decimal(60) / 3600
"""A pair that does not close by itself is closed after so long: a minute for the product's day."""


class Notebook:
    """A journal that only counts: what a crash would need is not needed here."""

    tag: str = "expose"

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def append(self, entries: Iterable[Entry], *, durable: bool) -> None:
        """Forget them."""

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Nothing was kept."""
        return iter(())

    def next_number(self, name: str, floor: int = 0) -> int:
        """Count."""
        self._numbers[name] = max(self._numbers.get(name, 0), floor) + 1
        return self._numbers[name]


class World:
    """Clock and chance. Implements what gateways need of ``ports.World``."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - one seed, one trade

    def wall_ms(self) -> int:
        """The twins' own wall clock."""
        return wall_ms()

    def suspended_s(self) -> float:
        """Never: no machine sleeps here."""
        return 0.0


@attrs.define
class Bench:
    """One pair, its task and everything that task works with."""

    twins: Twins
    books: Books
    ledger: Ledger
    gateways: dict[str, Gateway]
    pair: Pair
    desk: Desk
    policy: Policy
    task: PairTask
    reconciler: Reconciler
    stop: StopSign

    @property
    def trade(self) -> Trade | None:
        """The trade that lives, if one does."""
        return self.desk.trade

    async def run(self) -> None:
        """Run venues, gateways, reconciler and the pair, for ever. Cancellation: safe."""
        async with trio.open_nursery() as rooms:
            for gateway in self.gateways.values():
                rooms.start_soon(gateway.run)
            rooms.start_soon(self.reconciler.keep)
            rooms.start_soon(self.task.keep)


async def put_up(twins: Twins, kind: Kind, seed: int) -> Bench:
    """Build the rooms; the venues' agendas and the gateways' orders are not served yet.

    Cancellation: nothing is left behind.
    """
    mend_within_ms = NEVER_MS if kind.however_late else twins.config.execution.mend_within_ms
    execution = attrs.evolve(twins.config.execution, mend_within_ms=mend_within_ms)
    strategy = attrs.evolve(twins.config.strategy, max_hold_hours=HOLD_HOURS)
    config = attrs.evolve(twins.config, strategy=strategy, execution=execution)
    (wanted,) = config.pairs
    gate, stop, books, accounts = Gate(), StopSign(), Books(), Accounts()
    journal, world = Notebook(), World(seed)
    ledger = Ledger(journal, gate)
    gateways = {
        name: Gateway(
            twins.speech[name].codec,
            Door(name, twins),
            world,  # type: ignore[arg-type]
            window_ms=config.execution.window_ms,
        )
        for name in VENUES
    }
    listed = {}
    for name, gateway in gateways.items():
        await gateway.sync_clock()
        await gateway.sign_in()
        listed[name] = {market.key.symbol: market for market in await gateway.markets()}
    pair = Pair(wanted.name, listed[VEST][wanted.vest], listed[PARADEX][wanted.paradex])
    per_second = config.risk.orders_per_second
    if kind.first is None:
        dispatcher = Dispatcher(gateways, ledger, journal, per_second)
    else:
        dispatcher = SerialDispatcher(gateways, ledger, journal, per_second)
        dispatcher.first = kind.first
    judge = Judge(
        pair=pair,
        rules=rules_for(config, wanted),
        mend=mend_rules_for(config, wanted),
        limits=limits_for(config),
        books=books,
        accounts=accounts,
        ledger=ledger,
        gate=gate,
        quote=lambda: fixed_quote(config),
        wall_ms=wall_ms,
        premium=Premium(config.vest.premium_bps),
    )
    keys = (pair.vest.key, pair.paradex.key)
    margin = MarginWatch(
        accounts, books, gate, margin_rules_for(config), keys, lambda: ledger.last_change
    )
    sessions = {
        name: Session(
            gateway=gateway,
            listener=OrderListener(gateway, ledger),
            accounts=accounts,
            gate=gate,
            symbols=(pair.on(name).key.symbol,),
            leverage=config.risk.venue_leverage,
            clock_limit_ms=config.ages.clock_offset_ms,
        )
        for name, gateway in gateways.items()
    }
    desk = Desk(
        pair=pair,
        execution=config.execution,
        judge=judge,
        ledger=ledger,
        gate=gate,
        dispatcher=dispatcher,
        stop=stop,
        margin=margin,
        quote=lambda: fixed_quote(config),
        shut=lambda key: sessions[key.venue].why_shut(key.symbol),
    )
    policy = kind.mender(config.execution, judge, ledger, gate, dispatcher, desk.watch_of)
    desk.mender = policy
    reconciler = Reconciler(sessions, accounts, ledger, gate, keys)

    def heard(venue: str, text: str | bytes) -> None:
        for notice in read_private(twins, venue, text):
            if isinstance(notice, OrderReport | Fill):
                ledger.hear(notice)

    hear(twins, heard)
    return Bench(
        twins, books, ledger, gateways, pair, desk, policy, PairTask(desk), reconciler, stop
    )
