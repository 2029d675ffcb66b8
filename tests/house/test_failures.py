"""The catalogue of failures is whole, names tests that exist, and its page is up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import attrs
import pytest
from failureslib.__main__ import source
from failureslib.catalogue import Failure, expected, faults, page, read


@pytest.fixture(scope="module")
def rows(root: Path) -> list[Failure]:
    return read((root / "tests/failures.yaml").read_text())


def test_every_failure_has_a_test_that_exists_or_a_reason(
    rows: list[Failure], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(faults(rows, source))


def test_the_page_is_up_to_date(rows: list[Failure], root: Path):
    assert (root / "docs/failures.md").read_text() == page(rows), "run scripts/failures"


def test_none_was_taken_out():
    assert len(expected()) == 192


def test_a_gap_a_made_up_test_and_a_row_without_proof_are_found(rows: list[Failure]):
    first = rows[0]
    for change, count in (
        ({"id": "MD99"}, 1),
        ({"title": ""}, 1),
        ({"tests": (), "waits": ""}, 1),
        ({"waits": "later"}, 1),
        ({"tests": ("tests/house/test_failures.py::test_of_a_dream",)}, 1),
        ({"tests": ("tests/no_such_file.py::test_a",)}, 1),
        ({"tests": ("scripts/failureslib/catalogue.py::read",)}, 1),
    ):
        assert len(list(faults([attrs.evolve(first, **change), *rows[1:]], source))) == count, (
            change
        )
    assert len(list(faults(rows[1:], source))) == 1
    with pytest.raises(ValueError, match="not a row"):
        read("- {id: MD01, title: x, test: y}")
