"""Writes the page, or with ``--check`` says whether it is up to date; exit code 1 if not.

With ``--before`` it plays tests on the code from before them: exit code 0 when each of the rows has
a test that was red there and all are green now.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from failureslib import before
from failureslib.catalogue import Failure, faults, page, read

ROOT: Final = Path(__file__).parents[2]


def main() -> int:
    """Check the catalogue, then write or compare the page."""
    parser = argparse.ArgumentParser(prog="scripts/failures", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument(
        "--before", metavar="ID", nargs="+", help="play these rows' tests, or a family's like EX"
    )
    args = parser.parse_args()
    rows = read((ROOT / "tests/failures.yaml").read_text())
    if args.before:
        return play_before([row for row in rows if row.id.startswith(tuple(args.before))])
    wrong = list(faults(rows, source))
    target = ROOT / "docs/failures.md"
    if args.check and (not target.exists() or target.read_text() != page(rows)):
        wrong.append("docs/failures.md is not up to date: run scripts/failures")
    for line in wrong:
        print(line)
    if not wrong and not args.check:
        target.write_text(page(rows))
    proven = sum(bool(row.tests) for row in rows)
    tests = len({test for row in rows for test in row.tests})
    print(f"{len(rows)} failures, {proven} shown by {tests} tests, {len(rows) - proven} wait")
    return 1 if wrong else 0


def play_before(rows: Sequence[Failure]) -> int:
    """Print what the tests of these rows were before them and are now; return the exit code."""
    try:
        found = list(before.verdicts(ROOT, rows))
    except before.NoHistory as fault:
        print(fault)
        return 1
    wrong = list(before.faults(rows, found))
    for line in (*before.table(rows, found), *wrong):
        print(line)
    red = sum(one.before in (before.FAILED, before.BROKEN) for one in found)
    green = sum(one.now == before.PASSED for one in found)
    print(f"{len(rows)} rows, {len(found)} tests: {red} red before, {green} green now")
    return 1 if wrong or not rows else 0


def source(path: str) -> str | None:
    """Return the text of a file of the project, None when there is none."""
    file = ROOT / path
    return file.read_text() if path.startswith("tests/") and file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
