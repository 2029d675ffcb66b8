"""How naked trades with faults are, and what failed legs cost, by policy, in the same markets."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice

from bot4.simulator.latency import LINES
from bot4.simulator.profiles import PROFILES, check_money, hurried
from exposurelib import naive, table
from exposurelib.policies import OURS, POLICIES, STATIC
from exposurelib.result import Result
from exposurelib.trade import play

LEAST_BPS = 14.0
"""Smaller dislocations are left out: with the widest basis they still cannot reach 0.20 %."""
MARKET_SEEDS = range(24)
MARKET_S = 3600.0
CHUNK = 8
TOLD_EVERY = 500


def main(argv: Sequence[str] | None = None) -> int:
    """Parse and run; 1 when the market is refused or ours left a leg on, 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="scripts/exposure", description=__doc__)
    parser.add_argument("--trades", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first trade")
    parser.add_argument("--policies", action="store_true", help="the whole table, not only ours")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="calibrated")
    parser.add_argument("--line", choices=sorted(LINES), default="city", help="to the venues")
    parser.add_argument("--one", type=int, metavar="SEED", help="one trade, under every policy")
    parser.add_argument("--market", action="store_true", help="only judge the market")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    try:
        check_money(args.profile)
    except ValueError as refused:
        print(f"exposure: {refused}", file=sys.stderr)
        return 2
    if args.one is not None:
        return one(args.one, args.profile, args.line)
    began = time.monotonic()
    verdict = naive.judge(PROFILES[args.profile], MARKET_SEEDS, MARKET_S)
    print(verdict.line(), flush=True)
    if args.market:
        return 0 if verdict.accepted else 1
    names = tuple(POLICIES) if args.policies else (OURS, *STATIC)
    runs = gather(names, args.profile, args.line, args.seed, args.trades, args.jobs)
    if not runs[OURS]:
        print("exposure: no trade was played")
        return 1
    for text in (*table.exposure(runs[OURS]), table.HEADER):
        print(text)
    for name, results in (*runs.items(), ("(clairvoyant of those two)", table.clairvoyant(runs))):
        print(table.row(name, results))
    print(table.where_we_lose(runs))
    print(summary(runs, args.line, time.monotonic() - began))
    left = any(result.stuck or result.unfinished for result in runs[OURS])
    return 0 if verdict.accepted and not left else 1


def gather(
    names: Sequence[str], profile: str, line: str, seed: int, trades: int, jobs: int
) -> dict[str, list[Result]]:
    """Play so many trades under every policy, on some processes. Ctrl+C ends it early."""
    work = partial(under_all, names=tuple(names), profile=profile, line=line)
    runs: dict[str, list[Result]] = {name: [] for name in names}
    with ProcessPoolExecutor(jobs) as pool:
        done = played(pool.map(work, seeds_from(seed, trades), chunksize=CHUNK))
        try:
            for results in islice(done, trades):
                for name, result in results.items():
                    runs[name].append(result)
                if len(runs[OURS]) % TOLD_EVERY == 0:
                    print(f"{len(runs[OURS])} of {trades} trades", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            print("stopped: what follows is of the trades played so far", file=sys.stderr)
        pool.shutdown(wait=False, cancel_futures=True)
    return runs


def seeds_from(seed: int, trades: int) -> range:
    """Return seeds enough: a few worlds offer no trade."""
    return range(seed, seed + trades + max(trades // 10, 3))


def played(done: Iterator[dict[str, Result] | None]) -> Iterator[dict[str, Result]]:
    """Leave out the worlds without a trade."""
    return (results for results in done if results is not None)


def under_all(
    seed: int, *, names: tuple[str, ...], profile: str, line: str
) -> dict[str, Result] | None:
    """Play one seed under every policy, ours first; None where its world offers no trade."""
    market = hurried(PROFILES[profile], LEAST_BPS)
    ours = play(seed, OURS, market, line)
    if ours is None:
        return None
    results = {OURS: ours}
    for name in names:
        if name == OURS:
            continue
        if POLICIES[name].first is None and not ours.asked:
            results[name] = ours  # Nobody was asked: every policy does the same.
            continue
        other = play(seed, name, market, line, ours.waited_s)
        if other is None:
            return None
        results[name] = other
    return results


def one(seed: int, profile: str, line: str) -> int:
    """Play one seed under every policy and say what became of it."""
    results = under_all(seed, names=tuple(POLICIES), profile=profile, line=line)
    if results is None:
        print(f"seed {seed}: its world offers no trade")
        return 1
    print(table.HEADER)
    for name, result in results.items():
        print(table.row(name, [result]))
    return 0


def summary(runs: dict[str, list[Result]], line: str, seconds: float) -> str:
    """Return the last line: what the whole comes to."""
    ours = runs[OURS]
    naked = [result.naked_usd_s for result in ours]
    costs = ", ".join(f"{table.lost_per_failed(runs[name]):.3f} {name}" for name in (OURS, *STATIC))
    return (
        f"{len(ours)} faulty trades, line {line}: naked p50 {table.percentile(naked, 0.5):.0f}, "
        f"p99 {table.percentile(naked, 0.99):.0f}, max {max(naked):.0f} USD s; "
        f"USD lost per failed leg: {costs}; "
        f"{sum(result.stuck or result.unfinished for result in ours)} of ours left on; "
        f"{seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
