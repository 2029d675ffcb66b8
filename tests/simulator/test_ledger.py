from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.simulator.ledger import Ledger
from bot4.simulator.options import Options
from bot4.simulator.orders import SimOrder

D = Decimal
MARKETS = Options().markets("vest")
BTC = "BTC-PERP"


def order(side, size):
    return SimOrder("1", "1", BTC, side, D(size), None, "MARKET", "FOK", False, 0, 0)


def trade(ledger, side, size, price, fee="0"):
    return ledger.fill(order(side, size), D(price), D(size), D(fee), fill_id="f", time_ms=1)


def test_the_entry_is_the_average_and_the_rest_is_profit():
    ledger = Ledger(MARKETS)
    trade(ledger, "buy", "1", "100")
    trade(ledger, "buy", "3", "200", fee="2")
    assert ledger.position(BTC).entry == 175

    trade(ledger, "sell", "2", "300")

    assert ledger.position(BTC).size == 2
    assert ledger.realized_pnl == 250
    assert ledger.collateral == D(10_000) - 2 + 250
    assert ledger.equity(lambda _: D(180)) == D(10_000) - 2 + 250 + 10


def test_a_trade_through_zero_turns_the_position():
    ledger = Ledger(MARKETS)
    trade(ledger, "sell", "1", "100")

    trade(ledger, "buy", "3", "90")

    assert (ledger.position(BTC).size, ledger.position(BTC).entry) == (2, 90)
    assert ledger.realized_pnl == 10


def test_a_flat_position_is_gone():
    ledger = Ledger(MARKETS)
    trade(ledger, "sell", "1", "100")
    trade(ledger, "buy", "1", "100")

    assert ledger.positions == {}
    assert ledger.reducible(BTC, "buy") == 0


def test_only_the_other_side_reduces():
    ledger = Ledger(MARKETS)
    trade(ledger, "buy", "2", "100")

    assert ledger.reducible(BTC, "sell") == 2
    assert ledger.reducible(BTC, "buy") == 0


def test_margin_follows_leverage_and_never_stops_a_reduction():
    ledger = Ledger(MARKETS, collateral=D(1000))
    ledger.leverage[BTC] = 5

    def mark(_):
        return D(1000)

    assert ledger.affords(BTC, "buy", D("4.9"), D(1000), mark)
    assert not ledger.affords(BTC, "buy", D("5.1"), D(1000), mark)
    trade(ledger, "buy", "4.9", "1000")
    assert ledger.initial_margin(mark) == 980
    assert ledger.maintenance_margin(mark) == D("4.9") * 1000 * D("0.02")
    assert not ledger.affords(BTC, "buy", D(1), D(1000), mark)
    assert ledger.affords(BTC, "sell", D("4.9"), D(1), mark)


@pytest.mark.parametrize(("side", "sign"), [("buy", -1), ("sell", 1)])
def test_longs_pay_a_growing_index(side, sign):
    ledger = Ledger(MARKETS)
    ledger.funding_index[BTC] = D(5)
    trade(ledger, side, "2", "100")
    ledger.funding_index[BTC] = D(8)

    assert ledger.unsettled_funding(BTC) == sign * 6
    assert ledger.settle_funding(BTC) == sign * 6
    assert ledger.collateral == D(10_000) + sign * 6
    assert ledger.unsettled_funding(BTC) == 0


sizes = st.decimals("0.001", "5", places=3)
prices = st.decimals("1", "1000", places=2)


@given(st.lists(st.tuples(st.sampled_from(["buy", "sell"]), sizes, prices), max_size=12), prices)
def test_equity_is_cash_plus_what_is_held(trades, last):
    ledger, cash, held = Ledger(MARKETS), D(10_000), D(0)
    for side, size, price in trades:
        trade(ledger, side, size, price)
        signed = size if side == "buy" else -size
        cash -= signed * price
        held += signed

    assert abs(ledger.equity(lambda _: last) - (cash + held * last)) < D("1e-15")
    assert ledger.position(BTC).size == held


@given(st.lists(st.tuples(st.sampled_from(["buy", "sell"]), sizes, prices), max_size=6))
def test_a_ledger_survives_saving(trades):
    ledger = Ledger(MARKETS)
    ledger.leverage[BTC] = 7
    for side, size, price in trades:
        trade(ledger, side, size, price, fee="0.5")

    again = Ledger(MARKETS)
    again.load(ledger.dump())
    again.fills.extend(ledger.fills)

    assert again == ledger
