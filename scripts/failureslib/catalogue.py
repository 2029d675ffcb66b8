"""The catalogue: every way to fail that we know of, and what shows how the bot takes it. Pure."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Final

import attrs
import yaml

FAMILIES: Final = {
    "MD": ("Market data", 28),
    "OE": ("Orders", 41),
    "PR": ("Process and machine", 24),
    "AC": ("Account", 10),
    "CF": ("Settings", 12),
    "SE": ("Secrets and security", 20),
    "CX": ("Several at once", 10),
    "EX": ("Met by others", 47),
}
"""Letters -> title, and how many there are."""
HEAD: Final = """\
# What may go wrong

Made by `scripts/failures` from `tests/failures.yaml`; change that file. Each failure is named with
the tests that bring it about and show what the bot does then, or with the reason why there is none.
"""


@attrs.frozen
class Failure:
    """One row."""

    id: str
    title: str
    tests: tuple[str, ...]
    """``path::name`` each."""
    waits: str
    """Why there is no test yet; "" where there is one."""


def read(text: str) -> list[Failure]:
    """Return the rows in order.

    Raises:
        ValueError: a row has other fields than these.
    """
    rows = []
    for row in yaml.safe_load(text):
        if not isinstance(row, dict) or row.keys() - {"id", "title", "tests", "waits"}:
            raise ValueError(f"not a row of the catalogue: {row!r}")
        rows.append(
            Failure(row["id"], row["title"], tuple(row.get("tests", ())), row.get("waits", ""))
        )
    return rows


def expected() -> list[str]:
    """Return every id there has to be, in order."""
    return [
        f"{letters}{n:02}" for letters, (_, last) in FAMILIES.items() for n in range(1, last + 1)
    ]


def faults(rows: Sequence[Failure], source: Callable[[str], str | None]) -> Iterator[str]:
    """Yield what is wrong with the catalogue, one line each.

    Args:
        rows: the catalogue.
        source: the text of a file of the project; None when there is no such file.
    """
    found, wanted = [row.id for row in rows], expected()
    if found != wanted:
        yield f"ids: missing {sorted(set(wanted) - set(found))}, or twice, unknown or out of order"
    for row in rows:
        if not row.title or bool(row.tests) is bool(row.waits):
            yield f"{row.id}: needs a title and either tests or the reason why it waits"
        for test in row.tests:
            path, _, name = test.partition("::")
            text = source(path)
            if text is None or name not in _tests(text):
                yield f"{row.id}: there is no test {test}"


def page(rows: Sequence[Failure]) -> str:
    """Return the page."""
    proven = sum(bool(row.tests) for row in rows)
    lines = [HEAD, f"{proven} of {len(rows)} are shown by tests; {len(rows) - proven} wait."]
    for letters, (title, _) in FAMILIES.items():
        lines += ["", f"## {title}", "", "| | what goes wrong | shown by |", "|---|---|---|"]
        for row in rows:
            if row.id.startswith(letters):
                shown = "<br>".join(f"`{test}`" for test in row.tests) or f"waits: {row.waits}"
                lines.append(f"| {row.id} | {row.title} | {shown} |")
    return "\n".join(lines) + "\n"


@cache
def _tests(text: str) -> set[str]:
    body: list[Any] = ast.parse(text).body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {one.name for one in body if isinstance(one, kinds) and one.name.startswith("test_")}
