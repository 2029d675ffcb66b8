"""Scripts that lead a universe into situations which chance did not meet."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

from universelib.grammar import REFUSAL_CODES, Fault, every, shaped, spelled, stranding
from universelib.script import Aimed, Death, Script

SECONDS: Final = 24.0
AT_ONCE: Final = 4
"""Cells that one universe is led to."""
TRIES: Final = (AT_ONCE, 1, 1, 1, 1)
"""The same, try by try: what four did not come to together, one is led to, with other luck."""
_GAPS: Final[tuple[tuple[float, Fault], ...]] = tuple(
    (at_s, {"venue": "vest", "kind": "gap_jump", "bps": 45, "seconds": 3}) for at_s in (4.0, 14.0)
)
_FLAT_S: Final = 3.0
_DEATH_S: Final = 12.0
"""Between the gaps; whoever starts cancels what rests."""
_REFUSED: Final[Fault] = {"venue": "vest", "kind": "refuse", "code": 3001, "reduce_only": False}
_LEADS: Final[dict[str, tuple[Fault, ...]]] = {
    "settling": (
        {"venue": "vest", "kind": "lose_answer"},
        # Else the stream tells of the fill before the answer is missed.
        {"venue": "vest", "kind": "mute_private", "count": 6},
    ),
    "mending": (_REFUSED,),
    "unwinding": ({**_REFUSED, "count": 9},),
    "stranded": tuple(stranding("paradex", "vest")),  # Only Paradex takes fills back.
}
"""What has to go wrong in an opening for the trade to come to a state."""


def scripts(missing: Iterable[str], at_once: int = AT_ONCE) -> list[Script]:
    """Return scripts that lead to these cells, of faults, shapes and codes; others are left out.

    Args:
        missing: the cells.
        at_once: how many of them one universe is led to.
    """
    found: list[Script] = []
    codes: list[Fault] = []
    by_state: dict[str, list[Fault]] = {}
    for cell in missing:
        kind, name, last = cell.split("/")
        if kind == "met":
            found.append(_met(shaped()[name, last][-1]))
        elif kind == "code":
            codes += [
                # A refused exit is tried again and again: one trade meets them all.
                {"venue": name, "kind": "refuse", "reduce_only": True, **args}
                for args in REFUSAL_CODES[name]
                if str(args.get("cancel_reason", args.get("code"))) == last
            ]
        elif kind == "fault":
            kinds = [one for one in every() if one["kind"] == name]
            by_state.setdefault(last, []).extend(kinds[:1] or [dict(_GAPS[0][1])])
    for state, faults in by_state.items():
        found += [_towards(state, part) for part in _parts(faults, at_once)]
    refused = [tuple((_FLAT_S, one) for one in part) for part in _parts(codes, at_once)]
    return found + [Script(part + _GAPS, (), "flatten") for part in refused]


def _met(fault: Fault) -> Script:
    timed = tuple((_FLAT_S, one) for _, one in spelled(fault, Random(0)))  # noqa: S311
    retail = "granted" if fault["kind"] == "retail_lost" else ""
    return Script(timed + _GAPS, (Death(_DEATH_S, "kill"),), "hold", retail=retail)


def _towards(state: str, faults: list[Fault]) -> Script:
    if state == "flat":
        return Script(tuple((_FLAT_S, one) for one in faults) + _GAPS, (), "hold")
    lead = tuple((_FLAT_S, dict(one)) for one in _LEADS.get(state, ()))
    aimed = tuple(Aimed(state, 0.0, one) for one in faults)
    return Script(lead + _GAPS, (), "flatten", aimed)


def _parts(faults: list[Fault], at_once: int) -> list[list[Fault]]:
    return [faults[at : at + at_once] for at in range(0, len(faults), at_once)]
