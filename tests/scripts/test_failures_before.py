"""`scripts/failures --before`: what was red on the code before it is told from what was not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from failureslib.before import BROKEN, FAILED, PASSED, NoHistory, Verdict, faults, verdicts
from failureslib.catalogue import Failure

OLD = "def twice(x):\n    return x + x + 1\n"
NEW = "def twice(x):\n    return x + x\n\n\ndef thrice(x):\n    return x * 3\n"
MENDS = """\
import calc


def test_two():
    assert calc.twice(1) == 2


def test_held():
    assert calc.twice(0) < 5
"""
NEEDS = "from calc import thrice\n\n\ndef test_three():\n    assert thrice(1) == 3\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two commits: the second mends a function and brings the tests."""

    def git(*words: str) -> None:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("")
    (tmp_path / "calc.py").write_text(OLD)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "old")
    (tmp_path / "calc.py").write_text(NEW)
    (tmp_path / "tests" / "test_mends.py").write_text(MENDS)
    (tmp_path / "tests" / "test_needs.py").write_text(NEEDS)
    git("add", "-A")
    git("commit", "-qm", "new")
    return tmp_path


def row(*tests: str) -> Failure:
    return Failure("EX01", "a sum is off by one", tests, "")


def test_red_before_and_green_now_is_told_for_each_test(project: Path):
    both = row("tests/test_mends.py::test_two", "tests/test_mends.py::test_held")
    other = row("tests/test_needs.py::test_three")

    found = list(verdicts(project, [both, other]))

    assert [(one.before, one.now) for one in found] == [
        (FAILED, PASSED),
        (PASSED, PASSED),
        (BROKEN, PASSED),
    ]
    assert list(faults([both], found)) == []
    worktrees = subprocess.run(
        ["git", "worktree", "list"], cwd=project, check=True, capture_output=True, text=True
    )
    assert len(worktrees.stdout.splitlines()) == 1


def test_a_row_that_held_all_along_or_fails_now_is_a_fault():
    held = Verdict("EX01", "tests/a.py::test_a", "12345678", PASSED, PASSED)
    fails = Verdict("EX01", "tests/a.py::test_b", "12345678", FAILED, FAILED)

    assert list(faults([row("x")], [held])) == ["EX01: none of its tests was red before"]
    assert list(faults([row("x")], [held, fails])) == ["EX01: tests/a.py::test_b is red now"]


def test_a_test_of_no_commit_is_named(project: Path):
    with pytest.raises(NoHistory, match=r"tests/test_mends\.py::test_dreamt is in no commit"):
        list(verdicts(project, [row("tests/test_mends.py::test_dreamt")]))
