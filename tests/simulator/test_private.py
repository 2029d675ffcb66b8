from __future__ import annotations

import pytest
import trio

from bot4.simulator.agenda import Agenda
from bot4.simulator.faults import FaultMenu
from bot4.simulator.private import PrivateEvents


@pytest.fixture
async def told(nursery):
    agenda, faults, heard = Agenda(), FaultMenu(), []
    events = PrivateEvents("vest", faults, agenda)
    events.subscribe(lambda kind, body: heard.append((trio.current_time(), kind, body)))
    nursery.start_soon(agenda.run)

    async def tell(*bodies, **fault):
        if fault:
            faults.add({"venue": "vest", **fault})
        for body in bodies:
            events.publish("orders", body)
        await trio.sleep(3)
        return [body for _, _, body in heard]

    return tell


async def test_events_come_in_order(autojump_clock, told):
    assert await told(1, 2, 3) == [1, 2, 3]


async def test_a_reordered_event_comes_after_the_next_one(autojump_clock, told):
    assert await told(1, 2, 3, kind="reorder_event") == [2, 1, 3]


async def test_each_of_two_pairs_can_be_reordered(autojump_clock, told):
    assert await told(1, 2, 3, 4, kind="reorder_event", count=2) == [2, 1, 4, 3]


async def test_a_held_event_that_nothing_overtakes_comes_late(autojump_clock, told):
    assert await told(1, kind="reorder_event") == [1]


async def test_a_muted_event_never_comes_and_a_doubled_one_twice(autojump_clock, told):
    assert await told(1, 2, kind="mute_private") == [2]
    assert await told(3, kind="double_event") == [2, 3, 3]


async def test_who_stops_listening_hears_no_more(autojump_clock):
    agenda, heard = Agenda(), []
    events = PrivateEvents("vest", FaultMenu(), agenda)
    stop = events.subscribe(lambda kind, body: heard.append(body))
    async with trio.open_nursery() as running:
        running.start_soon(agenda.run)
        events.publish("orders", 1)
        await trio.sleep(1)
        stop()
        events.publish("orders", 2)
        await trio.sleep(1)
        running.cancel_scope.cancel()

    assert heard == [1]
