"""Everything that can happen next, in the world and in the bot."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from bot4.domain.order import Order, Purpose, Side
from bot4.strategy.events import (
    Answered,
    Ask,
    Cancel,
    Compensate,
    Corrected,
    Event,
    Finish,
    Missing,
    Overdue,
    Restarted,
    Stopped,
    Unwound,
    Verdict,
)
from bot4.strategy.legs import LegState
from bot4.strategy.saga import State
from modelchecklib.model import (
    LONG,
    ONE,
    PAST,
    SHORT,
    Bounds,
    D,
    Edge,
    Node,
    Saga,
    Sent,
    close_news,
    fill_news,
    order,
    order_of,
    plain,
    send,
    with_sent,
)


def edges(node: Node, bounds: Bounds, saga: Saga) -> Iterator[Edge]:
    """Everything that can happen next."""
    if node.over:
        return
    for at, sent in enumerate(node.sent):
        calm = _beyond(node, at, bounds)
        for edge in (*_venue_edges(node, at, sent), *_message_edges(node, at, sent, saga)):
            if not (calm and edge.fault):
                yield edge
    yield from _bot_edges(node, bounds, saga)
    yield from _rare_edges(node, bounds, saga)


def _beyond(node: Node, at: int, bounds: Bounds) -> bool:
    """Whether this order is past the bound of troubles: it meets none."""
    legs = node.trade.legs[: at + 1]
    exits = sum(leg.order.purpose is Purpose.EXIT for leg in legs)
    others = sum(leg.order.purpose in (Purpose.MEND, Purpose.UNWIND) for leg in legs)
    return others > bounds.compensations or exits > 2 * bounds.exits


def _venue_edges(node: Node, at: int, sent: Sent) -> Iterator[Edge]:
    if sent.fate != "wire":
        return
    mine = order_of(node, sent)
    room = mine.size
    if mine.reduce_only:
        held = node.position(mine.key.venue)
        room = min(mine.size, max(D(0), -held * mine.side.sign))
    sizes = {D(0), room} if mine.key.venue == "vest" else {D(0), min(ONE, room), room}
    for size in sizes:
        done = attrs.evolve(sent, fate="done", filled=size, news=True)
        after = with_sent(node, at, done)
        held_after = tuple(
            (venue, was + size * mine.side.sign if venue == mine.key.venue else was)
            for venue, was in node.held
        )
        name = f"{sent.name} executes {size}"
        yield Edge(name, attrs.evolve(after, held=held_after), fault=size < room)
    yield Edge(
        f"{sent.name} is lost", with_sent(node, at, attrs.evolve(sent, fate="dead")), fault=True
    )


def _message_edges(node: Node, at: int, sent: Sent, saga: Saga) -> Iterator[Edge]:
    def heard(name: str, event: Event, after: Sent, *, fault: bool) -> Edge:
        trade = plain(saga.step(node.trade, event, 0.0))
        return Edge(name, with_sent(attrs.evolve(node, trade=trade), at, after), fault=fault)

    leg = node.trade.leg(sent.name)
    if leg is None:
        return
    if sent.answer and not leg.state.terminal:
        quiet = attrs.evolve(sent, answer=False)
        if sent.fate == "wire":
            dead = attrs.evolve(quiet, fate="dead")
            no = Answered(sent.name, Verdict.REFUSED, why="no")
            yield heard(f"{sent.name} refused", no, dead, fault=True)
        cut = Answered(sent.name, Verdict.IN_DOUBT, why="cut")
        yield heard(f"{sent.name} answer lost", cut, quiet, fault=True)
    if sent.news and (not leg.state.terminal or leg.filled != sent.filled):
        after = attrs.evolve(sent, news=False)
        closed = close_news(node, sent)
        news: Event = fill_news(node, sent) if sent.filled else closed
        yield heard(f"{sent.name} news", news, after, fault=False)
        if 0 < sent.filled < order_of(node, sent).size:
            yield heard(f"{sent.name} closes", closed, after, fault=False)
        yield Edge(f"{sent.name} news missed", with_sent(node, at, after), fault=True)


def _bot_edges(node: Node, bounds: Bounds, saga: Saga) -> Iterator[Edge]:
    trade = node.trade
    for leg in trade.open_legs():
        if leg.state not in (LegState.DOUBT, LegState.CANCELLING):
            name = leg.order.client_order_id
            late = plain(saga.step(trade, Overdue(name), 0.0))
            yield Edge(f"{name} overdue", attrs.evolve(node, trade=late), fault=False)
    for action in saga.todo(trade):
        match action:
            case Ask(leg) | Cancel(leg):
                yield from _asked(node, leg.order.client_order_id, bounds, saga)
            case Compensate(excess, may_complete):
                back = order(
                    trade.plan.key(excess.venue),
                    excess.side,
                    excess.size,
                    Purpose.UNWIND,
                    len(node.sent),
                )
                chosen = attrs.evolve(node, trade=plain(saga.step(trade, Unwound(), 0.0)))
                yield Edge("unwind", send(chosen, saga.step, back), fault=False)
                if may_complete:
                    missing = SHORT if excess.venue == "vest" else LONG
                    mend = order(missing, excess.side, excess.size, Purpose.MEND, len(node.sent))
                    opened = attrs.evolve(node, bad="I6" if trade.stopping or trade.closing else "")
                    yield Edge("complete", send(opened, saga.step, mend), fault=False)
            case Finish():
                yield Edge("finish", attrs.evolve(node, over=True), fault=False)
    if trade.state is State.HEDGED and not trade.stopping:
        legs: list[Order] = []
        for venue, side in (("vest", Side.SELL), ("paradex", Side.BUY)):
            size = abs(trade.position(venue))
            at = len(node.sent) + len(legs)
            legs.append(order(trade.plan.key(venue), side, size, Purpose.EXIT, at))
        after = attrs.evolve(node, exits=min(node.exits + 1, bounds.exits + 1))
        yield Edge("exit", send(after, saga.step, *legs), fault=False)


def _asked(node: Node, name: str, bounds: Bounds, saga: Saga) -> Iterator[Edge]:
    at, sent = next((i, s) for i, s in enumerate(node.sent) if s.name == name)
    if sent.fate == "done":
        trade = plain(saga.step(node.trade, close_news(node, sent), 0.0))
        yield Edge(f"{name} found", attrs.evolve(node, trade=trade), fault=False)
    elif sent.fate == "dead":
        once = saga.step(node.trade, Missing(name, PAST), 0.0)
        trade = plain(saga.step(once, Missing(name, PAST + 1000), 0.0))
        yield Edge(f"{name} proven never", attrs.evolve(node, trade=trade), fault=False)
    else:
        once = saga.step(node.trade, Missing(name, 0), 0.0)
        early = plain(saga.step(once, Missing(name, 1000), 0.0))
        yield Edge(f"{name} not found yet", attrs.evolve(node, trade=early), fault=False)
        if not _beyond(node, at, bounds):
            expired = with_sent(node, at, attrs.evolve(sent, fate="dead", answer=False))
            yield Edge(f"{name} expires", expired, fault=True)


def _rare_edges(node: Node, bounds: Bounds, saga: Saga) -> Iterator[Edge]:
    trade = node.trade
    if node.crashes < bounds.crashes:
        again = plain(saga.step(trade, Restarted(), 0.0))
        deaf = tuple(attrs.evolve(s, answer=False, news=False) for s in node.sent)
        after = attrs.evolve(node, trade=again, sent=deaf, crashes=node.crashes + 1)
        yield Edge("crash", after, fault=True)
    if not trade.stopping:
        after = attrs.evolve(node, trade=plain(saga.step(trade, Stopped(), 0.0)))
        yield Edge("stop", after, fault=True)
    if node.hands < bounds.hands and trade.state is State.HEDGED and not node.hand:
        for venue, held in node.held:
            if held:
                zero = tuple((v, D(0) if v == venue else size) for v, size in node.held)
                after = attrs.evolve(node, held=zero, hands=node.hands + 1, hand=(venue,))
                yield Edge(f"{venue} closed by hand", after, fault=True)
    waiting = any(s.fate == "wire" for s in node.sent)
    if node.hand and not trade.open_legs() and not waiting and trade.state is not State.FLAT:
        (venue,) = node.hand
        difference = node.position(venue) - trade.position(venue)
        event = Corrected(venue, difference, "by hand")
        corrected = plain(saga.step(trade, event, 0.0)) if difference else trade
        yield Edge("noticed", attrs.evolve(node, trade=corrected, hand=()), fault=False)
