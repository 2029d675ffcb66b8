"""Some cells of ``scripts/universe --flatten``, and that its proof finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from timeouts import SCRIPT_S

CELLS: Final = (
    "hedged/vest/halt/flatten",
    "one-leg-there/paradex/post_only/guard",
    "in-doubt/paradex/delay_answer/flatten",
    "resting-orders/vest/cut/guard",
    "journal-missing/paradex/limits/flatten",
    "bot-hung/vest/expire_token/flatten",
    "bot-hung-one-leg/paradex/clock_skew/guard",
)
PLANTED: Final = {
    "VENUES": ('("vest",)', "hedged/paradex/funding/flatten"),
    "flatten_all": ("says_zero", "one-leg-here/vest/halt/flatten"),
}
"""A flatten that leaves a venue out, and one that always ends with 0."""
SCRIPT: Final = f"""
from unittest.mock import patch
from universelib import aftermath, flattening

async def says_zero(flatteners):
    await right(flatteners)
    return 0

right = aftermath.flatten_all
def main(names):
    print("ended with", flattening.main(["--flatten", "--only", names]), flush=True)

main({",".join(CELLS)!r})
"""


@pytest.fixture(scope="module")
def said(root: Path) -> list[list[str]]:
    """What one process says of the cells, and then of each planted wrong, as lines."""
    planted = "".join(
        f"with patch.object(aftermath, {name!r}, {value}):\n    main({cell!r})\n"
        for name, (value, cell) in PLANTED.items()
    )
    # A process of its own: universes seed Trio's scheduler.
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT + planted],
        cwd=root / "scripts",
        capture_output=True,
        text=True,
        timeout=SCRIPT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    parts: list[list[str]] = [[]]
    for line in ended.stdout.splitlines():
        parts[-1].append(line)
        if line.startswith("ended with"):
            parts.append([])
    return parts[:-1]


def test_a_cell_of_every_state_and_both_tools_is_left_as_the_words_say(said: list[list[str]]):
    *_, figures, end = said[0]

    assert end == "ended with 0", said[0]
    assert figures.startswith(f"{len(CELLS)} cells, 1 of them refused with 4 until forced")
    assert figures.endswith("0 violations")


def test_a_flatten_that_leaves_a_venue_out_is_found(said: list[list[str]]):
    *_, end = lines = said[1]

    assert end == "ended with 1"
    found = [line for line in lines if line.startswith("VIOLATED hedged/paradex/funding/flatten")]
    assert any("alone at paradex, which could have been closed" in line for line in found)
    assert any("code 0" in line for line in found)
    replay = "  replay: scripts/universe --flatten --only hedged/paradex/funding/flatten"
    assert replay in lines


def test_an_exit_code_that_is_not_true_is_found(said: list[list[str]]):
    *_, end = lines = said[2]

    assert end == "ended with 1"
    assert any("code 0 with a leg alone" in line for line in lines)
