"""Keys and texts of rows: made from what a thing is called, so that writing it twice is one row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

NAMESPACE: Final = bytes.fromhex("6f0c1b4e9d3a4e54a7c21d8b5e60f4b4")
"""Ours, for ever: another one would write every row anew."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def key(*parts: object) -> str:
    """Return the name-based UUID (version 5, RFC 9562) of a thing named by these parts."""
    # The lengths keep two neighbouring parts from being shifted into each other.
    name = "".join(f"{len(text)}:{text}" for text in map(str, parts))
    raw = bytearray(hashlib.sha1(NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def account_key(mode: str, identity: Mapping[str, str]) -> str:
    """Return the key of the account: mode, and the public name at each venue."""
    names = [part for venue, name in sorted(identity.items()) for part in (venue, name)]
    return key("account", mode, *names)


def time_text(ms: int | None) -> str | None:
    """Return a time as PostgreSQL reads it, exact to the millisecond; None stays None."""
    return None if ms is None else (_EPOCH + timedelta(milliseconds=ms)).isoformat()


def number_text(number: Decimal | None) -> str | None:
    """Return a number as text, every digit of it, without exponent; None stays None."""
    return None if number is None else f"{number:f}"


def storable(text: str) -> str:
    """Without what PostgreSQL cannot hold in a text."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode()
