"""One pair's task on two venues without bytes: whatever happens, it ends hedged or flat."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import trio

from bot4.domain.order import Purpose, Side
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.ports import InDoubt, Refused, Retry
from bot4.strategy.saga import State

D = Decimal
SIZE = D("0.0030")
CUT = InDoubt("the connection was cut")
FINAL = Refused("CLOSED", "not for you", Retry.NEVER)


def hedged(bench: Any) -> bool:
    trade = bench.desk.trade
    return trade is not None and trade.state is State.HEDGED


async def test_both_legs_fill_and_the_pair_is_hedged(bench: Any, autojump_clock: Any):
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench))

    assert bench.vest.position == SIZE
    assert bench.net == 0
    assert len(bench.vest.sent) == len(bench.paradex.sent) == 1


async def test_both_legs_leave_at_the_same_moment(bench: Any, autojump_clock: Any):
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench))

    ((vest_at, _),), ((paradex_at, _),) = bench.vest.sent, bench.paradex.sent
    assert vest_at == paradex_at


async def test_neither_leg_filling_ends_flat_without_another_order(
    bench: Any, autojump_clock: Any, way: Any
):
    for venue in bench.venues.values():
        venue.ways.append(way(fills=D(0)))
    async with bench.running():
        bench.enter()
        account = await bench.over()

    assert account["outcome"] == "missed"
    assert account["orders"] == 2
    assert bench.vest.position == bench.paradex.position == 0


async def test_a_refused_leg_is_tried_again_within_its_price(
    bench: Any, autojump_clock: Any, refused: Any
):
    bench.paradex.ways.append(refused)
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench))

    assert bench.net == 0
    (again,) = bench.paradex.orders(Purpose.MEND)
    assert again.size == SIZE
    assert again.limit / 83006 - 1 >= D("0.0010")


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_a_leg_refused_for_good_is_taken_back_at_once(
    bench: Any, autojump_clock: Any, way: Any, venue: str
):
    bench.venues[venue].ways.append(way(FINAL, fills=D(0), lands=False))
    async with bench.running():
        bench.enter()
        account = await bench.over()

    assert account["outcome"] == "unwound"
    assert bench.vest.position == bench.paradex.position == 0
    assert bench.venues[venue].orders(Purpose.MEND) == []


async def test_a_leg_that_fails_every_time_is_taken_back_after_its_attempts(
    bench: Any, autojump_clock: Any, refused: Any
):
    bench.paradex.usual = refused
    async with bench.running():
        bench.enter()
        account = await bench.over()

    assert account["outcome"] == "unwound"
    assert bench.vest.position == 0
    assert len(bench.paradex.orders(Purpose.MEND)) == bench.execution.mend_attempts


async def test_only_what_filled_is_taken_back(bench: Any, autojump_clock: Any, way: Any):
    bench.vest.ways.append(way(FINAL, fills=D(0), lands=False))
    bench.paradex.ways.append(way(fills=D("0.0012")))
    async with bench.running():
        bench.enter()
        await bench.over()

    (back,) = bench.paradex.orders(Purpose.UNWIND)
    assert (back.side, back.size, back.reduce_only) == (Side.BUY, D("0.0012"), True)
    assert bench.paradex.position == 0


@pytest.mark.parametrize("failures", [1, 3, 6])
async def test_taking_back_is_tried_until_it_succeeds(
    bench: Any, autojump_clock: Any, way: Any, failures: int
):
    bench.vest.ways.append(way(FINAL, fills=D(0), lands=False))
    bench.paradex.ways.extend([way(), *[way(fills=D(0))] * failures])
    async with bench.running():
        bench.enter()
        await bench.over()

    assert bench.paradex.position == 0
    assert len(bench.paradex.orders(Purpose.UNWIND)) == failures + 1


@pytest.mark.parametrize(
    ("moved", "waits"), [(D(400), False), (D(0), True)], ids=["price away", "price there"]
)
async def test_positions_are_doubted_only_when_no_price_explains_what_did_not_reduce(
    bench: Any, autojump_clock: Any, way: Any, moved: Decimal, waits: bool
):
    """A leg that is alone in a market that runs away is not left waiting for an account."""
    bench.comparing = False
    bench.vest.ways.append(way(FINAL, fills=D(0), lands=False))
    bench.paradex.ways.extend([way(), way(fills=D(0)), way(fills=D(0))])
    async with bench.running():
        bench.enter()
        for count in (1, 2):
            await bench.until(lambda n=count: len(bench.paradex.orders(Purpose.UNWIND)) == n)
            bid, ask = bench.touch["paradex"]
            bench.touch["paradex"] = (bid + moved, ask + moved)
        await bench.over()

    times = [at for at, order in bench.paradex.sent if order.purpose is Purpose.UNWIND]
    assert len(times) == 3
    assert (times[2] - times[1] > 3) == waits


async def test_after_many_failures_positions_are_doubted_whatever_the_price(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.comparing = False
    bench.vest.ways.append(way(FINAL, fills=D(0), lands=False))
    bench.paradex.ways.extend([way(), *[way(fills=D(0))] * 5])
    async with bench.running():
        bench.enter()
        for count in range(1, 6):
            await bench.until(lambda n=count: len(bench.paradex.orders(Purpose.UNWIND)) == n)
            bid, ask = bench.touch["paradex"]
            bench.touch["paradex"] = (bid + 2000, ask + 2000)
        await bench.over()

    times = [at for at, order in bench.paradex.sent if order.purpose is Purpose.UNWIND]
    assert [later - at > 3 for at, later in pairwise(times)] == [False, False, False, True, True]


async def test_a_partial_fill_is_completed_by_the_difference(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.paradex.ways.append(way(fills=D("0.0010")))
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench))

    (mend,) = bench.paradex.orders(Purpose.MEND)
    assert mend.size == D("0.0020")
    assert bench.net == 0


async def test_after_the_stop_a_missing_leg_is_taken_back_never_completed(
    bench: Any, autojump_clock: Any, refused: Any
):
    bench.paradex.ways.append(refused)
    async with bench.running():
        bench.enter()
        bench.stop.raise_sign("test")
        await bench.until(lambda: not bench.ledger.trades)

    assert bench.paradex.orders(Purpose.MEND) == []
    assert bench.vest.position == 0


# ------------------------------------------------------------------------------------- doubt


@pytest.mark.parametrize("lands", [True, False], ids=["landed", "lost"])
@pytest.mark.parametrize("questions", [0, 1, 6, 12], ids=lambda n: f"{n} questions unanswered")
async def test_a_doubt_is_asked_about_until_the_venue_proves_how_it_ended(
    bench: Any, autojump_clock: Any, way: Any, lines: Any, lands: bool, questions: int
):
    bench.paradex.ways.append(way(CUT, lands=lands, tells=False))
    bench.paradex.trouble("find", CUT, questions)
    async with bench.running():
        bench.enter()
        await bench.until(lambda: "find" in bench.paradex.asked)
        await bench.until(
            lambda: bench.ledger.results.newest or (hedged(bench) and bench.net == 0), within_s=60
        )
        await trio.sleep(0.1)
        opened = [line for line in lines if line["event"] == "pair.opened"]

    assert bench.net == 0
    assert len(bench.paradex.orders(Purpose.ENTER)) == 1
    assert bool(opened) is lands
    if lands:
        assert len(bench.paradex.sent) == 1
        assert bench.vest.orders(Purpose.UNWIND) == []


@pytest.mark.parametrize("delay_s", [0.01, 0.05, 0.13, 0.2, 0.31])
async def test_what_never_arrived_is_proven_as_soon_as_two_readings_can(
    bench: Any, autojump_clock: Any, way: Any, delay_s: float
):
    """The first reading at the fence, the second a second later, two exchanges each."""
    bench.paradex.delay_s = delay_s
    bench.paradex.ways.append(way(CUT, lands=False))
    async with bench.running():
        order = bench.enter().legs[1].order
        began = trio.current_time()
        await bench.until(lambda: bench.vest.orders(Purpose.UNWIND))
        took_s = trio.current_time() - began

    fence_s = (order.window_ms + bench.execution.settle_ms) / 1000
    assert fence_s + 1 < took_s < fence_s + 1 + 2 * delay_s + bench.vest.delay_s + 0.02


@pytest.mark.parametrize(
    "error",
    [
        AuthRefused("paradex", "no"),
        VenueRefused("paradex", "busy"),
        ProtocolViolation("paradex", "<html>"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_the_venue_says_instead_of_an_answer_proves_nothing(
    bench: Any, autojump_clock: Any, way: Any, error: Exception
):
    bench.paradex.ways.append(way(CUT, tells=False))
    bench.paradex.trouble("find", error, 8)
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench), within_s=60)

    assert bench.net == 0
    assert len(bench.paradex.sent) == 1


async def test_an_accepted_order_without_news_is_asked_about_in_time(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.paradex.ways.append(way(tells=False))
    async with bench.running():
        bench.enter()
        began = trio.current_time()
        await bench.until(lambda: hedged(bench))

    assert trio.current_time() - began < bench.execution.answer_by_ms / 1000 + 0.5
    assert len(bench.paradex.sent) == 1


async def test_what_filled_while_it_was_cancelled_counts(bench: Any, autojump_clock: Any, way: Any):
    """The order rests, is cancelled, and fills some more before the cancel arrives."""
    bench.paradex.ways.append(
        way(CUT, fills=D("0.0010"), rests=True, late=D("0.0005"), tells=False)
    )
    bench.paradex.usual = way(fills=D(0))
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench))

    assert "cancel" in bench.paradex.asked
    assert (bench.vest.position, bench.paradex.position) == (D("0.0015"), D("-0.0015"))


async def test_a_cancel_that_is_not_answered_is_sent_again(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.paradex.ways.append(way(CUT, fills=D(0), rests=True, tells=False))
    bench.paradex.trouble("cancel", CUT, 3)
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench) or bench.ledger.results.newest)

    assert bench.paradex.asked.count("cancel") == 4
    assert bench.net == 0


async def test_a_pair_in_doubt_opens_nothing_new(bench: Any, autojump_clock: Any, way: Any):
    bench.paradex.ways.append(way(CUT, lands=False))
    bench.paradex.trouble("find", CUT, 30)
    bench.paradex.trouble("positions", CUT, 300)
    async with bench.running():
        bench.enter()
        await trio.sleep(5)
        bench.judge.decision = bench.decision()
        bench.task.look()
        await trio.sleep(5)

        assert len(bench.ledger.trades) == 1
        assert len(bench.vest.orders(Purpose.ENTER)) == 1


# ------------------------------------------------------------------------------------ leaving


async def leaving(bench: Any) -> None:
    """Hedge the pair, then let the gap close, so that the pair wants to leave."""
    bench.enter()
    await bench.until(lambda: hedged(bench))
    bench.touch["paradex"] = (D(83000), D("83000.1"))
    await bench.until(lambda: isinstance_exit(bench))


def isinstance_exit(bench: Any) -> bool:
    bench.task.look()
    return bool(bench.vest.orders(Purpose.EXIT))


async def test_an_exit_closes_both_legs_by_what_they_hold(bench: Any, autojump_clock: Any):
    async with bench.running():
        await leaving(bench)
        account = await bench.over()

    assert account["outcome"] == "closed"
    assert bench.vest.position == bench.paradex.position == 0
    assert all(order.reduce_only for order in bench.vest.orders(Purpose.EXIT))


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_an_exit_with_one_leg_refused_goes_forward(
    bench: Any, autojump_clock: Any, refused: Any, venue: str
):
    bench.venues[venue].ways.extend([bench.venues[venue].usual, refused])
    async with bench.running():
        await leaving(bench)
        account = await bench.over()

    assert account["outcome"] == "closed"
    assert bench.vest.position == bench.paradex.position == 0


async def test_an_exit_refused_on_both_venues_keeps_the_pair_hedged_and_slows_down(
    bench: Any, autojump_clock: Any, refused: Any
):
    for venue in bench.venues.values():
        venue.ways.extend([venue.usual, refused, refused, refused])
    async with bench.running():
        await leaving(bench)
        for _ in range(200):
            bench.task.look()
            await trio.sleep(0.02)
        at = [at for at, order in bench.vest.sent if order.purpose is Purpose.EXIT]

        assert 2 <= len(at) <= 4
        assert at[1] - at[0] >= 0.5 if len(at) < 3 else at[2] - at[1] >= 0.5
        assert bench.net == 0


async def test_nothing_leaves_while_the_positions_are_in_question(bench: Any, autojump_clock: Any):
    bench.comparing = False
    async with bench.running():
        bench.enter()
        await bench.until(lambda: hedged(bench))
        bench.desk.doubt_positions()
        bench.touch["paradex"] = (D(83000), D("83000.1"))
        for _ in range(50):
            bench.task.look()
            await trio.sleep(0.02)

        assert bench.vest.orders(Purpose.EXIT) == []
