"""A project as small as can be, and a package index on this machine, for set-up to work on."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import attrs
import pytest
from timeouts import SCRIPT_S

BACKEND = '''\
"""Builds a package with nothing but the standard library."""
import zipfile
from pathlib import Path

NAME, VERSION, NEEDS, ENTRY = %r, %r, %r, %r


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    plain = NAME.replace("-", "_")
    info = f"{plain}-{VERSION}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\\n" for one in NEEDS)
    files = {
        f"{plain}.pth": str(Path.cwd()) + "\\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    if ENTRY:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\\n{ENTRY}\\n"
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in files) + f"{info}/RECORD,,\\n"
    name = f"{plain}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name


build_editable = build_wheel
'''
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
APP = '''\
"""Says what it was started with."""
import os, sys
import yaml


def main():
    print("ran", *sys.argv[1:])
    print("isolated", sys.flags.safe_path, sys.flags.no_user_site)
    print("yaml is", yaml.NAME)
    print("from", os.environ["BOT4_SHELL_DIR"])
'''
FOR_CHECKS = '#!/bin/sh\nset -eu\n. "$(dirname -- "$0")/_setup.sh"\nset_up dev\n'
"""A script that sets up what checks and tests need, and does nothing more."""


@attrs.frozen
class Index:
    """A package index in a folder; ``url`` is for pip."""

    folder: Path

    @property
    def url(self) -> str:
        return (self.folder / "simple").as_uri()

    def offer(self, name: str, version: str, needs: Iterable[str] = (), module: str = "") -> str:
        """Put one wheel there, of one module; return its hash."""
        page = self.folder / "simple" / name
        page.mkdir(parents=True, exist_ok=True)
        plain = name.replace("-", "_")
        path = page / f"{plain}-{version}-py3-none-any.whl"
        info = f"{plain}-{version}.dist-info"
        wanted = "".join(f"Requires-Dist: {one}\n" for one in needs)
        files = {
            f"{module or plain}.py": f"NAME = 'the {name} of the lock'\n",
            f"{info}/METADATA": (
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                f"Provides-Extra: more\n{wanted}"
            ),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        rows = [f"{file},{_digest(text)},{len(text)}" for file, text in files.items()]
        files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
        with zipfile.ZipFile(path, "w") as wheel:
            for file, text in files.items():
                wheel.writestr(zipfile.ZipInfo(file), text)
        return self._listed(path)

    def offer_source(self, name: str, version: str, needs: Iterable[str] = ()) -> str:
        """Put one package there as source; return its hash."""
        plain = name.replace("-", "_")
        path = self.folder / "simple" / name / f"{plain}-{version}.tar.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        files = {
            "pyproject.toml": PYPROJECT,
            "backend.py": BACKEND % (name, version, list(needs), ""),
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        }
        with tarfile.open(path, "w:gz") as archive:
            for file, text in files.items():
                member = tarfile.TarInfo(f"{plain}-{version}/{file}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        return self._listed(path)

    @staticmethod
    def _listed(path: Path) -> str:
        files = [one.name for one in path.parent.iterdir() if one.suffix in {".whl", ".gz"}]
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in files)
        page = f"<!DOCTYPE html><html><body>{links}</body></html>"
        (path.parent / "index.html").write_text(page)
        return hashlib.sha256(path.read_bytes()).hexdigest()


@attrs.frozen
class SmallProject:
    """Our scripts in a folder of their own, with a package that only says that it ran."""

    folder: Path
    index: Index

    def write_lock(self, pins: Mapping[str, tuple[str, str]], purpose: str = "") -> None:
        """Write a lock: name -> version and hash."""
        name = f"requirements-{purpose}.lock" if purpose else "requirements.lock"
        text = "".join(f"{n}=={v} \\\n    --hash=sha256:{h}\n" for n, (v, h) in pins.items())
        (self.folder / name).write_text(text)

    def run(
        self, *words: str, script: str = "run", umask: int = 0o022, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts from another folder."""
        return subprocess.run(
            [self.folder / "scripts" / script, *words],
            env=self.environment(**environment),
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            umask=umask,
            timeout=SCRIPT_S,
            check=False,
        )

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """Start `scripts/run`, in a group of its own for signals."""
        return subprocess.Popen(
            [self.folder / "scripts" / "run"],
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def environment(self, **changes: str) -> dict[str, str]:
        plain = {n: v for n, v in os.environ.items() if not n.startswith(("PIP_", "BOT4_"))}
        own = {"PIP_INDEX_URL": self.index.url, "PIP_CONFIG_FILE": os.devnull}
        return plain | own | {"BOT4_PYTHON": sys.executable} | changes

    def installed(self) -> dict[str, str]:
        """What stands in .venv by its folders: name -> version."""
        found = self.folder.glob(".venv/lib/python3*/site-packages/*.dist-info")
        names = [path.name.removesuffix(".dist-info").split("-") for path in found]
        return {name.replace("_", "-"): version for name, version in names if name != "pip"}


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def make_project(root: Path) -> Callable[..., SmallProject]:
    """Make a project whose lock has three packages, each of which is newer on the index."""

    def make(folder: Path, needs: Iterable[str] = ("PyYAML>=6",)) -> SmallProject:
        index = Index(folder.parent / "index")
        made = SmallProject(folder, index)
        ignored = shutil.ignore_patterns("__pycache__", "*lib", "localsupabase")
        shutil.copytree(root / "scripts", folder / "scripts", ignore=ignored)
        shutil.copytree(root / "scripts" / "setuplib", folder / "scripts" / "setuplib")
        (folder / "bot4").mkdir()
        (folder / "bot4" / "__init__.py").write_text('"""Small."""\n')
        (folder / "bot4" / "trio_run.py").write_text(APP)
        for_checks = folder / "scripts" / "for-checks"
        for_checks.write_text(FOR_CHECKS)
        for_checks.chmod(0o755)
        entry = "trio-run = bot4.trio_run:main"
        (folder / "backend.py").write_text(BACKEND % ("bot4", "0.1.0", list(needs), entry))
        (folder / "pyproject.toml").write_text(PYPROJECT)
        made.write_lock({"builder": ("1.0", index.offer("builder", "1.0"))}, "build")
        made.write_lock(
            {
                "alpha": ("1.0", index.offer("alpha", "1.0", ["beta-two[more]>=1"])),
                "beta-two": ("1.5", index.offer("beta-two", "1.5")),
                "pyyaml": ("6.0", index.offer("pyyaml", "6.0", module="yaml")),
            }
        )
        made.write_lock({"tester": ("3.0", index.offer("tester", "3.0"))}, "dev")
        for name in ("builder", "alpha", "beta-two", "pyyaml", "tester"):
            index.offer(name, "9.0")
        return made

    return make
