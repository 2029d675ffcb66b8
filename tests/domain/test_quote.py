"""USD per USDC and its gates."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.domain.market import PARADEX, VEST
from bot4.domain.quote import QuoteRate, drift_of

D = Decimal


def rate(low="1", middle="1", high="1", age_s=1.0, drift="0") -> QuoteRate:
    return QuoteRate(D(low), D(middle), D(high), age_s, D(drift))


@pytest.mark.parametrize(
    ("low", "middle", "high"),
    [
        ("1", "0.9", "1.1"),
        ("1", "1.2", "1.1"),
        ("0", "1", "1"),
        ("-1", "1", "1"),
        ("1", "1", "NaN"),
    ],
)
def test_bounds_out_of_order_are_refused(low: str, middle: str, high: str) -> None:
    with pytest.raises(ValueError, match="quote rate"):
        rate(low, middle, high)


def test_only_paradex_prices_are_converted() -> None:
    two = rate("2", "2", "2")

    assert two.price_in_usdc(PARADEX, D(10)) == 5
    assert two.price_in_usdc(VEST, D(10)) == 10
    assert two.to_usd(two.to_usdc(D(10))) == 10


def test_the_ratio_is_exact() -> None:
    odd = rate("0.1", "0.123456789123456789", "1")

    assert D(odd.ratio[0]) / odd.ratio[1] == D("0.123456789123456789")


@pytest.mark.parametrize(
    ("doubtful", "word"),
    [
        (rate(age_s=90.1), "old"),
        (rate(low="0.9949"), "peg"),
        (rate(high="1.0051"), "peg"),
        (rate(drift="0.00101"), "moved"),
    ],
)
def test_a_doubtful_rate_says_why(doubtful: QuoteRate, word: str) -> None:
    assert word in doubtful.trouble()


def test_a_rate_on_its_limits_is_fit() -> None:
    assert rate("0.995", "1", "1.005", 90.0, "0.001").trouble() == ""


def test_a_sure_rate_has_no_width() -> None:
    sure = rate("0.9", "1", "1.1", 7.0, "0.5").sure()

    assert (sure.low, sure.rate, sure.high) == (1, 1, 1)
    assert (sure.age_s, sure.drift) == (7.0, D("0.5"))


def test_drift_is_the_widest_move_of_five_minutes() -> None:
    samples = [(0.0, D(2)), (200.0, D("1.001")), (300.0, D(1)), (400.0, D("1.0005"))]

    assert drift_of(samples, 450.0) == D("0.001")
    assert drift_of(samples, 300.0) == 1
    assert drift_of([], 0.0) == 0
