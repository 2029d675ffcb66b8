"""A few whole universes with faults, deaths and restarts; the same seed tells the same story."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from timeouts import SCRIPT_S

pytestmark = pytest.mark.proof

GAP: Final = '[4,{"venue":"vest","kind":"gap_jump","bps":45,"seconds":3}]'
SHRUNK: Final = {
    "a fill of the last trade is taken back while the next one is opening": (
        *("--seed", "117", "--seconds", "25", "--quick", "--faults"),
        (
            '{"faults":[[5.1,{"venue":"vest","kind":"gap_jump","bps":-55.2,"seconds":1.5}],'
            '[9.12,{"venue":"paradex","kind":"delay_landing","ms":2600}],'
            '[12.13,{"venue":"paradex","kind":"bust","market":"BTC-USD-PERP"}]],'
            '"deaths":[],"on_stop":"hold","latency":"far"}'
        ),
    ),
    "the disk is full while both orders are on their way, and free again": (
        *("--seed", "900013", "--seconds", "24", "--faults"),
        (
            f'{{"faults":[{GAP}],"deaths":[],"on_stop":"flatten","aimed":[{{"state":"opening",'
            '"after_s":0,"fault":{"venue":"disk","kind":"disk_full","seconds":2}}]}'
        ),
    ),
    "a market that refused a size stays closed for a minute of the honest while": (
        *("--seed", "20261201488", "--seconds", "25", "--quick", "--faults"),
        (
            '{"faults":[[9.313177560319946,{"count":1,"venue":"paradex","kind":"refuse",'
            '"cancel_reason":"ORDER_EXCEEDS_POSITION_LIMIT"}],[23.168102648674832,{"count":2,'
            '"venue":"machine","kind":"suspend","seconds":90,"connections":"cut"}]],"aimed":[],'
            '"deaths":[{"at_s":14.514701478214223,"kind":"kill","edit":""}],"on_stop":"hold",'
            '"latency":"usual","retail":""}'
        ),
    ),
}
"""Universes that once failed, as short as they were made."""


def play(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the universes in a process of their own: they seed Trio's scheduler."""
    return subprocess.run(
        [sys.executable, "-m", "universelib", *arguments],
        cwd=root / "scripts",
        capture_output=True,
        text=True,
        timeout=SCRIPT_S,
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


@pytest.mark.parametrize("arguments", SHRUNK.values(), ids=SHRUNK)
def test_a_universe_that_failed_once_does_not_again(root: Path, arguments: tuple[str, ...]):
    ended = play(root, *arguments)

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("place", range(3))
def test_what_the_hunt_found_worst_is_still_without_a_violation(root: Path, place: int):
    worst = json.loads((root / "tests" / "simulation" / "worst.json").read_text())[place]

    ended = play(root, "--seed", str(worst["seed"]), "--seconds", "25", "--faults", worst["script"])

    assert ended.returncode == 0, ended.stdout + ended.stderr
