"""``scripts/universe --policies``: the same universes under what other bots do about a failed leg.

The whole bot runs, in whole universes with all their troubles, deaths and restarts; replaced is the
one room that answers what to do when an entry has one leg on and the other not (and, for a serial
policy, the one that sends an entry). Market, troubles and chance are the seed's own, so universes
are the same until a policy first acts differently; then each goes its own way. What is naked and
what is lost is read from the venues' fills.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import fmean
from typing import Final
from unittest.mock import patch

from exposurelib.policies import OURS, POLICIES, SerialDispatcher

from universelib.figures import NOTIONAL, Result
from universelib.play import QUICK_BOOKS_PER_S, play

PUBLISHED: Final = (
    OURS,
    "retry at market x3, abandon",
    "reverse once at market",
    "proceed once at market",
    "serial, hedge x3, halt",
)
OTHERS: Final = tuple(
    name for name, kind in POLICIES.items() if name not in PUBLISHED and not kind.however_late
)
HEADER: Final = (
    f"{'policy':<28}{'rounds':>8}{'failed':>8}{'naked, USD s of a failed leg':>40}"
    f"{'lost per':>10}{'stuck':>9}{'by':>6}{'net bp':>9}{'broken':>8}\n"
    f"{'':<28}{'':>8}{'legs':>8}{'mean':>10}{'p50':>10}{'p99':>10}{'max':>10}"
    f"{'failed $':>10}{'%':>9}{'hand':>6}{'a round':>9}{'':>8}"
)
MARKET: Final = "calibrated"
"""On the demo market money means nothing. Gaps to trade on are among a seed's troubles."""


@contextmanager
def under(policy: str) -> Iterator[None]:
    """Let every bot that starts in this block follow a policy of ``exposurelib.policies``."""
    kind = POLICIES[policy]
    with ExitStack() as stack:
        if policy != OURS:
            stack.enter_context(patch("bot4.tasks.desk.Mender", kind.mender))
        if kind.first is not None:
            serial = type("Serial", (SerialDispatcher,), {"first": kind.first})
            stack.enter_context(patch("bot4.wiring.house.Dispatcher", serial))
        yield


def play_under(
    job: tuple[str, int], *, seconds: float, books_per_s: float | None, profile: str = MARKET
) -> Result:
    """Play one universe under one policy."""
    policy, seed = job
    serial = POLICIES[policy].first is not None
    with under(policy):
        return play(seed, seconds, books_per_s=books_per_s, serial=serial, profile=profile)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line a policy; return 1 when ours broke anything. Others may: it is counted."""
    from universelib.__main__ import played, seeds_of

    parser = argparse.ArgumentParser(
        prog="scripts/universe --policies",
        description=__doc__,
        epilog="One trade at a time, on a market that is judged first: scripts/exposure --policies",
    )
    parser.add_argument("--policies", action="store_true")
    parser.add_argument("--seeds", default="0-99", help="ranges, both ends included")
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated, of trouble")
    parser.add_argument("--quick", action="store_true", help="books four times a second")
    parser.add_argument("--all", action="store_true", help=f"also {', '.join(OTHERS)}")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    names, seeds = PUBLISHED + OTHERS * args.all, seeds_of(args.seeds)
    work = partial(
        play_under, seconds=args.seconds, books_per_s=QUICK_BOOKS_PER_S if args.quick else None
    )
    began, jobs = time.monotonic(), [(name, seed) for name in names for seed in seeds]
    results: dict[str, list[Result]] = {name: [] for name in names}
    for (name, seed), result in zip(jobs, played(work, jobs, args.jobs, 1e9), strict=False):
        results[name].append(result)
        for broken in result.violations if name == OURS else ():
            print(f"VIOLATED seed {seed}: {broken}", flush=True)
    print(HEADER)
    for name in names:
        print(row(name, results[name]))
    print(f"{len(seeds)} universes a policy, {time.monotonic() - began:.0f} s")
    return 1 if any(result.violations for result in results[OURS]) else 0


def row(name: str, results: Sequence[Result]) -> str:
    """Return one policy as a line of the table; stuck are those that a person had to close too."""
    rounds = [one for result in results for one in result.rounds]
    failed = [one for one in rounds if one.failed]
    naked = sorted(one.naked_usd_s for one in failed) or [0.0]
    by_hand = sum(result.by_hand for result in results)
    stuck = sum(one.stuck for one in rounds) + by_hand
    lost = -fmean(one.net_usd for one in failed) if failed else 0.0
    net = sum(one.net_usd for one in rounds) / max(len(rounds), 1) / NOTIONAL * 1e4
    broken = sum(len(result.violations) for result in results)
    return (
        f"{name:<28}{len(rounds):8}{len(failed):8}{fmean(naked):10.0f}"
        f"{naked[len(naked) // 2]:10.0f}{naked[int(len(naked) * 0.99)]:10.0f}{naked[-1]:10.0f}"
        f"{lost:10.3f}"
        f"{100 * stuck / max(len(rounds), 1):9.2f}{by_hand:6}{net:9.2f}{broken:8}"
    )
