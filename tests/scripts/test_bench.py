"""What scripts/bench makes of its samples."""

from __future__ import annotations

import pytest
from benchlib.figures import Figure, summary, timed
from benchlib.samples import busy_deltas, captured, captured_deltas, json_book, vest_frame
from benchlib.thinking import figures

from bot4.venues.paradex import sbe
from bot4.venues.paradex.json_book import quick_json_book
from bot4.venues.vest.depth import quick_depth


def test_median_and_p99_are_of_the_sorted_samples():
    figure = Figure("a", "us", [float(n) for n in range(999, -1, -1)])

    assert (figure.median, figure.p99, figure.verdict) == (500.0, 990.0, "")


@pytest.mark.parametrize(
    ("median", "verdict"), [(10, "ok"), (10.1, "over"), (20, "over"), (21, "MISSED")]
)
def test_a_figure_is_missed_beyond_twice_its_target(median, verdict):
    assert Figure("a", "us", [median], 10).verdict == verdict


def test_a_line_says_median_p99_target_and_ratio():
    line = Figure("frame -> book", "us", [5.0] * 99 + [9.0], 8, "captured").line()

    said = "frame -> book median 5 us p99 9 us target 8 us 0.62x ok (captured)"
    assert " ".join(line.split()) == said


def test_the_summary_names_what_was_missed_and_the_furthest():
    said = summary([Figure("a", "us", [1], 2), Figure("b", "ms", [9], 3), Figure("c", "us", [1])])

    assert said == (
        "3 figures: 1 of 2 targets met; 0 over by less than 2x; 1 missed (b); furthest: b 3.00x"
    )


def test_every_input_is_timed_but_those_that_warm_up():
    seen: list[int] = []

    figure = timed("a", "us", seen.append, range(1000))

    assert seen == list(range(1000))
    assert len(figure.samples) == 900


def test_the_frames_it_feeds_are_readable():
    assert len(sbe.read_book(captured()[0]).bids) == 115
    sequences = [sbe.read_book(frame.data).sequence for frame in captured_deltas(5)]
    assert sequences == list(range(sequences[0], sequences[0] + 5))
    assert len(sbe.read_book(next(busy_deltas(1, 10)).data).asks) == 10
    assert len(quick_depth(vest_frame()).bids) == 20
    assert len(quick_json_book(json_book("s", 1, 15)).asks) == 15


@pytest.mark.proof
def test_everything_it_thinks_about_can_be_measured():
    names = [figure.name for figure in figures(quick=True)]

    assert len(names) == len(set(names)) == 11


async def test_a_year_in_small_is_written_and_asked(tmp_path, monkeypatch):
    from benchlib import year

    monkeypatch.setattr(year, "QUICK", 60)
    monkeypatch.setattr(year, "ASKED", 1)
    found = [figure async for figure in year.figures(tmp_path, quick=True)]

    assert len(found) == 12
    assert {figure.note for figure in found if figure.name.startswith("trades, the last 20")} == {
        "20 lines, 60 trades"
    }
    assert all(
        figure.note == "1 lines, 60 trades" for figure in found if "positions" in figure.name
    )
