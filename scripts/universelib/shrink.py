"""A failing universe reduced to the few troubles that make it fail, printed as one command.

Delta debugging over what the seed drew: faults, aimed faults and deaths. The market, the scheduler
and the bot's chance stay the seed's own.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from universelib.play import BOOKS_PER_S, QUICK_BOOKS_PER_S, SECONDS, play
from universelib.script import Aimed, Death, Script, draw

Fails = Callable[[Script], bool]
Piece = tuple[str, Any]
"""A fault, an aimed fault or a death: the name of its field, and itself."""

FIELDS: Final = ("faults", "aimed", "deaths")
TRIES: Final = 400
LIMIT_S: Final = 300.0
"""Real seconds after which the shortest script so far is good enough."""


def spell(script: Script) -> str:
    """Return a script as one line of JSON; ``read`` takes it back."""
    return json.dumps(attrs.asdict(script), separators=(",", ":"))


def read(text: str) -> Script:
    """Read what ``spell`` wrote.

    Raises:
        ValueError: it is no such script; says what is wrong.
    """
    try:
        row = dict(json.loads(text))
        row["faults"] = tuple((float(at_s), dict(fault)) for at_s, fault in row["faults"])
        row["deaths"] = tuple(Death(**death) for death in row.get("deaths", ()))
        row["aimed"] = tuple(Aimed(**aimed) for aimed in row.get("aimed", ()))
        return Script(**row)
    except (ValueError, TypeError, KeyError) as fault:
        raise ValueError(f"--faults: not a script of troubles: {fault!r}") from fault


def pieces_of(script: Script) -> list[Piece]:
    """Return everything that may be left out."""
    return [(name, one) for name in FIELDS for one in getattr(script, name)]


def rebuild(script: Script, pieces: Sequence[Piece]) -> Script:
    """Return the script with these pieces only."""
    chosen: dict[str, Any] = {
        name: tuple(one for kind, one in pieces if kind == name) for name in FIELDS
    }
    return attrs.evolve(script, **chosen)


def shrink(script: Script, fails: Fails, *, until: Callable[[], bool] = lambda: False) -> Script:
    """Return a script that still fails and from which nothing can be left out by itself.

    Args:
        script: one that fails.
        fails: tries one, and tells.
        until: whether to be content with what there is.
    """
    pieces, parts = pieces_of(script), 2
    while pieces and not until():
        size = max(1, len(pieces) // parts)
        chunks = [pieces[start : start + size] for start in range(0, len(pieces), size)]
        for number in range(len(chunks)):
            rest = [one for n, chunk in enumerate(chunks) if n != number for one in chunk]
            if fails(rebuild(script, rest)):
                pieces, parts = rest, max(parts - 1, 2)
                break
            if until():
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(pieces))
    return rebuild(script, pieces)


def kinds_of(violations: Sequence[str]) -> set[str]:
    """Return which invariants were broken, without the particulars."""
    return {broken.partition(":")[0] for broken in violations}


def shrink_seed(
    seed: int, seconds: float, *, script: Script | None = None, books_per_s: float = BOOKS_PER_S
) -> tuple[Script, int]:
    """Shrink one failing universe; return its script and how many universes that took."""
    script = script or draw(seed, seconds)
    wanted = kinds_of(play(seed, seconds, script=script, books_per_s=books_per_s).violations)
    began, tries = time.monotonic(), 0

    def fails(candidate: Script) -> bool:
        nonlocal tries
        tries += 1
        found = play(seed, seconds, script=candidate, books_per_s=books_per_s).violations
        return bool(wanted & kinds_of(found))

    def enough() -> bool:
        return tries >= TRIES or time.monotonic() - began > LIMIT_S

    return (shrink(script, fails, until=enough) if wanted else script), tries


def command(seed: int, seconds: float, script: Script, *, quick: bool = False) -> str:
    """Return the one command that plays it again."""
    how = f"--seed {seed} --seconds {seconds:g}{' --quick' * quick}"
    return f"scripts/universe {how} --faults '{spell(script)}'"


def main(argv: Sequence[str] | None = None) -> int:
    """Shrink a seed, or play a script: 1 when it fails."""
    parser = argparse.ArgumentParser(prog="scripts/universe --shrink", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--quick", action="store_true", help="books four times a second")
    parser.add_argument("--faults", default="", help="a script of troubles, as --shrink prints it")
    parser.add_argument("--shrink", action="store_true", help="look for a shorter one that fails")
    parser.add_argument("--log", action="store_true", help="every log line")
    args = parser.parse_args(argv)
    books_per_s = QUICK_BOOKS_PER_S if args.quick else BOOKS_PER_S
    try:
        script = read(args.faults) if args.faults else draw(args.seed, args.seconds)
    except ValueError as fault:
        parser.error(str(fault))
    result = play(
        args.seed, args.seconds, script=script, books_per_s=books_per_s, keep_log=args.log
    )
    print(*result.said, sep="\n")
    for broken in result.violations:
        print(f"VIOLATED seed {args.seed}: {broken}")
    if args.shrink and result.violations:
        short, tries = shrink_seed(args.seed, args.seconds, script=script, books_per_s=books_per_s)
        print(
            f"{len(pieces_of(script))} troubles shrunk to {len(pieces_of(short))} "
            f"in {tries} universes:"
        )
        print(f"  replay: {command(args.seed, args.seconds, short, quick=args.quick)}")
    print(
        f"seed {args.seed}: trace {result.trace}, {len(pieces_of(script))} troubles, "
        f"{result.trades} trades, {len(result.violations)} violations"
    )
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
