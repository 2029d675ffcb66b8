"""Explore the saga to closure, then every mutant of it; print states, seconds and verdicts."""

from __future__ import annotations

import argparse
import sys
import time

from bot4.strategy.events import step, todo
from modelchecklib.explore import Violation, catch, explore
from modelchecklib.model import Bounds, Saga
from modelchecklib.mutants import MUTANTS


def main() -> int:
    """Return 0 when the saga holds and every mutant is caught."""
    parser = argparse.ArgumentParser(prog="scripts/modelcheck", description=__doc__)
    parser.add_argument("--compensations", type=int, default=3)
    parser.add_argument("--exits", type=int, default=2)
    parser.add_argument("--crashes", type=int, default=2)
    parser.add_argument("--hands", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small bounds, for every change")
    args = parser.parse_args()
    bounds = Bounds(args.compensations, args.exits, args.crashes, args.hands)
    if args.quick:
        bounds = Bounds(compensations=2, exits=1, crashes=1, hands=1)
    print(f"bounds: {bounds}")
    began = time.monotonic()
    try:
        found = explore(bounds, Saga(step, todo))
    except Violation as broken:
        print(f"VIOLATED {broken.what}")
        for number, name in enumerate(broken.path, 1):
            print(f"  {number:2} {name}")
        return 1
    seconds = time.monotonic() - began
    print("saga states met: " + ", ".join(sorted(found.saga_states)))
    missed = 0
    for name, mutant in MUTANTS.items():
        try:
            catch(mutant)
        except Violation as broken:
            print(f"caught  {name}: {broken.what}, after {len(broken.path)} steps")
        except (ValueError, KeyError) as broken:
            print(f"caught  {name}: impossible step, {broken}")
        else:
            missed += 1
            print(f"MISSED  {name}")
    print(
        f"{found.states} states, {found.transitions} transitions, depth {found.depth}, "
        f"{seconds:.1f} s, 0 violations; {len(MUTANTS) - missed} of {len(MUTANTS)} mutants caught"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
