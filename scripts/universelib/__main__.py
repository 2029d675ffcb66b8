"""Runs many universes and prints what they met; exit code 1 when anything was violated."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module

from universelib.play import Result, play

OTHERS = {"--kill-every-step": "kills", "--mutate": "mutate", "--try-planted": "mutate"}
"""Options that are a command of their own, and the module whose main takes over."""


def main() -> int:
    """Parse, run on two processes, print a line per violation and the figures last."""
    for option, module in OTHERS.items():
        if option in sys.argv:
            return int(import_module(f"universelib.{module}").main())
    parser = argparse.ArgumentParser(prog="scripts/universe", description=__doc__)
    parser.add_argument("--seeds", default="0-49", help="first-last, both included")
    parser.add_argument("--seed", type=int, help="one seed, with every log line")
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated, of trouble")
    parser.add_argument("--calm", action="store_true", help="no faults, no deaths")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    if args.seed is not None:
        return one(args.seed, args.seconds, calm=args.calm)
    first, _, last = args.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    began = time.monotonic()
    results: list[Result] = []
    with ProcessPoolExecutor(args.jobs) as pool:
        work = partial(play, seconds=args.seconds, calm=args.calm)
        for result in pool.map(work, seeds):
            results.append(result)
            for broken in result.violations:
                print(f"VIOLATED seed {result.seed}: {broken}")
                print(f"  replay: scripts/universe --seed {result.seed} --seconds {args.seconds:g}")
    figures(results, time.monotonic() - began, args.jobs)
    return 1 if any(result.violations for result in results) else 0


def one(seed: int, seconds: float, *, calm: bool) -> int:
    """Play one seed and say what was violated."""
    result = play(seed, seconds, calm=calm)
    for broken in result.violations:
        print(f"VIOLATED seed {seed}: {broken}")
    print(
        f"seed {seed}: trace {result.trace}, {result.seconds:.0f} s simulated, "
        f"{result.trades} trades, {result.faults} faults, {result.deaths} deaths, "
        f"{len(result.violations)} violations"
    )
    return 1 if result.violations else 0


def figures(results: list[Result], wall_s: float, jobs: int) -> None:
    """Print the figures of a batch, the most telling line last."""
    hours = sum(result.seconds for result in results) / 3600
    naked_s = sorted(s for result in results for s in result.naked_s)
    naked_usd = sorted(s for result in results for s in result.naked_usd_s)
    worst = sorted(results, key=lambda result: -max(result.naked_s, default=0.0))[:5]
    print(
        "longest naked: "
        + ", ".join(f"{max(r.naked_s, default=0.0):.1f} s in seed {r.seed}" for r in worst)
    )
    for name, values, unit in (("naked", naked_s, "s"), ("naked", naked_usd, "USD s")):
        if values:
            p50, p99 = values[len(values) // 2], values[int(len(values) * 0.99)]
            print(
                f"{name}: p50 {p50:.2f} {unit}, p99 {p99:.2f} {unit}, max {values[-1]:.2f} {unit}"
            )
    trades = sum(result.trades for result in results)
    print(
        f"{len(results)} universes, {hours:.2f} simulated hours, "
        f"{hours / (wall_s * jobs):.4f} hours per core-second, {trades} trades, "
        f"{sum(r.opened for r in results)} hedged, {sum(r.faults for r in results)} faults, "
        f"{sum(r.deaths for r in results)} deaths, "
        f"net {sum(r.net_usdc for r in results):.2f} USDC, {wall_s:.0f} s, "
        f"{sum(len(r.violations) for r in results)} violations"
    )


if __name__ == "__main__":
    sys.exit(main())
