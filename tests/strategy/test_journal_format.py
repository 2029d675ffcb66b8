"""The journal's tables name everything that is written, and docs/journal.md says what they say."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs

from bot4.strategy.events import Event, Planned
from bot4.strategy.journal_format import FIELDS, KINDS, TEXTS, kind_of

DOCUMENT = Path(__file__).parents[2] / "docs/journal.md"


def parts(hint: Any) -> set[Any]:
    return {hint}.union(*map(parts, get_args(hint)))


def test_every_event_has_a_kind():
    assert set(KINDS.values()) == {Planned, *get_args(Event)}
    events = [event.__new__(event) for event in KINDS.values()]  # their class alone counts
    assert [kind_of(event) for event in events] == list(KINDS)


def test_every_class_and_enum_that_an_event_holds_is_named():
    found: set[Any] = set()
    todo: set[Any] = set(KINDS.values())
    while todo:
        found |= todo
        hints = {
            part for cls in todo for hint in get_type_hints(cls).values() for part in parts(hint)
        }
        todo = {h for h in hints if isinstance(h, type) and attrs.has(h)} - found
        assert {h for h in hints if isinstance(h, type) and issubclass(h, StrEnum)} <= TEXTS.keys()

    assert found == FIELDS.keys()


def rows(heading: tuple[str, str], table: dict[str, str]) -> list[str]:
    return [
        f"| {' | '.join(heading)} |",
        "|---|---|",
        *(f"| {a} | {b} |" for a, b in table.items()),
    ]


def named(texts: Any) -> str:
    return ", ".join(f"`{text}`" for text in texts) or "(nothing)"


def written() -> str:
    bodies = {f"`{kind}`": named(FIELDS[event].values()) for kind, event in KINDS.items()}
    values = {
        cls.__name__: named(fields.values())
        for cls, fields in FIELDS.items()
        if cls not in KINDS.values()
    }
    enums = {enum.__name__: named(given.values()) for enum, given in TEXTS.items()}
    lines = [
        *(*rows(("kind", "its body"), bodies), ""),
        *(*rows(("value", "its keys"), values), ""),
        *rows(("enum", "its texts"), enums),
    ]
    return "\n".join(lines)


def test_the_document_says_what_the_tables_say():
    assert written() in DOCUMENT.read_text(), f"docs/journal.md has to hold:\n{written()}"
