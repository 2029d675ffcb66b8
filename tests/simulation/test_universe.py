"""A few whole universes with faults, deaths and restarts; the same seed tells the same story."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def play(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the universes in a process of their own: they seed Trio's scheduler."""
    return subprocess.run(
        [sys.executable, "-m", "universelib", *arguments],
        cwd=root / "scripts",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def test_some_universes_end_without_a_violation(root: Path):
    ended = play(root, "--seeds", "0-1", "--seconds", "20", "--jobs", "1")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1].endswith("0 violations")


def test_the_same_seed_gives_the_same_trace_in_every_process(root: Path):
    one, two = (
        play(root, "--seed", "2", "--seconds", "8", "--log", PYTHONHASHSEED=seed).stdout
        for seed in ("1", "2")
    )

    assert "trace" in one
    assert one == two
