"""Which trade an order or a fill belongs to, by whichever of its names a venue tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bot4.domain.fill import Fill
from bot4.domain.order import OrderReport
from bot4.ports import FillBusted, Unread
from bot4.strategy.events import Busted, Filled, Reported
from bot4.strategy.saga import Trade
from bot4.tasks.gate import ANOTHER_BOT, Gate

_TRADING: Final = re.compile(r"b4-([a-z0-9]{6})-[0-9]+-[LS][0-9]+")
"""A name as a bot gives it to the orders of its trades, where a venue takes a text (Paradex); with
the tag of its journal. Flattening and probing by hand name theirs otherwise."""

Heard = OrderReport | Fill | FillBusted
"""What a venue says of an order."""


class Handles:
    """Names of orders, by venue: a late word of an old trade is still understood."""

    def __init__(self) -> None:
        self._by_order: dict[tuple[str, str], str] = {}
        self._by_venue_order: dict[tuple[str, str], str] = {}
        self._by_fill: dict[tuple[str, str], str] = {}

    def learn(self, trade: Trade) -> None:
        """Note every name that the trade's orders and fills have by now."""
        trade_id = trade.plan.trade_id
        for leg in trade.legs:
            venue = leg.order.key.venue
            self._by_order[venue, leg.order.client_order_id] = trade_id
            if leg.venue_order_id:
                self._by_venue_order[venue, leg.venue_order_id] = trade_id
            for fill in leg.fills:
                self._by_fill[venue, fill.fill_id] = trade_id
        for fill in trade.outside:
            self._by_fill[fill.venue, fill.fill_id] = trade_id

    def knows(self, fill: Fill) -> bool:
        """Whether this fill was told before, of whomever it is."""
        return (fill.venue, fill.fill_id) in self._by_fill

    def forget(self, trade: Trade) -> None:
        """The trade is long over."""
        for leg in trade.legs:
            venue = leg.order.key.venue
            self._by_order.pop((venue, leg.order.client_order_id), None)
            self._by_venue_order.pop((venue, leg.venue_order_id), None)
            for fill in (*leg.fills, *leg.busted):
                self._by_fill.pop((venue, fill.fill_id), None)
        for fill in trade.outside:
            self._by_fill.pop((fill.venue, fill.fill_id), None)

    def owns(self, said: Fill | Unread) -> bool:
        """Whether it is of an order of ours, or a fill that was told of before."""
        if isinstance(said, Fill):
            return self.knows(said) or self.owner(said) is not None
        named = (said.venue, said.client_order_id) in self._by_order
        return named or (said.venue, said.row_id) in self._by_venue_order

    def owner(self, said: Heard) -> str | None:
        """The id of the trade that it is about."""
        if isinstance(said, FillBusted):
            return self._by_fill.get((said.venue, said.fill_id))
        if said.client_order_id:
            return self._by_order.get((said.venue, said.client_order_id))
        return self._by_venue_order.get((said.venue, said.venue_order_id))


def heed_another_bot(gate: Gate, said: OrderReport | Fill, tag: str) -> None:
    """Open nothing any more, until a new start, once an order of another bot was told.

    Two bots on one account each see what the other holds as a mistake, and reduce it.

    Args:
        gate: where opening stops.
        said: what the venue told of an order that no trade of ours has.
        tag: of our own journal: what has it is ours, however long ago.
    """
    name = _TRADING.fullmatch(said.client_order_id)
    if name is not None and name[1] != tag:
        gate.block(
            ANOTHER_BOT,
            f"another bot trades this account: {said.venue} tells of its order "
            f"{said.client_order_id}",
            "stop one of the two, wherever it runs (another machine, user or container); "
            "then start the other one again",
        )


def event_of(trade: Trade, said: Heard) -> Reported | Filled | Busted:
    """What it means for its trade."""
    if isinstance(said, FillBusted):
        fills = ((leg, fill) for leg in trade.legs for fill in (*leg.fills, *leg.busted))
        names = (leg.order.client_order_id for leg, fill in fills if fill.fill_id == said.fill_id)
        return Busted(next(names, ""), said.fill_id)
    name = said.client_order_id or _name(trade, said.venue_order_id)
    return Filled(name, said) if isinstance(said, Fill) else Reported(name, said)


def _name(trade: Trade, venue_order_id: str) -> str:
    legs: Iterable[str] = (
        leg.order.client_order_id for leg in trade.legs if leg.venue_order_id == venue_order_id
    )
    return next(iter(legs), "")
