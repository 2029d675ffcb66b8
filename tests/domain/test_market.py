"""Which markets hedge each other: by what the venues say of them."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from bot4.domain.market import Market, MarketKey, couples, mismatch

ONE = Decimal(1)


def market(venue: str, symbol: str, base: str, quote: str, **changes: object) -> Market:
    made = Market(MarketKey(venue, symbol), base, ONE, ONE, ONE, ONE, ONE, ONE, quote=quote)
    return attrs.evolve(made, **changes)


BTC = market("vest", "BTC-PERP", "BTC", "USDC")
BTC_USD = market("paradex", "BTC-USD-PERP", "BTC", "USD")


def test_the_same_coin_in_dollars_is_a_hedge_whatever_it_is_called():
    odd = market("paradex", "XBT.P", "BTC", "USD")

    assert mismatch(BTC, BTC_USD) == mismatch(BTC, odd) == ""
    assert mismatch(attrs.evolve(BTC, quote=""), attrs.evolve(BTC_USD, quote="")) == ""


@pytest.mark.parametrize(
    ("vest", "paradex", "why"),
    [
        (BTC, market("paradex", "BTC-USD-PERP", "WBTC", "USD"), "BTC and paradex:BTC-USD-PERP is"),
        (market("vest", "kBONK-PERP", "kBONK", "USDC"), attrs.evolve(BTC_USD, base="BONK"), "kBO"),
        (attrs.evolve(BTC, quote="EUR"), BTC_USD, "vest:BTC-PERP is quoted in EUR"),
        (BTC, attrs.evolve(BTC_USD, quote="EUR"), "paradex:BTC-USD-PERP is quoted in EUR"),
    ],
)
def test_another_coin_unit_or_currency_is_none(vest: Market, paradex: Market, why: str):
    assert why in mismatch(vest, paradex)


def test_every_couple_that_trades_on_both_is_found():
    vest = [
        market("vest", "SOL-PERP", "SOL", "USDC"),
        BTC,
        market("vest", "AAPL-USD-PERP", "AAPL", "USDC", trading=False),
    ]
    paradex = [
        BTC_USD,
        market("paradex", "AAPL-USD-PERP", "AAPL", "USD"),
        market("paradex", "SOL-USD-PERP", "SOL", "USD"),
        market("paradex", "SOL-USD-20-C", "SOL", "USD", trading=False),
    ]

    found = [(one.key.symbol, two.key.symbol) for one, two in couples(vest, paradex)]

    assert found == [("SOL-PERP", "SOL-USD-PERP"), ("BTC-PERP", "BTC-USD-PERP")]
