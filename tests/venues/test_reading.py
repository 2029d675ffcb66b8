"""What both codecs read with: bounded, exact, and silent about what it saw."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot4.venues import reading
from bot4.venues.reading import (
    FAULTS,
    Unreadable,
    as_row,
    as_rows,
    e8_column,
    level_texts,
    quick_e8_column,
    read_flag,
    read_json,
    read_maybe,
    read_number,
    read_positive,
    read_text,
    read_whole,
    slow_e8_column,
    token,
    violation,
    words,
)

EXAMPLES = settings.default.max_examples


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], []),
        (["78500.00", "0.0100"], [7850000000000, 1000000]),
        (["1", "0.00000001"], [100000000, 1]),
        (["90071992.54740992"], [9007199254740992]),
        (["123456789012345"], [12345678901234500000000]),
        (["0.0000", "-1.5"], [0, -150000000]),
        (["000001.5"], [150000000]),
    ],
)
def test_decimal_texts_become_exact_integers(texts, expected):
    assert list(e8_column(texts)) == expected
    assert slow_e8_column(texts) == expected


@pytest.mark.parametrize(
    "text",
    ["", "NaN", "Infinity", "1e400", "0.000000001", "1,2", "1]", '"1"', "x", "1_0", "9" * 30],
)
def test_what_is_no_decimal_of_eight_places_is_refused(text):
    with pytest.raises(Unreadable):
        e8_column(["1.0", text])


def test_a_text_holding_two_numbers_is_not_taken_for_two():
    assert quick_e8_column(["1e8,2", "3"]) is None


@given(st.lists(st.decimals(min_value=0, max_value=10**9, places=8), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_the_quick_way_and_the_exact_way_agree(numbers):
    texts = [f"{number:f}" for number in numbers]

    assert list(e8_column(texts)) == [int(number * 10**8) for number in numbers]


@given(st.text(alphabet="0123456789.-+eE ,[]naif", max_size=16))
@settings(max_examples=2 * EXAMPLES)
def test_the_quick_way_never_gives_another_number_than_the_exact_way(text):
    quick = quick_e8_column([text])

    if quick is not None:
        assert Decimal(text) * 10**8 == quick[0]


def test_fields_are_read_strictly():
    row = {"t": "x", "n": "1.5", "w": 7, "s": "8", "b": True, "e": "", "z": None, "f": 1.5}

    assert read_text(row, "t") == "x"
    assert read_text(row, "z", "none") == "none"
    assert read_number(row, "n") == Decimal("1.5")
    assert read_positive(row, "n") == Decimal("1.5")
    assert read_maybe(row, "e") is None
    assert read_maybe(row, "n") == Decimal("1.5")
    assert read_whole(row, "w") == 7
    assert read_whole(row, "s") == 8
    assert read_whole(row, "z", 3) == 3
    assert read_flag(row, "b") is True


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (read_text, 1),
        (read_text, None),
        (read_text, "x" * 5000),
        (read_number, 1.5),
        (read_number, "NaN"),
        (read_number, "1e-400"),
        (read_number, "0e-400"),
        (read_number, "0." + "0" * 22 + "1"),
        (read_maybe, "x"),
        (read_positive, "0"),
        (read_positive, "-1"),
        (read_whole, True),
        (read_whole, 1.0),
        (read_whole, "1.0"),
        (read_whole, "-5"),
        (read_whole, "9" * 30),
        (read_whole, 2**63),
        (read_whole, None),
        (read_flag, 1),
        (token, ""),
        (token, "a\r\nx-evil: 1"),
        (token, "a b"),
        (token, "a&b"),
        (token, "é"),
    ],
)
def test_a_field_of_another_kind_is_unreadable(read, value):
    with pytest.raises(Unreadable):
        read({"field": value}, "field")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", "[" * 100_000, '{"a":NaN}', "\ud800", b'{"a":1}x', " " * (2 << 20)],
)
def test_what_is_not_json_is_a_fault(data):
    with pytest.raises(FAULTS):
        read_json(data)


def test_containers_of_another_kind_are_unreadable():
    for wrong in (None, 1, [], "x"):
        with pytest.raises(Unreadable):
            as_row(wrong)
    for wrong in (None, {}, [1]):
        with pytest.raises(Unreadable):
            as_rows(wrong)


@pytest.mark.parametrize(
    "levels", [None, [["1"]], [["1", 2]], [[1, "2"]], ["12"], [["1", "1"]] * 2001]
)
def test_levels_of_another_shape_are_unreadable(levels):
    with pytest.raises(Unreadable):
        level_texts(levels)


def test_a_violation_does_not_repeat_what_was_received():
    secret = "0xdeadbeef"
    for fault in (ValueError(secret), KeyError(secret)):
        assert secret not in str(violation("vest", "stream", fault))
    assert str(violation("vest", "stream", Unreadable("too large"))) == "vest: stream: too large"


def test_a_venues_words_are_made_printable_and_short():
    assert words("bad\nprice\x1b[31m") == "bad price [31m"
    assert len(words("x" * 1000)) == 120
    assert words({"a": 1}) == ""


def test_the_limits_are_what_the_docs_say():
    assert reading.MAX_BYTES == 1024 * 1024
    assert reading.MAX_LEVELS == 2000
