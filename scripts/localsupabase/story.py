"""Trades made by hand: the journal rows that a bot would have written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, VEST, MarketKey
from bot4.domain.order import Order, OrderReport, OrderState, Purpose, Side
from bot4.ports import Entry
from bot4.strategy.events import Answered, Busted, Filled, Intended, Planned, Reported, Verdict
from bot4.strategy.journal_format import body_of, kind_of
from bot4.strategy.saga import Plan

BTC: Final = {VEST: MarketKey(VEST, "BTC-PERP"), PARADEX: MarketKey(PARADEX, "BTC-USD-PERP")}


@attrs.frozen
class Story:
    """One trade's journal rows, made by hand: what a bot would have written."""

    trade_id: str
    pair: str = "BTC"
    long: str = VEST
    size: Decimal = Decimal("0.0036")
    price: Decimal = Decimal("83000.5")
    fee: Decimal = Decimal("0.05")
    net: str = "0.5"
    closed_ms: int = 1_795_000_009_000

    @property
    def short(self) -> str:
        """Where it sold at entry."""
        return PARADEX if self.long == VEST else VEST

    def order(self, venue: str, purpose: Purpose) -> Order:
        """One of its orders."""
        side = Side.BUY if (venue == self.long) is (purpose is Purpose.ENTER) else Side.SELL
        return Order(
            client_order_id=f"{self.trade_id}-{venue}-{purpose}",
            trade_id=self.trade_id,
            key=BTC[venue],
            side=side,
            size=self.size,
            limit=self.price,
            purpose=purpose,
            attempt=1 if purpose is Purpose.ENTER else 2,
            reduce_only=purpose is Purpose.EXIT,
            signed_ms=1_795_000_000_000,
            window_ms=2000,
        )

    def fill(self, order: Order) -> Fill:
        """The one fill of an order."""
        return Fill(
            venue=order.key.venue,
            fill_id=f"f-{order.client_order_id}",
            client_order_id=order.client_order_id,
            venue_order_id=f"v-{order.client_order_id}",
            symbol=order.key.symbol,
            side=order.side,
            price=self.price,
            size=order.size,
            fee=self.fee,
            venue_time_ms=1_795_000_000_123,
        )

    def entry(self, event: Any) -> Entry:
        """The row of an event."""
        return Entry(kind_of(event), self.trade_id, body_of(event))

    def opening(self) -> list[Entry]:
        """Up to hedged."""
        plan = Plan(
            trade_id=self.trade_id,
            pair=self.pair,
            long=BTC[self.long],
            short=BTC[self.short],
            size=self.size,
            lots=((VEST, Decimal("0.0001")), (PARADEX, Decimal("0.0001"))),
            dust=Decimal("0.0001"),
            attempts=12,
            settle_ms=1000,
            spread=Decimal("0.0031745"),
            target=Decimal("0.002"),
            decided_ms=1_795_000_000_000,
        )
        return [self.entry(Planned(plan)), *self._orders(Purpose.ENTER)]

    def closing(self) -> list[Entry]:
        """From hedged to over."""
        account = {
            "pair": self.pair,
            "long": self.long,
            "short": self.short,
            "outcome": "closed",
            "size": f"{self.size:f}",
            "entry_spread_percent": "0.3145%",
            "exit_spread_percent": "-0.0210%",
            "entry_slippage_bps": "0.29",
            "exit_slippage_bps": "-0.1",
            "gross_usdc": "0.7",
            "fees_usdc": "0.2",
            "net_usdc": self.net,
            "mended": False,
            "naked_usd_s": "12.5",
            "naked_s": 0.041,
            "latency_ms": {"sign_ms": 1.2},
            "closed_ms": self.closed_ms,
        }
        return [*self._orders(Purpose.EXIT), Entry("Closed", self.trade_id, account)]

    def late(self, size: Decimal = Decimal("0.00004")) -> Entry:
        """A further fill of its first exit order, heard when the trade was over."""
        order = self.order(self.long, Purpose.EXIT)
        return self.entry(
            Filled(
                order.client_order_id,
                attrs.evolve(self.fill(order), fill_id=f"late-{self.trade_id}", size=size),
            )
        )

    def reopened(self) -> list[Entry]:
        """A closing fill is taken back after the end; the rest is closed and booked anew."""
        lost = self.order(self.long, Purpose.EXIT)
        again = attrs.evolve(
            lost,
            client_order_id=f"{self.trade_id}-{self.long}-again",
            purpose=Purpose.UNWIND,
            reduce_only=True,
            attempt=3,
        )
        account = {**self.closing()[-1].body, "net_usdc": "0.25"}
        return [
            self.entry(Busted(lost.client_order_id, f"f-{lost.client_order_id}")),
            self.entry(Intended((again,))),
            *self._filled(again),
            Entry("Closed", self.trade_id, account),
        ]

    def whole(self) -> list[Entry]:
        """From the plan to the account."""
        return [*self.opening(), *self.closing()]

    def _orders(self, purpose: Purpose) -> list[Entry]:
        orders = tuple(self.order(venue, purpose) for venue in (self.long, self.short))
        rows = [self.entry(Intended(orders))]
        for order in orders:
            rows += self._filled(order)
        return rows

    def _filled(self, order: Order) -> list[Entry]:
        """An order is accepted, filled and reported closed."""
        name = order.client_order_id
        report = OrderReport(
            venue=order.key.venue,
            client_order_id=name,
            venue_order_id=f"v-{name}",
            state=OrderState.CLOSED,
            filled=self.size,
            average_price=self.price,
            fee=self.fee,
        )
        accepted = Answered(name, Verdict.ACCEPTED, f"v-{name}")
        heard = (accepted, Filled(name, self.fill(order)), Reported(name, report))
        return [self.entry(event) for event in heard]
