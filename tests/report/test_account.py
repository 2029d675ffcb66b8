from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.report.account import GROUPS, account_of, add_up, day_of, merged

D = Decimal
DAY_MS = 86_400_000


def test_an_account_is_read_to_the_last_digit(account):
    one = account(net_usdc="0.1234567890123456789")

    assert one.net == D("0.1234567890123456789")
    assert one.entry_percent == D("0.3145")
    assert one.exit_percent == D("-0.0210")
    assert one.exit_slippage_bps is None
    assert one.funding is None
    assert one.direction == "vest>paradex"
    assert one.closed_at.isoformat() == "2026-11-18T11:23:20.123000+00:00"
    assert one.day == "2026-11-18"


@pytest.mark.parametrize(
    "changes",
    [
        {"net_usdc": "much"},
        {"net_usdc": None},
        {"closed_ms": "soon"},
        {"entry_spread_percent": "x%"},
    ],
)
def test_what_is_no_account_is_refused_by_name(account, changes):
    with pytest.raises(ValueError, match="trade a-1 has no readable account"):
        account(**changes)


def test_an_account_without_a_line_is_refused():
    with pytest.raises(ValueError, match="pair"):
        account_of("a-1", {})
    with pytest.raises(ValueError, match="net_usdc"):
        day_of("a-1", {})


@pytest.mark.parametrize("by", GROUPS)
def test_totals_are_exact_however_they_are_grouped(day, by):
    days = [
        day("a-1", net_usdc="0.1", gross_usdc="0.4", fees_usdc="0.3"),
        day("a-2", net_usdc="0.2", pair="ETH", funding_usdc="0.05"),
        day("a-3", net_usdc="-0.3", long="paradex", short="vest", outcome="unwound"),
        day("a-4", net_usdc="0", outcome="missed", closed_ms=1_795_001_000_123 + DAY_MS),
    ]

    *groups, total = add_up(merged(days), by)

    assert total.name == "total"
    assert total.net == D("0.0")
    assert (total.trades, total.closed, total.won, total.missed) == (3, 2, 2, 1)
    assert total.funding == D("0.05")
    assert sum((one.net for one in groups), D(0)) == total.net
    assert sum(one.trades for one in groups) == 3
    assert len(groups) == 2


def test_no_trade_adds_up_to_nothing():
    (total,) = add_up([], "day")

    assert (total.name, total.trades, total.net) == ("total", 0, D(0))
