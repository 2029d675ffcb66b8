"""Two venues without bytes, a journal in memory, and a bench that puts a pair's tasks on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from math import inf
from random import Random
from typing import Any

import attrs
import pytest
import structlog
import trio

from bot4.domain.book import BookUpdate
from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, VEST, Market, MarketKey
from bot4.domain.order import Order, OrderReport, OrderState, Purpose, Side
from bot4.domain.position import Account, Position
from bot4.errors import JournalFault
from bot4.ports import (
    Accepted,
    Answer,
    Entry,
    Errand,
    FillPage,
    InDoubt,
    NotSent,
    PlaceOutcome,
    Refused,
    Request,
    Retry,
)
from bot4.secret import Secret
from bot4.strategy.saga import Plan

D = Decimal
WALL_MS = 1_795_000_000_000
SIZE = D("0.0030")


@attrs.define
class MemoryJournal:
    """Keeps entries in a list. ``broken`` makes every write fail, ``slow`` is called by each."""

    tag: str = "abc123"
    rows: list[Entry] = attrs.field(factory=list)
    durable: list[bool] = attrs.field(factory=list)
    commits: list[list[str]] = attrs.field(factory=list)
    broken: bool = False
    numbers_broken: bool = False
    _numbers: dict[str, int] = attrs.field(factory=dict)

    def append(self, entries: Sequence[Entry], *, durable: bool) -> None:
        if self.broken:
            raise JournalFault("the disk is full")
        new = [attrs.evolve(entry, row=len(self.rows) + n + 1) for n, entry in enumerate(entries)]
        self.rows += new
        self.durable += [durable] * len(new)
        self.commits.append([entry.kind for entry in new])

    def entries(self, after: int = 0) -> Iterator[Entry]:
        return iter(self.rows[after:])

    def next_number(self, name: str, floor: int = 0) -> int:
        if self.numbers_broken:
            raise JournalFault("the disk is full")
        self._numbers[name] = max(self._numbers.get(name, 0), floor) + 1
        return self._numbers[name]


class World:
    """Clocks and chance; there is no network and no disk."""

    def __init__(self) -> None:
        self.random = Random(1)
        self.ahead_ms = 0

    def wall_ms(self) -> int:
        return WALL_MS + self.ahead_ms + round(trio.current_time() * 1000)

    def suspended_s(self) -> float:
        return 0.0


@attrs.frozen
class Way:
    """What becomes of one order.

    ``fills`` is what executes, None for all of it. An order that ``rests`` stays open until it is
    cancelled, and fills ``late`` more while the cancel is under way. ``tells`` says whether the
    private stream reports it; one that does not land is never known to the venue.
    """

    answer: PlaceOutcome | None = None
    fills: Decimal | None = None
    rests: bool = False
    late: Decimal = D(0)
    lands: bool = True
    tells: bool = True


REFUSED = Way(Refused("MARGIN", "too little margin", Retry.REQUOTE), fills=D(0), lands=False)


@attrs.define
class Known:
    """An order as its venue has it."""

    order: Order
    filled: Decimal
    open: bool
    way: Way


@attrs.define
class Venue:
    """One venue spoken to without bytes: codec and door at once."""

    venue: str
    market: Market
    world: World
    delay_s: float = 0.05
    api_version: str = "fake"
    tells_halts: bool = True
    ways: deque[Way] = attrs.field(factory=deque)
    usual: Way = Way()
    sent: list[tuple[float, Order]] = attrs.field(factory=list)
    """(Trio time, order) of every order whose bytes left."""
    asked: list[str] = attrs.field(factory=list)
    known: dict[str, Known] = attrs.field(factory=dict)
    position: Decimal = D(0)
    hear: Callable[[Any], Any] | None = None
    """The private stream."""
    before: Callable[[str, Any], None] = lambda _kind, _what: None
    """Looks at every exchange before its first byte."""
    book_now: BookUpdate | None = None
    filled: Callable[[Order], list[Fill]] = lambda _order: []
    """Answers questions for an order's fills."""
    shut: str = ""
    """Why it takes no orders."""
    leverages: tuple[tuple[str, int], ...] = ()
    lists: list[Market] | None = None
    """The markets it names; its own when None."""
    fee: Decimal = D(1)
    """Quote currency per unit filled."""
    clock_ahead_ms: int = 0
    due_ms: int = 10**15
    lost: int = 0
    leave_at: float = inf
    liquidation: Decimal | None = None
    _under_way: set[Any] = attrs.field(factory=set)
    cancels_all: bool = False
    told: dict[str, Retry] = attrs.field(factory=dict)
    _troubles: dict[str, deque[Any]] = attrs.field(factory=dict)
    _acts: dict[str, Callable[[], Any]] = attrs.field(factory=dict)
    _results: dict[str, Any] = attrs.field(factory=dict)
    _handle: int = 0

    # ----------------------------------------------------------------- for the tests

    def trouble(self, kind: str, outcome: Any, times: int = 1) -> None:
        """Answer the next exchanges of a kind with this outcome, or raise this error."""
        self._troubles.setdefault(kind, deque()).extend([outcome] * times)

    def orders(self, *purposes: Purpose) -> list[Order]:
        """The orders that left, of these purposes or of all."""
        return [order for _, order in self.sent if not purposes or order.purpose in purposes]

    def execute(self, known: Known, size: Decimal) -> None:
        """Fill some of an order, as far as its reduce-only flag lets it."""
        order = known.order
        if order.reduce_only:
            size = min(size, max(D(0), -self.position * order.side.sign))
        known.filled += size
        self.position += size * order.side.sign
        if size and self.hear is not None and known.way.tells:
            number = len(self.sent)
            self.hear(
                Fill(
                    self.venue,
                    f"{order.client_order_id}-{number}-{known.filled}",
                    order.client_order_id,
                    f"v{order.client_order_id}",
                    order.key.symbol,
                    order.side,
                    order.limit,
                    size,
                    size * self.fee,
                    funding=Decimal(0),
                )
            )

    def report(self, known: Known) -> OrderReport:
        return OrderReport(
            self.venue,
            known.order.client_order_id,
            f"v{known.order.client_order_id}",
            OrderState.OPEN if known.open else OrderState.CLOSED,
            symbol=known.order.key.symbol,
            filled=known.filled,
            average_price=known.order.limit if known.filled else None,
            fee=known.filled * self.fee,
        )

    # ------------------------------------------------------------------------- a door

    def hurry(self, at: float) -> None:
        self.leave_at = min(self.leave_at, at)
        for scope in self._under_way:
            scope.deadline = min(scope.deadline, at)

    async def send(self, request: Request, *, timeout_s: float) -> Any:
        _, kind, number = request.path.split("/")
        self.before(kind, self._acts.get(number))
        self.asked.append(kind)
        if kind == "order":
            self.sent.append((trio.current_time(), self._results[number]))
        scope = trio.CancelScope(shield=True, deadline=self.leave_at)
        self._under_way.add(scope)
        with scope:
            await trio.sleep(min(self.delay_s, timeout_s))
        self._under_way.discard(scope)
        if self.delay_s > timeout_s or scope.cancelled_caught:
            return InDoubt("no answer in time")
        trouble = self._troubles.get(kind)
        found = trouble.popleft() if trouble else self._acts[number]
        if isinstance(found, NotSent | InDoubt):
            return found
        if isinstance(found, Exception):
            self._results[number] = found
        else:
            result = found()
            if isinstance(result, NotSent | InDoubt):
                return result
            self._results[number] = result
        now = trio.current_time()
        return Answer(200, {}, b"", now, now)

    def _errand(self, kind: str, act: Callable[[], Any], order: Order | None = None) -> Errand[Any]:
        number = str(len(self._acts))
        self._acts[number], self._results[number] = act, order

        def read(_answer: Answer) -> Any:
            if isinstance(result := self._results[number], Exception):
                raise result
            return result

        return Errand(Request("POST", f"/{kind}/{number}"), read)

    def _place(self, order: Order) -> PlaceOutcome:
        way = self.ways.popleft() if self.ways else self.usual
        if way.lands:
            known = self.known[order.client_order_id] = Known(order, D(0), way.rests, way)
            self.execute(known, order.size if way.fills is None else way.fills)
            if self.hear is not None and way.tells and not way.rests:
                self.hear(self.report(known))
        return way.answer or Accepted(f"v{order.client_order_id}")

    def _cancel(self, name: str) -> None:
        known = self.known[name.removeprefix("v")]
        if known.open:
            self.execute(known, known.way.late)
            known.open = False

    # ------------------------------------------------------------------------ a codec

    def logins(self, now_ms: int) -> Sequence[Errand[None]]:
        return [self._errand("login", lambda: None)]

    def holds_session(self) -> bool:
        return bool(self.login_due_ms())

    def login_due_ms(self) -> int:
        return self.due_ms

    def session_lost(self) -> None:
        self.lost += 1

    def secrets(self) -> Sequence[Secret]:
        return [Secret("token")]

    def clock(self) -> Errand[int]:
        return self._errand("clock", lambda: self.world.wall_ms() + self.clock_ahead_ms)

    def markets(self) -> Errand[Sequence[Market]]:
        return self._errand("markets", lambda: [self.market] if self.lists is None else self.lists)

    def state(self) -> Errand[str]:
        return self._errand("state", lambda: self.shut)

    def account(self, now_ms: int) -> Errand[Account]:
        return self._errand(
            "account", lambda: Account(self.venue, D(1000), D(1000), D(0), self.leverages)
        )

    def positions(self, now_ms: int) -> Errand[Sequence[Position]]:
        def look() -> list[Position]:
            held = Position(self.market.key, self.position, D(83000), self.liquidation)
            return [held] if held.size else []

        return self._errand("positions", look)

    def leverage(self, symbol: str, value: int, now_ms: int) -> Errand[None]:
        return self._errand("leverage", lambda: None)

    def sign(self, order: Order, now_ms: int, window_ms: int) -> tuple[Order, Errand[Any]]:
        signed = attrs.evolve(order, signed_ms=now_ms, window_ms=window_ms)
        return signed, self._errand("order", lambda: self._place(signed), signed)

    def find(self, order: Order, now_ms: int) -> Errand[OrderReport | None]:
        def look() -> OrderReport | None:
            known = self.known.get(order.client_order_id)
            return None if known is None else self.report(known)

        return self._errand("find", look)

    def fills(self, order: Order, page: str, now_ms: int) -> Errand[FillPage]:
        return self._errand("fills", lambda: FillPage(tuple(self.filled(order))))

    def market_fills(self, symbol: str, since_ms: int, page: str, now_ms: int) -> Errand[FillPage]:
        return self._errand("fills", lambda: FillPage(()))

    def funding(self, order: Order, page: str, now_ms: int) -> None:
        """No such list."""

    def open_orders(self, now_ms: int) -> Errand[Sequence[OrderReport]]:
        return self._errand(
            "open_orders", lambda: [self.report(k) for k in self.known.values() if k.open]
        )

    def cancel(self, report: OrderReport, now_ms: int, window_ms: int) -> Errand[None]:
        return self._errand("cancel", lambda: self._cancel(report.venue_order_id))

    def cancel_all(self, now_ms: int) -> Errand[None] | None:
        def act() -> None:
            for name in self.known:
                self._cancel(name)

        return self._errand("cancel_all", act) if self.cancels_all else None

    def book(self, symbol: str) -> Errand[BookUpdate]:
        return self._errand("book", lambda: self.book_now)

    def seen_handle(self, client_order_id: str) -> None:
        self._handle = max(self._handle, int(client_order_id.split("-", maxsplit=1)[0]))

    def retry(self, reason: str) -> Retry:
        return self.told.get(reason, Retry.REQUOTE)

    def next_handle(self, now_ms: int, row: int, leg: str, attempt: int) -> str:
        self._handle += 1
        return f"{self._handle}-{leg}{attempt}"


def market_of(venue: str) -> Market:
    return Market(
        key=MarketKey(venue, "BTC-PERP" if venue == VEST else "BTC-USD-PERP"),
        base="BTC",
        tick=D("0.01") if venue == VEST else D("0.1"),
        lot=D("0.0001") if venue == VEST else D("0.00001"),
        min_size=D(0),
        min_notional=D(0) if venue == VEST else D(10),
        taker_fee=D("0.0001") if venue == VEST else D("0.0002"),
        max_leverage=D(20),
    )


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every log event, as it is made."""
    found: list[dict[str, Any]] = []

    def keep(_logger: Any, level: str, event: dict[str, Any]) -> dict[str, Any]:
        found.append({"level": level, **event})
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    return found


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_venue(world: World) -> Callable[..., Venue]:
    return lambda venue=PARADEX, **changes: Venue(venue, market_of(venue), world, **changes)


@pytest.fixture
def way() -> type[Way]:
    """Builds what becomes of one order."""
    return Way


@pytest.fixture
def refused() -> Way:
    return REFUSED


@pytest.fixture
def plan() -> Plan:
    """Long Vest, short Paradex."""
    long, short = market_of(VEST), market_of(PARADEX)
    return Plan(
        trade_id="abc123-1",
        pair="BTC",
        long=long.key,
        short=short.key,
        size=SIZE,
        lots=((VEST, long.lot), (PARADEX, short.lot)),
        dust=D("0.00013"),
        attempts=4,
        settle_ms=1000,
    )


@pytest.fixture
def make_order() -> Callable[..., Order]:
    def make(name: str = "1", venue: str = VEST, **changes: Any) -> Order:
        usual = Order(
            client_order_id=name,
            trade_id="abc123-1",
            key=market_of(venue).key,
            side=Side.BUY if venue == VEST else Side.SELL,
            size=SIZE,
            limit=D(83000),
            purpose=Purpose.ENTER,
            attempt=1,
            reduce_only=False,
            signed_ms=WALL_MS,
            window_ms=2000,
        )
        return attrs.evolve(usual, **changes)

    return make
