"""Reads the journal as stories, one a trade: by the steps that a restart takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from bot4.domain.fill import Fill
from bot4.domain.order import Purpose
from bot4.ports import CLOSED, Entry
from bot4.strategy.events import Busted, Filled, Intended, Planned, step
from bot4.strategy.journal_format import read_event
from bot4.strategy.saga import State, Trade

FINISHED_KEPT: Final = 256
"""Trades that are over and whose late words are still understood."""


@attrs.define
class OrderStory:
    """When an order was meant and when it ended, by the bot's clock."""

    intended_ms: int
    version: int
    ended_ms: int | None = None


@attrs.define
class Story:
    """One trade, as far as the journal tells it."""

    trade: Trade
    opened_ms: int
    seq: int = 1
    """Events so far."""
    orders: dict[str, OrderStory] = attrs.field(factory=dict)
    fills: dict[tuple[str, str], tuple[Fill, str, int, int]] = attrs.field(factory=dict)
    """(venue, fill id) -> (fill, our order or "" for somebody else's, heard at ms, event's number).
    """
    busted: dict[tuple[str, str], int] = attrs.field(factory=dict)
    """Fills that the venue took back -> the event's number."""
    account: Mapping[str, Any] | None = None
    """The whole account, once it was over; the newest, where it went on and was over again."""
    closed_ms: int | None = None

    @property
    def over(self) -> bool:
        """Whether it was booked, and no fill told late or taken back made it go on."""
        return self.account is not None and self.trade.state is State.FLAT


@attrs.frozen
class Told:
    """One journal row with its place in its trade's story."""

    entry: Entry
    seq: int
    story: Story | None
    """None when this version cannot read the trade: its events are kept all the same."""
    orders: tuple[str, ...] = ()
    """Orders that it changed."""
    fills: tuple[tuple[str, str], ...] = ()
    """Fills that it brought."""
    purpose: Purpose | None = None
    """What was decided, when it was a decision."""


class Fold:
    """Takes rows in order; forgets a trade some time after it is over."""

    def __init__(self) -> None:
        self._stories: dict[str, Story] = {}
        self._finished: dict[str, Story] = {}
        self._unread: dict[str, int] = {}

    def read(self, entry: Entry) -> Told | None:
        """Take the next row; None when it belongs to no trade."""
        name = entry.trade_id
        if not name:
            return None
        story = self._stories.get(name) or self._finished.get(name)
        try:
            told = self._begin(entry) if story is None else _go_on(story, entry)
        except (KeyError, ValueError, TypeError):
            # An event that this version cannot read, or that the table of states forbids.
            seq = self._unread.get(name, 0 if story is None else story.seq) + 1
            self._stories.pop(name, None)
            self._finished.pop(name, None)
            self._unread[name] = seq
            told = Told(entry, seq, None)
        if entry.kind == CLOSED:
            if (over := self._stories.pop(name, None)) is not None:
                self._finished[name] = over
            while len(self._finished) > FINISHED_KEPT:
                self._finished.pop(next(iter(self._finished)))
        return told

    def _begin(self, entry: Entry) -> Told:
        if entry.trade_id in self._unread:
            raise KeyError(entry.trade_id)
        planned = read_event(entry.kind, entry.body)
        if not isinstance(planned, Planned):
            raise TypeError(f"{entry.kind} begins no trade")
        story = Story(Trade(planned.plan), entry.wall_ms)
        self._stories[entry.trade_id] = story
        return Told(entry, story.seq, story, purpose=Purpose.ENTER)


def _go_on(story: Story, entry: Entry) -> Told:
    if entry.kind == CLOSED:
        story.seq += 1
        story.account, story.closed_ms = entry.body, entry.wall_ms
        return Told(entry, story.seq, story)
    event = read_event(entry.kind, entry.body)
    if isinstance(event, Planned):
        raise TypeError("a trade begins twice")
    # Only distances of this clock matter, and the journal's is the one that is known.
    after = step(story.trade, event, entry.wall_ms / 1000)
    story.seq += 1
    before = {leg.order.client_order_id: leg for leg in story.trade.legs}
    story.trade = after
    touched = []
    for leg in after.legs:
        name = leg.order.client_order_id
        if before.get(name) == leg:
            continue
        touched.append(name)
        order = story.orders.setdefault(name, OrderStory(entry.wall_ms, story.seq))
        order.version = story.seq
        if leg.state.terminal and order.ended_ms is None:
            order.ended_ms = entry.wall_ms
    fills: tuple[tuple[str, str], ...] = ()
    if isinstance(event, Filled):
        known = (event.fill.venue, event.fill.fill_id)
        if known not in story.fills and (
            not event.client_order_id or event.client_order_id in touched
        ):
            story.fills[known] = (event.fill, event.client_order_id, entry.wall_ms, story.seq)
            fills = (known,)
    if isinstance(event, Busted):
        gone = [key for key, told in story.fills.items() if _named(event, key, told[1])]
        story.busted |= dict.fromkeys(gone, story.seq)
        fills = tuple(gone)
    purpose = None
    if isinstance(event, Intended) and event.orders:
        purpose = event.orders[0].purpose
    # The first orders are part of the plan's decision.
    if purpose is Purpose.ENTER:
        purpose = None
    return Told(entry, story.seq, story, tuple(touched), fills, purpose)


def _named(event: Busted, fill: tuple[str, str], order: str) -> bool:
    return fill[1] == event.fill_id and order == event.client_order_id
