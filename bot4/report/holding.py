"""What is held now, as the journal tells it: one line an open trade."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs

from bot4.ports import Entry
from bot4.storage.mirror.fold import Fold, Story
from bot4.strategy.legs import Leg
from bot4.strategy.saga import State

_ZERO = Decimal(0)


@attrs.frozen
class Half:
    """One venue's part of a trade."""

    venue: str
    market: str
    held: Decimal
    """Base units; positive is long."""
    price: Decimal | None
    """Average of what opened, in the venue's currency."""


@attrs.frozen
class Holding:
    """A trade that is not over."""

    trade_id: str
    pair: str
    state: State
    halves: tuple[Half, Half]
    """Where it bought, then where it sold."""
    opened_ms: int
    detected_percent: Decimal
    doubts: tuple[str, ...]
    """Orders whose end is not known."""

    @property
    def unhedged(self) -> Decimal | None:
        """Base exposure, signed: 0 when hedged; None while the end of an order is not known."""
        if self.doubts:
            return None
        return sum((half.held for half in self.halves), _ZERO)


def holdings_of(entries: Iterable[Entry]) -> list[Holding]:
    """Fold rows of open trades, oldest first, into what they hold."""
    fold = Fold()
    stories: dict[str, Story] = {}
    for entry in entries:
        told = fold.read(entry)
        if told is not None and told.story is not None:
            stories[entry.trade_id] = told.story
    return [_holding(story) for story in stories.values() if not story.over]


def _holding(story: Story) -> Holding:
    trade = story.trade
    long, short = (
        Half(key.venue, key.symbol, trade.position(key.venue), _price(trade.legs, key.venue))
        for key in (trade.plan.long, trade.plan.short)
    )
    return Holding(
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        state=trade.state,
        halves=(long, short),
        opened_ms=story.opened_ms,
        detected_percent=trade.plan.spread * 100,
        doubts=tuple(leg.order.client_order_id for leg in trade.open_legs()),
    )


def _price(legs: Iterable[Leg], venue: str) -> Decimal | None:
    opened = [
        (leg.filled, price)
        for leg in legs
        if leg.order.key.venue == venue
        and not leg.order.reduce_only
        and leg.filled
        and (price := leg.average())
    ]
    size = sum((filled for filled, _ in opened), _ZERO)
    return sum((f * price for f, price in opened), _ZERO) / size if size else None
