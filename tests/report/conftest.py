"""Accounts of trades, as the journal keeps them."""

from __future__ import annotations

import pytest

from bot4.report.account import account_of, day_of

BODY = {
    "pair": "BTC",
    "long": "vest",
    "short": "paradex",
    "outcome": "closed",
    "size": "0.0036",
    "entry_spread_percent": "0.3145%",
    "detected_spread_percent": "0.3174%",
    "target_percent": "0.2000%",
    "exit_spread_percent": "-0.0210%",
    "entry_slippage_bps": "0.29",
    "exit_slippage_bps": None,
    "gross_usdc": "0.88",
    "fees_usdc": "0.353096",
    "net_usdc": "0.526904",
    "mended": False,
    "naked_usd_s": "76.696",
    "naked_s": 0.256,
    "latency_ms": {"detected_to_sent_ms": 14.05},
    "closed_ms": 1_795_001_000_123,
}


@pytest.fixture
def account():
    """Make an account with something changed."""

    def make(trade_id="a-1", **changes):
        return account_of(trade_id, {**BODY, **changes})

    return make


@pytest.fixture
def day():
    """What an account with something changed adds to its day."""

    def make(trade_id="a-1", **changes):
        return day_of(trade_id, {**BODY, **changes})

    return make
