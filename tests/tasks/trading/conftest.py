"""A bench that puts one pair's tasks on two venues without bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import ExecutionConfig
from bot4.domain.book import Book, Ladder
from bot4.domain.market import PARADEX, VENUES, VEST, Pair
from bot4.domain.quote import QuoteRate
from bot4.domain.units import to_e8
from bot4.strategy.decision import Enter
from bot4.strategy.margin import MarginRules
from bot4.strategy.risk import Caps
from bot4.strategy.rules import MendRules, Rules
from bot4.strategy.saga import Trade
from bot4.tasks.account import OrderListener
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.desk import Desk
from bot4.tasks.dispatch import Dispatcher
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.judge import Judge, Limits
from bot4.tasks.ledger import Ledger
from bot4.tasks.margin import MarginWatch
from bot4.tasks.pair import PairTask
from bot4.tasks.reconcile import Reconciler
from bot4.tasks.session import Session
from bot4.tasks.stop import StopSign

D = Decimal
SIZE = D("0.0030")
RATE = QuoteRate(D(1), D(1), D(1), 0.0)
TOUCH = {VEST: (D(83000), D(83001)), PARADEX: (D(83200), D("83200.1"))}
"""Vest is 0.24 % cheaper: worth buying there."""


@attrs.define(slots=False, eq=False)
class Bench:
    """One pair's rooms on two venues without bytes."""

    journal: Any
    world: Any
    venues: dict[str, Any]
    execution: ExecutionConfig
    touch: dict[str, tuple[Decimal, Decimal]] = attrs.field(factory=lambda: dict(TOUCH))
    blind: set[str] = attrs.field(factory=set)
    """Venues whose feed is silent."""
    comparing: bool = True
    """Whether positions are compared with the venues."""

    def __attrs_post_init__(self) -> None:
        self.gate, self.stop, self.books = Gate(), StopSign(), Books()
        self.accounts = Accounts()
        self.ledger = Ledger(self.journal, self.gate)
        self.gateways = {
            name: Gateway(
                venue, venue, self.world, stays_home=lambda: "stopping" if self.stop.raised else ""
            )
            for name, venue in self.venues.items()
        }
        for venue in self.venues.values():
            venue.hear = self.ledger.hear
        self.dispatcher = Dispatcher(self.gateways, self.ledger, self.journal, 1000)
        self.pair = Pair("BTC", self.venues[VEST].market, self.venues[PARADEX].market)
        self.judge = Judge(
            pair=self.pair,
            rules=Rules(),
            mend=MendRules(),
            limits=Limits(Caps(), D(50), 30.0, 8),
            books=self.books,
            accounts=self.accounts,
            ledger=self.ledger,
            gate=self.gate,
            quote=lambda: RATE,
            wall_ms=self.world.wall_ms,
        )
        keys = (self.pair.vest.key, self.pair.paradex.key)
        self.margin = MarginWatch(
            self.accounts,
            self.books,
            self.gate,
            MarginRules(),
            keys,
            changed_at=lambda: self.ledger.last_change,
        )
        self.desk = Desk(
            margin=self.margin,
            pair=self.pair,
            execution=self.execution,
            judge=self.judge,
            ledger=self.ledger,
            gate=self.gate,
            dispatcher=self.dispatcher,
            stop=self.stop,
            quote=lambda: RATE,
            shut=lambda key: self.sessions[key.venue].why_shut(key.symbol),
        )
        self.sessions = {name: self.session(name) for name in VENUES}
        self.reconciler = Reconciler(
            self.sessions,
            self.accounts,
            self.ledger,
            self.gate,
            keys,
        )
        self.task = PairTask(self.desk)
        self.settled = trio.Event()

    def session(self, venue: str) -> Session:
        gateway = self.gateways[venue]
        listener = OrderListener(gateway, self.ledger)
        symbol = self.pair.on(venue).key.symbol
        return Session(gateway, listener, self.accounts, self.gate, (symbol,), 3, 1000)

    @property
    def vest(self) -> Any:
        return self.venues[VEST]

    @property
    def paradex(self) -> Any:
        return self.venues[PARADEX]

    @property
    def net(self) -> Decimal:
        """What both venues really hold, together."""
        return self.vest.position + self.paradex.position

    @property
    def kinds(self) -> list[str]:
        """The kinds of the journal's rows."""
        return [entry.kind for entry in self.journal.rows]

    def post_books(self) -> None:
        for venue in VENUES:
            if venue not in self.blind:
                self.books.post(self.book(venue))
                self.books.beat(venue, trio.current_time())

    def book(self, venue: str) -> Book:
        bid, ask = self.touch[venue]
        one = to_e8(D(1))
        return Book(
            self.pair.on(venue).key,
            Ladder((to_e8(bid), to_e8(bid - 100)), (one, one)),
            Ladder((to_e8(ask), to_e8(ask + 100)), (one, one)),
            1,
            None,
            trio.current_time(),
        )

    def decision(self, size: Decimal = SIZE) -> Enter:
        """To buy on Vest and sell on Paradex, both through the touch by a little."""
        ask, bid = self.touch[VEST][1], self.touch[PARADEX][0]
        spread = bid / ask - 1
        return Enter(
            long=VEST,
            size=size,
            long_limit=ask + 5,
            short_limit=bid - 5,
            spread=spread,
            marginal_spread=spread,
            net=D("0.001"),
            target=D("0.002"),
            long_price=ask,
            short_price=bid,
            rate=RATE,
            confirmed_ms=600,
            detected_at=trio.current_time(),
        )

    def enter(self, size: Decimal = SIZE) -> Trade:
        """Have the desk open the pair; both orders are handed to the gateways."""
        self.post_books()
        self.desk.enter(self.decision(size))
        (trade,) = self.ledger.trades
        return trade

    async def feed(self) -> None:
        while True:
            self.post_books()
            await trio.sleep(0.1)

    async def keep(self) -> None:
        await self.task.keep()
        self.settled.set()

    async def settle(self, within_s: float = 60.0) -> None:
        """Raise the stop sign and wait until the pair's task has ended by itself."""
        self.stop.raise_sign("test")
        with trio.fail_after(within_s):
            await self.settled.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.Nursery]:
        """Gateways, feeds and the pair's task at work; all end with the block."""
        async with trio.open_nursery() as nursery:
            for gateway in self.gateways.values():
                await nursery.start(gateway.run)
            nursery.start_soon(self.feed)
            nursery.start_soon(self.keep)
            if self.comparing:
                nursery.start_soon(self.reconciler.keep)
            yield nursery
            nursery.cancel_scope.cancel()

    async def until(self, happened: Callable[[], Any], within_s: float = 30.0) -> Any:
        """Wait until something is so, at most so long."""
        with trio.fail_after(within_s):
            while not (found := happened()):  # noqa: ASYNC110 - whatever the test can say
                await trio.sleep(0.01)
        return found

    async def over(self, within_s: float = 30.0) -> dict[str, Any]:
        """Wait until the trade is booked; return its account."""
        await self.until(lambda: self.ledger.results.newest, within_s)
        return dict(self.ledger.results.last)


@pytest.fixture
def make_bench(
    journal: Any,
    world: Any,
    make_venue: Callable[..., Any],
    lines: list[dict[str, Any]],
    autojump_clock: trio.testing.MockClock,
) -> Callable[..., Bench]:
    def make(**changes: Any) -> Bench:
        venues = {venue: make_venue(venue) for venue in VENUES}
        return Bench(journal, world, venues, ExecutionConfig(**changes))

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
