"""What is told of orders: one line a stage, in plain words, with why and do where it went wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot4.domain.order import OrderReport, OrderState
from bot4.strategy.events import Answered, Missing, Overdue, Reported, Sent, Stopped, Verdict
from bot4.tasks.gate import Gate
from bot4.tasks.ledger import Ledger
from bot4.tasks.narrator import Narrator

D = Decimal
SIZE = D("0.0030")


@pytest.fixture
async def ledger(journal: Any, plan: Any, make_order: Any, lines: Any) -> Ledger:
    ledger = Ledger(journal, Gate())
    ledger.watch(Narrator().heard)
    ledger.begin(plan, (make_order("1", "vest"), make_order("2", "paradex")))
    return ledger


def told(lines: Any) -> list[tuple[str, str]]:
    return [(line["event"], line["message"]) for line in lines]


def report(name: str, state: OrderState, filled: str, reason: str = "") -> Reported:
    venue = "vest" if name == "1" else "paradex"
    found = OrderReport(venue, name, "v", state, filled=D(filled), reason=reason)
    return Reported(name, found)


async def test_an_order_is_told_from_its_first_byte_to_its_fill(ledger: Any, plan: Any, lines: Any):
    for event in (
        Sent("1"),
        Answered("1", Verdict.ACCEPTED, "v"),
        Answered("1", Verdict.ACCEPTED, "v"),
        report("1", OrderState.CLOSED, "0.0030"),
        report("1", OrderState.CLOSED, "0.0030"),
    ):
        ledger.happen(plan.trade_id, event)

    assert told(lines) == [
        ("leg.sent", "[ORDER] buy 0.003 BTC-PERP on vest at 83000 or better, enter"),
        ("leg.accepted", "[ORDER] Long accepted by vest"),
        ("leg.filled", "[ORDER] Long filled 0.003 of 0.003 on vest"),
    ]
    assert {line["client_order_id"] for line in lines} == {"1"}


async def test_a_refusal_says_why_and_that_the_other_leg_is_looked_after(
    ledger: Any, plan: Any, lines: Any
):
    ledger.happen(plan.trade_id, Answered("2", Verdict.REFUSED, why="MARGIN too little"))

    ((event, message),) = told(lines)
    assert (event, message) == (
        "leg.refused",
        "[ORDER] Short not filled on paradex: MARGIN too little",
    )
    assert lines[0]["level"] == "warning"
    assert lines[0]["why"]
    assert lines[0]["do"]


@pytest.mark.parametrize("lands", [True, False])
async def test_a_doubt_is_told_when_it_comes_and_when_it_is_over(
    ledger: Any, plan: Any, lines: Any, lands: bool, make_order: Any
):
    fence = make_order().fence_ms
    over = [Missing("2", fence + 2000), Missing("2", fence + 4000)]
    if lands:
        over = [report("2", OrderState.CLOSED, "0.0030")]
    for event in (Overdue("2"), Overdue("2"), *over):
        ledger.happen(plan.trade_id, event)

    assert [event for event, _ in told(lines)] == [
        "leg.in_doubt",
        "leg.resolved",
        "leg.filled" if lands else "leg.refused",
    ]


async def test_what_changes_no_order_is_not_its_business(ledger: Any, plan: Any, lines: Any):
    ledger.happen(plan.trade_id, Stopped())
    ledger.happen(plan.trade_id, Sent("nobody"))
    ledger.happen(plan.trade_id, Answered("nobody", Verdict.REFUSED))

    assert lines == []


async def test_a_partial_fill_is_told_once_it_is_final(ledger: Any, plan: Any, lines: Any):
    ledger.happen(plan.trade_id, report("2", OrderState.OPEN, "0.0010"))
    assert [event for event, _ in told(lines)] == []
    ledger.happen(plan.trade_id, report("2", OrderState.CLOSED, "0.0010"))

    assert [event for event, _ in told(lines)] == ["leg.filled"]
    assert lines[-1]["filled"] == "0.001"


async def test_a_trade_that_is_over_can_be_forgotten(plan: Any, make_order: Any, lines: Any):
    from bot4.strategy.legs import Leg, LegState
    from bot4.strategy.saga import Trade

    narrator = Narrator()
    trade = Trade(plan, legs=(Leg(make_order("1"), LegState.REFUSED),))
    for _ in range(2):
        narrator.heard(plan.trade_id, Answered("1", Verdict.REFUSED), trade)
    assert len(lines) == 1
    narrator.forget(trade)
    narrator.heard(plan.trade_id, Answered("1", Verdict.REFUSED), trade)

    assert len(lines) == 2
