"""A few whole universes with faults, deaths and restarts; the same seed tells the same story."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def play(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the universes in a process of their own: they seed Trio's scheduler."""
    return subprocess.run(
        [sys.executable, "-m", "universelib", *arguments],
        cwd=root / "scripts",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_some_universes_end_without_a_violation(root: Path):
    ended = play(root, "--seeds", "0-2", "--seconds", "30", "--jobs", "1")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1].endswith("0 violations")


def test_the_same_seed_gives_the_same_trace(root: Path):
    one, two = (play(root, "--seed", "3", "--seconds", "15").stdout for _ in range(2))

    assert "trace" in one
    assert one == two
