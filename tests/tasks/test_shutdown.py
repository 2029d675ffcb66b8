"""Leaving: nothing of ours is open, or it is listed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.domain.fill import Fill
from bot4.invocation import command
from bot4.ports import InDoubt
from bot4.strategy.events import Overdue
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.shutdown import SHOT_S, fire_cancel_all, leave, unfinished

D = Decimal
SIZE = D("0.0030")
CUT = InDoubt("cut")


@attrs.define
class Rooms:
    venues: dict[str, Any]
    gateways: dict[str, Gateway]
    ledger: Ledger


@pytest.fixture
def rooms(make_venue: Any, journal: Any, world: Any, lines: Any) -> Rooms:
    venues = {name: make_venue(name) for name in ("vest", "paradex")}
    gateways = {name: Gateway(venue, venue, world) for name, venue in venues.items()}
    return Rooms(venues, gateways, Ledger(journal, Gate()))


def rest(rooms: Any, venue: str, way: Any, order: Any) -> None:
    """Leave an order resting at a venue."""
    rooms.venues[venue].ways.append(way(rests=True, fills=D(0)))
    rooms.venues[venue]._place(order)


async def test_a_venue_without_open_orders_is_clean(rooms: Any, autojump_clock: Any):
    assert await leave(rooms.gateways, rooms.ledger, ["vest", "paradex"], 10.0) == []


async def test_a_venue_that_was_never_touched_is_not_asked(rooms: Any, autojump_clock: Any):
    assert await leave(rooms.gateways, rooms.ledger, ["vest"], 10.0) == []
    assert rooms.venues["paradex"].asked == []


async def test_what_rests_is_cancelled_and_looked_for_again(
    rooms: Any, way: Any, make_order: Any, autojump_clock: Any
):
    for venue in rooms.venues:
        rest(rooms, venue, way, make_order("1", venue))

    assert await leave(rooms.gateways, rooms.ledger, rooms.venues, trio.current_time() + 10.0) == []
    assert all(not known.open for v in rooms.venues.values() for known in v.known.values())
    assert rooms.venues["vest"].asked.count("open_orders") >= 2


async def test_no_answer_is_no_proof_and_is_listed_in_time(rooms: Any, autojump_clock: Any):
    rooms.venues["paradex"].trouble("open_orders", CUT, 999)
    began = trio.current_time()
    left = await leave(rooms.gateways, rooms.ledger, rooms.venues, trio.current_time() + 10.0)

    assert left == ["paradex: open orders could not be read: paradex: cut"]
    assert trio.current_time() - began <= 10.1


async def test_a_venue_that_hangs_is_listed(rooms: Any, autojump_clock: Any):
    rooms.venues["vest"].delay_s = 100
    began = trio.current_time()
    left = await leave(rooms.gateways, rooms.ledger, rooms.venues, began + 1.0)

    assert len(left) == 1
    assert left[0].startswith("vest: open orders could not be read")
    assert trio.current_time() - began <= 1.1


async def test_a_cancel_that_fails_is_repeated_and_listed_meanwhile(
    rooms: Any, way: Any, make_order: Any, autojump_clock: Any
):
    rest(rooms, "vest", way, make_order("1", "vest"))
    rooms.venues["vest"].trouble("cancel", CUT, 3)
    assert await leave(rooms.gateways, rooms.ledger, rooms.venues, trio.current_time() + 10.0) == []

    rest(rooms, "vest", way, make_order("2", "vest"))
    rooms.venues["vest"].trouble("cancel", CUT, 999)
    assert await leave(rooms.gateways, rooms.ledger, rooms.venues, trio.current_time() + 1.0) != []


async def test_a_trade_that_is_not_safely_hedged_is_listed_with_what_it_holds(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    buy, sell = make_order("1", "vest"), make_order("2", "paradex")
    rooms.ledger.begin(plan, (buy, sell))
    for order in (buy, sell):
        assert unfinished(rooms.ledger) != []
        name = order.client_order_id
        fill = Fill(
            order.key.venue,
            name,
            name,
            name,
            order.key.symbol,
            order.side,
            order.limit,
            SIZE,
            D(0),
        )
        rooms.ledger.hear(fill)
        if order is buy:
            rooms.ledger.happen(plan.trade_id, Overdue("2"))
            assert unfinished(rooms.ledger) == [
                "trade abc123-1 (settling): holds vest 0.003, paradex 0; in doubt: 2"
            ]

    assert unfinished(rooms.ledger) == []


async def test_the_last_shot_is_fired_at_both_venues_and_proves_nothing(
    rooms: Any, way: Any, make_order: Any, autojump_clock: Any, lines: Any
):
    for venue in rooms.venues:
        rest(rooms, venue, way, make_order("1", venue))
    rooms.venues["vest"].trouble("open_orders", CUT, 9)
    await fire_cancel_all(rooms.gateways)

    assert not rooms.venues["paradex"].known["1"].open
    (said,) = [line for line in lines if line["event"] == "venue.unreachable"]
    assert (said["venue"], said["do"]) == ("vest", f"run {command('flatten')}")


async def test_the_last_shot_is_fired_even_when_everything_is_cancelled(
    rooms: Any, way: Any, make_order: Any, autojump_clock: Any
):
    rest(rooms, "vest", way, make_order("1", "vest"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await fire_cancel_all(rooms.gateways)

    assert not rooms.venues["vest"].known["1"].open


async def test_the_last_shot_does_not_take_for_ever(rooms: Any, autojump_clock: Any):
    for venue in rooms.venues.values():
        venue.delay_s = 100
    began = trio.current_time()
    await fire_cancel_all(rooms.gateways)

    assert trio.current_time() - began <= SHOT_S + 0.1
