"""What this machine lacks for making a root, each in one line with its cure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

FREE_BYTES: Final = 2 * 10**9
"""What a root, a .venv and pip's own folder take together, with room to spare."""

TOOLS: Final = {
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
    "chroot": "coreutils",
    "dpkg-deb": "dpkg",
    "git": "git",
}
"""Command -> the package that has it."""


class Refused(Exception):
    """Nothing was begun, or what was begun cannot be judged; says why and what to do."""


def check(
    place: Path,
    *,
    uid: Callable[[], int] = os.geteuid,
    which: Callable[[str], str | None] = shutil.which,
    free: Callable[[Path], int] = lambda place: shutil.disk_usage(place).free,
) -> None:
    """Pass, or say the first thing that is missing.

    Raises:
        Refused: not root, a tool is missing, or the disk is too full.
    """
    if uid() != 0:
        raise Refused("a root can be made by root only. Fix: sudo -E scripts/fresh ...")
    missing = [tool for tool in TOOLS if which(tool) is None]
    if missing:
        packages = " ".join(TOOLS[tool] for tool in missing)
        raise Refused(f"{', '.join(missing)} missing. Fix: sudo apt install {packages}")
    there = free(place)
    if there < FREE_BYTES:
        raise Refused(
            f"{there / 1e9:.1f} GB free in {place}, {FREE_BYTES / 1e9:.0f} GB are needed. "
            f"Fix: free some, or name a roomier folder: TMPDIR=... scripts/fresh"
        )
