"""Orders in doubt of one pair: their venue is asked until it is certain what became of them.

By the venue's lists of orders; and by its position, where those do not answer.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import inf

import attrs
import structlog
import trio

from bot4.domain.order import Order, OrderReport, OrderState
from bot4.domain.units import plain
from bot4.strategy.events import Missing
from bot4.strategy.legs import Leg, LegState
from bot4.strategy.position_proof import APART_MS, Reading, filled_by_position, first_ms
from bot4.strategy.saga import Trade
from bot4.tasks.desk import Desk
from bot4.tasks.gate import EXPOSURE, UNKNOWN_ORDER
from bot4.tasks.line import SAID

log = structlog.get_logger()

ASK_FIRST_S = 0.1
ASK_CAP_S = 1.0
SILENT_S = 1.5
"""Lists that answered nothing about an order for so long are not waited for: its position is read.
Longer than from one question to the next."""
CONFIRM_EVERY_S = 5.0
"""How often its lists are asked for what a position proved."""
LOOK_AGAIN_S = 0.1
"""After a reading that came too early, by the venue's clock, or none."""


@attrs.define
class _Doubt:
    """One order's."""

    asked: int = 0
    ask_at: float = -inf
    under_way: bool = False
    answered_at: float = attrs.field(factory=trio.current_time)
    """When a list last answered about it, or it began to be asked, Trio time."""
    ended_ms: int | None = None
    """The venue's clock when a cancel of it was answered."""
    readings: tuple[Reading, ...] = ()
    settled: bool = False
    """Whether its position told its end."""


class Doubts:
    """Asks about the orders of one pair; ``wake`` is called after each answer."""

    def __init__(self, desk: Desk, wake: Callable[[], None]) -> None:
        self._desk = desk
        self._wake = wake
        self._doubts: dict[str, _Doubt] = {}

    def ask(self, asking: trio.Nursery, leg: Leg, *, cancel: bool) -> float:
        """Have an order asked about, and cancelled where wished, if that is due.

        Returns:
            The Trio time when it is due; inf while it is under way.
        """
        name = leg.order.client_order_id
        doubt = self._doubts.get(name)
        if doubt is None:
            doubt = self._doubts[name] = _Doubt()
            asking.start_soon(self._watch_position, leg.order, doubt)
        if doubt.under_way:
            return inf
        if doubt.ask_at > trio.current_time():
            return doubt.ask_at
        doubt.under_way = True
        asking.start_soon(self._ask, leg.order, doubt, cancel)
        return inf

    def forget(self, trade: Trade) -> None:
        """The trade is over."""
        for leg in trade.legs:
            self._doubts.pop(leg.order.client_order_id, None)

    # ------------------------------------------------------------------------ by its lists

    async def _ask(self, order: Order, doubt: _Doubt, cancel: bool) -> None:  # noqa: FBT001 - Trio passes positionally
        name, ledger = order.client_order_id, self._desk.ledger
        gateway = self._desk.dispatcher.gateways[order.key.venue]
        began, proof_in_s = trio.current_time(), inf
        try:
            report, venue_now_ms = await gateway.find(order)
            doubt.answered_at = trio.current_time()
            if report is not None and cancel and not report.state.terminal:
                await gateway.cancel(report)
            if ledger.get(order.trade_id) is None:
                return
            if report is not None:
                ledger.hear(attrs.evolve(report, client_order_id=name))
            else:
                ledger.happen(order.trade_id, Missing(name, venue_now_ms))
                proof_in_s = self._desk.until_proof(order)
        except SAID as said:
            log.warning(
                "venue.unreachable",
                message=f"[ORDER] Asking {order.key.venue} about an order: {said}",
                venue=order.key.venue,
                client_order_id=name,
                why=str(said),
                do="nothing: it is asked again; no answer proves nothing",
            )
        finally:
            doubt.under_way = False
            doubt.asked += 1
            wait_s = min(ASK_FIRST_S * 2**doubt.asked, ASK_CAP_S)
            now = trio.current_time()
            if wait_s + now - began > proof_in_s:
                wait_s = proof_in_s  # no sooner: the one that proves would wait for its answer
            doubt.ask_at = now + wait_s
            self._wake()

    # --------------------------------------------------------------------- by its position

    async def _watch_position(self, order: Order, doubt: _Doubt) -> None:
        """Read the market's position where no list answers, until the order's end is known."""
        while (leg := self._in_doubt(order)) is not None:
            wait_s = await self._look(leg, doubt)
            await trio.sleep(wait_s)
        if self._doubts.get(order.client_order_id) is doubt:
            del self._doubts[order.client_order_id]
        if doubt.settled:
            await self._confirm(order)

    async def _confirm(self, order: Order) -> None:
        """Ask the lists once they answer: a later execution, and its price, is told there.

        The trade goes on by it, also where it was over.
        """
        gateway = self._desk.dispatcher.gateways[order.key.venue]
        while True:
            await trio.sleep(CONFIRM_EVERY_S)
            try:
                report, _ = await gateway.find(order)
                if report is not None and not report.state.terminal:
                    await gateway.cancel(report)
            except SAID:
                continue  # the session names the venue that is away
            if report is not None:
                named = attrs.evolve(report, client_order_id=order.client_order_id)
                self._desk.ledger.hear(named)
            if report is None or report.state.terminal:
                return

    async def _look(self, leg: Leg, doubt: _Doubt) -> float:
        """Do what is due; return in how many seconds to look again."""
        order, settle_ms = leg.order, self._settle_ms(leg)
        gateway = self._desk.dispatcher.gateways[order.key.venue]
        silent_s = trio.current_time() - doubt.answered_at
        if silent_s < SILENT_S or self._shared(order):
            doubt.readings = ()
            return max(SILENT_S - silent_s, LOOK_AGAIN_S)
        try:
            if leg.venue_order_id and doubt.ended_ms is None:
                # It was accepted: only once it is cancelled it can no longer fill.
                await gateway.cancel(_named(leg, OrderState.OPEN))
                doubt.ended_ms = gateway.now_ms() + gateway.clock_error_ms
            from_ms = first_ms(leg, settle_ms, doubt.ended_ms)
            if (due_s := gateway.until(from_ms)) > 0:
                return due_s
            explained = self._desk.ledger.held(order.key)
            size, venue_ms = await gateway.position(order.key)
        except SAID:
            doubt.readings = ()
            return LOOK_AGAIN_S  # the session names the venue that is away
        reading = Reading(size - explained, venue_ms)
        kept = (one for one in doubt.readings if one.beyond == reading.beyond)
        doubt.readings = (*kept, reading) if venue_ms >= from_ms else ()
        if self._desk.ledger.held(order.key) != explained or self._shared(order):
            doubt.readings = ()
        elif (still := self._in_doubt(order)) is not None:
            self._settle(still, doubt)
        if not doubt.readings:
            return LOOK_AGAIN_S
        return max(LOOK_AGAIN_S, gateway.until(doubt.readings[0].venue_ms + APART_MS))

    def _settle(self, leg: Leg, doubt: _Doubt) -> None:
        filled = filled_by_position(leg, doubt.readings)
        if filled is None:
            return
        venue = leg.order.key.venue
        why = f"{venue}'s lists do not answer; by its position it filled {plain(filled)}"
        report = attrs.evolve(_named(leg, OrderState.CLOSED), filled=filled, reason=why)
        doubt.settled = True
        self._desk.ledger.hear(report)
        self._wake()

    def _shared(self, order: Order) -> bool:
        """Whether the market's position may be moved by something else than this order."""
        ledger, reasons = self._desk.ledger, self._desk.gate.reasons
        others = (leg.order for trade in ledger.trades for leg in trade.open_legs())
        ours = any(one.key == order.key and one != order for one in others)
        return ours or not {EXPOSURE, UNKNOWN_ORDER}.isdisjoint(reasons)

    def _in_doubt(self, order: Order) -> Leg | None:
        trade = self._desk.ledger.get(order.trade_id)
        leg = None if trade is None else trade.leg(order.client_order_id)
        doubtful = (LegState.DOUBT, LegState.CANCELLING)
        return leg if leg is not None and leg.state in doubtful else None

    def _settle_ms(self, leg: Leg) -> int:
        trade = self._desk.ledger.get(leg.order.trade_id)
        return self._desk.execution.settle_ms if trade is None else trade.plan.settle_ms


def _named(leg: Leg, state: OrderState) -> OrderReport:
    """Return a statement about the order with all its names."""
    order = leg.order
    return OrderReport(
        order.key.venue,
        order.client_order_id,
        leg.venue_order_id,
        state,
        symbol=order.key.symbol,
        filled=Decimal(0) if state is OrderState.OPEN else None,
    )
