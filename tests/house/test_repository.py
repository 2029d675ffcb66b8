"""What is in the repository, what is kept out of it, and what its texts do not speak of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from setuplib.locks import normal, parse

PRIVATE = (".env", ".env.local", "state/live/journal.db", "state/simulation/truth.json")
ELSEWHERE = tuple(f"{name}/" for name in ("shared", "/work"))
"""Places of one machine; in pieces here, so that this file does not find itself."""


CARD: Final = {
    "trio": "trio",
    "trio-websocket": "trio_websocket",
    "httpx": "httpx",
    "attrs": "attrs",
    "cattrs": "cattrs",
    "eth-account": "eth_account",
    "starknet-py": "starknet_py",
    "supabase": "supabase",
    "pyyaml": "yaml",
    "python-dotenv": "dotenv",
    "structlog": "structlog",
    "pytest-trio": "",  # a plugin of pytest: trio_mode in pyproject.toml
}
"""The packages that the owner asked for: name -> what is imported."""


def unlocked(requirements: Iterable[str], locked: Mapping[str, str]) -> Iterator[str]:
    for text in requirements:
        wanted = Requirement(text)
        version = locked.get(normal(wanted.name))
        if version is None or version not in wanted.specifier:
            yield (
                f"pyproject.toml: Found {text}, locked is {version}. Expected a version that fits. "
                f"Reason: what is declared is what runs; scripts/check --lock makes the locks."
            )


def loose_requirements(lock: str) -> Iterator[str]:
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        requirement = next((li for li in block.splitlines() if li and li[0] not in " #"), "")
        name = requirement.split(" ")[0]
        if requirement and not re.match(r"[A-Za-z0-9._-]+==[^\s]+", requirement):
            yield (
                f"a lock: Found {name}. Expected name==version. Reason: the same set-up everywhere."
            )
        if requirement and "--hash=sha256:" not in block:
            yield (
                f"a lock: Found {name} without a hash. Expected --hash=sha256:... "
                f"Reason: a package with other bytes could hold a thief of keys."
            )


def addresses(lock: str) -> Iterator[str]:
    for number, line in enumerate(lock.splitlines(), 1):
        if re.search(r"://|^\s*(-i|-f|--(extra-)?index-url|--find-links)\b", line):
            yield (
                f"a lock, line {number}: Found an address. "
                f"Expected names, versions and hashes only. "
                f"Reason: it belongs to the machine that installs."
            )


def is_ignored(path: str, gitignore: str) -> bool:
    """Whether git would ignore the path; the part of its rules that our file uses."""
    ignored = False
    for line in gitignore.splitlines():
        pattern = line.strip().removeprefix("!").removeprefix("/")
        if not pattern or pattern.startswith("#"):
            continue
        parts = path.split("/")
        folders = parts[:-1] if pattern.endswith("/") else parts
        if any(fnmatch(part, pattern.rstrip("/")) for part in folders):
            ignored = not line.startswith("!")
    return ignored


def given_values(example: str) -> Iterator[str]:
    for number, line in enumerate(example.splitlines(), 1):
        if line.strip() and not line.startswith("#") and not re.fullmatch(r"[A-Z_]+=", line):
            yield (
                f".env.example:{number}: Found a value. Expected NAME= and nothing behind it. "
                f"Reason: the file is committed; keys live in .env."
            )


def other_places(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        for place in ELSEWHERE:
            if re.search(rf"(?<![\w.-]){re.escape(place)}", line):
                yield (
                    f"{path}:{number}: Found {place}. Expected only places inside the project. "
                    f"Reason: whoever clones it has no such folder."
                )


@pytest.fixture(scope="session")
def locks(root: Path) -> Mapping[str, str]:
    found = {path.name: path.read_text() for path in root.glob("requirements*.lock")}
    assert {"requirements.lock", "requirements-build.lock", "requirements-dev.lock"} <= set(found)
    return found


def test_the_locks_name_exact_versions_with_hashes(
    locks: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    assert locks["requirements.lock"].count("==") > 50
    obeyed(f for lock in locks.values() for f in loose_requirements(lock))


def test_the_locks_have_no_address(
    locks: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for lock in locks.values() for f in addresses(lock))


def test_each_package_is_in_one_lock_only(locks: Mapping[str, str]):
    names = [name for lock in locks.values() for name in parse(lock)]

    assert sorted(names) == sorted(set(names))


def test_what_is_declared_is_locked_in_a_version_that_fits(
    root: Path, locks: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    declared = tomllib.loads((root / "pyproject.toml").read_text())
    running = parse(locks["requirements.lock"])
    assert len(declared["project"]["dependencies"]) > 15
    obeyed(unlocked(declared["project"]["dependencies"], running))
    for group, requirements in declared["dependency-groups"].items():
        obeyed(unlocked(requirements, running | parse(locks[f"requirements-{group}.lock"])))


def test_a_version_that_does_not_fit_is_found():
    assert list(unlocked(["httpx>=0.28.1,<0.29"], {"httpx": "0.28.1"})) == []
    assert len(list(unlocked(["httpx>=0.28.1,<0.29"], {"httpx": "0.29.0"}))) == 1
    assert len(list(unlocked(["types-PyYAML"], {}))) == 1


def test_every_package_of_the_owners_card_is_declared_and_used(
    root: Path, programs: Mapping[str, str]
):
    declared = tomllib.loads((root / "pyproject.toml").read_text())
    everything = [*declared["project"]["dependencies"], *declared["dependency-groups"]["dev"]]
    names = {normal(Requirement(text).name) for text in everything}
    code = "\n".join(text for path, text in programs.items() if path.startswith("bot4/"))

    assert set(CARD) - names == set()
    unused = [
        name
        for name, module in CARD.items()
        if module and not re.search(rf"^\s*(import|from) {module}\b", code, re.MULTILINE)
    ]
    assert unused == []


def test_a_loose_requirement_is_found():
    good = "trio==0.35.0 \\\n    --hash=sha256:00\n    # via bot4\n"
    assert list(loose_requirements(good)) == []
    assert len(list(loose_requirements(good + "httpx==0.28.1\n    # via bot4\n"))) == 1
    assert len(list(loose_requirements(good + "httpx>=0.28 \\\n    --hash=sha256:00\n"))) == 1


def test_an_address_in_the_lock_is_found():
    for offender in ("--index-url https://a.example/simple", "-f wheels", "a @ git+ssh://a/b"):
        assert len(list(addresses(f"trio==0.35.0\n{offender}\n"))) == 1, offender
    assert list(addresses("httpx==0.28.1 \\\n    --hash=sha256:00\n")) == []


def test_keys_and_state_stay_out_of_git(root: Path):
    gitignore = (root / ".gitignore").read_text()

    assert [path for path in PRIVATE if not is_ignored(path, gitignore)] == []
    assert not is_ignored(".env.example", gitignore)
    assert not is_ignored("bot4/app.py", gitignore)


def test_a_key_file_that_git_would_take_is_found():
    assert not is_ignored(".env", "state/\n")
    assert not is_ignored(".env", ".env\n!.env\n")
    assert not is_ignored(".env", "# .env\n.env.example\n")
    assert not is_ignored("state/live/journal.db", "states/\n")
    assert is_ignored("state/live/journal.db", "/state/\n")


def test_the_example_of_keys_holds_no_key(root: Path, obeyed: Callable[[Iterable[str]], None]):
    example = (root / ".env.example").read_text()

    assert "PARADEX_PRIVATE_KEY=" in example
    obeyed(given_values(example))


def test_a_key_in_the_example_is_found():
    assert len(list(given_values("# a key\nVEST_PRIMARY_KEY=0x12\n"))) == 1


def test_texts_speak_only_of_places_inside_the_project(
    prose: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    assert "README.md" in prose
    obeyed(f for item in prose.items() for f in other_places(*item))


def test_a_place_outside_is_found():
    for place in ELSEWHERE:
        assert list(other_places("README.md", f"see `{place}DESIGN.md`")) != []
    assert list(other_places("README.md", "a network/ and an unshared/thing")) == []
