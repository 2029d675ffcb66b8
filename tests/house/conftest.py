"""The texts the house rules are about.

Each rule in this folder is a pure function, source text in, findings out. It is used twice: on the
house, and on a planted offender, so that no rule can silently stop finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

SKIPPED = {".venv", ".git", "state", "build", "dist"}


@pytest.fixture(scope="session")
def obeyed() -> Callable[[Iterable[str]], None]:
    """Fail with one readable line for each finding."""

    def check(findings: Iterable[str]) -> None:
        if lines := list(findings):
            pytest.fail("\n".join(lines), pytrace=False)

    return check


@pytest.fixture(scope="session")
def sources(root: Path) -> Mapping[str, str]:
    """Every module of the package: path from the project folder -> text."""
    return _texts(root, "bot4/**/*.py")


@pytest.fixture(scope="session")
def programs(root: Path) -> Mapping[str, str]:
    """The package and the Python scripts."""
    return _texts(root, "bot4/**/*.py", "scripts/**/*.py")


@pytest.fixture(scope="session")
def prose(root: Path) -> Mapping[str, str]:
    """Everything a reader of the project sees: texts, scripts, settings and code."""
    return _texts(
        root, "*.md", "*.yaml", "*.toml", ".env.example", ".gitignore", ".ci/*", "bot4/**/*.py"
    ) | _texts(root, "docs/**/*", "deploy/**/*", "scripts/**/*", "tests/**/*.py")


def _texts(root: Path, *patterns: str) -> dict[str, str]:
    found = {}
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root)
            if (
                path.is_file()
                and not SKIPPED.intersection(name.parts)
                and b"\0" not in (content := path.read_bytes())
            ):
                found[name.as_posix()] = content.decode(errors="replace")
    assert found, f"no file matches {patterns}: a rule about nothing would always hold"
    return found
