from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.logs.plain import plain
from bot4.logs.redact import register_secret
from bot4.logs.render import LINE_LIMIT, json_line, pretty_line

HEAD = {"ts": "2026-11-25T00:00:00.123Z", "level": "info", "event": "feed.ready", "message": "m"}

HOSTILE = [
    "line\nbreak\r\n",
    "\x1b[2J\x1b[31mred",
    "\x00\x07\x08\x7f\x85\x9b",
    "\u2028\u2029\u202e\u200b",
    "\ud800 alone",
    "é 日本 😀",
    '"quoted" \\back\\',
]


def event(**fields: Any) -> dict[str, Any]:
    return HEAD | {key: plain(value) for key, value in fields.items()}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_on_its_line(text: str):
    line = json_line(event(why=text, **{"key" + text: 1}))
    pretty = pretty_line(event(why=text, message=text), colours=False)

    assert line.isascii()
    assert line.decode().strip().isprintable()
    assert pretty.decode().rstrip("\n").isprintable()
    json.loads(line)


def test_ordinary_accents_are_readable_for_a_person_and_the_same_in_json():
    assert "é 日本".encode() in pretty_line(event(why="é 日本"), colours=False)
    assert json.loads(json_line(event(why="é 日本")))["why"] == "é 日本"


@pytest.mark.parametrize(
    "fields",
    [
        {"why": "x" * 1_000_000},
        {"why": "\x01" * 100_000},
        {"why": "é" * 100_000},
        {f"field{n}": "y" * 500 for n in range(500)},
        {"rows": [["z" * 200] * 90] * 90},
        {"message": "m" * 100_000, "do": "d" * 100_000},
        {"event": "e" * 100_000},
        {"k" * 100_000: 1},
    ],
)
def test_a_line_is_never_longer_than_its_limit(fields: dict[str, Any]):
    line, pretty = json_line(event(**fields)), pretty_line(event(**fields), colours=True)

    assert json.loads(line)["cut"] is True
    assert len(line) <= LINE_LIMIT
    assert len(pretty) <= LINE_LIMIT


def test_a_mask_outside_a_text_never_breaks_the_line():
    register_secret("1234567890123456")
    line = json_line(HEAD | {"number": 1234567890123456})

    assert json.loads(line)["message"] == "This line held a secret and was left out"


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.floats(), max_size=5))
def test_what_is_logged_can_be_read_back(fields: dict[str, Any]):
    table = {key: value for key, value in fields.items() if key not in HEAD}

    read = json.loads(json_line(event(table=table)))

    assert read["table"] == plain(table)
