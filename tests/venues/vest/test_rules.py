"""What Vest's codes allow."""

from __future__ import annotations

import attrs
import pytest

from bot4.config.schema import VestConfig
from bot4.domain.order import Purpose
from bot4.ports import Pool, Retry
from bot4.venues.vest import rules
from bot4.venues.vest.codes import CODES, Kind, kind_of

CONFIG = VestConfig()


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("3001 PRICE_CHECK_FAILED", Retry.REQUOTE),
        ("3011", Retry.REQUOTE),
        ("3003 PRICE_STALE", Retry.WAIT),
        ("429", Retry.WAIT),
        ("1132", Retry.RESIGN),
        ("1131 BAD_RECV_WINDOW", Retry.RESIGN),
        ("3002 MARGIN_CHECK_FAILED", Retry.NEVER),
        ("9999", Retry.NEVER),
        ("CANCELLED", Retry.REQUOTE),
    ],
)
def test_a_reason_says_what_may_be_tried_next(reason, expected):
    assert rules.retry(reason) is expected


@pytest.mark.parametrize("code", [1022, 1111, 1121, 1132, 1146, 3001, 3002, 3018, 3024])
def test_a_listed_refusal_is_definite(code):
    assert rules.is_definite(400, code, CONFIG)
    assert rules.is_definite(200, code, CONFIG)
    assert not rules.is_definite(500, code, CONFIG)


@pytest.mark.parametrize("code", [None, 1023, 3008, 3015, 3017, 1125, 7777])
def test_whatever_else_proves_nothing(code):
    assert not rules.is_definite(400, code, CONFIG)


DOCUMENTED = {
    "general": (1002, 1003, 1022, 1023, 1024, 1099),
    "bad request": (1111, 1116, 1121, 1125, *range(1130, 1134), *range(1143, 1149)),
    "order": (*range(3001, 3005), *range(3006, 3009), 3010, 3011, 3015, *range(3017, 3025)),
    "pool": (*range(4001, 4005), 4007, 4010, 4012),
    "transfer": (5002, 5009, 5010, 5013),
    "http": (429,),
}


def test_every_documented_code_has_a_name_and_a_kind():
    documented = [code for codes in DOCUMENTED.values() for code in codes]

    assert sorted(CODES) == sorted(documented)
    for code, (name, kind) in CODES.items():
        assert rules.reason(code) == f"{code} {name}"
        assert rules.retry(rules.reason(code)) is RETRIES[kind]


RETRIES = {
    Kind.TRANSIENT: Retry.WAIT,
    Kind.SHUT: Retry.SHUT,
    Kind.LIMIT: Retry.LIMIT,
    Kind.RESIGN: Retry.RESIGN,
    Kind.REQUOTE: Retry.REQUOTE,
    Kind.LOOK_UP: Retry.NEVER,
    Kind.STOP: Retry.NEVER,
}


@pytest.mark.parametrize("code", [*CODES, 1, 3005, 9999])
def test_a_code_proves_that_nothing_fills_only_when_it_speaks_of_this_order(code):
    known = code in DOCUMENTED["order"] + DOCUMENTED["general"] + DOCUMENTED["bad request"]
    elsewhere = code in (429, 1003, 1143, 1144, 1147, 3021)
    proves = known and not elsewhere and kind_of(code) is not Kind.LOOK_UP

    assert rules.is_definite(400, code, CONFIG) is proves
    assert rules.is_definite(200, code, CONFIG) is proves
    assert not rules.is_definite(503, code, CONFIG)


def test_a_code_that_nobody_documented_is_tried_no_more_and_proves_nothing():
    assert kind_of(9999) is Kind.STOP


@pytest.mark.parametrize(("status", "code"), [(429, None), (400, 429), (429, 1003), (200, 1003)])
def test_too_many_requests_is_in_doubt_unless_the_switch_says_otherwise(status, code):
    assert not rules.is_definite(status, code, CONFIG)
    assert rules.is_definite(status, code, VestConfig(too_many_is_definite=True))


def test_the_order_type_is_market_unless_the_switch_says_otherwise():
    assert rules.order_type(CONFIG) == ("MARKET", "")
    assert rules.order_type(VestConfig(order_type="LIMIT_FOK")) == ("LIMIT", "FOK")


def test_a_reason_names_its_code():
    assert rules.reason(3002) == "3002 MARGIN_CHECK_FAILED"
    assert rules.reason(9999) == "9999"


def test_orders_that_reduce_go_first(vest_order):
    assert rules.order_pool(vest_order) is Pool.ORDER
    assert rules.order_pool(attrs.evolve(vest_order, reduce_only=True)) is Pool.SAFETY
    assert rules.order_pool(attrs.evolve(vest_order, purpose=Purpose.UNWIND)) is Pool.SAFETY
