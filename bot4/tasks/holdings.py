"""What the trades hold and cost, counted for caps and prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import chain

import attrs

from bot4.domain.market import MarketKey, Pair
from bot4.domain.order import Purpose, Side
from bot4.strategy.risk import Caps, Room, Use, limits_left, room
from bot4.strategy.saga import Trade


def uses(trades: Iterable[Trade]) -> list[Use]:
    """Everything that takes room at a venue: positions, and orders that have not ended in full."""
    found = []
    for trade in trades:
        found += [
            Use(leg.order.key.venue, leg.order.size * leg.order.limit)
            for leg in trade.open_legs()
            if not leg.order.closes
        ]
        for venue in trade.venues:
            # The price of a fill may come later than the fill; the limit is the worst it can be.
            price = filled_price(trade, venue) or _worst_price(trade, venue)
            if price:
                found.append(Use(venue, abs(trade.position(venue)) * price))
    return found


def failed_exits(trade: Trade) -> int:
    """How many closing orders failed since the last one that did all it was sent for."""
    failed = 0
    for leg in reversed(trade.legs):
        if leg.order.purpose is Purpose.EXIT:
            if leg.filled >= leg.order.size:
                break
            failed += 1
    return failed


def room_of(pair: Pair, trades: Iterable[Trade], caps: Caps, equity: Mapping[str, Decimal]) -> Room:
    """What the caps and the limits of both markets leave to one more entry of a pair."""
    known = tuple(trades)
    most = (limits_left(one, *at_work(known, one.key)) for one in (pair.vest, pair.paradex))
    return attrs.evolve(room(caps, uses(known), equity), most=tuple(chain(*most)))


def at_work(trades: Iterable[Trade], key: MarketKey) -> tuple[Decimal, int]:
    """Base units held or on order on a market, the worst case, and how many orders are open."""
    size, orders = Decimal(0), 0
    for trade in trades:
        if key not in (trade.plan.long, trade.plan.short):
            continue
        size += abs(trade.position(key.venue))
        for leg in trade.open_legs():
            if leg.order.key == key:
                orders += 1
                size += Decimal(0) if leg.order.closes else leg.order.size - leg.filled
    return size, orders


def touches(trades: Iterable[Trade], venue: str, symbol: str) -> bool:
    """Whether a trade may hold something on a market; ``symbol`` is "" when nobody said which."""
    keys = (key for trade in trades for key in (trade.plan.long, trade.plan.short))
    return any(key.venue == venue and symbol in ("", key.symbol) for key in keys)


def _worst_price(trade: Trade, venue: str) -> Decimal:
    limits = [leg.order.limit for leg in trade.legs if leg.order.key.venue == venue and leg.filled]
    return max(limits, default=Decimal(0))


def filled_price(trade: Trade, venue: str) -> Decimal | None:
    """The average price of what was bought or sold to open on one venue; None when unknown."""
    opening = Side.BUY if venue == trade.plan.long.venue else Side.SELL
    size = notional = Decimal(0)
    for leg in trade.legs:
        if leg.order.key.venue != venue or leg.order.side is not opening or not leg.filled:
            continue
        price = leg.average()
        if price is None:
            return None
        size += leg.filled
        notional += leg.filled * price
    return notional / size if size else None
