"""``scripts/universe --mutate NAME``: bugs planted one by one; a universe has to notice each.

A planted bug is tried on every scenario undisturbed, then stopped at a sample of steps, then on
seeds. Patches are applied to a copy of the project; the others are planted into the process.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final

import attrs
from modelchecklib.mutants import MUTANTS
from mutantslib.table import ROOT, Mutant, read_table
from mutantslib.trial import copy_of, plant

from universelib.planted import LED, OURS, SHOWS, plant_saga

SEEDS: Final = 200
SEED_S: Final = 30.0
LIMIT_S: Final = 420.0
"""Real seconds for one planted bug; a universe that hangs has noticed too."""
EVERY: Final = 23
UNSEEN: Final = {
    "R2-2": "no order of ours rests, so none is ever cancelled while it fills",
    "HB-4": "as M-HB-4",
    "M-HB-4": "the bot reads an order's fills whenever it asks about it: their sum is told twice",
    "M-HB-6": "after a stop the last gate before the first byte keeps opening orders at home",
    "U-5": "as M-HB-6",
    "O4-10": "the quiet feed has no other price, and on a moving one the next step is wider anyway",
}
"""What universes cannot see by nature, and why; not among the thirty."""
STOPS: Final = (("clean", "kill"), ("vest-refused", "sigint"), ("clean", "sigint2"))
FINE: Final = 7
"""The same where a planted bug is known to show."""


SAGAS: Final = {f"M-{name.partition(' ')[0]}": name for name in MUTANTS}
"""The model checker's wrong sagas, by a short name."""


@attrs.frozen
class Caught:
    """How a planted bug was noticed."""

    where: str
    what: str
    runs: int


@attrs.frozen
class Bug:
    """One planted bug, wherever it comes from."""

    name: str
    title: str
    patch: Mutant | None = None


def bugs() -> dict[str, Bug]:
    """Return every planted bug by name."""
    found = [Bug(mutant.id, mutant.title, mutant) for mutant in read_table()]
    found += [Bug(short, name.partition(" ")[2]) for short, name in SAGAS.items()]
    found += [Bug(name, ours.title) for name, ours in OURS.items()]
    return {bug.name: bug for bug in found}


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when every bug wanted is caught, or is one that cannot be seen."""
    parser = argparse.ArgumentParser(prog="scripts/universe --mutate", description=__doc__)
    parser.add_argument("--mutate", metavar="NAMES", help="names with commas, or all")
    parser.add_argument("--try-planted", metavar="NAME", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.try_planted:
        return _try_here(args.try_planted)
    every = bugs()
    names = list(every) if args.mutate == "all" else args.mutate.split(",")
    if unknown := [name for name in names if name not in every]:
        parser.error(f"no planted bug {unknown[0]}; there are {', '.join(every)}")
    began, caught, missed = time.monotonic(), 0, 0
    for name in names:
        if name in UNSEEN:
            print(f"{name:42} not to be seen here: {UNSEEN[name]}", flush=True)
            continue
        said = _attempt(every[name])
        caught += said.startswith("caught")
        missed += not said.startswith("caught")
        print(f"{name:42} {said}  ({every[name].title})", flush=True)
    print(
        f"{caught} of {caught + missed} planted bugs caught, {len(names) - caught - missed} "
        f"not to be seen here, {missed} missed, {time.monotonic() - began:.0f} s"
    )
    return 1 if missed else 0


def _attempt(bug: Bug) -> str:
    with ExitStack() as stack:
        root, environment = ROOT, dict(os.environ)
        if bug.patch is not None:
            root = stack.enter_context(copy_of(ROOT))
            environment |= {"PYTHONPATH": str(root)}
            if trouble := plant(root, bug.patch):
                return f"BROKEN: {trouble}"
        try:
            done = subprocess.run(
                [sys.executable, "-m", "universelib", "--try-planted", bug.name],
                cwd=root / "scripts",
                env=environment,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = late.stdout.decode() if isinstance(late.stdout, bytes) else ""
            return f"MISSED within {LIMIT_S:g} s, the last was {_last(said)}"
    said = _last(done.stdout)
    if done.returncode == 0 and said.startswith("{"):
        how = Caught(**json.loads(said))
        return f"caught by {how.where} in run {how.runs}: {how.what}"
    if done.returncode < 0:
        return f"caught by {said}: it went round in circles and was ended"
    return f"MISSED: {said} {done.stderr[-300:]}"


def _last(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else ""


def _try_here(name: str) -> int:
    """Plant a bug into this process unless it is in the code already, and look for it."""
    if name in SAGAS:
        plant_saga(SAGAS[name])
    elif name in OURS:
        OURS[name].plant()
    runs = 0
    for where, found, more in _tries(name):
        runs += more
        signal.alarm(60)
        if found:
            what = found.splitlines()[0][:90]
            print(json.dumps(attrs.asdict(Caught(where, what, runs))), flush=True)
            return 0
    print(f"nothing in {runs} runs")
    return 1


def _tries(name: str) -> Iterator[tuple[str, str, int]]:
    """Yield place, violation or "", and runs, one try after the other."""
    from universelib.injecting import Base, Wanted
    from universelib.play import play
    from universelib.scenarios import EVERY as STORIES
    from universelib.scenarios import SCENARIOS

    shows, shows_stopped = SHOWS.get(name, ("", ""))
    if name in LED:
        violations = play(0, SEED_S, script=LED[name]).violations
        yield "a script of troubles", violations[0] if violations else "", 1
    if shows_stopped:
        yield from _stopped(shows, shows_stopped, FINE)
    first = [STORIES[shows]] if shows else []
    for scenario in [*first, *(one for one in SCENARIOS if one not in first)]:
        print(f"scenario {scenario.name}", flush=True)
        results = Base(scenario, Wanted(7, ())).run()
        found = [what for one in results for what in one.broken]
        yield f"scenario {scenario.name}", found[0] if found else "", 1
    for story, mode in STOPS:
        yield from _stopped(story, mode, EVERY)
    for seed in range(SEEDS):
        print(f"seed {seed}", flush=True)
        violations = play(seed, SEED_S).violations
        yield f"seed {seed}", violations[0] if violations else "", 1


def _stopped(name: str, mode: str, every: int) -> Iterator[tuple[str, str, int]]:
    from universelib.injecting import Base, Wanted
    from universelib.scenarios import EVERY as STORIES

    print(f"stop points of {name}, {mode}", flush=True)
    signal.alarm(0)  # Each child has its own limit; the batch may take longer than one universe.
    base = Base(STORIES[name], Wanted(7, (mode,), every=every, until_broken=True))
    results = base.run()
    bad = [one for one in results if one.broken]
    if bad:
        yield f"{name} {mode} at step {bad[0].step}", bad[0].broken[0], len(results)
    else:
        yield name, "", len(results)
