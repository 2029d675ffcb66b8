"""What the venue says of its limits: remembered, shown, and room kept for closing."""

from __future__ import annotations

from typing import Any

import pytest

from bot4.ports import Answer, Pool
from bot4.tasks.allowance import FRESH_S, Allowance, read_headers
from bot4.tasks.gate import Gate


def headers(left: object, of: object = 800, window: str = "1s") -> dict[str, str]:
    return {
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-limit": str(of),
        "x-ratelimit-window": window,
    }


def answer(status: int, told: dict[str, str], at: float) -> Answer:
    return Answer(status, told, b"{}", at, at)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def allowance(gate: Gate, lines: list[dict[str, Any]]) -> Allowance:
    return Allowance("paradex", gate)


async def test_the_newest_word_on_each_limit_is_kept(allowance: Allowance, autojump_clock: Any):
    allowance.note(Pool.ORDER, answer(201, headers(799), 0.0))
    allowance.note(Pool.SAFETY, answer(200, headers(798), 0.0))
    allowance.note(Pool.READ, answer(200, headers(119, 120), 0.0))
    allowance.note(Pool.READ, answer(200, {}, 0.0))

    known = allowance.known()
    assert known["orders"]["left"] == 798
    assert (known["read"]["left"], known["read"]["of"]) == (119, 120)


async def test_while_few_orders_are_left_nothing_opens(
    allowance: Allowance, gate: Gate, autojump_clock: Any, lines: list[dict[str, Any]]
):
    allowance.note(Pool.READ, answer(200, headers(0, 120), 0.0))
    allowance.note(Pool.ORDER, answer(201, headers(160), 0.0))
    assert gate.open

    for left in (159, 158):
        allowance.note(Pool.SAFETY, answer(200, headers(left), 0.0))
    assert gate.reasons == {
        "paradex limits": "paradex takes only 158 more orders of 800 in 1s",
    }

    allowance.note(Pool.ORDER, answer(201, headers(700), 0.0))
    assert gate.open
    assert [line["event"] for line in lines] == ["opening.stopped", "opening.resumed"]


async def test_a_word_that_is_old_stops_nothing(
    allowance: Allowance, gate: Gate, autojump_clock: Any
):
    allowance.note(Pool.ORDER, answer(201, headers(1), -FRESH_S - 1))
    assert not gate.open

    allowance.refresh()

    assert gate.open
    assert allowance.known() == {}


async def test_answers_that_say_too_many_are_counted(allowance: Allowance, autojump_clock: Any):
    for status in (429, 200, 429):
        allowance.note(Pool.PUBLIC, answer(status, {}, 0.0))

    assert allowance.refused == 2


@pytest.mark.parametrize(
    "odd",
    [
        {},
        headers("many"),
        headers(-1),
        headers(1, 0),
        headers("1" * 40),
        headers("\u0663"),
        {"x-ratelimit-limit": "5"},
    ],
)
def test_headers_that_say_nothing_are_left_alone(odd: dict[str, str]):
    assert read_headers(odd, 0.0) is None


def test_a_window_that_is_no_word_is_not_repeated():
    said = read_headers(headers(1, 2, "1s\x1b[31m"), 0.0)

    assert said is not None
    assert said.window == ""
