"""No order is built on an old picture (invariant I7)."""

from __future__ import annotations

import msgspec
import pytest

from bot4.strategy.ages import stale
from bot4.strategy.hold import Reason
from bot4.strategy.rules import AgeRules


def judged(make, *, vest: float = 0.1, paradex: float = 0.1, heartbeat: float | None = 0.5):
    """Ages in seconds."""
    view = make.view("99990", "100000")
    return stale(
        100.0,
        msgspec.structs.replace(view.vest, received_at=100.0 - vest),
        msgspec.structs.replace(view.paradex, received_at=100.0 - paradex),
        None if heartbeat is None else 100.0 - heartbeat,
        AgeRules(),
    )


def test_a_fresh_picture_passes(make) -> None:
    assert judged(make) is None
    assert judged(make, vest=1.5, paradex=0.5, heartbeat=3.0) is None


@pytest.mark.parametrize(
    ("ages", "reason"),
    [
        ({"paradex": 1.01}, Reason.PARADEX_STALE),
        ({"vest": 3.01, "paradex": 1.0}, Reason.VEST_STALE),
        ({"vest": 2.0}, Reason.SKEW),
        ({"heartbeat": 3.01}, Reason.VEST_SILENT),
        ({"heartbeat": None}, Reason.VEST_SILENT),
    ],
)
def test_each_age_has_its_limit(make, ages, reason) -> None:
    held = judged(make, **ages)

    assert held is not None
    assert held.reason is reason


@pytest.mark.parametrize("missing", ["vest", "paradex"])
def test_a_missing_book_is_named(make, missing: str) -> None:
    view = make.view("99990", "100000")
    books = {"vest": view.vest, "paradex": view.paradex, missing: None}

    held = stale(100.0, books["vest"], books["paradex"], 99.9, AgeRules())

    assert held is not None
    assert held.reason is Reason.NO_BOOK
    assert missing in held.detail.lower()
