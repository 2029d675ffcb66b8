"""How one written value is judged: its form first, then its range. Nothing is guessed.

``1e5``, ``0o10``, ``1_000``, ``010``, ``1,5`` and ``NO`` mean different things to different
readers, so none of them is accepted: a number is digits with at most one point.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlsplit

import attrs

NUMBER: Final = re.compile(r"[+-]?(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?", re.ASCII)
WHOLE: Final = re.compile(r"[+-]?(0|[1-9][0-9]{0,18})", re.ASCII)


class Unfit(ValueError):
    """A value cannot be used. The text completes "is ..., ": ``must be a number like 0.20``."""


class Rule(Protocol):
    """What one setting accepts."""

    def read(self, text: str) -> object:
        """Return the value.

        Raises:
            Unfit: the text is not one, or the value is out of range.
        """


@attrs.frozen
class Number:
    """An exact decimal number within a range, both ends allowed."""

    low: Decimal = attrs.field(converter=Decimal)
    high: Decimal = attrs.field(converter=Decimal)
    unit: str
    """What is counted, as in "a percentage" or "an amount in USDC"."""
    example: str

    def read(self, text: str) -> Decimal:
        """Return the number, see ``Rule``."""
        if not NUMBER.fullmatch(text):
            raise Unfit(f"must be {self.unit} like {self.example}{_hint(text)}")
        value = Decimal(text)
        if not self.low <= value <= self.high:
            raise Unfit(f"must be {self.unit} from {self.low} to {self.high}")
        return value


@attrs.frozen
class Whole:
    """A whole number within a range, both ends allowed."""

    low: int
    high: int
    unit: str
    example: str

    def read(self, text: str) -> int:
        """Return the number, see ``Rule``."""
        if not WHOLE.fullmatch(text):
            raise Unfit(f"must be {self.unit} like {self.example}{_hint(text)}")
        value = int(text)
        if not self.low <= value <= self.high:
            raise Unfit(f"must be {self.unit} from {self.low} to {self.high}")
        return value


@attrs.frozen
class Choice:
    """One word of a closed list, kept as text or turned into an enum member."""

    words: Sequence[str]
    kind: type[StrEnum | str] = str

    def read(self, text: str) -> str:
        """Return the word, see ``Rule``."""
        if text not in self.words:
            raise Unfit(f"must be {' or '.join(self.words)}")
        return self.kind(text)


@attrs.frozen
class YesNo:
    """True or false, in these two words only."""

    def read(self, text: str) -> bool:
        """Return the truth value, see ``Rule``."""
        if text not in {"true", "false"}:
            raise Unfit("must be true or false")
        return text == "true"


@attrs.frozen
class Word:
    """A short text of a known form."""

    form: re.Pattern[str]
    what: str

    def read(self, text: str) -> str:
        """Return the text, see ``Rule``."""
        if not self.form.fullmatch(text):
            raise Unfit(f"must be {self.what}")
        return text


@attrs.frozen
class Url:
    """An encrypted address: nothing of ours travels in the clear, and no key stands in a file."""

    scheme: str

    def read(self, text: str) -> str:
        """Return the address without a trailing slash, see ``Rule``."""
        must = f"must be an encrypted address that begins with {self.scheme}://"
        if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
            raise Unfit(must)
        try:
            parts = urlsplit(text)
            # Reading the port judges it.
            good = parts.hostname is not None and (parts.port is None or parts.port > 0)
        except ValueError:
            raise Unfit(must) from None
        if parts.scheme != self.scheme or not good:
            raise Unfit(must)
        if "@" in parts.netloc or parts.fragment:
            raise Unfit("must be an address without user, password or #")
        return text.rstrip("/")


def _hint(text: str) -> str:
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        return ", with a point instead of the comma"
    if text.endswith("%"):
        return ", without the % sign"
    if "_" in text or re.fullmatch(r"[0-9][0-9 ']*[0-9]", text):
        return ", digits only"
    if re.fullmatch(r"[+-]?[0-9.]+[eE][+-]?[0-9]+", text):
        return ", written out"
    return ""
