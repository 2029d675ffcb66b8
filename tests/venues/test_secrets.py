"""A venue that repeats a key of ours: what we keep of its words does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot4.errors import VenueError
from bot4.logs.redact import REDACTOR, register_token
from bot4.secret import MASK
from bot4.venues.paradex import messages as paradex
from bot4.venues.vest import messages as vest

KEY = "vest-session-key-4f3edf983ac636a6"
PADDING = "x" * 110
"""So that the key lies across the place where long words are cut."""


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    register_token(KEY)
    yield
    REDACTOR.clear()


BODIES: dict[str, tuple[Any, Any]] = {
    "vest msg": (vest, {"code": 1001, "msg": f"bad key {KEY}"}),
    "vest detail": (vest, {"detail": {"code": 1001, "msg": f"bad key {KEY}"}}),
    "vest text": (vest, {"detail": f"no account for {KEY}"}),
    "vest cut": (vest, {"detail": f"{PADDING}{KEY}"}),
    "paradex message": (paradex, {"error": "NO", "message": f"bad key {KEY}"}),
    "paradex error": (paradex, {"error": f"NO_{KEY}", "message": "no"}),
    "paradex cut": (paradex, {"error": "NO", "message": f"{PADDING}{KEY}"}),
}


@pytest.mark.parametrize(("venue", "body"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_that_repeats_a_key_is_kept_without_it(
    answer: Callable[..., Any], venue: Any, body: Any, status: int
):
    with pytest.raises(VenueError) as caught:
        venue.read_answer(answer(body, status), "account", lambda value: value)

    assert KEY[:12] not in caught.value.why
    assert KEY[-12:] not in caught.value.why


def test_a_cancel_reason_that_repeats_a_key_is_kept_without_it():
    row = {
        "id": "1", "client_id": "b4-1", "market": "BTC-USD-PERP", "side": "BUY", "type": "LIMIT",
        "price": "1", "size": "1", "remaining_size": "1", "status": "CLOSED",
        "avg_fill_price": "", "created_at": 1, "last_updated_at": 1, "published_at": 1,
        "cancel_reason": f"KEY_{KEY}", "flags": [], "seq_no": 1,
    }  # fmt: skip

    report = paradex.read_order(row)

    assert KEY not in report.reason
    assert MASK in report.reason
    assert KEY not in json.dumps(str(report))
