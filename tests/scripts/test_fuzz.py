"""The mutator: repeatable, it finds what is planted, and it finds nothing in the readers."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from conformancelib.environments import NotInstallable
from fuzzlib import __main__ as fuzz
from fuzzlib import guided
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


class Done:
    returncode = 0
    stdout = ""
    stderr = "#2 INITED cov: 10\n#9 DONE cov: 25\nstat::number_of_executed_units: 900\n"


@pytest.fixture
def atheris(monkeypatch):
    """What the process of atheris ends with; nothing is installed and nothing runs."""
    done = Done()
    monkeypatch.setattr(guided, "environment", lambda *_: Path("python"))
    monkeypatch.setattr(guided.subprocess, "run", lambda *_, **__: done)
    return done


def test_what_atheris_did_is_the_last_line(atheris, capsys):
    assert guided.guide(5) == 0
    assert capsys.readouterr().out == (
        "fuzz: 900 cases of atheris in 5 s, 25 branches reached (at first 10); 0 faults\n"
    )


@pytest.mark.parametrize(
    ("code", "said", "shown"),
    [
        (77, "=== Uncaught Python exception: ===\nKeyError: 'x'\n", "FAULT  KeyError: 'x'"),
        (1, "ModuleNotFoundError: no msgspec\n", "FAULT  ModuleNotFoundError: no msgspec"),
        (0, "", "FAULT  it said nothing"),
    ],
)
def test_a_fault_that_atheris_found_is_named(atheris, capsys, code, said, shown):
    atheris.returncode, atheris.stderr = code, Done.stderr * (code == 77)
    atheris.stdout = said

    assert guided.guide(5) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == shown
    assert lines[-1].endswith("faults")
    assert not lines[-1].endswith("0 faults")


def test_where_atheris_cannot_be_installed_that_is_said(monkeypatch, capsys):
    def fail(*_: object) -> Path:
        raise NotInstallable("no build")

    monkeypatch.setattr(guided, "environment", fail)

    assert guided.guide(5) == 0
    assert "SKIPPED: atheris is not installable on this Python: no build" in capsys.readouterr().out
