"""Tokens: ES256, five minutes, forged ones refused."""

from __future__ import annotations

import base64
import json

import pytest

from bot4.simulator.paradex.refusal import Refused
from bot4.simulator.paradex.tokens import Tokens


class Wall:
    """A wall clock the test turns."""

    def __init__(self) -> None:
        self.now_ms = 1_770_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def part(token: str, index: int) -> dict:
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_a_token_has_the_shape_of_the_real_ones():
    token = Tokens(Wall(), 99).issue("0xabc")

    assert part(token, 0) == {"alg": "ES256", "typ": "at+JWT"}
    claims = part(token, 1)
    assert claims["sub"] == "0xabc"
    assert claims["exp"] - claims["iat"] == 300


def test_a_token_says_its_account_and_class_until_it_expires():
    wall = Wall()
    tokens = Tokens(wall, 99, life_s=10)
    token = tokens.issue("0xabc", interactive=True)

    wall.now_ms += 9_999
    assert tokens.read(token).interactive
    wall.now_ms += 1
    with pytest.raises(Refused, match="401 INVALID_TOKEN"):
        tokens.read(token)


def test_a_token_of_another_issuer_or_with_other_claims_is_refused():
    tokens = Tokens(Wall(), 99)
    head, claims, tail = tokens.issue("0xabc").split(".")
    more = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"exp": 2_000_000_000}
    forged = base64.urlsafe_b64encode(json.dumps(more).encode()).decode().rstrip("=")

    for text in (Tokens(Wall(), 98).issue("0xabc"), f"{head}.{forged}.{tail}", "a.b.c", "", "x"):
        with pytest.raises(Refused, match="401 INVALID_TOKEN"):
            tokens.read(text)


def test_expiring_all_spares_tokens_issued_later():
    tokens = Tokens(Wall(), 99)
    old = tokens.issue("0xabc")
    tokens.expire_all()

    with pytest.raises(Refused):
        tokens.read(old)
    assert tokens.read(tokens.issue("0xabc")).account == "0xabc"
