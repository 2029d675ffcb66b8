"""What may become of an order on its way: one failure a case, judged by the venues' own state."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
VENUES = ["vest", "paradex"]
DUST = Decimal("0.00013")
OVER = ("pair.closed", "pair.unwound", "pair.missed", "pair.opened")


async def entered(run: Any, seconds: float = 6.0) -> None:
    """Open a gap and wait until what it led to is over or hedged, and nothing rests."""
    run.gap(45.0, seconds)
    await run.until("pair.opening")
    with trio.fail_after(120):
        while not any(run.said(name) for name in OVER):  # noqa: ASYNC110
            await trio.sleep(0.05)
        while run.open_orders() or abs(run.net()) >= DUST:  # noqa: ASYNC110
            await trio.sleep(0.05)


def named_once(run: Any) -> None:
    """No order name reached a venue twice."""
    for venue, name in (("vest", "nonce"), ("paradex", "client_id")):
        counts = Counter(str(order[name]) for order in run.truth[venue]["orders"])
        assert max(counts.values(), default=1) == 1, venue


def first_entries(run: Any, venue: str) -> list[dict[str, Any]]:
    return [order for order in run.truth[venue]["orders"] if not order["reduce_only"]]


LOST = {
    "never arrived": ("lose_request", {}),
    "filled, and the answer was lost": ("lose_answer", {}),
    "the connection was cut after it": ("lose_answer", {"how": "cut"}),
    "the connection was cut in the middle of it": ("lose_request", {"how": "cut"}),
    "an error before anything was done": ("http_error", {"status": 503, "with_effect": False}),
    "an error after it was done": ("http_error", {"status": 503, "with_effect": True}),
    "a page instead of an answer": ("http_error", {"status": 502, "html": True}),
    "an unreadable answer": ("http_error", {"status": 200, "html": True, "with_effect": True}),
}


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("how", LOST)
@pytest.mark.ordinary(
    "never arrived-paradex",
    "filled, and the answer was lost-vest",
    "an error before anything was done-paradex",
    "an error after it was done-vest",
    "an unreadable answer-paradex",
    "a page instead of an answer-vest",
    "the connection was cut after it-paradex",
    "the connection was cut in the middle of it-vest",
)
async def test_an_order_of_which_nothing_is_known_is_asked_about_and_never_sent_twice(
    play: Any, autojump_clock: Any, venue: str, how: str
):
    kind, args = LOST[how]
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, kind, **args)
        await entered(run)
        # Were it asked for again, it would have to be under another name.
        named_once(run)

    assert run.code == 0
    run.clean()


async def test_an_order_of_which_nothing_is_known_on_both_venues_ends_flat_or_hedged(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        for venue in VENUES:
            run.fault(venue, "lose_answer")
            run.fault(venue, "mute_private", count=20)
        await entered(run)

    assert run.code == 0
    assert len(run.said("leg.in_doubt")) >= 2
    assert [len(first_entries(run, venue)) for venue in VENUES] == [1, 1]
    named_once(run)
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_that_arrives_after_its_window_is_refused_and_never_fills(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, "delay_request", ms=6500)
        await entered(run)
        await trio.sleep(10)

    assert run.code == 0
    for order in first_entries(run, venue):
        assert order["received_ms"] - order["sent_ms"] <= 5000
    named_once(run)
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_stuck_before_the_book_is_waited_for_or_cancelled(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, "delay_landing", ms=4000)
        await entered(run)

    assert run.code == 0
    named_once(run)
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_one_leg_that_fills_nothing_ends_hedged_or_flat(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, "no_fill")
        await entered(run)

    assert run.code == 0
    run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_every_event_told_twice_counts_once(play: Any, autojump_clock: Any, venue: str):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, "double_event", count=200)
        run.gap(45.0, 4.0)
        opened = await run.until("pair.opened")
        await run.until("pair.closed")

    assert run.code == 0
    assert run.positions() == {}
    filled = {order["filled"] for one in VENUES for order in run.truth[one]["orders"]}
    assert filled == {opened["size"]}


@pytest.mark.parametrize("venue", VENUES)
async def test_a_private_stream_that_is_down_during_an_entry_is_made_up_for_by_asking(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.gap(45.0, 6.0)
        await run.until("pair.opening")
        run.fault(venue, "cut", which="private")
        run.fault(venue, "refuse_connect", seconds=2)
        await run.until("pair.opened")
        await run.until("feed.ready", 5)

    assert run.code == 0
    run.clean()


FOR_GOOD = {
    "our own order stood against it": ("paradex", {"cancel_reason": "SELF_TRADE"}),
    "too little margin on vest": ("vest", {"code": 3002}),
    "too little margin on paradex": ("paradex", {"cancel_reason": "NOT_ENOUGH_MARGIN"}),
    "deleted by a liquidation": ("vest", {"code": 3008}),
    "open interest is capped": ("vest", {"code": 3010}),
    "it would change the leverage": ("vest", {"code": 3020}),
    "the leverage may not fall": ("vest", {"code": 3021}),
    "a second copy was rejected, and there is no first": ("vest", {"code": 3015}),
}


@pytest.mark.parametrize("why", FOR_GOOD)
async def test_a_leg_refused_for_good_leaves_nothing_naked(
    play: Any, autojump_clock: Any, why: str
):
    venue, args = FOR_GOOD[why]
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault(venue, "refuse", count=20, reduce_only=False, **args)
        run.gap(45.0, 6.0)
        await run.until("pair.unwound")

    assert run.code == 0
    assert run.positions() == {}
    run.clean()


REQUOTED = {
    "the price moved": {"code": 3001},
    "the price is stale": {"code": 3003},
    "the limit is not a price": {"code": 3011},
}


@pytest.mark.parametrize("why", REQUOTED)
async def test_a_price_that_was_refused_is_not_tried_again_as_it_was(
    play: Any, autojump_clock: Any, why: str
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault("vest", "refuse", reduce_only=False, **REQUOTED[why])
        await entered(run)

    assert run.code == 0
    run.clean()
    limits = [line["limit"] for line in run.said("leg.sent") if line["venue"] == "vest"]
    assert len(limits) == len(set(limits)) or REQUOTED[why] == {"code": 3003}


async def test_taking_back_goes_on_after_a_part_and_a_rate_limit(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        await run.until("feed.ready", 4)
        run.fault("vest", "refuse", count=20, reduce_only=False, code=3002)
        run.fault("paradex", "partial_fill", fraction=0.4, reduce_only=True)
        limited = {"status": 429, "code": "RATE_LIMIT_EXCEEDED", "reduce_only": True}
        run.fault("paradex", "refuse", skip=1, count=2, **limited)
        run.gap(45.0, 6.0)
        await run.until("pair.unwound")

    assert run.code == 0
    assert run.positions() == {}
    reducing = [order for order in run.truth["paradex"]["orders"] if order["reduce_only"]]
    assert len(reducing) >= 2
    run.clean()
