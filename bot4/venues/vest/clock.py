"""Vest's clock: the ``time`` of an account, held against the Date header of the same answer.

What ``time`` means is documented nowhere. Where it is another than the header's by seconds, the
header is gone by, so that what is open can still be closed, and nothing may be opened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import attrs

from bot4.domain.position import Account
from bot4.ports import Answer
from bot4.venues.reading import Unreadable
from bot4.venues.vest.messages import read_http_date

HALF_SECOND_MS: Final = 500
"""A Date counts whole seconds: the middle of its second is the best guess."""
MOST_APART_MS: Final = 3000
"""Beyond the header's own second. Source: ours; servers of one venue agree within far less."""


def date_ms(answer: Answer) -> int | None:
    """Return what the Date header says; None where there is none that can be read."""
    try:
        return read_http_date(answer.headers.get("date", "")) + HALF_SECOND_MS
    except Unreadable:
        return None


def agree(told_ms: int, header_ms: int) -> bool:
    """Whether both may be the same clock."""
    return abs(told_ms - header_ms) - HALF_SECOND_MS <= MOST_APART_MS


def clock_of(told_ms: int, answer: Answer) -> int:
    """Return the venue's time: the account's where the header does not say otherwise."""
    header_ms = date_ms(answer)
    return told_ms if header_ms is None or agree(told_ms, header_ms) else header_ms


def judged(account: Account, answer: Answer) -> Account:
    """Return the account with its trouble, where it has another time than the header."""
    told_ms, header_ms = account.venue_time_ms, date_ms(answer)
    if told_ms is None or header_ms is None or agree(told_ms, header_ms):
        return account
    words = f"its account says it is {_text(told_ms)}, its Date header {_text(header_ms)}"
    return attrs.evolve(account, trouble=f"{words}: which is its clock is not known")


def _text(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"
