"""The door: so many cases from one seed, the figures last."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import attrs

from fuzzlib.corpus import PARADEX, VEST, Sample, corpus
from fuzzlib.guided import guide
from fuzzlib.mutate import mutated
from fuzzlib.targets import STATUSES, Readers

FRESH_EVERY: Final = 20_000
SECONDS_A_CASE: Final = 0.5
"""CPU time; a case beyond it is a fault."""
MEMORY_BYTES: Final = 1 << 30
"""Address space on top of what the start needs: who asks for more gets MemoryError, a fault."""
SHOWN: Final = 5


@attrs.define
class Figures:
    """What a run found."""

    cases: int = 0
    passed: int = 0
    """Readings that were let through."""
    refused: int = 0
    slowest_s: float = 0.0
    slowest_case: int = 0
    faults: list[str] = attrs.field(factory=list)
    by_kind: Counter[str] = attrs.field(factory=Counter)


@attrs.frozen
class Case:
    """One broken message and how it arrives."""

    sample: Sample
    data: bytes
    as_text: bool
    status: int


def draw(seed: int, number: int, shelves: list[list[Sample]], random: Random) -> Case:
    """Return a case: the same for the same seed and number. Every shelf gets its turn."""
    random.seed(seed << 40 | number)
    shelf = shelves[number % len(shelves)]
    sample = random.choice(shelf)
    data = mutated(random, sample.data, [random.choice(shelf).data])
    as_text = sample.is_json and random.random() < 0.7
    return Case(sample, data, as_text, random.choice(STATUSES))


def shelved() -> list[list[Sample]]:
    """Return the corpus by kind: what the streams send twice, for there is the most at stake."""
    samples = corpus()
    shelves = [
        [one for one in samples if one.venue == venue and bool(one.reader) == answers]
        for answers in (False, True)
        for venue in (PARADEX, VEST)
    ]
    return [*shelves[:2], *shelves]


def run(seed: int, numbers: range, most_s: float = float("inf")) -> Figures:
    """Run cases until they or the time are used up."""
    shelves, random, figures = shelved(), Random(seed), Figures()  # noqa: S311 - seeded on purpose
    readers = Readers()
    until = time.monotonic() + most_s
    for number in numbers:
        if figures.cases % FRESH_EVERY == FRESH_EVERY - 1:
            readers = Readers()
            if time.monotonic() > until:
                break
        case = draw(seed, number, shelves, random)
        begun = time.thread_time()
        try:
            passed = readers.read(case.sample, case.data, case.as_text, case.status)
        except Exception as error:  # noqa: BLE001 - anything else than expected is what we look for
            passed = 0
            figures.faults.append(f"case {number}: {type(error).__name__}: {str(error)[:200]}")
        took = time.thread_time() - begun
        if took > figures.slowest_s:
            figures.slowest_s, figures.slowest_case = took, number
        if took > SECONDS_A_CASE:
            figures.faults.append(f"case {number}: took {took:.2f} s")
        figures.cases += 1
        figures.passed += passed > 0
        figures.refused += passed == 0
        figures.by_kind[f"{case.sample.venue} {'answer' if case.sample.reader else 'frame'}"] += 1
    return figures


def main() -> int:
    """Run what is asked for; return 0 when nothing unexpected came out."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="this one only, printed")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--guided", type=int, metavar="SECONDS", help="by atheris, so long")
    args = parser.parse_args()
    if args.guided is not None:
        return guide(args.guided)
    numbers = range(args.cases) if args.case is None else range(args.case, args.case + 1)
    if args.case is not None:
        print(draw(args.seed, args.case, shelved(), Random()))  # noqa: S311
    before = _peak_kb()
    _limit_memory()
    begun = time.monotonic()
    figures = run(args.seed, numbers, args.minutes * 60)
    for fault in figures.faults[:SHOWN]:
        print(f"FAULT  seed {args.seed} {fault}")
    kinds = ", ".join(f"{count} {kind}s" for kind, count in sorted(figures.by_kind.items()))
    print(
        f"fuzz: {figures.cases} cases of seed {args.seed} in {time.monotonic() - begun:.0f} s "
        f"({kinds}); {figures.refused} refused, {figures.passed} let through and judged; slowest "
        f"{figures.slowest_s * 1000:.1f} ms (case {figures.slowest_case}); peak memory grew by "
        f"{(_peak_kb() - before) // 1024} MiB; {len(figures.faults)} faults"
    )
    return 1 if figures.faults else 0


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _limit_memory() -> None:
    """Let the process grow by ``MEMORY_BYTES``, and no further."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    sys.exit(main())
