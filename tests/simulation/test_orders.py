"""What leaves for the venues: together, in time, at a price; and only what filled goes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
VENUES = ["vest", "paradex"]
FINAL = {"vest": {"code": 3002}, "paradex": {"cancel_reason": "NOT_ENOUGH_MARGIN"}}


async def entering(run: Any, bps: float = 45.0, seconds: float = 6.0) -> None:
    await run.until("feed.ready", 4)
    run.gap(bps, seconds)
    await run.until("pair.opening")


async def test_both_entry_orders_leave_at_once(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await entering(run)
            await run.until("leg.sent", 2)

    (first, second) = run.said("leg.sent")[:2]
    assert second["at"] - first["at"] < 0.005
    assert {first["purpose"], second["purpose"]} == {"enter"}


@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_whose_news_never_come_is_asked_about_within_the_budget(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "mute_private", count=-1)
            await entering(run)
            opening = run.said("pair.opening")[0]["at"]
            opened = await run.until("pair.opened", within_s=10)

        assert opened["at"] - opening < universe.config.execution.answer_by_ms / 1000 + 1.0
        run.clean()


@pytest.mark.parametrize(
    "trouble",
    [{"kind": "http_error", "status": 503, "count": 14}, {"kind": "lose_answer", "count": 4}],
    ids=["refused", "unanswered"],
)
@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.ordinary("vest-refused", "paradex-unanswered")
async def test_questions_that_fail_for_long_prove_nothing(
    play: Any, autojump_clock: Any, venue: str, trouble: dict[str, Any]
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "lose_answer", count=1)
            run.fault(venue, "mute_private", count=-1)
            await entering(run)
            run.fault(venue, request="query", **trouble)
            await run.until("leg.in_doubt")
            await run.until("leg.resolved", within_s=60)
            await trio.sleep(1)

        run.clean()
        assert run.code == 0
        entries = [o for o in run.truth[venue]["orders"] if not o["reduce_only"]]
        assert len(entries) == 1


async def test_only_what_filled_is_taken_back_and_only_reduced(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("vest", "refuse", count=-1, reduce_only=False, **FINAL["vest"])
            run.fault("paradex", "partial_fill", count=1, fraction=0.5)
            await entering(run)
            await run.until("pair.unwound")

        assert run.positions() == {}
        entry, *back = run.truth["paradex"]["orders"]
        assert all(order["reduce_only"] for order in back)
        assert sum(Decimal(order["size"]) for order in back) <= Decimal(entry["size"])


@pytest.mark.parametrize("venue", VENUES)
async def test_taking_a_leg_back_goes_on_until_it_is_done(
    play: Any, autojump_clock: Any, venue: str
):
    other = VENUES[1 - VENUES.index(venue)]
    args = {"code": 3003} if venue == "vest" else {"status": 429, "code": "RATE_LIMIT_EXCEEDED"}
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(other, "refuse", count=-1, reduce_only=False, **FINAL[other])
            run.fault(venue, "refuse", count=3, reduce_only=True, **args)
            await entering(run)
            await run.until("pair.unwound", within_s=90)

        assert run.positions() == {}
        assert run.code == 0


@pytest.mark.parametrize("venue", VENUES)
async def test_every_order_of_a_failed_pair_has_a_price_near_the_market(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "refuse", count=-1, reduce_only=False, **FINAL[venue])
            await entering(run)
            await run.until("pair.unwound")

    limits = [Decimal(line["limit"]) for line in run.said("leg.sent")]
    assert len(limits) >= 3
    assert max(limits) / min(limits) - 1 < Decimal("0.03")
