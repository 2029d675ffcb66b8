"""One hand on the account: a bot that is asked to stop is waited for while it lives."""

from __future__ import annotations

import json

import pytest
import trio

from bot4.errors import StartRefused
from bot4.wiring import flatten
from bot4.wiring.flatten import only_hand
from bot4.wiring.snapshot import VERSION, status_file


@pytest.fixture
def takes(config, journal, monkeypatch):
    """Ask a bot to stop that says so often that it lives; return how long it was waited for."""
    monkeypatch.setattr("bot4.transport.database.BUSY_LIMIT_S", 0.0)
    monkeypatch.setattr(flatten, "STOP_WAIT_S", 3.0)
    monkeypatch.setattr(flatten, "STOP_LIMIT_S", 9.0)

    async def live(every_s, times):
        for number in range(times):
            said = {"version": VERSION, "wall_ms": number}
            status_file(config).write_text(json.dumps(said))
            await trio.sleep(every_s)
        journal.close()

    async def ask(*life):
        async with trio.open_nursery() as living:
            living.start_soon(live, *life)
            began = trio.current_time()
            try:
                async with only_hand(config, ask=True, force=False) as held:
                    return held, trio.current_time() - began
            except StartRefused:
                return False, trio.current_time() - began
            finally:
                living.cancel_scope.cancel()

    return ask


async def test_a_bot_that_takes_long_and_speaks_is_waited_for(takes, autojump_clock):
    held, took_s = await takes(2.0, 3)

    assert held
    assert 6 <= took_s < 7


async def test_a_bot_that_says_nothing_is_not(takes, autojump_clock):
    held, took_s = await takes(3600.0, 1)

    assert not held
    assert 3 <= took_s < 4


async def test_nor_is_one_that_speaks_for_ever(takes, autojump_clock):
    held, took_s = await takes(2.0, 1000)

    assert not held
    assert 9 <= took_s < 10
