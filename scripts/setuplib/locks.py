"""What the locks say: names and versions, and which file serves which purpose.

``requirements.lock`` is what the bot runs on, ``requirements-NAME.lock`` what the purpose NAME
needs on top, and ``requirements-build.lock`` what builds the packages that come as source.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

RUN: Final = "run"
BUILD: Final = "build"
FROM_SOURCE: Final = ("starknet-py",)
"""Locked packages that are published as source only."""

_PIN: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)", re.MULTILINE)


def lock_file(root: Path, purpose: str) -> Path:
    """Return the lock of a purpose."""
    return root / ("requirements.lock" if purpose == RUN else f"requirements-{purpose}.lock")


def normal(name: str) -> str:
    """Return a package's name as package indexes compare it: ``PyYAML_ft`` is ``pyyaml-ft``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    """Return what a lock pins: normal name -> version, in the lock's order.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
    """
    return parse(lock.read_text("utf-8"))


def parse(text: str) -> dict[str, str]:
    """Return the pins in a lock's text, or in what ``pip list --format freeze`` prints."""
    return {normal(name): version for name, version in _PIN.findall(text)}
