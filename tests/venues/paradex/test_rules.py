"""What Paradex's codes and cancel reasons allow."""

from __future__ import annotations

import attrs
import pytest

from bot4.domain.order import Purpose
from bot4.ports import Pool, Retry
from bot4.venues.paradex import rules


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("INVALID_TIMESTAMP", Retry.RESIGN),
        ("INVALID_TOKEN", Retry.RESIGN),
        ("SYSTEM_STATUS_CANCEL_ONLY", Retry.SHUT),
        ("429", Retry.WAIT),
        ("NOT_ENOUGH_MARGIN", Retry.NEVER),
        ("SELF_TRADE", Retry.NEVER),
        ("VALIDATION_ERROR", Retry.NEVER),
        ("", Retry.REQUOTE),
        ("SOME_NEW_REASON", Retry.REQUOTE),
    ],
)
def test_a_reason_says_what_may_be_tried_next(reason, expected):
    assert rules.retry(reason) is expected


OUT_OF_THE_DOCUMENTS = {
    "BAD_STARKNET_REQUEST",
    "INVALID_PRICE_PRECISION",
    "INVALID_SIGNATURE_EXPIRATION",
}
"""Codes that other clients still know."""
NOT_PROOF = {
    "BATCH_SIZE_OUT_OF_RANGE",
    "CLIENT_ORDER_ID_NOT_FOUND",
    "DUPLICATED_CLIENT_ID",
    "INTERNAL_ERROR",
    "NOT_FOUND",
    "NOT_UNIQUE",
    "ORDER_ID_NOT_FOUND",
    "ORDER_IS_CLOSED",
    "ORDER_IS_NOT_OPEN",
    "SERVICE_UNAVAILABLE",
}
"""Of orders, and yet no proof that nothing of this one will fill."""


def test_every_documented_code_is_proof_or_is_asked_about(error_codes):
    definite = {code for code in error_codes if rules.is_definite(400, code)}

    assert len(error_codes) > 100
    assert len(definite) == 28
    assert not definite & NOT_PROOF
    assert set(error_codes) >= NOT_PROOF | set(rules.CREDENTIALS_REFUSED) | set(rules.ENDED)
    for code in (*definite, *OUT_OF_THE_DOCUMENTS):
        assert rules.is_definite(400, code)
        assert not rules.is_definite(503, code)
        assert rules.retry(code) is not Retry.REQUOTE


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, ""), (429, ""), (400, "INVALID_ORDER_SIZE"), (403, "GEO_IP_BLOCK")],
)
def test_a_listed_refusal_is_definite(status, code):
    assert rules.is_definite(status, code)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "DUPLICATED_CLIENT_ID"),
        (400, "NOT_UNIQUE"),
        (400, "SOMETHING_NEW"),
        (400, ""),
        (500, "VALIDATION_ERROR"),
        (503, ""),
        (302, "VALIDATION_ERROR"),
    ],
)
def test_whatever_else_proves_nothing(status, code):
    assert not rules.is_definite(status, code)


def test_orders_that_reduce_go_first(paradex_order):
    assert rules.order_pool(paradex_order) is Pool.ORDER
    assert rules.order_pool(attrs.evolve(paradex_order, reduce_only=True)) is Pool.SAFETY


@pytest.mark.parametrize("purpose", Purpose)
def test_only_planned_orders_may_wait_the_retail_bump(paradex_order, purpose):
    urgent = rules.is_urgent(attrs.evolve(paradex_order, purpose=purpose))

    assert urgent == (purpose not in {Purpose.ENTER, Purpose.EXIT})


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("maintenance", "maintenance"),
        ("cancel_only", "only takes cancels"),
        ("post_only", "only takes orders that rest"),
        ("asleep", "does not know"),
        ("", "does not know"),
    ],
)
def test_every_state_but_ok_says_why_nothing_opens(status: str, words: str):
    assert rules.why_shut("ok") == ""
    assert words in rules.why_shut(status)
