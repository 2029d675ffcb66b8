"""What must hold once flatten or the guard has ended: asked of the venues' fills and orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from bot4.domain.market import VENUES
from bot4.domain.units import plain
from bot4.errors import ExitCode
from bot4.simulator.box import TwoVenues
from bot4.wiring.universe import WALL_0_MS
from universelib.aftermath import STATES, Ended, other
from universelib.grammar import MARKETS
from universelib.rounds import DUST

ZERO: Final = Decimal(0)
CLIP: Final = Decimal("0.0003")
"""About the smallest order that both venues take, BTC: so much shows whether a venue executes."""
FLAT, PAIR, LEG = "flat", "a pair", "a leg"
TAKES: Final = frozenset({"manual_close", "liquidate", "bust", "delist"})
"""Faults that take a leg themselves."""
DARK: Final = frozenset(
    {"refuse_connect", "maintenance", "blocked", "lose_request", "lose_answer", "http_error"}
)
"""While these last nobody knows what the venue holds, so nobody knows whether it hedges."""
SHUT: Final = frozenset({"halt", "cancel_only", "post_only", "refuse", "no_fill", "delist"})
"""While these last the venue says what it holds and executes no order."""
NO_PART: Final = ("vest", "partial_fill")
"""Two fifths of the smallest clip are less than a lot there: nothing of it fills."""
LIMIT_S: Final = 90.0
"""From the tool's start to its end, simulated."""
STAGED_S: Final = 8.0
"""How long the second leg of a pair may take to follow the first."""


@attrs.frozen
class Outcome:
    """What became of one cell."""

    name: str
    broken: tuple[str, ...]
    code: int
    ending: str
    """What the venues hold then: nothing, a hedged pair, or a leg that is alone."""
    refused: str
    naked_s: float
    """The longest time that more than a clip was alone, simulated."""
    took_s: float
    cpu_s: float = 0.0


@attrs.frozen
class Played:
    """What is known of one cell at its end."""

    name: str
    state: str
    venue: str
    kind: str
    tool: str
    ended: Ended
    before: Mapping[str, Decimal]
    after: Mapping[str, Decimal]
    truth: Mapping[str, Any]
    """The venues' at the end."""
    lines: Sequence[Mapping[str, Any]]
    """Whatever the tool said."""
    naked: tuple[float, Decimal]
    """The longest time that more than a clip was alone, and the most that was."""
    took_s: float
    lasts: bool = True
    """Whether the fault was there to the end."""

    @property
    def dark(self) -> bool:
        """Whether nobody can know what the venue of the fault holds."""
        return self.lasts and self.kind in DARK

    @property
    def stuck(self) -> bool:
        """Whether the venue of the fault cannot be made to execute an order."""
        shut = self.kind in SHUT or (self.venue, self.kind) == NO_PART
        return self.dark or (self.lasts and shut)

    @property
    def hedged(self) -> bool:
        """Whether the fault found a pair and left it one."""
        return STATES[self.state].base in ("hedged", "resting") and self.kind not in TAKES

    def said(self, *events: str) -> str:
        """Return these lines as one text."""
        return " ".join(line["message"] for line in self.lines if line["event"] in events)


def held(box: TwoVenues) -> dict[str, Decimal]:
    """Return what each venue holds of BTC, signed."""
    return held_in(box.truth())


def held_in(truth: Mapping[str, Any]) -> dict[str, Decimal]:
    """The same, of the venues' truth."""
    return {v: Decimal(truth[v]["positions"].get(MARKETS[v], "0")) for v in VENUES}


def alone(sizes: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return what of each leg the other does not hedge, unsigned, dust left out."""
    found = {}
    for venue, size in sizes.items():
        opposite = sizes[other(venue)]
        lone = abs(size) if size * opposite >= 0 else max(abs(size) - abs(opposite), ZERO)
        if lone >= DUST:
            found[venue] = lone
    return found


def longest_naked(box: TwoVenues, since_s: float, until_s: float) -> tuple[float, Decimal]:
    """Return the longest time, s, that more than a clip was alone, and the most that was."""
    changes = [
        (fill.time_ms, fill.size if fill.side == "buy" else -fill.size)
        for venue in (box.vest, box.paradex)
        for fill in venue.ledger.fills
    ]
    for venue in (box.vest, box.paradex):
        sizes = {f.id: -f.size if f.side == "buy" else f.size for f in venue.ledger.fills}
        changes += [(at_ms, sizes[name]) for name, at_ms in venue.ledger.busted.items()]
    net, most, longest, began = ZERO, ZERO, 0.0, None
    for at_ms, size in [*sorted(changes), (WALL_0_MS + int(until_s * 1000), ZERO)]:
        at_s = (at_ms - WALL_0_MS) / 1000
        if began is not None and at_s > since_s:
            longest = max(longest, at_s - max(began, since_s))
        net += size
        if at_s >= since_s:
            most = max(most, abs(net))
        if abs(net) < CLIP + DUST:
            began = None
        elif began is None:
            began = at_s
    return longest, most


def judged(cell: Played, cpu_s: float) -> Outcome:
    """Judge one cell."""
    on = any(abs(size) >= DUST for size in cell.after.values())
    ending = LEG if alone(cell.after) else PAIR if on else FLAT
    return Outcome(
        name=cell.name,
        broken=tuple(broken(cell)),
        code=cell.ended.code,
        ending=ending,
        refused=cell.ended.refused,
        naked_s=cell.naked[0],
        took_s=cell.took_s,
        cpu_s=cpu_s,
    )


def broken(cell: Played) -> Iterator[str]:
    """Yield what does not hold, one line each."""
    if cell.took_s > LIMIT_S:
        yield f"took {cell.took_s:.0f} s, the limit is {LIMIT_S:g} s"
    yield from _legs(cell)
    yield from _orders(cell)
    yield from _words(cell)


def _legs(cell: Played) -> Iterator[str]:
    """What is open that could be closed, and what is naked that was not."""
    after, stuck = cell.after, {cell.venue} if cell.stuck else set[str]()
    for venue, lone in alone(after).items():
        blind = cell.dark and cell.venue == other(venue)
        if venue not in stuck and not blind:
            yield f"{plain(lone)} is alone at {venue}, which could have been closed"
        if lone > CLIP and (cell.hedged or cell.kind == NO_PART[1]):
            yield f"{plain(lone)} of a hedged pair is alone at {venue} at the end"
    pair = min(abs(size) for size in after.values())
    if cell.tool == "flatten" and pair >= DUST and not stuck:
        yield f"a pair of {plain(pair)} is still on, which could have been closed"
    if cell.tool == "guard" and cell.hedged and cell.before != after:
        yield f"the guard changed a hedged pair from {dict(cell.before)} to {dict(after)}"
    if cell.hedged and cell.naked[0] > STAGED_S:
        yield f"a hedged pair was naked for {cell.naked[0]:.1f} s, the bound is {STAGED_S:g} s"


def _orders(cell: Played) -> Iterator[str]:
    for venue in VENUES:
        rows = [o for o in cell.truth[venue]["open_orders"] if not o["foreign"]]
        if rows and not (cell.dark and venue == cell.venue):
            yield f"{len(rows)} orders of ours still rest at {venue}"
        if rows and not cell.ended.code:
            yield f"code 0 with {len(rows)} orders of ours open at {venue}"


def _words(cell: Played) -> Iterator[str]:
    code, after = cell.ended.code, cell.after
    lone, on = alone(after), {v: s for v, s in after.items() if abs(s) >= DUST}
    failed, left = cell.said("flatten.failed"), cell.said("exposure.left")
    hold = cell.said("pair.held")
    if code == ExitCode.CLEAN:
        if lone:
            yield f"code 0 with a leg alone: {lone}"
        if on and cell.tool == "flatten":
            yield f"code 0 and still on: {on}"
        if bool(hold) != any(after.values()):
            yield f"code 0, says {hold or 'nothing'!r} of what is held: {dict(after)}"
        if failed or left:
            yield f"code 0, and yet: {failed} {left}"
    elif code == ExitCode.LEFT_OPEN:
        if not failed:
            yield "code 3 without a word why"
        if not (any(after.values()) or cell.stuck):
            yield f"code 3, and nothing is left: {failed}"
        for venue in lone:
            told = f"{left} {failed}"
            if MARKETS[venue] not in told and "not known" not in told:
                yield f"{MARKETS[venue]} is alone and is not named: {told}"
    else:
        yield f"code {code}: {cell.ended.refused}"
    if "holds ?" in failed:
        yield f"says ?: {failed}"
    hangs = STATES[cell.state].hangs
    if cell.tool == "flatten" and hangs != ("--force" in cell.ended.refused):
        yield f"a bot that lives: refused with {cell.ended.refused!r}"
    if cell.tool == "guard" and ("guard.finished" in {ln["event"] for ln in cell.lines}) == (
        code not in (ExitCode.CLEAN, ExitCode.LEFT_OPEN)
    ):
        yield "the guard does not say how it ended"
