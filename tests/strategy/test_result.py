"""What a trade earned, from its fills."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, VENUES, VEST
from bot4.domain.order import Side
from bot4.strategy.result import naked_usd_s, trade_result

D = Decimal
NUMBERS = count()


def fill(venue: str, side: Side, size: str, price: str, fee: str = "0") -> Fill:
    return Fill(venue, f"f{next(NUMBERS)}", "c", "v", "BTC", side, D(price), D(size), D(fee))


def round_trip():
    opening = [
        fill(VEST, Side.BUY, "1", "100", "0.01"),
        fill(PARADEX, Side.SELL, "0.5", "100.2", "0.01"),
        fill(PARADEX, Side.SELL, "0.5", "100.4", "0.01"),
    ]
    closing = [
        fill(VEST, Side.SELL, "1", "101", "0.02"),
        fill(PARADEX, Side.BUY, "1", "101.1", "0.02"),
    ]
    return opening, closing


def test_a_round_trip_adds_up() -> None:
    opening, closing = round_trip()

    result = trade_result(
        VEST, opening, closing, D(1), D(1), seen_entry=D("0.0035"), seen_exit=D("-0.001")
    )

    assert result.matched == 1
    assert result.entry_spread == D("0.003")
    assert result.entry_slippage_bps == 5
    assert result.exit_spread == D(101) / D("101.1") - 1
    assert result.exit_slippage_bps is not None
    assert result.exit_slippage_bps < 0
    assert result.gross == D("0.2")
    assert result.fees == D("0.07")
    assert result.net == D("0.13")
    assert result.left == {VEST: 0, PARADEX: 0}


def test_paradex_is_paid_in_usdc_at_each_times_own_rate() -> None:
    """q (P1 / U1 - P0 / U0), with the sign of a short."""
    opening, closing = round_trip()

    result = trade_result(VEST, opening, closing, D("1.001"), D("0.999"))

    paradex = -(D("101.1") / D("0.999") - D("100.3") / D("1.001"))
    assert abs(result.gross - (1 + paradex)) < D("1e-24")
    assert result.entry_spread is not None
    assert abs(result.entry_spread - (D("100.3") / D("1.001") / 100 - 1)) < D("1e-24")
    assert result.entry_slippage_bps is None


@pytest.mark.parametrize(
    ("funding", "net"), [(D("0.25"), "1.05"), (D("-1"), "-0.2"), (None, "0.8")]
)
def test_funding_counts_where_it_is_known(funding: Decimal | None, net: str) -> None:
    opening = [fill(VEST, Side.BUY, "1", "100", "0.2"), fill(PARADEX, Side.SELL, "1", "101")]
    closing = [fill(VEST, Side.SELL, "1", "100"), fill(PARADEX, Side.BUY, "1", "100")]

    result = trade_result(VEST, opening, closing, D(1), D(1), funding=funding)

    assert (result.funding, result.net) == (funding, D(net))


def test_an_unwound_leg_costs_what_it_lost() -> None:
    opening = [fill(VEST, Side.BUY, "2", "100")]
    closing = [fill(VEST, Side.SELL, "2", "99")]

    result = trade_result(VEST, opening, closing, D(1), D(1))

    assert result.gross == -2
    assert result.matched == 0
    assert result.entry_spread is None
    assert result.exit_spread is None


def test_what_stays_open_is_told_with_its_sign() -> None:
    opening = [fill(VEST, Side.SELL, "1", "100"), fill(PARADEX, Side.BUY, "1", "99")]
    closing = [fill(VEST, Side.BUY, "0.9", "100")]

    result = trade_result(PARADEX, opening, closing, D(1), D(1))

    assert result.left == {VEST: D("-0.1"), PARADEX: D(1)}
    assert result.gross == 0


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(900, 1100)), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(1, 50), st.integers(900, 1100)), min_size=1, max_size=8),
    st.sampled_from(VENUES),
)
def test_gross_is_the_cash_that_moved_when_nothing_is_left(first, second, long: str) -> None:
    """Both venues trade the same sizes in and out, in any number of fills."""
    size = sum(one for one, _ in first)
    opening = [fill(long, Side.BUY, str(q), str(p)) for q, p in first]
    closing = [fill(long, Side.SELL, str(size), str(second[0][1]))]

    result = trade_result(long, opening, closing, D(1), D(1))

    cash = size * second[0][1] - sum(q * p for q, p in first)
    assert abs(result.gross - cash) < D("1e-20")
    assert result.left[long] == 0


def test_naked_exposure_is_size_times_price_times_time() -> None:
    samples = [
        (10.0, D("0.003"), D(100_000)),
        (10.5, D(0), D(100_000)),
        (20.0, D("-0.001"), D(100_000)),
    ]

    usd_s, seconds = naked_usd_s(samples, 21.0)

    assert usd_s == 300 * D("0.5") + 100
    assert seconds == 1.5
    assert naked_usd_s([], 21.0) == (0, 0.0)
