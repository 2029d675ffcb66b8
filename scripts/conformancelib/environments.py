"""Environments of the clients: each has its own, so that theirs never meets ours."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HOME: Final = ROOT / ".cache" / "conformance"
CCXT: Final = ("ccxt>=4.5.90,<4.6",)
SDK: Final = ("paradex-py==0.8.2",)
SDK_NEEDS: Final = (
    # What paradex-py 0.8.2 asks for, without the two packages that have no build for Python 3.11:
    # starknet-crypto-py and ledgereth. The folder of stand-ins has those.
    "eth-account>=0.13.7,<0.14",
    "eth-keys==0.7.0",
    "fast-stark-crypto==0.5.0",
    "httpx>=0.27,<0.28",
    "marshmallow-dataclass>=8.6.1,<9",
    "poseidon-py>=0.2,<0.3",
    "pydantic>=2.12,<3",
    "pyjwt>=2.8,<3",
    "setuptools<81",
    "starknet-py==0.30.0",
    "websockets>=15,<16",
)
INSTALL_LIMIT_S: Final = 1800


class NotInstallable(Exception):
    """pip could not make an environment; the text says why, in pip's last words."""


def environment(name: str, *steps: tuple[str, ...]) -> Path:
    """Return the Python of an environment, made when it is missing or asks for other packages.

    Args:
        name: its folder below ``.cache/conformance``.
        steps: packages to install, one pip call after the other.

    Raises:
        NotInstallable: pip failed.
    """
    folder = HOME / name
    python, stamp = folder / "bin" / "python", folder / "conformance.stamp"
    wanted = hashlib.sha256(repr((steps, sys.version_info[:2])).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    HOME.mkdir(parents=True, exist_ok=True)
    print(f"installing {name} into {folder.relative_to(ROOT)}", file=sys.stderr)
    venv.create(folder, with_pip=True)
    for step in steps:
        _pip(python, step)
    stamp.write_text(wanted)
    return python


def ccxt_python() -> Path:
    """Return the Python that has ccxt. Raises NotInstallable."""
    return environment("ccxt", CCXT)


def sdk_python() -> Path:
    """Return the Python that has Paradex's own client. Raises NotInstallable."""
    return environment("paradex-py", ("--no-deps", *SDK), SDK_NEEDS)


def _pip(python: Path, what: tuple[str, ...]) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotInstallable(f"pip took more than {INSTALL_LIMIT_S} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstallable((lines or done.stderr.splitlines() or ["pip said nothing"])[-1])
