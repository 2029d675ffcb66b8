"""The trades in memory: the one writer of what we believe, journal first.

Everybody who hears something of an order tells the ledger; the ledger journals the event, applies
it to its trade and wakes whoever waits for that trade. What changes nothing is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import structlog
import trio

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import Order, OrderReport
from bot4.errors import JournalFault
from bot4.ports import CLOSED, Entry, FillBusted, Journal, Unread
from bot4.strategy import events as happened
from bot4.strategy.events import Busted, Event, Filled, Intended, Planned, Sent, step
from bot4.strategy.journal_format import body_of, kind_of, read_event
from bot4.strategy.outside import correction_for, explaining, holder
from bot4.strategy.saga import Plan, State, Trade
from bot4.tasks import exposure_log
from bot4.tasks.gate import FOREIGN_ORDER, UNKNOWN_ORDER, Gate
from bot4.tasks.handles import Handles, Heard, event_of, heed_another_bot
from bot4.tasks.holdings import touches
from bot4.tasks.results import Results

log = structlog.get_logger()

FINISHED_KEPT = 64
"""Finished trades whose late words are still understood."""


class Ledger:
    """Trades by id, orders by their handles, and the waiting for changes."""

    def __init__(self, journal: Journal, gate: Gate, results: Results | None = None) -> None:
        self._journal = journal
        self._gate = gate
        self._trades: dict[str, Trade] = {}
        self._handles = Handles()
        self._finished: dict[str, Trade] = {}
        self._heard: list[Callable[[str, Event, Trade], None]] = []
        self._finishing: list[Callable[[Trade], None]] = []
        self._unwritten: list[Entry] = []
        self.results = results or Results()
        self.last_change = float("-inf")
        """Trio time of the last change to any trade."""

    @property
    def trades(self) -> tuple[Trade, ...]:
        """Every trade that has not been finished, oldest first."""
        return tuple(self._trades.values())

    def get(self, trade_id: str) -> Trade | None:
        """The trade, or None once it is finished."""
        return self._trades.get(trade_id)

    def find(self, trade_id: str) -> Trade | None:
        """The trade, over or not; None once it is forgotten."""
        return self._trades.get(trade_id) or self._finished.get(trade_id)

    def of_pair(self, pair: str) -> Trade | None:
        """The pair's unfinished trade; of two, the one that is not hedged.

        Two are rare: a fill of a finished trade was taken back, or told late, while another is on.
        """
        found = None
        for trade in self._trades.values():
            if trade.plan.pair == pair:
                if trade.state is not State.HEDGED:
                    return trade
                found = found or trade
        return found

    def held(self, key: MarketKey) -> Decimal:
        """Signed base units that all trades together hold on one market."""
        trades = [t for t in self._trades.values() if key in (t.plan.long, t.plan.short)]
        return sum((trade.position(key.venue) for trade in trades), Decimal(0))

    def watch(
        self,
        heard: Callable[[str, Event, Trade], None],
        finished: Callable[[Trade], None] | None = None,
    ) -> None:
        """Call ``heard(trade_id, event, trade after it)`` on every change, and at a trade's end."""
        self._heard.append(heard)
        if finished is not None:
            self._finishing.append(finished)

    def begin(self, plan: Plan, orders: tuple[Order, ...]) -> Trade:
        """Make a new trade and its first orders durable, in one commit.

        Raises:
            JournalFault: nothing was written and nothing may be sent.
        """
        intended = Intended(orders)
        trade = step(Trade(plan), intended, trio.current_time())
        self._journal.append(
            [_entry(plan.trade_id, Planned(plan)), _entry(plan.trade_id, intended)], durable=True
        )
        self._remember(trade)
        self._tell(plan.trade_id, intended, trade)
        return trade

    def intend(self, trade_id: str, orders: tuple[Order, ...]) -> Trade:
        """Make further orders of a trade durable.

        A reducing order goes ahead even when the journal cannot be written: the disk's failure
        must not keep a leg naked. It is said loudly, and nothing opens any more.

        Raises:
            JournalFault: nothing was written, and the orders would open something.
        """
        return self.happen(trade_id, Intended(orders), durable=True)

    def happen(self, trade_id: str, event: Event, *, durable: bool = False) -> Trade:
        """Journal one event, then apply it; return the trade after it."""
        before = self._trades[trade_id]
        after = step(before, event, trio.current_time())
        if attrs.evolve(after, version=before.version) == before:
            return before
        if not isinstance(event, Sent):
            self._write(_entry(trade_id, event), event, durable=durable)
        self._remember(after)
        self._tell(trade_id, event, after)
        return after

    def learn(self, trade_id: str, event: Event) -> Trade:
        """Apply what was asked of a trade, also of one that is over; return the trade after it.

        Raises:
            KeyError: it was over so long ago that it is forgotten.
        """
        if trade_id in self._trades:
            return self.happen(trade_id, event)
        self._hear_late(self._finished[trade_id], event)
        return self.find(trade_id) or self._finished[trade_id]

    def book_again(self, trade_id: str, result: Mapping[str, Any]) -> None:
        """Replace the account of a trade that is over."""
        self._write(Entry(CLOSED, trade_id, result), Sent(""), durable=True)
        self.results.book(trade_id, result)

    def finish(self, trade_id: str, result: Mapping[str, Any]) -> None:
        """Close a flat trade's account; it is forgotten here and kept in the journal."""
        trade = self._trades[trade_id]
        if trade.state is not State.FLAT:
            msg = f"{trade_id} is not flat"
            raise ValueError(msg)
        self._write(Entry(CLOSED, trade_id, result), Sent(""), durable=True)
        self._file(trade_id, result)
        for finished in self._finishing:
            finished(trade)
        self.last_change = trio.current_time()

    def hear(self, said: Heard) -> None:
        """Take what a venue said of an order, from wherever it came."""
        trade_id = self._handles.owner(said)
        if trade_id is None:
            if isinstance(said, Fill) and (self._handles.knows(said) or self._forced(said)):
                return
            if not isinstance(said, FillBusted):
                self._unknown(said)
        elif (trade := self._trades.get(trade_id)) is not None:
            self.happen(trade_id, event_of(trade, said))
        elif (trade := self._finished.get(trade_id)) is not None:
            self._hear_late(trade, event_of(trade, said))

    def owns(self, said: Fill | Unread) -> bool:
        """Whether it is of an order of ours, or a fill that was told of before."""
        return self._handles.owns(said)

    def _hear_late(self, trade: Trade, event: Event) -> None:
        """A finished trade's fill came late or was taken back: it may have to go on."""
        after = step(trade, event, trio.current_time())
        if _filled(after) == _filled(trade):
            return
        trade_id = trade.plan.trade_id
        self._write(_entry(trade_id, event), event, durable=True)
        if self._goes_on(after):
            exposure_log.say_reopened(after, taken_back=isinstance(event, Busted))
            self._tell(trade_id, event, after)

    def replay(self) -> list[Order]:
        """Rebuild every trade from the journal. Whatever had not ended is in doubt.

        Returns:
            Every order that the journal ever intended, oldest first: their names are used.

        Raises:
            JournalFault: a row cannot be read as an event of this version.
        """
        orders: list[Order] = []
        for entry in self._journal.entries():
            if entry.kind == CLOSED:
                self._file(entry.trade_id, entry.body)
                continue
            try:
                event = read_event(entry.kind, entry.body)
            except ValueError as fault:
                msg = f"row {entry.row} of the journal is not an event of this version: {fault!r}"
                raise JournalFault(msg) from None
            if isinstance(event, Intended):
                orders.extend(event.orders)
            if isinstance(event, Planned):
                self._remember(Trade(event.plan))
            elif entry.trade_id in self._trades:
                self._remember(self._replayed(self._trades[entry.trade_id], entry, event))
            elif entry.trade_id in self._finished:
                self._goes_on(self._replayed(self._finished[entry.trade_id], entry, event))
        for trade in self.trades:
            self.happen(trade.plan.trade_id, happened.Restarted())
        return orders

    def _replayed(self, trade: Trade, entry: Entry, event: Event) -> Trade:
        try:
            return step(trade, event, 0.0)
        except ValueError as fault:
            raise JournalFault(f"row {entry.row} of the journal cannot follow: {fault}") from None

    def _file(self, trade_id: str, result: Mapping[str, Any]) -> None:
        self.results.book(trade_id, result)
        if (trade := self._trades.pop(trade_id, None)) is not None:
            self._finished[trade_id] = trade
        while len(self._finished) > FINISHED_KEPT:
            self._handles.forget(self._finished.pop(next(iter(self._finished))))

    def _goes_on(self, trade: Trade) -> bool:
        """Put a finished trade that heard more where it belongs; whether it has to go on."""
        self._finished.pop(trade.plan.trade_id)
        open_again = trade.state is not State.FLAT
        (self._trades if open_again else self._finished)[trade.plan.trade_id] = trade
        self._handles.learn(trade)
        return open_again

    def _forced(self, fill: Fill) -> bool:
        """Take what the venue itself closed off the trade that held it; whether that was all."""
        trade = holder(self.trades, fill)
        if trade is None:
            return False
        trade_id, lost = trade.plan.trade_id, correction_for(trade, fill)
        if lost:
            why = exposure_log.say_forced(trade, fill, lost)
            corrected = happened.Corrected(fill.venue, lost, why)
            trade = self.happen(trade_id, corrected, durable=True)
        for part in explaining(trade, fill.venue, [fill]):
            trade = self.happen(trade_id, Filled("", part), durable=True)
        return any(part == fill for part in trade.outside)

    def _unknown(self, notice: OrderReport | Fill) -> None:
        heed_another_bot(self._gate, notice, self._journal.tag)
        if not (notice.size if isinstance(notice, Fill) else notice.filled):
            return
        why = exposure_log.say_unknown(notice)
        self.last_change = trio.current_time()  # What was read before this says nothing of it.
        name = UNKNOWN_ORDER if touches(self.trades, notice.venue, notice.symbol) else FOREIGN_ORDER
        self._gate.block(name, why, "positions are being compared", quiet=True)

    def _remember(self, trade: Trade) -> None:
        self._trades[trade.plan.trade_id] = trade
        self._handles.learn(trade)

    def _tell(self, trade_id: str, event: Event, trade: Trade) -> None:
        for heard in self._heard:
            heard(trade_id, event, trade)
        self.last_change = trio.current_time()

    def _write(self, entry: Entry, event: Event, *, durable: bool) -> None:
        """Append one row, after those that a failing disk kept out: it may follow from them."""
        try:
            self._journal.append([*self._unwritten, entry], durable=durable)
        except JournalFault as fault:
            self._undurable(fault, event)
            self._unwritten.append(entry)
        else:
            self._unwritten.clear()

    def _undurable(self, fault: JournalFault, event: Event) -> None:
        opens = isinstance(event, Intended) and not all(o.closes for o in event.orders)
        news = "journal" not in self._gate.reasons
        self._gate.block("journal", str(fault), "free the disk, then start the bot again")
        if opens:
            raise fault
        if not news:
            return  # said once: every event of a closing would say it again
        exposure_log.say_journal_failed(str(fault))


def _entry(trade_id: str, event: Event | Planned) -> Entry:
    return Entry(kind_of(event), trade_id, body_of(event))


def _filled(trade: Trade) -> tuple[object, ...]:
    return tuple((leg.filled, leg.fills) for leg in trade.legs), trade.outside
