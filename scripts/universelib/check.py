"""What must hold when a universe has ended: asked of the venues, not of the bot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import inf
from typing import Any

import attrs

from bot4.errors import ExitCode
from universelib.rounds import DUST, Round

D = Decimal
CLOSING = frozenset({"exit", "unwind", "flatten"})
UNLISTED = {("vest", "unknown_status")}
"""Shapes of orders that no question finds: Vest is asked for those of status NEW."""
HANDLES = {"vest": "nonce", "paradex": "client_id"}


@attrs.define
class Ending:
    """What is known of a universe at its end."""

    truth: dict[str, Any]
    events: list[dict[str, Any]]
    codes: list[int]
    """Exit codes, -9 for a death."""
    errors: list[str] = attrs.field(factory=list)
    """What the processes died of that nobody foresaw."""
    lifeless: list[str] = attrs.field(factory=list)
    """How the bot did not come back to trading once the troubles were over."""
    lasted_s: float = 0.0
    struck: int = 0
    dark: list[tuple[str, float, float]] = attrs.field(factory=list)
    eligible: int = 0
    captured: int = 0
    by_hand: int = 0
    """How often a person ran flatten because the bot asked for it."""
    rounds: list[Round] = attrs.field(factory=list)


def positions(truth: dict[str, Any]) -> dict[str, Decimal]:
    """Signed base units by venue."""
    return {
        venue: sum((D(size) for size in state["positions"].values()), D(0))
        for venue, state in truth.items()
    }


def silent(events: Iterable[Mapping[str, Any]], since: float, until: float = inf) -> bool:
    """Whether a venue left more than one question without an answer in that time."""
    missed = [float(line["at"]) for line in events if line["event"] == "venue.unreachable"]
    return sum(since <= at < until for at in missed) > 1


def violations(end: Ending) -> list[str]:
    """Every invariant that is broken, one line each; empty when none is."""
    found = []
    rows = (order for state in end.truth.values() for order in state["open_orders"])
    resting = [order for order in rows if not order.get("foreign")]
    if resting:
        found.append(f"I5: {len(resting)} orders open at the end")
    held = positions(end.truth)
    net = sum(held.values(), D(0))
    if abs(net) >= DUST:
        found.append(f"I4: naked at the end: {held}")
    for venue, name in HANDLES.items():
        ours = (order for order in end.truth[venue]["orders"] if not order.get("foreign"))
        counts = Counter(str(order[name]) for order in ours)
        for handle, times in counts.items():
            if times > 1 and handle:
                found.append(f"I2: {venue} saw {handle} {times} times")
    found += end.lifeless
    found += [f"crashed: {error}" for error in end.errors]
    found += _flips(end.truth)
    found += _invented(end)
    found += _backwards(end.events)
    found += _spreads(end.events)
    for line in end.events:
        if line["event"] == "bot.crashed":
            found.append(f"crashed: {line.get('why')}")
        if line["level"] in ("warning", "error", "critical") and not line.get("why"):
            found.append(f"a warning without why: {line['event']}")
    return found + _last_word(end)


def strays(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the orders of others that rest and can be listed, each with its ``venue``."""
    return [
        {"venue": venue, **order}
        for venue, state in truth.items()
        for order in state["open_orders"]
        if order.get("foreign") and (venue, order["foreign"]) not in UNLISTED
    ]


def unnamed(orders: Iterable[Mapping[str, Any]], left: Iterable[str]) -> list[str]:
    """Return a line for each order that no line of a last word names, with its venue."""
    lines = list(left)
    return [
        f"I5: {order['venue']} order {order['id']} rests, and the last word does not name it"
        for order in orders
        if not any(order["venue"] in line and order["id"] in line for line in lines)
    ]


def _last_word(end: Ending) -> list[str]:
    """Whether the last process told by its exit code what rests, and named it."""
    code, resting = end.codes[-1], strays(end.truth)
    if not resting:
        return [f"the last exit code is {code}"] if code else []
    if code != ExitCode.LEFT_OPEN:
        return [f"I5: {len(resting)} orders of others rest, and the last exit code is {code}"]
    last = [line for line in end.events if line["event"] == "shutdown.left"][-1:]
    return unnamed(resting, last[0]["left"]) if last else []


def _invented(end: Ending) -> list[str]:
    """A fill that the bot speaks of and the venue never gave; one taken back is no such fill."""
    given = {
        (venue, str(order[HANDLES[venue]]))
        for venue, state in end.truth.items()
        for order in state["orders"]
        if D(order["filled"]) or state["busts"]
    }
    told = (line for line in end.events if line["event"] == "leg.filled")
    handles = dict.fromkeys((line["venue"], line["client_order_id"]) for line in told)
    return [
        f"I10: {v} never filled {name}, the bot says so"
        for v, name in handles
        if (v, name) not in given
    ]


def _backwards(events: list[dict[str, Any]]) -> list[str]:
    """A trade that opens something again once it had begun to close."""
    leaving, found = set[str](), dict[str, None]()
    for line in events:
        if line["event"] != "leg.sent":
            continue
        if line["purpose"] == "exit":
            leaving.add(line["trade_id"])
        elif line["purpose"] in ("enter", "mend") and line["trade_id"] in leaving:
            found[f"I11: {line['trade_id']} opens again while it closes"] = None
    return list(found)


def _flips(truth: dict[str, Any]) -> list[str]:
    """A reduce-only order that turned a position around."""
    found = []
    for venue, state in truth.items():
        reducing = {order["id"] for order in state["orders"] if order["reduce_only"]}
        held: dict[str, Decimal] = {}
        for fill in state["fills"]:
            before = held.get(fill["symbol"], D(0))
            sign = 1 if str(fill["side"]).lower() == "buy" else -1
            after = before + sign * D(fill["size"])
            held[fill["symbol"]] = after
            if fill.get("order_id") in reducing and before * after < 0:
                found.append(f"I11: {venue} flipped from {before} to {after}")
    return found


def _spreads(events: list[dict[str, Any]]) -> list[str]:
    found = []
    for line in events:
        if line["event"] != "pair.opened" or line.get("mended") or not line.get("spread_percent"):
            continue
        spread, target = (
            D(str(line[name]).rstrip("%")) for name in ("spread_percent", "target_percent")
        )
        if spread < target - D("0.02"):
            found.append(f"I8: {line['trade_id']} realised {spread}% of {target}%")
    return found
