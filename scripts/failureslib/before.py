"""Plays the tests of the catalogue on the code from before each of them: red there, green now?

Each test is looked up in the history. The commit before the one that brought it is checked out
beside the project, the tests of the commit are put on it, and the test runs there.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from failureslib.catalogue import Failure

_OUTCOME: Final = re.compile(r"^(PASSED|FAILED|ERROR) (tests/\S+?\.py::\w+)")
PASSED, FAILED, BROKEN, NONE = "green", "red", "does not load", "not run"


class NoHistory(Exception):
    """The history does not say when a test came."""


@attrs.frozen
class Verdict:
    """One test."""

    row: str
    test: str
    commit: str
    """The one that brought it, shortened."""
    before: str
    now: str


def verdicts(root: Path, rows: Iterable[Failure]) -> Iterator[Verdict]:
    """Play every test of these rows, commit by commit.

    Raises:
        NoHistory: a test is in no commit.
    """
    named = [(row.id, test) for row in rows for test in row.tests]
    now = outcomes(root, [test for _, test in named])
    by_commit: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row, test in named:
        by_commit[commit_of(root, test)].append((row, test))
    for commit, tests in by_commit.items():
        with parent_of(root, commit) as folder:
            before = outcomes(folder, [test for _, test in tests])
        for row, test in tests:
            yield Verdict(row, test, commit[:8], before.get(test, NONE), now.get(test, NONE))


def commit_of(root: Path, test: str) -> str:
    """Return the commit that brought a test, wherever it stood then.

    Raises:
        NoHistory: none did.
    """
    path, _, name = test.partition("::")
    found = git(root, "log", "--format=%H", f"-Sdef {name}(", "--", path, "tests").split()
    if not found:
        raise NoHistory(f"{test} is in no commit")
    return found[-1]


@contextmanager
def parent_of(root: Path, commit: str) -> Iterator[Path]:
    """Check out what was before a commit, with the tests of the commit; removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="before-") as made:
        folder = Path(made) / "project"
        git(root, "worktree", "add", "--quiet", "--detach", str(folder), f"{commit}^")
        try:
            git(folder, "checkout", "--quiet", commit, "--", "tests")
            yield folder
        finally:
            git(root, "worktree", "remove", "--force", str(folder))


def outcomes(folder: Path, tests: Sequence[str]) -> Mapping[str, str]:
    """Run tests of a checkout with this Python; of several cases the worst outcome counts."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(test.partition("::")[0] for test in tests):
        here = [test for test in dict.fromkeys(tests) if test.startswith(f"{path}::")]
        found |= _outcomes_of_file(folder, here)
    return found


def _outcomes_of_file(folder: Path, tests: Sequence[str]) -> dict[str, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "-o", "addopts=", *tests]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        return dict.fromkeys(tests, BROKEN)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        said = _OUTCOME.match(line)
        if said is not None and found.get(said[2]) != FAILED:
            found[said[2]] = PASSED if said[1] == "PASSED" else FAILED
    return found


def table(rows: Iterable[Failure], found: Sequence[Verdict]) -> list[str]:
    """Return the verdicts for the eye, by row."""
    lines = ["| | what goes wrong | test | commit | before | now |", "|---|---|---|---|---|---|"]
    for row in rows:
        lines += [
            f"| {row.id} | {row.title} | {one.test} | {one.commit} | {one.before} | {one.now} |"
            for one in found
            if one.row == row.id
        ]
    return lines


def faults(rows: Iterable[Failure], found: Sequence[Verdict]) -> Iterator[str]:
    """Yield each row none of whose tests was red before, and each test that is not green now."""
    for row in rows:
        mine = [one for one in found if one.row == row.id]
        if mine and not any(one.before in (FAILED, BROKEN) for one in mine):
            yield f"{row.id}: none of its tests was red before"
        yield from (f"{row.id}: {one.test} is {one.now} now" for one in mine if one.now != PASSED)


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it printed.

    Raises:
        NoHistory: it failed.
    """
    command = ["git", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoHistory(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout
