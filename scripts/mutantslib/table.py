"""The table of mutants: tests/mutants/table.toml, with a patch beside it for each."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path("tests/mutants")
"""Below the project's folder."""


class TableFault(Exception):
    """The table or a patch cannot be used: nothing was tried."""


@attrs.frozen
class Mutant:
    """One planted bug."""

    id: str
    title: str
    """What the bug does, one clause."""
    origin: str
    """Who did it like that."""
    tests: tuple[str, ...]
    """Names for pytest; the bug is caught when one of them fails."""
    quick: bool = False
    """Whether it is among the handful that every change has to pass."""

    @property
    def patch(self) -> Path:
        """The diff that plants it, below the project's folder."""
        return FOLDER / f"{self.id}.patch"


def read_table(root: Path = ROOT) -> tuple[Mutant, ...]:
    """Return every mutant in the order of the table.

    Raises:
        TableFault: a row is incomplete, an id is there twice, or patches and rows do not match.
    """
    path = root / FOLDER / "table.toml"
    try:
        rows = tomllib.loads(path.read_text())["mutant"]
        mutants = tuple(Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows)
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as fault:
        raise TableFault(f"{path}: {type(fault).__name__} {fault}") from fault
    ids = [mutant.id for mutant in mutants]
    patches = {patch.stem for patch in (root / FOLDER).glob("*.patch")}
    if len(set(ids)) < len(ids):
        raise TableFault(f"{path}: an id is there twice")
    if patches != set(ids):
        odd = ", ".join(sorted(patches.symmetric_difference(ids)))
        raise TableFault(f"{path}: a row without a patch, or a patch without a row: {odd}")
    if lazy := [mutant.id for mutant in mutants if not mutant.tests]:
        raise TableFault(f"{path}: no tests for {', '.join(lazy)}")
    return mutants


def chosen(mutants: Sequence[Mutant], only: str | None, *, quick: bool) -> tuple[Mutant, ...]:
    """Return the mutants to try.

    Raises:
        TableFault: there is no such id.
    """
    if only is not None:
        found = tuple(mutant for mutant in mutants if mutant.id == only)
        if not found:
            raise TableFault(f"no mutant {only}; there are {', '.join(m.id for m in mutants)}")
        return found
    return tuple(mutant for mutant in mutants if mutant.quick or not quick)
