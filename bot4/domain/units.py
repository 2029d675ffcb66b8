"""Exact numbers: decimals, and integers of 1e-8 where speed matters.

Books hold prices and sizes as integers scaled by 1e8 ("e8"), exactly as Paradex sends them;
orders, fills and money are ``Decimal``. Nothing here is a float.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import lcm
from typing import Final

E8: Final = 10**8
_LONGEST_NUMBER: Final = 40
"""Characters; longer texts are refused before Decimal sees them."""
_LARGEST: Final = Decimal(10) ** 15

PERCENT: Final = Decimal("0.01")
BPS: Final = Decimal("0.0001")


def read_decimal(text: object) -> Decimal:
    """Read a plain finite decimal from a venue's text.

    Raises:
        ValueError: not a string, too long, not finite, or absurdly large.
    """
    if not isinstance(text, str) or len(text) > _LONGEST_NUMBER:
        msg = "not a short decimal text"
        raise ValueError(msg)
    try:
        number = Decimal(text)
    except ArithmeticError:
        msg = "not a decimal"
        raise ValueError(msg) from None
    if not number.is_finite() or abs(number) > _LARGEST or "_" in text:
        msg = "not a finite number in range"
        raise ValueError(msg)
    return number


def to_e8(number: Decimal) -> int:
    """Return the number as an integer of 1e-8.

    Raises:
        ValueError: it has more than eight decimal places.
    """
    scaled = number.scaleb(8)
    whole = int(scaled)
    if whole != scaled:
        msg = "more than eight decimal places"
        raise ValueError(msg)
    return whole


def from_e8(number: int) -> Decimal:
    """Return the decimal that an integer of 1e-8 stands for."""
    return Decimal(number).scaleb(-8)


def floor_step(number: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of ``step`` that is at most ``number``."""
    return (number / step).to_integral_value(ROUND_FLOOR) * step


def ceil_step(number: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of ``step`` that is at least ``number``."""
    return (number / step).to_integral_value(ROUND_CEILING) * step


def common_step(one: Decimal, other: Decimal) -> Decimal:
    """Return the smallest size that is a multiple of both steps (I/O free lcm).

    Raises:
        ValueError: a step is not positive or has more than eight places.
    """
    first, second = to_e8(one), to_e8(other)
    if first <= 0 or second <= 0:
        msg = "a step must be positive"
        raise ValueError(msg)
    return from_e8(lcm(first, second))


def plain(number: Decimal) -> str:
    """Return the number without exponent or trailing zeros, for logs and rows; 0 has no sign."""
    text = f"{number or abs(number):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(ratio: Decimal, places: int = 2) -> str:
    """Return a ratio as the owner writes it: ``0.0035`` is ``0.35%``."""
    return f"{ratio * 100:.{places}f}%"
