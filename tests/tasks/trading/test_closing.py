"""The account of a trade that is over: complete, true, and never in the way of closing a leg."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from bot4.domain.fill import Fill
from bot4.domain.order import Purpose
from bot4.ports import InDoubt, Refused, Retry
from bot4.strategy.saga import State

D = Decimal
SIZE = D("0.0030")
CUT = InDoubt("cut")
FINAL = Refused("CLOSED", "not for you", Retry.NEVER)


def fill_of(venue: Any, order: Any, fill_id: str, size: Decimal) -> Fill:
    return Fill(
        order.key.venue,
        fill_id,
        order.client_order_id,
        f"v{order.client_order_id}",
        order.key.symbol,
        order.side,
        order.limit,
        size,
        size * venue.fee,
    )


async def round_trip(bench: Any) -> dict[str, Any]:
    bench.enter()
    await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
    bench.touch["paradex"] = (D(83000), D("83000.1"))
    await bench.until(lambda: bench.task.look() or bench.ledger.results.newest, 60)
    return dict(bench.ledger.results.last)


async def test_a_closed_trade_is_added_up_from_its_fills(
    bench: Any, autojump_clock: Any, lines: Any
):
    async with bench.running():
        account = await round_trip(bench)

    assert account["outcome"] == "closed"
    assert account["orders"] == 4
    assert D(account["size"]) == SIZE
    assert D(account["fees_usdc"]) == 4 * SIZE
    assert not account["mended"]
    (line,) = [line for line in lines if line["event"] == "pair.closed"]
    assert line["net_usdc"] == account["net_usdc"]


async def test_a_mended_trade_says_so(bench: Any, autojump_clock: Any, refused: Any):
    bench.paradex.ways.append(refused)
    async with bench.running():
        account = await round_trip(bench)

    assert account["mended"]
    assert account["orders"] == 5


@pytest.mark.parametrize("fee", ["1", "0"])
async def test_a_leg_taken_back_is_told_as_that_even_where_nothing_is_charged(
    bench: Any, autojump_clock: Any, way: Any, lines: Any, fee: str
):
    bench.paradex.fee = D(fee)
    bench.vest.ways.append(way(FINAL, fills=D(0), lands=False))
    async with bench.running():
        bench.enter()
        account = await bench.over()

    assert account["outcome"] == "unwound"
    assert [line for line in lines if line["event"] == "pair.unwound"]


async def test_fills_that_were_not_heard_are_asked_for(bench: Any, autojump_clock: Any, way: Any):
    bench.vest.usual = way(tells=False)
    bench.vest.filled = lambda order: [fill_of(bench.vest, order, "f", order.size)]
    async with bench.running():
        account = await round_trip(bench)

    assert account["outcome"] == "closed"
    assert bench.vest.asked.count("fills") == 2
    assert D(account["fees_usdc"]) == 4 * SIZE


@pytest.mark.parametrize("delay_s", [0.05, 30.0], ids=["unanswered", "too slow"])
async def test_without_fills_the_venues_own_sums_are_booked(
    bench: Any, autojump_clock: Any, way: Any, delay_s: float
):
    bench.vest.usual = way(tells=False)
    bench.vest.trouble("fills", CUT, 9)

    def slowly(kind: str, _act: Any) -> None:
        bench.vest.delay_s = delay_s if kind == "fills" else 0.05

    bench.vest.before = slowly
    async with bench.running():
        account = await round_trip(bench)

    assert account["outcome"] == "closed"
    assert D(account["size"]) == SIZE
    assert D(account["fees_usdc"]) == 4 * SIZE


async def test_the_missing_part_of_the_fills_is_booked_at_the_venues_average(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.vest.usual = way(tells=False)
    bench.vest.filled = lambda order: [fill_of(bench.vest, order, "f1", order.size / 3)]
    async with bench.running():
        account = await round_trip(bench)

    assert D(account["size"]) == SIZE
    assert D(account["fees_usdc"]) == 4 * SIZE


async def test_more_fills_than_the_venue_summed_up_are_closed_before_anything_is_booked(
    bench: Any, autojump_clock: Any, way: Any
):
    """The sums say that the leg is gone; its fills, asked for, say that more was bought."""
    more = D("0.0005")
    bench.vest.ways.append(way(tells=False))
    bench.paradex.ways.append(way(FINAL, fills=D(0), lands=False))

    def fills(order: Any) -> list[Fill]:
        size = order.size
        if order.purpose is Purpose.ENTER:
            size += more
        return [fill_of(bench.vest, order, f"f{order.client_order_id}", size)]

    bench.vest.filled = fills

    def grow(kind: str, _act: Any) -> None:
        if kind == "fills" and "fills" not in bench.vest.asked:
            bench.vest.position += more

    bench.vest.before = grow
    async with bench.running():
        bench.enter()
        await bench.over()

    assert bench.vest.position == 0
    assert bench.ledger.trades == ()


async def test_the_premium_of_vest_is_learned_from_its_own_fills(bench: Any, autojump_clock: Any):
    bench.vest.fee = D(83)
    assert bench.judge.premium.fills == ()
    async with bench.running():
        await round_trip(bench)

    assert len(bench.judge.premium.fills) == 2
    assert all(seen.bps > 5 for seen in bench.judge.premium.fills)


async def test_a_failed_pair_counts_for_the_breaker_and_a_closed_one_does_not(
    bench: Any, autojump_clock: Any, way: Any
):
    async with bench.running():
        await round_trip(bench)
        assert [one.failed for one in bench.judge.breaker.attempts] == [False]
        bench.touch["paradex"] = (D(83200), D("83200.1"))
        bench.ledger.results.newest.clear()
        bench.vest.ways.append(way(FINAL, fills=D(0), lands=False))
        bench.enter()
        await bench.over()

    assert [one.failed for one in bench.judge.breaker.attempts] == [False, True]


async def test_dust_that_was_left_is_named(bench: Any, autojump_clock: Any, way: Any):
    bench.paradex.ways.extend([way(), way(fills=SIZE - D("0.00002"))])
    async with bench.running():
        account = await round_trip(bench)

    assert account["outcome"] == "closed"
    assert bench.paradex.position in (D("-0.00002"), D(0))
    if bench.paradex.position:
        assert account["dust"] == {"paradex": "-0.00002"}


async def test_a_finish_cut_off_by_a_cancel_is_done_after_the_restart(
    bench: Any, autojump_clock: Any, way: Any
):
    import trio

    bench.vest.usual = way(tells=False)
    bench.vest.delay_s = 0.2
    async with trio.open_nursery() as nursery:
        for gateway in bench.gateways.values():
            await nursery.start(gateway.run)
        for venue in bench.venues.values():
            venue.ways.append(attrs.evolve(venue.usual, fills=D("0.0030")))
        bench.paradex.ways[0] = way(FINAL, fills=D(0), lands=False)
        nursery.start_soon(bench.feed)
        bench.enter()
        async with trio.open_nursery() as pair:
            pair.start_soon(bench.task.keep)
            await bench.until(lambda: "fills" in bench.vest.asked)
            pair.cancel_scope.cancel()
        assert bench.ledger.results.newest == {}
        nursery.start_soon(bench.task.keep)
        await bench.over()
        nursery.cancel_scope.cancel()

    assert bench.vest.position == 0
