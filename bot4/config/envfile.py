"""Lines of ``.env`` that say something else than the person meant, each with how to mend it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

ASSIGNED: Final = re.compile(
    r"\s*(?:export\s+)?(?P<name>[^\s=:#'\"]+)\s*(?P<sign>[=:]?)\s*(?P<value>.*)"
)
UNSEEN: Final = re.compile("[\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff]")
"""Spaces that are none to a program, and characters that nobody sees: pages and chats add them."""


def line_faults(text: str, known: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with the lines of names we know: line number and text, never a value.

    Args:
        text: of the file.
        known: names that we read; what others mean is not ours to judge.
    """
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        found = ASSIGNED.fullmatch(UNSEEN.sub("", line))
        if found is None or found["name"].upper() not in known:
            continue
        name = found["name"].upper()
        if fault := _fault(line, found, name):
            yield number, f"{name} {fault}"
        if name in lines:
            yield number, f"{name} is set a second time, first in line {lines[name]}: remove one"
        lines.setdefault(name, number)


def _fault(line: str, found: re.Match[str], name: str) -> str:
    value = found["value"].strip()
    if UNSEEN.search(line):
        return "has a character that cannot be seen, like a no-break space: type the line anew"
    if found["name"] != name:
        return f"is written in small letters: write {name}=..."
    if found["sign"] != "=":
        return f"has no = behind it: write {name}=..."
    if value[:1] in ("'", '"') and value.find(value[0], 1) < 0:
        return f"has a quote that is not closed: write {name}=... without quotes"
    return ""
