"""One trial: a copy of the project, a bug planted in it, and the tests that should notice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

import attrs
import trio

from mutantslib.table import Mutant

LIMIT_S: Final = 180.0
"""Real seconds for the tests of one mutant. Their own clock is a mock one: they never need it."""
CONTEXT: Final = 1
"""Lines around a change that must be as in the patch."""
FAILED: Final = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)
TESTS_FAILED: Final = 1
"""pytest's exit code for that; every other one but 0 means that it could not test."""

MADE: Final = (
    ".git",
    ".venv*",
    ".cache",
    ".*_cache",
    "__pycache__",
    "*.egg-info",
    "state",
    ".env",
    ".env.[!e]*",
)
"""What stands in a project and is not the project; an unpacked archive has no git to ask."""


class Verdict(StrEnum):
    """How a trial ended."""

    CAUGHT = "CAUGHT"
    MISSED = "MISSED"
    BROKEN = "BROKEN"
    """The patch does not apply, the copy does not import, or the tests never ended."""


@attrs.frozen
class Ended:
    """What became of one mutant."""

    verdict: Verdict
    seconds: float
    why: str
    """The first failing test, or what went wrong."""


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """Yield a copy of the project as it stands on the disk now, without what tools have made.

    Closes: the copy is deleted when the block is left.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*MADE), symlinks=True)
        yield copy


def plant(copy: Path, mutant: Mutant) -> str:
    """Apply the mutant's patch to a copy; return what git says against it, "" when it applied."""
    done = subprocess.run(
        ["git", "apply", f"-C{CONTEXT}", "--whitespace=nowarn", str(mutant.patch)],  # noqa: S607
        cwd=copy,
        check=False,
        capture_output=True,
        text=True,
        env=_environment(copy),
    )
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines() or ["git apply failed"]
    return f"{mutant.patch} no longer applies: {said[0].removeprefix('error: ')}"


async def run_tests(copy: Path, tests: Sequence[str]) -> tuple[int | None, str]:
    """Run tests in a copy until the first fails.

    Returns:
        pytest's exit code, None when it was stopped after ``LIMIT_S``; and what it printed.

    Cancellation: kills the tests.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-rf"]
    with trio.move_on_after(LIMIT_S):
        done = await trio.run_process(
            [*command, "--tb=no", *tests],
            cwd=copy,
            env=_environment(copy),
            check=False,
            capture_stdout=True,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, (done.stdout or b"").decode(errors="replace")
    return None, ""


async def attempt(root: Path, mutant: Mutant) -> Ended:
    """Plant one mutant and see whether its tests notice. Cancellation: kills the tests."""
    began = trio.current_time()

    def ended(verdict: Verdict, why: str) -> Ended:
        return Ended(verdict, trio.current_time() - began, why)

    with copy_of(root) as copy:
        if trouble := plant(copy, mutant):
            return ended(Verdict.BROKEN, trouble)
        code, said = await run_tests(copy, mutant.tests)
    if code is None:
        return ended(Verdict.BROKEN, f"the tests did not end within {LIMIT_S:.0f} s")
    if code == 0:
        return ended(Verdict.MISSED, "its tests pass all the same")
    failed = FAILED.search(said)
    if code != TESTS_FAILED or failed is None:
        return ended(Verdict.BROKEN, f"pytest ended with {code}: {_last_line(said)}")
    return ended(Verdict.CAUGHT, failed[1])


async def check_sound(root: Path, tests: Sequence[str]) -> str:
    """Run the tests on an unchanged copy; return what is wrong with them, "" when they pass.

    A test that fails anyway catches nothing, and a copy that imports the project from elsewhere
    would not show the bug. Cancellation: kills the tests.
    """
    with copy_of(root) as copy:
        where = await trio.run_process(
            [sys.executable, "-c", "import bot4; print(bot4.__file__)"],
            cwd=copy,
            env=_environment(copy),
            capture_stdout=True,
        )
        if not Path(where.stdout.decode().strip()).is_relative_to(copy):
            return f"the copy imports bot4 from {where.stdout.decode().strip()}"
        code, said = await run_tests(copy, tests)
    if code == 0:
        return ""
    failed = FAILED.search(said)
    return f"{failed[1]} fails without any mutant" if failed else _last_line(said)


def _environment(copy: Path) -> Mapping[str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # The ceiling keeps git from taking a repository around the copy for the copy's own.
    return known | {"PYTHONPATH": str(copy), "GIT_CEILING_DIRECTORIES": str(copy.parent)}


def _last_line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].strip("= ") if lines else "it said nothing"
