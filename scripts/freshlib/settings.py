"""How this machine reaches its packages: carried into the root, told by name, never by value.

A proxy's address may hold a password, and so may an index's. Files that a setting names
(certificates) are copied to the same path in the root. Folders of this machine (a pip index on its
disk) stay here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from setuplib.settings import kept

PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
BUNDLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
NOT_CARRIED: Final = {"PIP_CACHE_DIR", "PIP_NO_CACHE_DIR"}
"""A bare machine has nothing kept from before."""
PLACES: Final = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"}
"""Lists of addresses, some of which may be folders."""
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
SHORTEST: Final = 6
"""Characters of a value that is worth hiding: a time-out of 60 s is not."""
NETWORK: Final = (Path("/etc/resolv.conf"), Path("/etc/hosts"))
KNOWN: Final = (*NETWORK, CERTIFICATES)
"""Every machine has these; a path that a setting names is its value."""
APT: Final = re.compile(r'^(Acquire::https?::(?:Proxy|CAInfo)[\w:.-]*) "(.+)";$', re.MULTILINE)


@dataclass
class Settings:
    """What goes into the root."""

    environment: dict[str, str] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    apt: dict[str, str] = field(default_factory=dict)
    mirrors: dict[str, str] = field(default_factory=dict)
    """Family of distributions -> the archive that this machine's own apt uses."""
    left: list[str] = field(default_factory=list)
    """Names of settings that stay here, in whole or in part."""

    def names(self) -> str:
        """Return the line that says what is carried in; no value is in it."""
        said = [
            ("environment", sorted(self.environment)),
            ("apt", sorted(self.apt) + [f"sources of {one}" for one in sorted(self.mirrors)]),
            ("files", [str(path) for path in self.files if path in KNOWN]),
            ("and the files that these name", [""] * any(one not in KNOWN for one in self.files)),
            ("left out, folders of this machine", self.left),
        ]
        parts = [f"{what}: {', '.join(names)}".rstrip(": ") for what, names in said if names]
        return f"carried in (names only): {'; '.join(parts)}"

    def hide(self, text: str) -> str:
        """Return a text with every value in it replaced by its name."""
        named = {**self.environment, **self.apt}
        named |= {f"sources of {family}": uri for family, uri in self.mirrors.items()}
        for name, value in sorted(named.items(), key=lambda one: -len(one[1])):
            for word in value.split():
                if len(word) >= SHORTEST:
                    text = text.replace(word, f"<{name}>")
        return text


def gather(environment: Mapping[str, str], pip_config: str, apt: str, sources: str) -> Settings:
    """Sort what this machine says of itself.

    Args:
        environment: the environment variables here.
        pip_config: what ``pip config list`` prints, the environment's settings among it.
        apt: what ``apt-config dump`` prints, or nothing.
        sources: the texts of apt's sources, one after the other.

    Returns:
        What to carry in.
    """
    found = Settings()
    for name in PROXIES + BUNDLES:
        if environment.get(name):
            found.environment[name] = environment[name]
    for name, value in kept(pip_config.splitlines()).items():
        if name in NOT_CARRIED:
            continue
        words = value.split()
        there = [one for one in words if not one.startswith(("/", "file:", ".", "~"))]
        if name not in PLACES:
            found.environment[name] = value
        elif there:
            found.environment[name] = " ".join(there)
        if name in PLACES and len(there) < len(words):
            found.left.append(name)
    found.apt = dict(APT.findall(apt))
    for uri, family in re.findall(
        r"^[^#\n]*?(https?://\S+?/(debian|ubuntu))/?(?:\s|$)", sources, re.MULTILINE
    ):
        found.mirrors.setdefault(family, uri)
    named = [found.environment.get(name, "") for name in (*BUNDLES, "PIP_CERT", "PIP_CLIENT_CERT")]
    found.files = _existing([*NETWORK, CERTIFICATES, *(Path(one) for one in named if one)])
    return found


def ask_here(checkout: Path) -> Settings:
    """Ask this machine's own tools, those that there are."""
    return gather(
        os.environ,
        pip_config("python3", checkout / ".venv/bin/python"),
        _said(["apt-config", "dump"]),
        "\n".join(one.read_text(errors="replace") for one in _sources()),
    )


def pip_config(*pythons: Path | str) -> str:
    """Return what the first pip found says of its settings: the machine's, not one pip's."""
    for python in pythons:
        if said := _said([str(python), "-m", "pip", "config", "list"]):
            return said
    return ""


def carry_in(settings: Settings, root: Path) -> None:
    """Write the files into the root."""
    for path in settings.files:
        there = root / str(path).lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        # A link in the root (resolv.conf may be one) could lead out of it.
        there.unlink(missing_ok=True)
        shutil.copyfile(path, there)
        there.chmod(0o644)


def _existing(paths: Iterable[Path]) -> list[Path]:
    return [path for path in dict.fromkeys(paths) if path.is_absolute() and path.is_file()]


def _sources() -> list[Path]:
    apt = Path("/etc/apt")
    found = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))]
    return [one for one in found if one.suffix in {".list", ".sources"} and one.is_file()]


def _said(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
