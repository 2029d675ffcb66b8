"""Runs many universes and prints what they met; exit code 1 when anything was violated."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from typing import TypeVar

from universelib import coverage, directed
from universelib.figures import Result, lines
from universelib.play import BOOKS_PER_S, QUICK_BOOKS_PER_S, QUICK_SECONDS, SECONDS, play
from universelib.script import Script

T = TypeVar("T")

LED_FROM = 900_000
"""Seeds of universes that are led somewhere."""


OTHERS = {
    "--kill-every-step": "kills",
    "--mutate": "mutate",
    "--try-planted": "mutate",
    "--shrink": "shrink",
    "--faults": "shrink",
    "--hunt": "hunt",
    "--policies": "policies",
    "--flatten": "flattening",
}
"""Options that are a command of their own, and the module whose main takes over."""
EPILOG = """commands of their own, each with its own --help:
  --kill-every-step  the bot, and flatten, stopped at each of their scheduler steps
  --mutate NAMES     bugs planted one by one, and what noticed each; NAMES may be all
  --shrink           a failing --seed reduced to a short script of faults
  --faults SCRIPT    play such a script again
  --hunt             look for the troubles that leave a leg alone longest
  --flatten          every fault in every state that a bot leaves, met by flatten and guard
  --policies         the same universes under what other bots do about a failed leg

docs/simulation.md says what a universe is and what it leaves out."""


def main() -> int:
    """Parse, run on two processes, print a line per violation and the figures last."""
    for option, module in OTHERS.items():
        if option in sys.argv:
            return int(import_module(f"universelib.{module}").main())
    parser = argparse.ArgumentParser(
        prog="scripts/universe",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seeds", default="", help="ranges, both ends included: 0-49,20260101-20260120"
    )
    parser.add_argument("--seed", type=int, help="one seed, and its trace")
    parser.add_argument("--log", action="store_true", help="with --seed: every log line")
    parser.add_argument("--fresh", type=int, default=0, help="so many more, from the day's date on")
    parser.add_argument("--seconds", type=float, help=f"simulated, of trouble; {SECONDS:g}")
    parser.add_argument("--calm", action="store_true", help="no faults, no deaths")
    parser.add_argument("--quick", action="store_true", help="the short profile")
    parser.add_argument("--coverage", action="store_true", help="the table of situations met")
    parser.add_argument("--within", type=float, default=1e9, help="begin none after so many s")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    args.seconds = args.seconds or (QUICK_SECONDS if args.quick else SECONDS)
    work = partial(
        play,
        seconds=args.seconds,
        calm=args.calm,
        books_per_s=QUICK_BOOKS_PER_S if args.quick else BOOKS_PER_S,
    )
    if args.seed is not None:
        return one(work(args.seed, keep_log=args.log))
    seeds = seeds_of(args.seeds or ("" if args.fresh else "0-49"))
    if args.fresh:
        base = int(time.strftime("%Y%m%d", time.gmtime())) * 1000
        print(f"fresh seeds {base}-{base + args.fresh - 1}")
        seeds += range(base, base + args.fresh)
    began = time.monotonic()
    results: list[Result] = []
    gc.collect()
    gc.freeze()
    options = f"--seconds {args.seconds:g}" + " --quick" * args.quick + " --calm" * args.calm
    for result in played(work, seeds, args.jobs, args.within):
        results.append(result)
        for broken in result.violations:
            print(f"VIOLATED seed {result.seed}: {broken}")
            print(f"  replay: scripts/universe --seed {result.seed} {options}", flush=True)
    if len(results) < len(seeds):
        print(f"out of time: {len(results)} of {len(seeds)} universes were played")
    missing = covered(results, args) if args.coverage else []
    for line in lines(results, time.monotonic() - began):
        print(line)
    return 1 if missing or any(result.violations for result in results) else 0


def played(
    work: Callable[[T], Result], seeds: Sequence[T], jobs: int, within_s: float
) -> Iterator[Result]:
    """Yield results in the order of the seeds, until all are there, time is up or Ctrl+C."""
    until = time.monotonic() + within_s
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("fork"))
    try:
        for result in pool.map(work, seeds):
            yield result
            if time.monotonic() > until:
                break
    except KeyboardInterrupt:
        return
    finally:
        pool.shutdown(cancel_futures=True)


def seeds_of(text: str) -> list[int]:
    """Return the seeds of ranges such as ``0-9,20-29``."""
    seeds: list[int] = []
    for span in filter(None, text.split(",")):
        first, _, last = span.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def one(result: Result) -> int:
    """Say what was violated in one universe."""
    for line in result.said:
        print(line)
    for broken in result.violations:
        print(f"VIOLATED seed {result.seed}: {broken}")
    print(
        f"seed {result.seed}: trace {result.trace}, {result.seconds:.0f} s simulated, "
        f"{result.trades} trades, {result.faults} faults, {result.deaths} deaths, "
        f"{len(result.violations)} violations"
    )
    return 1 if result.violations else 0


def led(job: tuple[int, Script]) -> Result:
    """Play a universe that is led somewhere."""
    seed, script = job
    return play(seed, directed.SECONDS, script=script)


def covered(results: list[Result], args: argparse.Namespace) -> list[str]:
    """Lead universes to what chance did not meet, and print the table of situations.

    Returns:
        The empty cells that nobody has explained.
    """
    reasons = coverage.read_reasons()
    seed = LED_FROM
    for at_once in directed.TRIES:
        missing, _ = coverage.empty_cells(coverage.total(results), reasons)
        jobs = dict(enumerate(directed.scripts(missing, at_once), seed))
        seed += len(jobs)
        for result in played(led, list(jobs.items()), args.jobs, args.within):
            results.append(result)
            for broken in result.violations:
                script = jobs[result.seed]
                print(f"VIOLATED led universe {result.seed}: {broken}")
                print(f"  its script: {script.faults} {script.aimed}", flush=True)
    counts = coverage.total(results)
    for line in coverage.table(counts):
        print(line)
    missing, known = coverage.empty_cells(counts, reasons)
    for cell in missing:
        print(f"NOT MET {cell}")
    print(f"{seed - LED_FROM} universes were led to what chance did not meet")
    print(f"cells never visited: {len(missing)} without a reason, {len(known)} with one")
    return missing


if __name__ == "__main__":
    sys.exit(main())
