"""One pair's eyes: what is seen and held, put before the strategy, and its word kept."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import attrs
import trio

from bot4.domain.book import Book
from bot4.domain.market import PARADEX, VENUES, VEST, Pair, other
from bot4.domain.order import Order, Side
from bot4.domain.quote import QuoteRate
from bot4.domain.units import ceil_step, floor_step, from_e8
from bot4.strategy.clips import clip
from bot4.strategy.complete_or_unwind import Choice, Look, choose
from bot4.strategy.decision import (
    Decision,
    Enter,
    Exit,
    Hold,
    Holding,
    Memory,
    Reason,
    View,
    Why,
    decide,
)
from bot4.strategy.edge import expected_exit, round_trip_fees
from bot4.strategy.leaving import exit_threshold
from bot4.strategy.limits import unwind_limit
from bot4.strategy.margin import half
from bot4.strategy.premium import Premium
from bot4.strategy.risk import Attempt, Breaker, Caps, Room, loss_hold
from bot4.strategy.rules import MendRules, Rules
from bot4.strategy.saga import Excess, State, Trade
from bot4.strategy.spread import Spreads
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.gate import Gate
from bot4.tasks.holdings import filled_price, room_of
from bot4.tasks.ledger import Ledger
from bot4.tasks.sampling import Sampler


@attrs.frozen
class Limits:
    """The caps that are not the strategy's."""

    caps: Caps
    daily_loss: Decimal
    cooldown_s: float
    failures_of_20: int


@attrs.define
class Judge:
    """Looks at the newest books for one pair and remembers the strategy's last word."""

    pair: Pair
    rules: Rules
    mend: MendRules
    limits: Limits
    books: Books
    accounts: Accounts
    ledger: Ledger
    gate: Gate
    quote: Callable[[], QuoteRate]
    wall_ms: Callable[[], int]
    pair_now: Callable[[], Pair] | None = None
    """The pair with the fees and limits of now."""
    premium: Premium = Premium()
    breaker: Breaker = Breaker()
    decision: Decision | None = None
    _memory: Memory = attrs.field(init=False)
    _sampler: Sampler = attrs.field(factory=Sampler, init=False)

    @_memory.default
    def _begin(self) -> Memory:
        return Memory(self.rules)

    def look(self) -> bool:
        """Judge the newest books; True when there is something to do."""
        self._refresh()
        trade = self.ledger.of_pair(self.pair.name)
        if trade is not None and trade.state is not State.HEDGED:
            self.decision = None
            return trade.state in (State.MENDING, State.UNWINDING)
        view = self._view(trade)
        self.decision = decide(view, self.rules, self._memory)
        self._tell(view)
        return isinstance(self.decision, Enter | Exit)

    def take(self) -> Decision | None:
        """The last decision, once. A gap that is entered has to be confirmed anew.

        Another pair may have taken the room since the books were looked at: then nothing is
        entered, and the next book sizes it anew.
        """
        self.books.look()
        decision, self.decision = self.decision, None
        if not isinstance(decision, Enter):
            return decision
        left = self._room()
        for venue in VENUES:
            price = decision.rate.price_in_usdc(venue, decision.limit(venue))
            if decision.size * price > left.on(venue) or not left.takes(venue, decision.size):
                return Hold(Reason.CAP, f"another pair has just taken the room on {venue}")
        self._memory.restart()
        return decision

    def forced(self, trade: Trade, why: Why) -> Decision:
        """What closing now, whatever it earns, would be; for margin's sake, half of it."""
        self._refresh()
        view = attrs.evolve(self._view(trade), must_leave=why)
        if why is Why.MARGIN and view.holding is not None and view.vest is not None:
            part = half(view.holding, self.pair, from_e8(view.vest.bid))
            view = attrs.evolve(view, holding=part)
        return decide(view, self.rules, self._memory)

    def forget(self) -> None:
        """Forget what was seen and decided: the machine slept, and the market did not."""
        self.decision = None
        self._memory.restart()

    # --------------------------------------------------------------------- compensation

    def choose(self, trade: Trade, excess: Excess, rung_bps: int, *, may_complete: bool) -> Choice:
        """Whether the missing entry leg is completed or the filled one taken back, by live cost."""
        self._refresh()
        fresh = self._fresh()
        price = filled_price(trade, excess.venue)
        since = 0.0 if trade.first_fill_s is None else trio.current_time() - trade.first_fill_s
        missing = other(excess.venue)
        size = self.whole_lots(missing, excess.size)
        look = Look(
            pair=self.pair,
            vest=self._book(VEST),
            paradex=self._book(PARADEX),
            filled_venue=excess.venue,
            side=excess.side.opposite,
            size=excess.size,
            filled_price=price or trade.legs[0].order.limit,
            since_first_fill_s=since,
            rate=self.quote(),
            leave=expected_exit(
                self._memory.history[trade.plan.long.venue], self.rules.entry, self.rules.leave
            ),
            premium=self.premium,
            rung_bps=rung_bps,
            filled_dark=self._dark(excess.venue),
            other_dark=self._dark(missing),
            stopping=trade.stopping,
            may_complete=may_complete
            and fresh
            and price is not None
            and size > 0
            and self._room().takes(missing, size),
        )
        return choose(look, self.mend)

    def unwind_limit(self, venue: str, side: Side, rung_bps: int) -> Decimal | None:
        """The limit of a reducing order, from the newest book known; None before the first."""
        book = self.books.last(self.pair.on(venue).key)
        if book is None:
            return None
        return unwind_limit(book, side, rung_bps, self.pair.on(venue))

    def left_behind(self, order: Order) -> bool:
        """Whether the market, as last seen, is beyond an order's limit: reason enough not to fill.

        What a venue itself says of such an order is no help: its words for a price that moved and
        for a position that is gone are not documented (Paradex API docs, seen 2026-11).
        """
        touch = self.unwind_limit(order.key.venue, order.side, 0)
        return touch is not None and (touch - order.limit) * order.side.sign > 0

    def whole_lots(self, venue: str, size: Decimal) -> Decimal:
        """The size, cut to this venue's lot."""
        return floor_step(size, self.pair.on(venue).lot)

    def reduction(
        self, venue: str, side: Side, size: Decimal, rung_bps: int, most: Decimal | None
    ) -> tuple[Decimal, Decimal] | None:
        """Size and limit of the next reducing order, at most ``most``; None before any book."""
        self._refresh()
        limit = self.unwind_limit(venue, side, rung_bps)
        book = self.books.last(self.pair.on(venue).key)
        if limit is None or book is None:
            return None
        market = self.pair.on(venue)
        if most is not None:
            market = attrs.evolve(market, max_order=min(most, market.max_order or most))
        return clip(book, side, size, limit, market), limit

    def dust(self, price: Decimal) -> Decimal:
        """The smallest imbalance that can be traded away at about this price."""
        least = max(m.min_notional for m in (self.pair.vest, self.pair.paradex)) / price
        lot = min(self.pair.vest.lot, self.pair.paradex.lot)
        return max(ceil_step(least, lot), self.pair.vest.lot, self.pair.paradex.lot)

    def realised_entry(self, trade: Trade) -> Decimal | None:
        """The spread that the entry fills earned, in USDC; None while a price is unknown."""
        long, short = (filled_price(trade, venue) for venue in trade.venues)
        if not long or not short:
            return None
        rate = self.quote()
        long_usdc = rate.price_in_usdc(trade.plan.long.venue, long)
        return rate.price_in_usdc(trade.plan.short.venue, short) / long_usdc - 1

    def exit_target(self, trade: Trade) -> Decimal | None:
        """The exit spread that is enough to close it now; None before the first books."""
        vest, paradex = (self.books.last(self.pair.on(venue).key) for venue in VENUES)
        if vest is None or paradex is None:
            return None
        view = attrs.evolve(self._view(trade), vest=vest, paradex=paradex)
        return exit_threshold(view, self._holding(trade), self.rules.leave)

    # -------------------------------------------------------------------------- insides

    def _refresh(self) -> None:
        if self.pair_now is not None:
            self.pair = self.pair_now()

    def _book(self, venue: str) -> Book | None:
        record = self.books.get(self.pair.on(venue).key)
        return None if record is None else record.book

    def _dark(self, venue: str) -> bool:
        """Whether no order can be executed there, as far as is known."""
        return self._book(venue) is None or bool(self.gate.shut([self.pair.on(venue).key]))

    def _fresh(self) -> bool:
        record = self.books.get(self.pair.paradex.key)
        return (
            record is not None
            and trio.current_time() - record.book.received_at <= self.rules.ages.paradex_book_s
        )

    def _view(self, trade: Trade | None) -> View:
        seen = {venue: self.books.get(self.pair.on(venue).key) for venue in VENUES}
        published = {venue: record.version if record else 0 for venue, record in seen.items()}
        return View(
            pair=self.pair,
            now_s=trio.current_time(),
            vest=self._book(VEST),
            paradex=self._book(PARADEX),
            vest_published=published[VEST],
            paradex_published=published[PARADEX],
            vest_heartbeat_at=self.books.heartbeat_at(VEST),
            rate=self.quote(),
            room=self._room(),
            premium=self.premium,
            blocked=None if trade is not None else self._blocked(),
            holding=None if trade is None else self._holding(trade),
        )

    def _room(self) -> Room:
        return room_of(self.pair, self.ledger.trades, self.limits.caps, self.accounts.equity())

    def _holding(self, trade: Trade) -> Holding:
        size = {venue: abs(trade.position(venue)) for venue in trade.venues}
        realised = self.realised_entry(trade)
        return Holding(
            long=trade.plan.long.venue,
            vest_size=size[VEST],
            paradex_size=size[PARADEX],
            entry_spread=trade.plan.spread if realised is None else realised,
            held_s=max(0.0, (self.wall_ms() - trade.plan.decided_ms) / 1000),
        )

    def _blocked(self) -> Hold | None:
        limits, lost = self.limits, self.ledger.results.lost(self.wall_ms())
        pause = self.breaker.hold(trio.current_time(), limits.cooldown_s, limits.failures_of_20)
        held = self.gate.hold(self.pair) or self.premium.hold()
        return held or loss_hold(lost, limits.daily_loss) or pause

    def attempted(self, attempt: Attempt) -> None:
        """Let the breaker know of an attempt that ended."""
        self.breaker = self.breaker.after(attempt)

    def equity(self) -> Decimal | None:
        """What both accounts are worth together, USDC; None when one is not known."""
        known = self.accounts.equity()
        return sum(known.values(), Decimal(0)) if len(known) == len(VENUES) else None

    def _tell(self, view: View) -> None:
        spreads = self._sampler.tell(view, self.decision, self.rules, self._memory.flickers)
        if spreads is not None and view.holding is not None:
            funding = self.accounts.funding(self.pair.keys) or Decimal(0)
            mark = self._if_closed(view.holding, spreads) + funding
            self.ledger.results.mark(self.pair.name, mark)

    def _if_closed(self, held: Holding, spreads: Spreads) -> Decimal:
        """What the pair would earn if it was closed at the books of now, USDC."""
        size = min(held.vest_size, held.paradex_size)
        price = from_e8(spreads.vest.bid)
        ratio = held.entry_spread + spreads.leave(held.long) - round_trip_fees(self.pair)
        return ratio * size * price
