"""Runs many universes and prints what they met; exit code 1 when anything was violated."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context

from universelib import coverage
from universelib.figures import Result, lines
from universelib.play import play

QUICK_BOOKS_PER_S = 4.0

OTHERS = {"--kill-every-step": "kills"}
"""Options that are a command of their own, and the module whose main takes over."""


def main() -> int:
    """Parse, run on two processes, print a line per violation and the figures last."""
    for option, module in OTHERS.items():
        if option in sys.argv:
            return int(import_module(f"universelib.{module}").main())
    parser = argparse.ArgumentParser(prog="scripts/universe", description=__doc__)
    parser.add_argument(
        "--seeds", default="", help="ranges, both ends included: 0-49,20260101-20260120"
    )
    parser.add_argument("--seed", type=int, help="one seed, and its trace")
    parser.add_argument("--log", action="store_true", help="with --seed: every log line")
    parser.add_argument("--fresh", type=int, default=0, help="so many more, from the day's date on")
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated, of trouble")
    parser.add_argument("--calm", action="store_true", help="no faults, no deaths")
    parser.add_argument("--quick", action="store_true", help="books four times a second")
    parser.add_argument("--coverage", action="store_true", help="the table of situations met")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    work = partial(
        play,
        seconds=args.seconds,
        calm=args.calm,
        books_per_s=QUICK_BOOKS_PER_S if args.quick else None,
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
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("fork")) as pool:
        for result in pool.map(work, seeds):
            results.append(result)
            for broken in result.violations:
                print(f"VIOLATED seed {result.seed}: {broken}")
                print(f"  replay: scripts/universe --seed {result.seed} {options}", flush=True)
    missing = covered(results) if args.coverage else []
    for line in lines(results, time.monotonic() - began):
        print(line)
    return 1 if missing or any(result.violations for result in results) else 0


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


def covered(results: list[Result]) -> list[str]:
    """Print the table of situations; return the empty cells that nobody has explained."""
    counts = coverage.total(results)
    for line in coverage.table(counts):
        print(line)
    missing, known = coverage.empty_cells(counts, coverage.read_reasons())
    for cell in missing:
        print(f"NOT MET {cell}")
    print(f"cells never visited: {len(missing)} without a reason, {len(known)} with one")
    return missing


if __name__ == "__main__":
    sys.exit(main())
