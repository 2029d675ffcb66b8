"""The bot stopped at single steps of a scenario, and the folders of those that take over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from timeouts import SCRIPT_S

pytestmark = pytest.mark.proof

ONE_CHILD: Final = """
import os, shutil
from universelib import injecting, story
from universelib.scenarios import EVERY

parent, (said, say) = os.getpid(), os.pipe()
remove, collect, settled = shutil.rmtree, injecting.Base._collect, story.settled
waited = []

def removing(folder, **how):
    remove(folder, **how)
    if os.getpid() == parent:
        os.write(say, b"x")

def collecting(base):
    os.write(say, b"x")
    collect(base)

def settling(process):
    # The child's next process has opened its files: it goes on once the parent is at its end.
    if os.getpid() != parent and process.rooms is not None and not waited:
        waited.append(os.read(said, 1))
    return settled(process)

shutil.rmtree, injecting.Base._collect, story.settled = removing, collecting, settling
base = injecting.Base(EVERY["vest-shut"], injecting.Wanted(7, ("kill",), 600, 600))
(one,) = [one for one in base.run() if one.mode]
assert not one.broken, one.broken
"""


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the universes are: they seed Trio's scheduler, and fork."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root / "scripts",
        capture_output=True,
        text=True,
        timeout=SCRIPT_S,
        check=False,
    )


def test_a_story_that_has_ended_leaves_the_folders_of_its_children_alone(root: Path):
    ended = run(root, "-c", ONE_CHILD)

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("mode", ["sigint", "kill"])
def test_a_stop_beside_orders_that_nobody_can_cancel_ends_with_3(root: Path, mode: str):
    ended = run(
        root,
        *("-m", "universelib", "--kill-every-step", "--scenario", "cancel-refused"),
        *("--mode", mode, "--from", "600", "--to", "600"),
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert mode == "kill" or "ended 1 with 3" in ended.stdout
    assert "1 injections over 1 of" in ended.stdout
