"""The engine of the simulated Paradex: orders land, match, rest, trigger and get cancelled."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from bot4.simulator.ledger import SimFill
from bot4.simulator.orders import Level, Side, SimOrder
from bot4.simulator.paradex.desk import ParadexDesk
from bot4.simulator.paradex.drafts import STP_DEFAULT, Draft
from bot4.simulator.paradex.foreign import odd_fill
from bot4.simulator.paradex.intake import admit
from bot4.simulator.paradex.shapes import text
from bot4.simulator.paradex.tokens import Token

BAND: Final = Decimal("0.05")
"""Width of the price band around the mark. Source: market shape seen on testnet, 2026-01."""

MAX_SLIPPAGE: Final = Decimal("0.005")
"""How far from the best price a market order may walk. Source: docs, 0.1-0.5 %, 2026-11."""


class ParadexEngine(ParadexDesk):
    """What happens to orders once the API has taken them in."""

    def submit(self, draft: Draft, token: Token) -> SimOrder:
        """Judge and accept a request received now; its order is NEW.

        Raises:
            Refused: the venue does not want it.
        """
        return self.submit_all([draft], token)[0]

    def submit_all(self, drafts: list[Draft], token: Token) -> list[SimOrder]:
        """Judge all requests, then accept them all.

        Raises:
            Refused: one of them is not wanted; none is accepted.
        """
        orders = [admit(self, draft, token) for draft in drafts]
        for order in orders:
            self.take_in(order)
        return orders

    def take_in(self, order: SimOrder) -> None:
        """Accept a judged order, and tell that it is NEW."""
        self.accept(order)
        self.tell([self.order_event(order)])

    def ask_cancel(self, order: SimOrder, *, interactive: bool) -> None:
        """Queue the cancel of a live order; a fill can still win."""
        if "cancel_refused" in order.extra:
            return
        order.extra["cancel_asked"] = True
        self.save(order)
        bump_s = self.switches.bump_s * self.latency.scale if interactive else 0.0
        self.agenda.put(self.latency.draw("answer") + bump_s, self._cancel_now, order.id)

    def land(self, order: SimOrder) -> None:
        """Let an accepted order meet risk checks and the book; Retail waits its bump first."""
        if order.extra["interactive"] and not order.extra.get("bumped"):
            order.extra["bumped"] = True
            self.agenda.put(self.switches.bump_s * self.latency.scale, self._land, order.id)
        elif order.kind not in ("MARKET", "LIMIT"):
            self.rest_order(order, "UNTRIGGERED", [])
        else:
            self.match(order)

    def rest(self, order: SimOrder) -> None:
        """Trigger a stop whose price was reached, or fill a resting order the book came to."""
        if self.halted(order.symbol) is not None:
            return
        if order.status == "UNTRIGGERED":
            if self._triggered(order):
                order.resting = False
                self.match(order)
            return
        can_reduce = self.ledger.reducible(order.symbol, order.side)
        if order.reduce_only and can_reduce < order.remaining:
            self.end_order(order, self.switches.reduce_only_reason, [])
            return
        book = self.book(order.symbol)
        levels = book.asks if order.side == "buy" else book.bids
        if order.limit is None or not levels or not reaches(order.side, order.limit, levels[0][0]):
            return
        taken = self.execute(order.symbol, order.side, order.remaining, order.limit)
        if taken.fills:
            fills = self.book_levels(order, ((order.limit, taken.size),), maker=True)
            if order.remaining == 0:
                self.end_order(order, "", fills)
            else:
                self.rest_order(order, "OPEN", fills)

    def match(self, order: SimOrder) -> None:
        """Let an order meet risk checks and the book as a taker; what is left rests or ends."""
        refused = order.extra.get("refused_with") or self.risk(order)
        if refused:
            self.end_order(order, refused, [])
            return
        limit = self._worst(order)
        if self._trades_with_itself(order, limit):
            return
        if order.time_in_force == "POST_ONLY" and self.would_cross(order, limit):
            self.end_order(order, "POST_ONLY_WOULD_CROSS", [])
            return
        size = order.remaining
        if order.reduce_only:
            size = min(size, self.ledger.reducible(order.symbol, order.side))
        taken = self.execute(
            order.symbol,
            order.side,
            size,
            limit,
            retail=order.extra["interactive"],
            reduce_only=order.reduce_only,
        )
        fills = self.book_levels(order, taken.fills, maker=False)
        if order.remaining == 0:
            self.end_order(order, "", fills)
        elif taken.size == size:
            self.end_order(order, self.switches.reduce_only_reason, fills)
        elif order.limit is None or order.time_in_force == "IOC":
            self.end_order(order, self.switches.remainder_reason, fills)
        elif order.extra.get("cancel_asked"):
            self.end_order(order, "USER_CANCELED", fills)
        else:
            self.rest_order(order, "OPEN", fills)

    def risk(self, order: SimOrder) -> str:
        """Return why risk refuses the order, empty when it does not."""
        if self.halted(order.symbol) is not None:
            return self.switches.halt_reason
        mark = self.mark(order.symbol)
        if order.reduce_only:
            if self.ledger.reducible(order.symbol, order.side) == 0:
                return self.switches.reduce_only_reason
        elif not self.ledger.affords(
            order.symbol,
            order.side,
            order.remaining,
            order.limit or mark,
            self.mark,
            replaced=order.id,
        ):
            return "NOT_ENOUGH_MARGIN"
        elif self._beyond_limit(order):
            return self.switches.position_limit_reason
        if order.limit is not None:
            edge = mark * (1 + (BAND if order.side == "buy" else -BAND))
            if reaches(order.side, order.limit, edge) and order.limit != edge:
                return self.switches.price_band_reason
        return ""

    def _beyond_limit(self, order: SimOrder) -> bool:
        """Tell whether the order, its side's open ones and the position exceed the market's limit.

        Source: Paradex docs, Margin, seen 2026-11: open orders of the same side count.
        """
        held = self.ledger.position(order.symbol).size
        waiting = sum(
            other.remaining
            for other in self.live_orders(order.symbol)
            if other.resting and other.side == order.side and other.id != order.id
        )
        reached = (held if order.side == "buy" else -held) + waiting + order.remaining
        return reached > self.limits_of(order.symbol).position

    def _worst(self, order: SimOrder) -> Decimal:
        """Return the worst price the order may trade at."""
        if order.limit is not None:
            return order.limit
        sign = 1 if order.side == "buy" else -1
        book = self.book(order.symbol)
        levels = book.asks if order.side == "buy" else book.bids
        best = levels[0][0] if levels else self.mark(order.symbol)
        return best * (1 + sign * MAX_SLIPPAGE)

    def would_cross(self, order: SimOrder, limit: Decimal) -> bool:
        """Tell whether an order at this limit would take."""
        book = self.book(order.symbol)
        levels = book.asks if order.side == "buy" else book.bids
        return bool(levels) and reaches(order.side, limit, levels[0][0])

    def _trades_with_itself(self, order: SimOrder, limit: Decimal) -> bool:
        """Apply self-trade prevention; return whether it ended the order."""
        makers = [
            other
            for other in self.live_orders(order.symbol)
            if other.resting
            and other.status == "OPEN"
            and other.side != order.side
            and other.limit is not None
            and reaches(order.side, limit, other.limit)
        ]
        if not makers:
            return False
        if order.extra["stp"] != STP_DEFAULT:
            for maker in makers:
                self.end_order(maker, "SELF_TRADE", [])
        if order.extra["stp"] == "EXPIRE_MAKER":
            return False
        self.end_order(order, "SELF_TRADE", [])
        return True

    def _triggered(self, order: SimOrder) -> bool:
        mark, trigger = self.mark(order.symbol), Decimal(order.extra["trigger_price"])
        flags = order.extra["flags"]
        below = "STOP_CONDITION_BELOW_TRIGGER" in flags
        if not below and "STOP_CONDITION_ABOVE_TRIGGER" not in flags:
            takes_profit = order.kind.startswith("TAKE_PROFIT")
            below = (order.side == "sell") != takes_profit
        return mark <= trigger if below else mark >= trigger

    def book_levels(
        self,
        order: SimOrder,
        levels: tuple[Level, ...],
        *,
        maker: bool,
        fee: Callable[[Decimal, Decimal], Decimal] | None = None,
    ) -> list[SimFill]:
        """Book executions, their funding and what they leave on the holding.

        ``fee`` replaces the order's own fee: USDC for a price and a size.
        """
        interactive = bool(order.extra["interactive"])
        done: list[SimFill] = []
        for level in levels:
            funding = self.ledger.settle_funding(order.symbol)
            extra: dict[str, Any] = {
                "fill_type": order.extra.get("fill_type", "FILL"),
                "flags": ["interactive"] if interactive else [],
                "liquidity": "MAKER" if maker else "TAKER",
                "realized_funding": text(funding),
                "remaining_size": text(order.remaining - level[1]),
                "underlying_price": text(self.index(order.symbol)),
                "book_seq_no": self.public_book(order.symbol)[1],
                **odd_fill(self, order),
            }
            own = self.fee_of(order.symbol, maker=maker, interactive=interactive)
            fill = self.book_fills(order, (level,), fee or own, extra)[0]
            self.note_fill(order, fill, funding)
            done.append(fill)
        return done

    def _cancel_now(self, order_id: str) -> None:
        order = self.orders[order_id]
        if order.resting and not order.done:
            self.end_order(order, "USER_CANCELED", [])

    def end_order(self, order: SimOrder, reason: str, fills: list[SimFill]) -> None:
        """Close an order, with a reason or none, and tell."""
        order.status, order.reason = "CLOSED", reason
        order.done, order.resting = True, False
        self._keep_and_tell(order, fills)

    def rest_order(self, order: SimOrder, status: str, fills: list[SimFill]) -> None:
        """Leave an order in the book, or waiting for its trigger, and tell."""
        order.status, order.resting = status, True
        self._keep_and_tell(order, fills)

    def _keep_and_tell(self, order: SimOrder, fills: list[SimFill]) -> None:
        order.updated_ms = self.wall_ms()
        self.save(order)
        self.tell([self.order_event(order), *self.money_events(order, fills)])

    def load(
        self, state: dict[str, Any], orders: list[dict[str, Any]], fills: list[dict[str, Any]]
    ) -> None:
        """Take over a saved world; cancels promised before it was saved are carried out."""
        super().load(state, orders, fills)
        for order in self.live_orders():
            if order.resting and order.extra.get("cancel_asked"):
                self.agenda.put(0, self._cancel_now, order.id)


def reaches(side: Side, limit: Decimal, price: Decimal) -> bool:
    """Whether an order of this side and limit would trade at a price."""
    return price <= limit if side == "buy" else price >= limit
