"""How near a leg is to liquidation, what to close of it, and how the money should lie."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from bot4.domain.market import MarketKey
from bot4.domain.position import Position
from bot4.strategy.margin import distance, half, lopsided
from bot4.strategy.view import Holding

D = Decimal
KEY = MarketKey("vest", "BTC-PERP")


@pytest.mark.parametrize(
    ("size", "liquidation", "far"),
    [
        ("1", "90", "0.1"),
        ("-1", "110", "0.1"),
        ("1", "101", "0"),  # beyond it already
        ("-1", "95", "0"),
        ("1", None, None),
        ("0", "90", None),
    ],
)
def test_the_distance_is_what_the_price_may_still_go_against_it(
    size: str, liquidation: str | None, far: str | None
):
    held = Position(KEY, D(size), D(100), None if liquidation is None else D(liquidation))

    assert distance(held, D(100)) == (None if far is None else D(far))


@pytest.mark.parametrize(
    ("size", "part"),
    [
        ("0.0040", "0.0020"),
        ("0.0041", "0.0020"),  # floored to the lot
        ("0.0001", "0.0001"),  # half would be below the smallest order
    ],
)
def test_half_is_closed_or_all_of_what_is_small(make: Any, size: str, part: str):
    held = Holding("vest", D(size), D(size), D("0.002"), 60.0)
    closed = half(held, make.view("99990", "100000").pair, D(100_000))

    assert (closed.vest_size, closed.paradex_size) == (D(part), D(part))
    assert attrs.evolve(closed, vest_size=D(size), paradex_size=D(size)) == held


def test_money_that_lies_on_one_side_is_told_with_what_to_move():
    assert lopsided({"vest": D(350), "paradex": D(650)}, D("0.35")) is None
    assert lopsided({"vest": D(0), "paradex": D(0)}, D("0.35")) is None

    uneven = lopsided({"vest": D(900), "paradex": D(300)}, D("0.35"))
    assert uneven == ("paradex holds 25% of 1200 USDC", "move 300 USDC from vest to paradex")
