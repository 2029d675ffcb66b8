"""``scripts/universe --hunt``: hill climbing for the troubles that leave a leg alone longest.

What is climbed is naked exposure, USD s, of one universe's worst trade. Each step changes one
universe of the best hundred: moves a trouble in time, leaves one out, doubles one or borrows one
of another seed. The hundred worst are kept in a file, and a test plays some of them again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import attrs

from universelib.play import play
from universelib.script import Aimed, Death, Script, draw
from universelib.shrink import command, pieces_of, read, rebuild, spell

KEPT: Final = 100
SECONDS: Final = 25.0
WORST: Final = Path(__file__).resolve().parents[2] / "tests" / "simulation" / "worst.json"


@attrs.frozen
class Found:
    """One universe and what it came to."""

    seed: int
    naked_usd_s: float
    script: str


def load(path: Path = WORST) -> list[Found]:
    """Return the worst that are kept, worst first; none when there is no file."""
    if not path.exists():
        return []
    return [Found(**row) for row in json.loads(path.read_text())]


def worst(found: Sequence[Found]) -> list[Found]:
    """Return the worst hundred, worst first."""
    return sorted(found, key=lambda one: -one.naked_usd_s)[:KEPT]


def save(found: Sequence[Found], path: Path = WORST) -> None:
    """Keep the worst hundred, one a line."""
    rows = ",\n".join(json.dumps(attrs.asdict(one)) for one in worst(found))
    path.write_text(f"[\n{rows}\n]\n")


def changed(script: Script, random: Random) -> Script:
    """Return a neighbour of a script."""
    pieces = pieces_of(script)
    how = random.choice(("move", "move", "move", "drop", "borrow", "borrow", "twice"))
    if how == "borrow" or not pieces:
        other = pieces_of(draw(random.randrange(1 << 30), SECONDS))
        return _sorted(rebuild(script, [*pieces, *random.sample(other, min(2, len(other)))]))
    number = random.randrange(len(pieces))
    name, one = pieces[number]
    if how == "drop":
        del pieces[number]
    elif how == "twice":
        pieces.append((name, _moved(one, random.uniform(0.1, 2.0))))
    else:
        pieces[number] = name, _moved(one, random.gauss(0, 1.0))
    return _sorted(rebuild(script, pieces))


def _moved(one: object, by_s: float) -> object:
    """Return the same trouble a little earlier or later."""
    if isinstance(one, Death):
        return attrs.evolve(one, at_s=max(one.at_s + by_s, 2.0))
    if isinstance(one, Aimed):
        return attrs.evolve(one, after_s=max(one.after_s + by_s / 4, 0.0))
    if isinstance(one, tuple):
        at_s, fault = one
        return max(at_s + by_s, 0.5), fault
    return one


def _sorted(script: Script) -> Script:
    return attrs.evolve(
        script,
        faults=tuple(sorted(script.faults, key=lambda fault: fault[0])),
        deaths=tuple(sorted(script.deaths, key=lambda death: death.at_s))[:2],
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Hunt for so many minutes; return 1 when something was violated on the way."""
    parser = argparse.ArgumentParser(prog="scripts/universe --hunt", description=__doc__)
    parser.add_argument("--hunt", action="store_true")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1, help="of the hunt's own chance")
    parser.add_argument("--keep", type=Path, default=WORST, help="the file of the worst hundred")
    args = parser.parse_args(argv)
    random, until = Random(args.seed), time.monotonic() + 60 * args.minutes  # noqa: S311
    best = load(args.keep)
    first, tried, violated = (best[0].naked_usd_s if best else 0.0), 0, 0
    while time.monotonic() < until:
        tried += 1
        if len(best) < KEPT // 4 or random.random() < 0.15:
            seed = random.randrange(1 << 20)
            script = draw(seed, SECONDS)
        else:
            parent = best[int(len(best) * random.random() ** 3)]
            seed, script = parent.seed, changed(read(parent.script), random)
        result = play(seed, SECONDS, script=script)
        for broken in result.violations:
            violated += 1
            print(f"VIOLATED seed {seed}: {broken}")
            print(f"  replay: {command(seed, SECONDS, script)}", flush=True)
        naked = max(result.naked_usd_s, default=0.0)
        if naked and not result.violations:
            here = Found(seed, naked, spell(script))
            best = worst([*(one for one in best if one.script != here.script), here])
    save(best, args.keep)
    reached = best[0].naked_usd_s if best else 0.0
    print(
        f"{tried} universes hunted, the worst went from {first:.0f} to {reached:.0f} USD s, "
        f"{len(best)} kept down to {best[-1].naked_usd_s if best else 0:.0f}, {violated} violations"
    )
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
