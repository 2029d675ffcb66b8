"""Reads single words of the command line. Each raises ``ValueError`` saying the form it wants."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from bot4.config.options import Since
from bot4.invocation import given_path

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_S: Final = 366 * 86_400
LEAST_DAYS: Final = 2
"""The day's losses are added up from the journal, so today and yesterday stay in it."""
SEED_LIMIT: Final = 2**31


def read_duration(text: str) -> float:
    """Return the seconds of ``60s``, ``5m`` or ``1h``. Raises ``ValueError`` saying the form."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd])", text, re.ASCII)
    seconds = float(match[1]) * UNITS_S[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST_S:
        raise ValueError("must be a time like 60s, 5m or 1h")
    return seconds


def read_path(text: str) -> Path:
    """Return a file or folder, as seen from the folder of the person's shell."""
    if not text or "\0" in text:
        raise ValueError("must be the name of a file or folder")
    try:
        # As in --config=~/x, where the shell leaves it to us.
        return given_path(str(Path(text).expanduser()))
    except RuntimeError:
        raise ValueError("begins with ~ and there is no such home: write the whole path") from None


def read_seed(text: str) -> int:
    """Return a seed."""
    if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or int(text) >= SEED_LIMIT:
        raise ValueError("must be a whole number like 1")
    return int(text)


def read_positive(text: str) -> Decimal:
    """Return a number above 0."""
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text, re.ASCII) or not Decimal(text):
        raise ValueError("must be a number above 0")
    return Decimal(text)


def one_of(*words: str) -> Callable[[str], str]:
    """Return a reader that knows these words only."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text

    return read


def read_name(text: str) -> str:
    """Return the name of a pair."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", text, re.ASCII):
        raise ValueError("must be the name of a pair, like BTC")
    return text


def read_since(text: str) -> Since:
    """Return from when on: a time ago, or a day."""
    try:
        return Since(ago_s=read_duration(text))
    except ValueError:
        pass
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("must be a time ago like 12h or 7d, or a day like 2026-11-25") from None
    return Since(day_ms=int(day.timestamp()) * 1000)


def read_days(text: str) -> int:
    """Return a number of days."""
    if not re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) or int(text) < LEAST_DAYS:
        raise ValueError(f"must be a whole number of days, {LEAST_DAYS} or more")
    return int(text)


def read_variable(text: str) -> str:
    """Return the name of a variable."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", text, re.ASCII):
        raise ValueError("must be the name of a variable, never the key itself")
    return text
