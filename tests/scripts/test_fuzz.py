"""The mutator: repeatable, it finds what is planted, and it finds nothing in the readers."""

from __future__ import annotations

from random import Random

import pytest
from fuzzlib import __main__ as fuzz
from fuzzlib.targets import Broken, Readers

from bot4.domain.book import BookUpdate

CASES = 6_000


def test_nothing_but_the_expected_comes_out_of_any_reader():
    figures = fuzz.run(3, range(CASES))

    assert figures.faults == []
    assert figures.cases == CASES
    assert figures.passed > CASES / 10  # not everything is noise
    assert figures.refused > CASES / 10  # and not everything is well-formed
    assert set(figures.by_kind) == {
        f"{venue} {kind}" for venue in ("paradex", "vest") for kind in ("frame", "answer")
    }


def test_a_case_is_the_same_whenever_it_is_drawn():
    shelves = fuzz.shelved()

    once = [fuzz.draw(5, number, shelves, Random()) for number in range(300)]
    again = [fuzz.draw(5, number, shelves, Random(9)) for number in reversed(range(300))]

    assert once == again[::-1]
    assert len({case.data for case in once}) > 200


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(), Broken("odd")])
def test_a_reader_that_raises_something_else_is_found(monkeypatch, error):
    def read(*_: object) -> int:
        raise error

    monkeypatch.setattr(Readers, "read", read)

    [fault] = fuzz.run(1, range(1)).faults

    assert type(error).__name__ in fault


@pytest.mark.parametrize(
    "update",
    [
        BookUpdate("BTC-PERP", snapshot=True, bids=[(-1, 1)], asks=[]),
        BookUpdate("BTC-PERP", snapshot=True, bids=[(0, 1)], asks=[]),
        BookUpdate("BTC-PERP", snapshot=False, bids=[(1, -1)], asks=[]),
        BookUpdate("BTC-PERP", snapshot=True, bids=[(1.5, 1)], asks=[]),  # type: ignore[list-item]
    ],
)
def test_a_book_that_makes_no_sense_is_found(update):
    with pytest.raises(Broken):
        Readers()._judge("vest", update)
