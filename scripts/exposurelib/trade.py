"""One faulty trade from its seed: the wait for a gap, the trade, its troubles, its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from math import inf
from typing import Final

import msgspec
import structlog
import trio

from bot4.domain.book import Book
from bot4.domain.market import VENUES, VEST
from bot4.domain.order import Purpose
from bot4.simulator.profiles import Profile
from bot4.strategy.events import Event, Intended
from bot4.strategy.saga import State, Trade
from exposurelib import troubles
from exposurelib.bench import HOLD_HOURS, Bench, put_up
from exposurelib.clock import JumpClock
from exposurelib.meter import Meter
from exposurelib.policies import POLICIES
from exposurelib.result import Result
from exposurelib.twins import BASE, Twins, believing, build

STEP_S: Final = 0.05
FRAME_STEPS: Final = 2
"""Steps between two books of Paradex."""
SILENT_S: Final = 0.5
"""A venue whose book was not shown for so long shows it at once."""
ATTENTION_S: Final = 1.0
"""How long the books are kept up after the last moment that looked worth it."""
PATIENCE_S: Final = 900.0
"""Without an entry for so long there is no trade in this world."""
TROUBLED_S: Final = 15.0
"""After the first order nothing is skipped for so long: troubles begin in this time."""
HORIZON_S: Final = 180.0
"""From the first order on; a trade that has not ended by then is stuck."""
PERSON_S: Final = 30.0
"""A policy that gives up with a leg on waits so long for a person: then it is counted as stuck."""
AFTERMATH_S: Final = 6.0
"""An order that nobody believes in may still land for so long after the end."""
SILENCE_S: Final = 5.0
"""A silent feed loses its book after so long."""
TOUCHES_BPS: Final = 1.5
"""Both touches lie further from their middles than this together."""
DUST: Final = Decimal("0.00013")
HALF_HOLD_S: Final = float(HOLD_HOURS) * 1800


def _drop(_logger: object, _level: str, _event: object) -> str:
    raise structlog.DropEvent


@contextmanager
def silently() -> Iterator[None]:
    """Keep the bot's log lines to themselves while the block runs."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), processors=[_drop]
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def play(
    seed: int, policy: str, profile: Profile, line: str = "rack", skip_s: float = 0.0
) -> Result | None:
    """Play one trade; None when its world offers none.

    Args:
        seed: of the world and its troubles.
        policy: a name in ``POLICIES``.
        profile: the kind of market.
        line: what lies between bot and venues.
        skip_s: nothing is looked at before this: ``waited_s`` of the same trade under another
            policy, whose wait is then not repeated.
    """
    clock = JumpClock()
    with silently():
        return trio.run(_play, seed, policy, profile, line, skip_s, clock, clock=clock)


async def _play(
    seed: int, policy: str, profile: Profile, line: str, skip_s: float, clock: JumpClock
) -> Result | None:
    meters: list[Meter] = []

    def saved() -> None:
        for meter in meters:
            meter.note()

    twins = build(seed, profile, line, saved)
    with believing(twins.owner):
        async with trio.open_nursery() as world:
            for venue in twins.venues.values():
                world.start_soon(venue.agenda.run)
            bench = await put_up(twins, POLICIES[policy], seed)
            stage = _Stage(twins, bench, clock, seed, policy)
            meters.append(stage.meter)
            world.start_soon(bench.run)
            result = await stage.perform(skip_s)
            world.cancel_scope.cancel(reason="the trade is over")
    return result


class _Stage:
    """Moves the time, shows the books, brings the troubles, and sees the end."""

    def __init__(
        self, twins: Twins, bench: Bench, clock: JumpClock, seed: int, policy: str
    ) -> None:
        self._twins, self._bench, self._clock = twins, bench, clock
        self._seed, self._policy = seed, policy
        self._last: Trade | None = None
        self.meter = Meter(twins, lambda: bench.trade)
        self._equity = twins.equity()
        self._entered_at: float | None = None
        self._hedged_at: float | None = None
        self._left_alone_at = inf
        self._looked_at = self._live_until = -inf
        self._pictures = -1
        self._spoke_at = dict.fromkeys(VENUES, 0.0)
        self._troubles = troubles.draw(seed)
        for spec in self._troubles.orders:
            twins.faults.add(spec)
        bench.ledger.watch(self._heard)
        for venue in VENUES:
            # A book fixes its grid of prices when it is first looked at.
            twins.book(venue, bench.pair.on(venue).key)

    async def perform(self, skip_s: float) -> Result | None:
        """Play until the trade is over, or stuck, or never came."""
        while trio.current_time() < skip_s:
            self._clock.forward(STEP_S)
            self._twins.model.shown_gap_bps(BASE)
        while not self._over():
            if not self._attentive():
                self._clock.forward(STEP_S)
                continue
            await trio.sleep(STEP_S)
            if trio.current_time() < self._live_until + STEP_S:
                self._show()
        if self._entered_at is None or self._last is None:
            return None
        unfinished = self._bench.trade is not None
        self._bench.stop.raise_sign("the trade is over")
        if not unfinished:
            await trio.sleep(AFTERMATH_S)
        self.meter.note()
        return self._result(self._last, unfinished=unfinished)

    # --------------------------------------------------------------------------- time

    def _over(self) -> bool:
        now, trade = trio.current_time(), self._bench.trade
        if self._entered_at is None:
            return now > PATIENCE_S
        if trade is None:
            return True
        if self._bench.policy.standing.given_up and self.meter.naked:
            self._left_alone_at = min(self._left_alone_at, now)
        return now > min(self._entered_at + HORIZON_S, self._left_alone_at + PERSON_S)

    def _attentive(self) -> bool:
        """Whether the next step is lived through; when nothing can happen it is skipped."""
        now, trade = trio.current_time(), self._bench.trade
        resting = trade is None or (trade.state is State.HEDGED and not trade.closing)
        if self._bench.policy.standing.given_up:
            return True  # Time passes, and nobody looks at books.
        if not resting or self._worth_a_look(trade, now):
            if now >= self._live_until and trade is None:
                self._looked_at = now
            self._live_until = now + ATTENTION_S
        troubled = self._entered_at is not None and now < self._entered_at + TROUBLED_S
        return troubled or now < self._live_until

    def _worth_a_look(self, trade: Trade | None, now: float) -> bool:
        """Whether the middles of both pictures could mean a decision: the touches are worse."""
        gap_bps, rules = self._twins.model.shown_gap_bps(BASE), self._bench.desk.judge.rules
        if trade is None:
            return abs(gap_bps) >= float(rules.entry.spread_entry) * 1e4 + TOUCHES_BPS
        self._hedged_at = now if self._hedged_at is None else self._hedged_at
        if now - self._hedged_at > HALF_HOLD_S:
            return True
        ours = gap_bps if trade.plan.long.venue == VEST else -gap_bps
        return ours >= float(rules.leave.spread_exit) * 1e4 + TOUCHES_BPS

    # -------------------------------------------------------------------------- books

    def _show(self) -> None:
        now, twins, books = trio.current_time(), self._twins, self._bench.books
        step = round(now / STEP_S)
        number = twins.model.picture_number(BASE)
        for venue in VENUES:
            key = self._bench.pair.on(venue).key
            if not twins.speaks(venue):
                if now - self._spoke_at[venue] > SILENCE_S:
                    books.wipe(key)
                continue
            fresh = number != self._pictures if venue == VEST else not step % FRAME_STEPS
            silent = now - self._spoke_at[venue] > SILENT_S
            if venue == VEST:
                books.beat(venue, now)
            if fresh or silent:
                self._spoke_at[venue] = now
                self._post(venue)
        self._pictures = number
        self.meter.note()

    def _post(self, venue: str) -> None:
        book = self._twins.book(venue, self._bench.pair.on(venue).key)
        way_s = self._twins.venues[venue].latency.way()
        if way_s:
            self._twins.venues[venue].agenda.put(way_s, self._arrive, book)
        else:
            self._arrive(book)

    def _arrive(self, book: Book) -> None:
        known = self._bench.books.get(book.key)
        if known is None or known.book.received_at <= book.received_at:
            arrived = msgspec.structs.replace(book, received_at=trio.current_time())
            self._bench.books.post(arrived)
            self._bench.task.look()

    # ----------------------------------------------------------------------- troubles

    def _heard(self, _trade_id: str, event: Event, trade: Trade) -> None:
        self._last = trade
        if self._entered_at is None and isinstance(event, Intended):
            self._entered_at = trio.current_time()
            self._equity = self._twins.equity()
            agenda = self._twins.venues[VEST].agenda
            for after_s, spec in self._troubles.later:
                agenda.put(after_s, self._strike, spec)
        self.meter.note()

    def _strike(self, spec: troubles.Spec) -> None:
        self._twins.faults.add(spec)
        self.meter.note()

    # ------------------------------------------------------------------------ the end

    def _result(self, trade: Trade, *, unfinished: bool) -> Result:
        plan = trade.plan
        planned = [leg.order for leg in trade.legs if leg.order.purpose is Purpose.ENTER]
        filled = {venue: self._first_filled(trade, venue) for venue in VENUES}
        even = abs(filled[VENUES[0]] - filled[VENUES[1]]) < DUST
        net = sum(self._twins.positions().values(), Decimal(0))
        return Result(
            seed=self._seed,
            policy=self._policy,
            first=tuple((o.key.venue, o.side.value, str(o.size), str(o.limit)) for o in planned),
            waited_s=max(self._looked_at - STEP_S, 0.0),
            planned_usd=float(plan.size) * self._twins.price(),
            hedged=even and min(filled.values()) >= DUST,
            failed=not even,
            stuck=abs(net) >= DUST,
            unfinished=unfinished,
            net_usd=float(self._worth() - self._equity),
            usd_s=dict(self.meter.usd_s),
            size_ms=self.meter.size_ms,
            longest_s=self.meter.longest_s,
            largest_usd=self.meter.largest_usd,
            bound_s=self._bench.desk.naked_bound.doubt_s,
            orders=len(trade.legs),
            asked=self._bench.policy.standing.asked,
        )

    def _first_filled(self, trade: Trade, venue: str) -> Decimal:
        """What the first order to a venue filled, by its own truth; one that never came is 0."""
        ours = (leg.order for leg in trade.legs if leg.order.key.venue == venue)
        name = next((order.client_order_id for order in ours), "")
        known = self._twins.venues[venue].orders.values()
        return next((order.filled for order in known if order.handle == name), Decimal(0))

    def _worth(self) -> Decimal:
        """What both accounts would be worth with every position closed at the venues now."""
        worth = self._twins.equity()
        for name, venue in self._twins.venues.items():
            symbol = self._bench.pair.on(name).key.symbol
            size = venue.ledger.position(symbol).size
            if size:
                got = venue.quote(symbol, "sell" if size > 0 else "buy", abs(size))
                worth += size * (got.average - venue.mark(symbol))
                worth -= got.notional * venue.markets[symbol].taker_fee
        return worth
