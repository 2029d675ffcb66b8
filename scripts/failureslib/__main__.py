"""Writes the page, or with ``--check`` says whether it is up to date; exit code 1 if not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from failureslib.catalogue import faults, page, read

ROOT: Final = Path(__file__).parents[2]


def main() -> int:
    """Check the catalogue, then write or compare the page."""
    parser = argparse.ArgumentParser(prog="scripts/failures", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    rows = read((ROOT / "tests/failures.yaml").read_text())
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


def source(path: str) -> str | None:
    """Return the text of a file of the project, None when there is none."""
    file = ROOT / path
    return file.read_text() if path.startswith("tests/") and file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
