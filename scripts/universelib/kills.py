"""``scripts/universe --kill-every-step``: the bot, and flatten, stopped at each of their steps."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from universelib.injecting import Base, Wanted, warm_up
from universelib.scenarios import EVERY, FLATTENED, SCENARIOS
from universelib.stopping import MODES
from universelib.verdict import Injected

SHOWN = 20
"""So many violations are printed in full; the others are counted."""
WINDOW_S = 2.0
TAKING_BACK_S = 1.0
LIMITS_S = {"plain": 2.0, "doubt": WINDOW_S + 2.0 + TAKING_BACK_S, "dark": 10.0}
"""From the signal to the exit, nothing open or everything listed; p99, simulated. "Not found"
counts only after the window, a second of settling and a second reading a second later, and a
position that changed after two readings three seconds apart; then the other leg is taken back."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run every injection wanted; print the violations, then the figures, last line first."""
    parser = argparse.ArgumentParser(prog="scripts/universe --kill-every-step", description=__doc__)
    parser.add_argument("--kill-every-step", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scenario", default="", help="names, with commas; all by default")
    parser.add_argument("--mode", default=",".join(MODES), help="modes, with commas")
    parser.add_argument("--from", dest="first", type=int, default=0, help="first step")
    parser.add_argument("--to", dest="last", type=int, default=1 << 30, help="last step")
    parser.add_argument("--every", type=int, default=1, help="only each so manieth step")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--log", action="store_true", help="print every log line of the stopped")
    args = parser.parse_args(argv)
    names = args.scenario.split(",") if args.scenario else list(EVERY)
    modes = tuple(args.mode.split(","))
    if unknown := [name for name in names if name not in EVERY]:
        parser.error(f"no scenario {unknown[0]}; there are {', '.join(EVERY)}")
    if wrong := [mode for mode in modes if mode not in MODES]:
        parser.error(f"no mode {wrong[0]}; there are {', '.join(MODES)}")
    wanted = Wanted(args.seed, modes, args.first, args.last, args.every, args.jobs, log=args.log)
    began = time.monotonic()
    warm_up(wanted.seed)
    results: list[Injected] = []
    for name in names:
        base = Base(EVERY[name], wanted)
        some = base.run()
        results += some
        _tell(base, some, time.monotonic() - began)
    return _figures(results, time.monotonic() - began)


def _tell(base: Base, results: Sequence[Injected], seconds: float) -> None:
    """Print one scenario's line, and how to see each violation again."""
    bad = [one for one in results if one.broken]
    print(
        f"{base.scenario.name}: steps {base.begins}-{base.steps}, {_count(results)} injections, "
        f"{len(bad)} with a violation, {seconds:.0f} s so far",
        flush=True,
    )
    for one in bad[:SHOWN]:
        for broken in one.broken:
            print(f"  VIOLATED {one.mode or 'undisturbed'} {one.step}: {broken}")
        mode = f" --mode {one.mode} --from {one.step} --to {one.step}" if one.mode else " --to 1"
        print(
            f"    replay: scripts/universe --seed {base.wanted.seed} --kill-every-step "
            f"--scenario {one.scenario}{mode} --log",
            flush=True,
        )


def _figures(results: Sequence[Injected], seconds: float) -> int:
    late = 0
    for mode in MODES:
        some = [one for one in results if one.mode == mode]
        if not some:
            continue
        codes = Counter(one.code for one in some)
        bad = sum(bool(one.broken) for one in some)
        same = sum(one.same for one in some)
        ended = ", ".join(f"{n} with {code}" for code, n in sorted(codes.items()) if code != -9)
        print(
            f"{mode}: {len(some)} injections, {same} of them in a world already played, "
            f"{bad} with a violation{'; ended ' + ended if ended else ''}"
        )
    flattening = {story.name for story in FLATTENED}
    for kind, limit_s in LIMITS_S.items():
        times = sorted(
            one.stop_s
            for one in results
            if one.mode == "sigint" and one.kind == kind and one.scenario not in flattening
        )
        if times:
            p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
            late += p99 > limit_s
            print(
                f"Ctrl+C to proven, {kind}: p50 {p50:.2f} s, p99 {p99:.2f} s, max {times[-1]:.2f} s"
                f" of {len(times)}, limit {limit_s:g} s{' MISSED' if p99 > limit_s else ''}"
            )
    bad = sum(bool(one.broken) for one in results)
    cpu_s = sum(one.cpu_s for one in results if not one.same and one.mode)
    played = sum(not one.same and bool(one.mode) for one in results)
    names = len({one.scenario for one in results})
    print(
        f"{_count(results)} injections over {names} of {len(SCENARIOS) + len(FLATTENED)} scenarios,"
        f" {played} played, {1000 * cpu_s / max(played, 1):.0f} ms each, "
        f"{sum(one.seconds for one in results) / 3600:.1f} simulated hours, {seconds:.0f} s, "
        f"{bad} violations, {late} limits missed"
    )
    return 1 if bad or late else 0


def _count(results: Sequence[Injected]) -> int:
    return sum(bool(one.mode) for one in results)


if __name__ == "__main__":
    sys.exit(main())
