"""What must hold: asked of the venues' truth, with what the bot wrote beside it. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from killtestlib.twins import LEGS

D = Decimal
DUST_USD: Final = D(15)
"""Less than the smallest order of either venue. An order of our size is seven times that."""
LATE_MS: Final = 20
"""What our estimate of a venue's clock, in which orders are signed, may be off."""
EARLY: Final = "Stopped before looking"
CLEAN: Final = "[SHUTDOWN] Clean exit, no pending orders"

Truth = Mapping[str, Any]
Line = Mapping[str, Any]


def open_orders(truth: Truth) -> list[str]:
    """Orders that may still fill."""
    return [
        f"{venue} {row['symbol']} {row['handle']}"
        for venue in truth
        for row in truth[venue]["open_orders"]
    ]


def held(truth: Truth) -> dict[str, dict[str, Decimal]]:
    """Signed base units by pair and venue, zeros left out."""
    found: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for (venue, symbol), base in LEGS.items():
        if size := D(truth[venue]["positions"].get(symbol, "0")):
            found[base][venue] = size
    return dict(found)


def naked(truth: Truth, prices: Mapping[str, Decimal]) -> list[str]:
    """Pairs whose two legs do not cancel out, beyond dust."""
    return [
        f"{base} is naked: {venues}"
        for base, venues in held(truth).items()
        if abs(sum(venues.values(), D(0))) * prices[base] > DUST_USD
    ]


def prices_of(truth: Truth) -> dict[str, Decimal]:
    """The last price at which each pair traded; 0 before the first trade."""
    prices = dict.fromkeys(LEGS.values(), D(0))
    for venue in truth:
        for fill in truth[venue]["fills"]:
            if (venue, fill["symbol"]) in LEGS:
                prices[LEGS[venue, fill["symbol"]]] = D(fill["price"])
    return prices


def resting(truth: Truth) -> list[str]:
    """Whatever keeps the account from being hedged or flat with nothing open."""
    return [*(f"open: {one}" for one in open_orders(truth)), *naked(truth, prices_of(truth))]


def reused(truth: Truth) -> Iterator[str]:
    """Names of ours that a venue saw more than once."""
    for venue in truth:
        for handle, times in Counter(row["handle"] for row in truth[venue]["orders"]).items():
            if times > 1:
                yield f"{venue} saw {handle} {times} times"


def reopened(lines: Sequence[Line]) -> Iterator[str]:
    """A pair that opened something new while a trade of an earlier run was unresolved."""
    unresolved: dict[str, str] = {}
    for line in lines:
        match line["event"]:
            case "trade.recovered":
                unresolved[line["pair"]] = line["trade_id"]
            case "pair.closed" | "pair.unwound" | "pair.missed":
                unresolved.pop(line["pair"], None)
            case "pair.opening" if line["pair"] in unresolved:
                yield f"{line['pair']} opened again beside trade {unresolved[line['pair']]}"


def entered_after(truth: Truth, known: Collection[str], moment_ms: int) -> Iterator[str]:
    """Opening orders, not known before, that were signed after a moment."""
    for venue in truth:
        for row in truth[venue]["orders"]:
            opens = not row["reduce_only"] and row["handle"] not in known
            if opens and row["sent_ms"] > moment_ms + LATE_MS:
                late = row["sent_ms"] - moment_ms
                yield f"{venue} took {row['handle']}, an opening order, {late} ms after the stop"


def accepted_after(truth: Truth, known: Collection[str]) -> Iterator[str]:
    """Orders of ours that a venue took after the process was gone."""
    for venue in truth:
        for row in truth[venue]["orders"]:
            if row["handle"] not in known:
                yield f"{venue} took {row['handle']} after the process had ended"


def handles(truth: Truth) -> set[str]:
    """Every name that a venue has seen."""
    return {row["handle"] for venue in truth for row in truth[venue]["orders"]}


def untrue(code: int | None, lines: Sequence[Line], truth: Truth) -> Iterator[str]:
    """A last line that claims what the venues do not confirm."""
    said = [line for line in lines if line["event"] != "shutdown.held"]
    last: Line = said[-1] if said else {"event": "nothing", "message": ""}
    if EARLY in last["message"] and code == (3 if last["event"] == "shutdown.left" else 0):
        if code == 0 and held(truth):
            yield f"the last line claims that nothing is held, the venues hold {held(truth)}"
        return
    if code != 0:
        yield f"exit code {code}: {last['message']}"
        return
    if (last["event"], last["message"]) != ("shutdown.clean", CLEAN):
        yield f"the last line is {last['event']}: {last['message']}"
        return
    claimed = {
        base: sizes
        for base, venues in last["held"].items()
        if (sizes := {venue: D(size) for venue, size in venues.items() if D(size)})
    }
    if claimed != held(truth):
        yield f"the last line claims {claimed}, the venues hold {held(truth)}"


def unbooked(truth: Truth, trades_of: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Fills at the venues that do not belong to exactly one trade of the journal.

    Args:
        truth: the venues'.
        trades_of: order name -> the trades whose orders the journal says it is.
    """
    for venue in truth:
        names = {row["id"]: row["handle"] for row in truth[venue]["orders"]}
        for fill in truth[venue]["fills"]:
            handle = names.get(fill["order_id"], "?")
            if len(owners := trades_of.get(handle, ())) != 1:
                yield f"{venue} fill of {handle} belongs to {len(owners)} trades"


def misbooked(truth: Truth, filled: Mapping[str, Decimal]) -> Iterator[str]:
    """Orders whose fills in the journal do not add up to what the venue filled."""
    for venue in truth:
        for row in truth[venue]["orders"]:
            ours, theirs = filled.get(row["handle"], D(0)), D(row["filled"])
            if ours != theirs:
                yield f"{venue} {row['handle']} filled {theirs}, the journal says {ours}"


def wrong(lines: Iterable[Line]) -> Iterator[str]:
    """Lines that no honest venue and no kill may bring about."""
    for line in lines:
        unexplained = line["event"] == "exposure.found" and "market" in line
        if unexplained or line["event"] == "bot.crashed":
            yield f"{line['event']}: {line['message']}"
