"""The world that the saga is explored in: a trade, two abstract venues, what is on its way.

The saga is imported, not modelled: ``step`` and ``todo`` are the ones that trade. The venues are
reduced to what matters: an order on the wire executes (whole, in part, not at all), is refused
or is lost; the news of it comes late or never; a person closes a leg; the process dies and comes
back; the stop sign goes up. Sizes are two lots.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import Order, OrderReport, OrderState, Purpose, Side
from bot4.strategy.events import Action, Event, Filled, Intended, Reported
from bot4.strategy.legs import Leg
from bot4.strategy.saga import Plan, Trade

D = Decimal
LONG: Final = MarketKey("vest", "A")
SHORT: Final = MarketKey("paradex", "A")
SIZE: Final = D(2)
ONE: Final = D(1)
PAST: Final = 10**9
"""A venue time past every fence."""


Step = Callable[[Trade, Event, float], Trade]
Todo = Callable[[Trade], tuple[Action, ...]]


@attrs.frozen
class Saga:
    """What is explored: the product's two functions, or a mutant of one."""

    step: Step
    todo: Todo


@attrs.frozen
class Bounds:
    """How far to look."""

    compensations: int = 3
    exits: int = 1
    crashes: int = 1
    hands: int = 1
    """Times that a person closes a leg by hand."""


@attrs.frozen
class Sent:
    """One order as its venue has it."""

    name: str
    fate: str = "wire"
    """``wire``, ``done`` (executed, ``filled`` may be 0), ``dead`` (refused, lost or expired)."""
    filled: Decimal = D(0)
    answer: bool = True
    """An answer that matters may still come."""
    news: bool = False
    """The event of its execution may still come."""


@attrs.frozen
class Node:
    """The bot's trade and the world's truth."""

    trade: Trade
    sent: tuple[Sent, ...]
    held: tuple[tuple[str, Decimal], ...]
    """True positions by venue."""
    hand: tuple[str, ...] = ()
    """Closings by hand that the bot has not noticed."""
    over: bool = False
    bad: str = ""
    """A step that no state may show afterwards."""
    crashes: int = 0
    hands: int = 0
    exits: int = 0

    def position(self, venue: str) -> Decimal:
        """The true position on one venue."""
        return dict(self.held)[venue]

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two nodes the same: orders that ended, and were heard, count by their sum."""
        trade = self.trade
        open_items = []
        for leg, sent in zip(trade.legs, self.sent, strict=True):
            if not leg.state.terminal or matters(leg, sent):
                order = leg.order
                item = (order.purpose.value, order.key.venue, int(order.size), leg.state.value)
                open_items.append(
                    (*item, int(leg.filled), sent.fate, int(sent.filled), sent.answer, sent.news)
                )
        return (
            trade.state.value,
            trade.closing,
            trade.unwinding,
            trade.stopping,
            min(trade.compensations, trade.plan.attempts + 1),
            *(int(trade.position(venue)) for venue in trade.venues),
            *(int(size) for _, size in self.held),
            tuple(open_items),
            self.hand,
            self.over,
            self.bad,
            self.crashes,
            self.hands,
            self.exits,
        )


def matters(leg: Leg, sent: Sent) -> bool:
    """Whether anything can still be heard of an order that has ended."""
    return sent.fate == "wire" or (sent.news and leg.filled != sent.filled)


@attrs.frozen
class Edge:
    """One thing that can happen."""

    name: str
    node: Node
    fault: bool
    """Whether a world without faults would do it."""


def plan_for(bounds: Bounds) -> Plan:
    """The trade that is explored: two lots of one, no dust."""
    return Plan(
        trade_id="t",
        pair="A",
        long=LONG,
        short=SHORT,
        size=SIZE,
        lots=(("vest", ONE), ("paradex", ONE)),
        dust=ONE,
        attempts=bounds.compensations,
        settle_ms=0,
    )


def start(bounds: Bounds, saga: Saga) -> Node:
    """Both entry orders on the wire."""
    node = Node(Trade(plan_for(bounds)), (), (("vest", D(0)), ("paradex", D(0))))
    return send(
        node,
        saga.step,
        order(LONG, Side.BUY, SIZE, Purpose.ENTER, 0),
        order(SHORT, Side.SELL, SIZE, Purpose.ENTER, 1),
    )


# ------------------------------------------------------------------------------- helpers


def order(key: MarketKey, side: Side, size: Decimal, purpose: Purpose, at: int) -> Order:
    """One order of the exploration, named by purpose, place and venue."""
    return Order(
        client_order_id=f"{purpose.value[0]}{at}{key.venue[0]}",
        trade_id="t",
        key=key,
        side=side,
        size=size,
        limit=ONE,
        purpose=purpose,
        attempt=1,
        reduce_only=purpose in (Purpose.EXIT, Purpose.UNWIND),
    )


def order_of(node: Node, sent: Sent) -> Order:
    """The order that was sent under this name."""
    leg = node.trade.leg(sent.name)
    if leg is None:
        raise KeyError(sent.name)
    return leg.order


def send(node: Node, advance: Step, *orders: Order) -> Node:
    """Put orders on the wire, durable first."""
    trade = plain(advance(node.trade, Intended(orders), 0.0))
    new = tuple(Sent(order.client_order_id) for order in orders)
    return attrs.evolve(node, trade=trade, sent=(*node.sent, *new))


def with_sent(node: Node, at: int, sent: Sent) -> Node:
    """The node with one order's world state replaced."""
    return attrs.evolve(node, sent=(*node.sent[:at], sent, *node.sent[at + 1 :]))


def plain(trade: Trade) -> Trade:
    """Forget what makes equal states look different: counters, times and words."""
    legs = tuple(
        leg
        if not leg.reason and leg.missing_since_ms is None
        else attrs.evolve(leg, reason="", missing_since_ms=None)
        for leg in trade.legs
    )
    return attrs.evolve(trade, version=0, first_fill_s=None, legs=legs)


def fill_news(node: Node, sent: Sent) -> Filled:
    """The event of an execution."""
    order = order_of(node, sent)
    fill = Fill(order.key.venue, sent.name, sent.name, "", "A", order.side, ONE, sent.filled, D(0))
    return Filled(sent.name, fill)


def close_news(node: Node, sent: Sent) -> Reported:
    """The event of an order's end."""
    order = order_of(node, sent)
    report = OrderReport(order.key.venue, sent.name, "", OrderState.CLOSED, filled=sent.filled)
    return Reported(sent.name, report)
