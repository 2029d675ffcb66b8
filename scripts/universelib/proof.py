"""What must hold after a process was stopped and another took over: asked of the venues.

Besides the invariants of every universe: nothing left without a durable intent, the journal's
fills are the venues', and the exit code and the last line of a polite end are true.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from bot4.domain.order import Order
from bot4.errors import ExitCode
from bot4.strategy.events import Intended, Planned, step
from bot4.strategy.journal_format import read_event
from bot4.strategy.saga import State, Trade
from bot4.wiring.universe import WALL_0_MS
from universelib import bounds
from universelib.check import HANDLES, Ending, silent, strays, unnamed, violations
from universelib.process import Process
from universelib.rounds import DUST
from universelib.story import Story, held

CAP_USD: Final = Decimal(320)
"""A leg may not be larger than the configured notional and a lot or two."""
OPENING: Final = ("enter", "mend")
POLITE: Final = ("sigint", "sigint2")
LOOKED_S: Final = 1.0
"""After so long a stop has read what rests, where a venue answers."""


def broken(story: Story) -> list[str]:
    """Return every invariant that does not hold, one line each."""
    found = list(story.hangs)
    stopped = story.stopped
    expected = stopped is not None and stopped.mode in ("error", "cancel")
    first = 2 if story.flattens else 1
    events = [e for e in story.log.events if not (expected and e["process"] == first)]
    if story.flattens:
        # What a person closes by hand is no matter of spreads.
        events = [e for e in events if e["event"] != "pair.opened"]
    codes = [process.code for process in story.processes]
    found += violations(Ending(story.truth, events, codes))
    if left := held(story.truth):
        found.append(f"I4: still held at the end: {left}")
    if story.processes[-1].error is not None:
        found.append(f"the next process crashed: {story.processes[-1].error!r}")
    found += _sizes(story.truth)
    if not story.flattens:
        found += _late(story)
        try:
            found += _journal(story)
        except (ValueError, KeyError, IndexError) as fault:
            found.append(f"I10: the journal cannot be replayed: {fault!r}")
    if stopped is None or stopped.mode == "sigint":
        found += bounds.broken(story)
    if stopped is not None and story.exit_truth is not None:
        found += _ending(story, story.exit_truth)
    return found


def _ending(story: Story, truth: dict[str, Any]) -> Iterator[str]:
    """Whether exit code and last line of the one that was stopped are true."""
    stopped, process = story.stopped, story.subject
    if stopped is None:
        return
    code, last = process.code, _last(story, process)
    rows = (order for state in truth.values() for order in state["open_orders"])
    resting = [order for order in rows if not order.get("foreign")]
    naked = abs(sum(held(truth).values(), Decimal(0))) >= DUST
    if story.flattens:
        if code == 0 and (resting or held(truth)):
            yield f"flatten said flat with {len(resting)} orders open and {held(truth)} held"
        return
    if code == ExitCode.CLEAN and (resting or naked):
        yield f"I5: exit 0 with {len(resting)} orders open, holding {held(truth)}"
    if code == ExitCode.CLEAN and last not in ("shutdown.clean", "shutdown.early"):
        yield f"exit 0 and the last line is {last}"
    if stopped.mode not in POLITE:
        return
    allowed = {ExitCode.CLEAN}
    if _unlooked(story, process):
        allowed |= {ExitCode.LEFT_OPEN}
    if stopped.mode == "sigint2" or story.pressed:
        allowed |= {ExitCode.SECOND_SIGNAL}
    if held_up(story):
        allowed |= {ExitCode.LEFT_OPEN}
    if others := strays(truth):
        at_ms = WALL_0_MS + stopped.at_s * 1000
        if any(order["received_ms"] < at_ms for order in others):
            allowed -= {ExitCode.CLEAN}
        allowed |= {ExitCode.LEFT_OPEN}
        if code == ExitCode.LEFT_OPEN:
            told = story.log.said("shutdown.left", process.number)
            yield from unnamed(others, told[-1]["left"] if told else ())
    if code not in allowed:
        yield f"exit code {code} after {stopped.mode}"
    asked = story.log.said("shutdown.requested", process.number)
    if asked and process.ended_at - asked[0]["at"] > LOOKED_S:
        asked_ms = WALL_0_MS + asked[0]["at"] * 1000
        resting += [order for order in others if order["received_ms"] < asked_ms]
    if code != ExitCode.CLEAN and (resting or naked) and last != "shutdown.left":
        yield f"I5: exit {code} with something open, and the last line is {last}"


def held_up(story: Story) -> bool:
    """Whether a venue was lost, refused every way out, or answered no question after the stop."""
    at_s = story.stopped.at_s if story.stopped else 0.0
    lines = (line for line in story.log.events if line["process"] == 1)
    return story.scenario.dark or story.scenario.stuck or silent(lines, at_s)


def _last(story: Story, process: Process) -> str:
    """The last event, a pair that stays on apart: it is told behind the last word."""
    lines = [e["event"] for e in story.log.events if e["process"] == process.number]
    lines = [event for event in lines if event != "shutdown.held"]
    return str(lines[-1]) if lines else ""


def _unlooked(story: Story, process: Process) -> bool:
    """Whether it was stopped before it had compared both venues with its journal."""
    said = (e for e in story.log.said("shutdown.left", process.number))
    return any("Stopped before looking" in line["message"] for line in said)


def _late(story: Story) -> Iterator[str]:
    """I6: after the sign, nothing that opens is sent."""
    stopped = story.stopped
    for line in story.log.said("leg.sent", 1):
        if stopped is None or stopped.mode not in POLITE:
            return
        if line["purpose"] in OPENING and line["at"] > stopped.at_s:
            yield f"I6: {line['purpose']} sent {line['at'] - stopped.at_s:.3f} s after the sign"


def _sizes(truth: dict[str, Any]) -> Iterator[str]:
    """I9: no position is ever larger than one pair allows."""
    for venue, state in truth.items():
        size, largest = Decimal(0), Decimal(0)
        for fill in state["fills"]:
            sign = 1 if str(fill["side"]).lower() == "buy" else -1
            size += sign * Decimal(fill["size"])
            largest = max(largest, abs(size) * Decimal(fill["price"]))
        if largest > CAP_USD:
            yield f"I9: {venue} held {largest:.0f} USD at once"


def _journal(story: Story) -> Iterator[str]:
    """I1 and I10: every order was intended first, and the journal's fills are the venues'."""
    trades: dict[str, Trade] = {}
    closed: set[str] = set()
    intended: dict[tuple[str, str], Order] = {}
    for kind, trade_id, body in story.journal():
        if kind == "Closed":
            closed.add(trade_id)
            continue
        event = read_event(kind, body)
        if isinstance(event, Planned):
            trades[trade_id] = Trade(event.plan)
            continue
        if isinstance(event, Intended):
            intended |= {(o.key.venue, o.client_order_id): o for o in event.orders}
        trades[trade_id] = step(trades[trade_id], event, 0.0)
    ours: dict[tuple[str, str], Decimal] = {}
    for venue, state in story.truth.items():
        for order in state["orders"]:
            handle = str(order[HANDLES[venue]])
            theirs = order.get("foreign") or order["kind"] in ("LIQUIDATION", "MANUAL")
            if theirs or not handle:
                continue
            ours[venue, handle] = Decimal(order["filled"])
            if (venue, handle) not in intended:
                yield f"I1: {venue} got {handle}, which no durable row intended"
    for trade_id, trade in trades.items():
        if trade_id not in closed or trade.state is not State.FLAT:
            yield f"I10: trade {trade_id} is {trade.state} in the journal at the end"
        for leg in trade.legs:
            venue, name = leg.order.key.venue, leg.order.client_order_id
            filled = ours.get((venue, name), Decimal(0))
            if leg.filled != filled:
                yield f"I10: {name} filled {filled} on {venue}, the journal says {leg.filled}"
