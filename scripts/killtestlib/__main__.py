"""Kills and stops the real bot beside venues that live on; exit code 1 after any violation."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

import trio

from killtestlib import emergency
from killtestlib.rounds import Story, Tally
from killtestlib.twins import open_twins

SAY_EVERY: Final = 20
QUICK: Final = 6


def main() -> int:
    """Parse, kill, stop, and print the figures last."""
    parser = argparse.ArgumentParser(prog="scripts/killtest", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs; default 200")
    parser.add_argument("--stops", type=int, help="SIGINTs; default: as many")
    parser.add_argument("--seed", type=int, help="which moments; default: drawn and printed")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} of each")
    parser.add_argument(
        "--flatten", type=int, metavar="N", help="instead: N cells of flatten and guard, drawn"
    )
    args = parser.parse_args()
    kills = QUICK if args.quick else args.kills
    stops = kills if args.stops is None else args.stops
    seed = SystemRandom().randrange(1_000_000) if args.seed is None else args.seed
    if args.flatten:
        return emergencies(seed, args.flatten)
    print(f"seed {seed}: {kills} kills, {stops} stops", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="killtest") as folder:
        tally = trio.run(partial(run, Path(folder), seed, kills=kills, stops=stops))
    print(figures(tally, seed, time.monotonic() - began))
    return 1 if tally.violations else 0


def emergencies(seed: int, count: int) -> int:
    """Play cells of flatten and the guard; 1 after any violation."""
    print(f"seed {seed}: {count} cells", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="killtest") as folder:
        outcomes = trio.run(emergency.play_all, Path(folder), seed, count)
    print(emergency.figures(outcomes, seed, time.monotonic() - began))
    return 1 if any(one.broken for one in outcomes) else 0


async def run(folder: Path, seed: int, *, kills: int, stops: int) -> Tally:
    """Play every death in a folder of its own and return what was found."""
    tally = Tally()
    async with open_twins(folder, seed) as twins:
        story = Story(twins, twins.settle_in(folder), Random(seed), tally)  # noqa: S311
        for number in range(kills):
            await story.kill(number)
            _say(number, kills, "kills")
        for number in range(stops):
            await story.stop(number)
            _say(number, stops, "stops")
        await story.end()
    return tally


def figures(tally: Tally, seed: int, seconds: float) -> str:
    """The closing line."""
    return (
        f"seed {seed}: {tally.kills} kills and {tally.stops} stops, {tally.near} of them within "
        f"50 ms of a saga line and {tally.starting} while starting; {tally.recoveries} recoveries "
        f"(slowest {tally.slowest_s:.1f} s) found {tally.resolved} trades; {tally.trades} trades, "
        f"{tally.fills} fills, {tally.strays} of them not in exactly one trade; {seconds:.0f} s, "
        f"{len(tally.violations)} violations"
    )


def _say(number: int, count: int, what: str) -> None:
    if (number + 1) % SAY_EVERY == 0:
        print(f"{number + 1} of {count} {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
