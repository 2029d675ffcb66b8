"""Proves that the README's words work on a bare machine; the exit code is the verdict.

0 all of it worked, 1 something did not, 2 it could not be tried, 128 and more: stopped by a signal.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from freshlib import machine, refusals, settings, wheels
from freshlib.follow import Stopped, stopping
from freshlib.refusals import Refused
from freshlib.story import Request, play, seconds
from freshlib.systems import SYSTEMS

CHECKOUT: Final = Path(__file__).resolve().parents[2]
DEFAULT: Final = "debian12"
NEXT_PYTHON: Final = "3.14"


def main() -> int:
    """Parse, refuse in one line or play, and print the figures last."""
    args = parser().parse_args()
    alone = args.system or args.tests or args.set_up_only or args.commit != "HEAD"
    if args.wheels and alone:
        parser().error("--wheels goes alone: it makes no machine")
    if args.set_up_only and args.tests:
        parser().error("--set-up-only runs no tests")
    try:
        with stopping():
            if args.wheels:
                return wheels.report(CHECKOUT, args.wheels)
            return _prove(args)
    except Stopped as stopped:
        name = signal.Signals(stopped.number).name
        print(f"fresh: {name}: stopped, nothing is left", flush=True)
        return 128 + stopped.number
    except (Refused, machine.LeftBehind, OSError, subprocess.CalledProcessError) as problem:
        print(f"scripts/fresh: {problem}", file=sys.stderr, flush=True)
        return 2


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="scripts/fresh", description=__doc__)
    parser.add_argument(
        "--system",
        choices=SYSTEMS,
        action="extend",
        nargs="+",
        metavar="NAME",
        help=f"{', '.join(SYSTEMS)}; several run one after the other; default {DEFAULT}",
    )
    parser.add_argument("--commit", default="HEAD", metavar="REV", help="default: HEAD")
    parser.add_argument("--for", dest="duration", default="90s", type=_duration, metavar="TIME")
    parser.add_argument("--tests", action="store_true", help="also scripts/test")
    parser.add_argument("--set-up-only", action="store_true", help="no trading: the lock alone")
    parser.add_argument(
        "--wheels",
        nargs="?",
        const=NEXT_PYTHON,
        metavar="PYTHON",
        help=f"no root: is every locked package there for that Python? default {NEXT_PYTHON}",
    )
    return parser


def _prove(args: argparse.Namespace) -> int:
    # Not /tmp, which may be memory.
    place = Path(os.environ.get("TMPDIR") or "/var/tmp")  # noqa: S108  # by mkdtemp
    refusals.check(place)
    commit = machine.commit_named(CHECKOUT, args.commit)
    carried = settings.ask_here(CHECKOUT)
    print(f"commit {commit[:12]}{_uncommitted()}", flush=True)
    print(carried.names(), flush=True)
    request = Request(CHECKOUT, commit, carried, place, args.duration, args.tests, args.set_up_only)
    found = [play(SYSTEMS[name], request) for name in args.system or [DEFAULT]]
    for one in found:
        print(one.line(), flush=True)
    return 1 if any(one.faults for one in found) else 0


def _uncommitted() -> str:
    command = ["git", "-C", str(CHECKOUT), "status", "--porcelain", "--untracked-files=no"]
    changed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return "; what is not committed is not in it" if changed else ""


def _duration(text: str) -> str:
    try:
        seconds(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    return text
