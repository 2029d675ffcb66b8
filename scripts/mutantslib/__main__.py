"""Plant every mutant, print one line each and a last line of figures."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import trio

from mutantslib.table import ROOT, Mutant, TableFault, chosen, read_table
from mutantslib.trial import Ended, Verdict, attempt, check_sound

AT_ONCE: Final = 2
"""Processes: the machine has others to look after."""
UNSOUND: Final = 2
"""The exit code when the tests themselves cannot be trusted."""


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when every mutant is caught, 1 when one is not, 2 when nothing can be said."""
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("--only", metavar="ID", help="one of them, for instance O4-3")
    parser.add_argument("--quick", action="store_true", help="a handful, for every change")
    args = parser.parse_args(argv)
    try:
        mutants = chosen(read_table(), args.only, quick=args.quick)
    except TableFault as fault:
        print(fault, file=sys.stderr)
        return UNSOUND
    return trio.run(_try_all, mutants)


async def _try_all(mutants: Sequence[Mutant]) -> int:
    began = trio.current_time()
    ended: list[Ended] = []
    troubles: list[str] = []

    async def sound() -> None:
        troubles.append(await check_sound(ROOT, _tests_of(mutants)))

    async def one(mutant: Mutant) -> None:
        found = await attempt(ROOT, mutant)
        ended.append(found)
        print(_line(mutant, found), flush=True)

    # The tests on an unchanged copy come first: they take longest.
    trials: list[Callable[[], Awaitable[None]]] = [sound]
    waiting = iter(trials + [partial(one, mutant) for mutant in mutants])

    async def work() -> None:
        for trial in waiting:
            await trial()

    async with trio.open_nursery() as working:
        for _ in range(AT_ONCE):
            working.start_soon(work)
    trouble = troubles[0]
    counted = Counter(found.verdict for found in ended)
    caught = counted[Verdict.CAUGHT]
    print(
        f"{caught} of {len(mutants)} mutants caught, {counted[Verdict.MISSED]} missed, "
        f"{counted[Verdict.BROKEN]} broken; {trio.current_time() - began:.0f} s"
    )
    if trouble:
        print(f"but the tests cannot be trusted: {trouble}")
        return UNSOUND
    return 0 if caught == len(mutants) else 1


def _tests_of(mutants: Sequence[Mutant]) -> list[str]:
    return list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))


def _line(mutant: Mutant, found: Ended) -> str:
    how = {
        Verdict.CAUGHT: f"CAUGHT by {found.why} in {found.seconds:.1f} s",
        Verdict.MISSED: f"MISSED in {found.seconds:.1f} s: {found.why}",
        Verdict.BROKEN: f"BROKEN: {found.why}",
    }[found.verdict]
    return f"{mutant.id:6} {mutant.title}: {how}"


if __name__ == "__main__":
    sys.exit(main())
