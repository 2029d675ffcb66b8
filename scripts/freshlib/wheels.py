"""Whether every locked package is there, ready-built, for a Python to come.

pip itself is asked, on its own index, as if it ran on that Python: what it would install, without
installing or downloading it. What comes as source for every Python is built anyhow.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from setuplib.locks import FROM_SOURCE, normal
from setuplib.settings import pip_environment

from freshlib.refusals import Refused
from freshlib.settings import pip_config

MACHINES: Final = ("x86_64", "aarch64")
PLATFORMS: Final = (*(f"manylinux_2_{minor}" for minor in range(40, 4, -1)), "manylinux2014")
"""A new system takes the wheels that were made on every older one."""
NONE: Final = "none"
MISSING: Final = "No matching distribution found"
ANY_PYTHON: Final = "Tag: py3-none-any"

Asker = Callable[[str, str, str], bool]


def report(checkout: Path, python: str) -> int:
    """Print a line for each package in question, and the verdict; 0 when all are there.

    Raises:
        Refused: that is no Python, there is nothing to ask with, or the index does not answer.
    """
    if not re.fullmatch(r"3\.\d+", python):
        raise Refused(f"{python} is no Python. Fix: scripts/fresh --wheels 3.14")
    pip = checkout / ".venv" / "bin" / "python"
    if not pip.exists():
        raise Refused("there is no .venv with a pip to ask. Fix: scripts/check, then this again")
    wanted = built(checkout / ".venv")
    if not wanted:
        raise Refused("nothing is installed in .venv. Fix: scripts/check, then this again")
    lacking = set()
    for name, version in sorted(wanted.items()):
        for machine in MACHINES:
            line = verdict(name, version, python, machine, lambda *words: ask(pip, *words))
            print(f"{name} {version} on {machine}: {line}", flush=True)
            if line == NONE:
                lacking.add(name)
    said = f"not yet: {', '.join(sorted(lacking))}" if lacking else "all are there"
    print(f"fresh --wheels {python}: {len(wanted)} packages of which it matters: {said}")
    return 1 if lacking else 0


def verdict(name: str, version: str, python: str, machine: str, asker: Asker) -> str:
    """Return what there is of one package for that Python and machine.

    Args:
        name: of the package.
        version: the locked one.
        python: "3.14".
        machine: as ``uname -m`` prints it.
        asker: gets a requirement, the Python and the machine; whether a wheel is there.
    """
    if asker(f"{name}=={version}", python, machine):
        return "there"
    return "a newer one has it" if asker(f"{name}>={version}", python, machine) else NONE


def built(venv: Path) -> dict[str, str]:
    """Return name -> version of what is installed as a wheel for one Python alone."""
    found = {}
    for path in venv.glob("lib/python3*/site-packages/*.dist-info/WHEEL"):
        name, _, version = path.parent.name.removesuffix(".dist-info").rpartition("-")
        if ANY_PYTHON not in path.read_text("utf-8") and normal(name) not in FROM_SOURCE:
            found[normal(name)] = version
    return found


def ask(pip: Path, requirement: str, python: str, machine: str) -> bool:
    """Return whether pip would find a wheel.

    Raises:
        Refused: it could not look.
    """
    listing = pip_config(pip)
    platforms = [word for name in PLATFORMS for word in ("--platform", f"{name}_{machine}")]
    with tempfile.TemporaryDirectory() as folder:
        words = ["install", "--dry-run", "--no-deps", "--ignore-installed", "--target", folder]
        words += ["--only-binary", ":all:", "--python-version", python, *platforms, requirement]
        done = subprocess.run(
            [pip, "-I", "-m", "pip", *words],
            env=pip_environment(listing.splitlines(), os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode and MISSING not in done.stderr:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise Refused(f"pip cannot say: {last}")
    return done.returncode == 0
