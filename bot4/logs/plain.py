"""Turns whatever a caller hands to the log into plain values: text, numbers, lists, tables.

Nothing here raises, loops for ever or calls for more than a line's worth of text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from bot4.errors import leaves

DEPTH_LIMIT: Final = 6
ITEMS_LIMIT: Final = 100
DECIMALS: Final = 6
EXACT_LIMIT: Final = 2**53
"""A larger whole number is text: many readers of JSON keep only 53 bits."""
EXPONENT_LIMIT: Final = 40
LEAVES_LIMIT: Final = 5
ERROR_LIMIT: Final = 500


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value that JSON can hold, saying the same."""
    convert = CONVERSIONS.get(type(value))
    if convert is not None:
        return convert(value)
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, BaseException):
        return error_text(value)
    if isinstance(value, Mapping | list | tuple | AbstractSet):
        return _nested(value, depth)
    for kind in (str, bool, int, float, Decimal):
        if isinstance(value, kind):
            return CONVERSIONS[kind](value)
    return _described(value)


def error_text(error: BaseException) -> str:
    """Return what went wrong as one sentence, the errors of a group one after the other."""
    texts = []
    for number, leaf in enumerate(leaves(error)):
        if number == LEAVES_LIMIT:
            texts.append("and more")
            break
        text = " ".join(_described(leaf).split())
        name = type(leaf).__name__
        texts.append(f"{name}: {text[:ERROR_LIMIT]}" if text else name)
    return _text("; ".join(texts))


def _nested(value: Any, depth: int) -> Any:
    if depth >= DEPTH_LIMIT:
        return "(nested too deeply to show)"
    below = depth + 1
    if isinstance(value, Mapping):
        pairs = list(value.items())[:ITEMS_LIMIT]
        table = {_key(key): plain(item, below) for key, item in pairs}
        if len(value) > ITEMS_LIMIT:
            table["..."] = f"{len(value) - ITEMS_LIMIT} more"
        return table
    items = [plain(item, below) for item in list(value)[:ITEMS_LIMIT]]
    return [*items, f"... {len(value) - ITEMS_LIMIT} more"] if len(value) > ITEMS_LIMIT else items


def _key(key: Any) -> str:
    return _text(key) if isinstance(key, str) else str(plain(key, DEPTH_LIMIT))


def _text(value: str) -> str:
    if value.isascii() and "\x7f" not in value:
        return str(value)
    # A lone surrogate is not text to most readers: show it as an escape.
    valid = value.encode("utf-8", "backslashreplace").decode()
    return valid.replace("\x7f", "\\x7f")


def _whole(value: int) -> int | str:
    if -EXACT_LIMIT < value < EXACT_LIMIT:
        return int(value)
    return str(value) if value.bit_length() < 1024 else f"a number of {value.bit_length()} bits"


def _float(value: float) -> float | str:
    return round(value, DECIMALS) if math.isfinite(value) else str(value)


def _decimal(value: Decimal) -> str:
    # Written out, but not a million zeros of Decimal("1e999999").
    if value.is_finite() and abs(value.adjusted()) < EXPONENT_LIMIT:
        return f"{value:f}"
    return str(value)


def _described(value: Any) -> str:
    try:
        return _text(str(value))
    except Exception:  # noqa: BLE001  somebody's __str__ must not end a trade
        return f"(a {type(value).__name__} that cannot be shown)"


def _same(value: Any) -> Any:
    return value


def _bytes(value: bytes) -> str:
    # Never their content: a frame is not for people, and a raw key has no form to be found by.
    return f"{len(value)} bytes"


CONVERSIONS: Final[Mapping[type, Callable[[Any], Any]]] = {
    str: _text,
    int: _whole,
    bool: _same,
    type(None): _same,
    float: _float,
    Decimal: _decimal,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
}
