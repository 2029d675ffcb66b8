"""What makes a step pass or fail, and what counts as the documented shape."""

from __future__ import annotations

import pytest
from conformancelib.shapes import differences
from conformancelib.steps import Report

SHAPE = {
    "id": "int",
    "price": "decimal",
    "note": "text or null",
    "extra?": "bool",
    "rows": [["decimal"]],
}
GOOD = {"id": 1, "price": "-1.50", "note": None, "rows": [["1"], ["2"]]}


def said(capsys):
    [line] = capsys.readouterr().out.splitlines()
    return line


def test_the_documented_shape_has_no_differences():
    assert list(differences(SHAPE, GOOD)) == []
    assert list(differences(SHAPE, {**GOOD, "extra": True})) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": True}, ".id is True"),
        ({"id": "1"}, ".id is '1'"),
        ({"price": 1.5}, ".price is 1.5"),
        ({"price": "1e5"}, ".price"),
        ({"note": 7}, ".note"),
        ({"rows": []}, ".rows is no array"),
        ({"rows": [[1]]}, ".rows[0][0]"),
        ({"other": 1}, "undocumented other"),
    ],
)
def test_every_difference_is_named(change, word):
    [found] = differences(SHAPE, GOOD | change)

    assert word in found


def test_a_missing_field_and_a_wrong_count_are_named():
    assert list(differences({"a": "int"}, {})) == ["the message has no a"]
    assert list(differences(["int", "int"], [1, 2, 3])) == ["the message has 3 items, not 2"]


def test_a_step_passes_when_client_and_venue_agree(capsys):
    with Report("client").step("ticker") as check:
        check.same("bid", 83000.5, "83000.50")
        check.near("average", 0.1 + 0.2, "0.3")

    assert said(capsys).startswith("PASS  client  ticker: bid 83000.5; average")


def test_a_step_fails_when_they_differ_or_the_client_raises_or_nothing_was_compared(capsys):
    report = Report("client")
    with report.step("differs") as check:
        check.same("bid", "1", "2")
    assert said(capsys) == "FAIL  client  differs: bid: client 1, venue 2"

    with report.step("raises"):
        raise ValueError("no such\nmarket")
    assert said(capsys) == "FAIL  client  raises: ValueError: no such market"

    with report.step("idle"):
        pass
    assert said(capsys) == "FAIL  client  idle: compared nothing"
