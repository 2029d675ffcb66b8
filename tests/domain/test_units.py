"""Numbers as a person reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.domain.units import plain


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.00360000", "0.0036"),
        ("-1.50", "-1.5"),
        ("300", "300"),
        ("1E+3", "1000"),
        ("-0", "0"),
        ("-0.0000", "0"),
        ("-0.0000001", "-0.0000001"),
    ],
)
def test_a_number_is_written_out_and_nothing_has_no_sign(number: str, text: str):
    assert plain(Decimal(number)) == text
