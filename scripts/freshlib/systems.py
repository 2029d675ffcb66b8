"""Which bare machines there are, and what the README tells their owners to install."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class System:
    """One release of one distribution."""

    name: str
    suite: str
    family: str
    """"debian" or "ubuntu": whose archive, and whose keys."""
    components: str = "main"
    """Where its python3-venv lies."""
    refused: bool = False
    """Whether its only Python is too new; then its owner follows OLDER_PYTHON_STEPS."""


SYSTEMS: Final[dict[str, System]] = {
    one.name: one
    for one in (
        System("debian12", "bookworm", "debian"),
        System("debian13", "trixie", "debian"),
        System("ubuntu24.04", "noble", "ubuntu", "main universe"),
        System("ubuntu26.04", "resolute", "ubuntu", "main universe", refused=True),
    )
}

PREINSTALLED: Final[tuple[str, ...]] = ("apt",)
"""What every such machine has. Ubuntu's minbase is without, and so without libstdc++6, which
the simulator's check of signatures loads."""

README_PACKAGES: Final[tuple[str, ...]] = ("python3", "python3-venv")
"""What README names, and nothing else. Source: README.md, Two commands."""

FOR_TESTS: Final[tuple[str, ...]] = ("git",)

REFUSAL: Final = "Python 3.11, 3.12 or 3.13 is needed"
"""What scripts/run says where there is no other Python than a newer one."""

OLDER_PYTHON_STEPS: Final[tuple[str, ...]] = (
    "apt-get install -y debootstrap debian-archive-keyring gpgv python3-venv",
    "debootstrap --variant=minbase --include=python3-venv trixie /opt/debian13",
    "ln -s /opt/debian13/usr/bin/python3.13 /usr/local/bin/",
)
"""Debian's own Python 3.13, checked by Debian's keys, in a folder beside Ubuntu's. Run as root."""
