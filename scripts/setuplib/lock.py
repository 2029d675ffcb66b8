"""Makes the locks from pyproject.toml, with uv; versions move only where they have to."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Final

from setuplib.locks import BUILD, RUN, lock_file, pins
from setuplib.messages import SetUpFailed, say

COMPILE: Final = (
    "uv",
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--generate-hashes",
    "--no-header",
    "--python-version",
    "3.11",
)


def make(root: Path, *, upgrade: bool = False) -> None:
    """Write every lock: for the builder, for running, then for each group on top of these.

    Args:
        root: the folder of the project.
        upgrade: take the newest versions that pyproject.toml allows.

    Raises:
        SetUpFailed: uv is missing, or it finds no versions that fit together.
    """
    if not shutil.which("uv"):
        raise SetUpFailed("uv is needed to make the locks. Fix: pip install uv, then again.")
    groups = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    _compile(root, BUILD, ["--group", BUILD], upgrade=upgrade)
    _compile(root, RUN, ["pyproject.toml"], upgrade=upgrade)
    below = {**pins(lock_file(root, BUILD)), **pins(lock_file(root, RUN))}
    left_out = [word for name in below for word in ("--no-emit-package", name)]
    for group in groups:
        if group != BUILD:
            on_top = ["--group", group, "-c", lock_file(root, RUN).name, *left_out]
            _compile(root, group, ["pyproject.toml", *on_top], upgrade=upgrade)


def _compile(root: Path, purpose: str, what: list[str], *, upgrade: bool) -> None:
    name = lock_file(root, purpose).name
    words = [*COMPILE, *(["--upgrade"] * upgrade), "-o", name, *what]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetUpFailed(f"uv made no {name}: {' '.join(done.stderr.split())}")
    say(f"{name}: {len(pins(root / name))} packages")
