from __future__ import annotations

import pytest
import trio

from bot4.simulator.agenda import Agenda


@pytest.fixture
async def agenda(nursery):
    made = Agenda()
    nursery.start_soon(made.run)
    return made


async def test_entries_are_done_at_their_time_in_order(autojump_clock, agenda):
    start, done = trio.current_time(), []

    def act(name):
        done.append((name, trio.current_time() - start))

    agenda.put(2, act, "late")
    agenda.put(1, act, "early")
    agenda.put(1, act, "second")
    agenda.put(0, act, "now")
    await trio.sleep(0.5)
    agenda.put(1, act, "between")
    await agenda.wait_idle()

    assert done == [("now", 0), ("early", 1), ("second", 1), ("between", 1.5), ("late", 2)]


async def test_an_entry_may_put_others(autojump_clock, agenda):
    done = []

    def act(left):
        done.append(left)
        if left:
            agenda.put(1, act, left - 1)

    agenda.put(1, act, 3)
    await agenda.wait_idle()

    assert done == [3, 2, 1, 0]
    assert agenda.pending == 0


async def test_an_earlier_entry_overtakes_a_waiting_one(autojump_clock, agenda):
    done = []
    agenda.put(100, done.append, "far")
    await trio.testing.wait_all_tasks_blocked()
    agenda.put(1, done.append, "near")

    await trio.sleep(2)

    assert done == ["near"]
