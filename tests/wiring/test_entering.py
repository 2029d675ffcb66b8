"""Opening the house may have to wait; Ctrl+C ends that at once and closes what was opened."""

from __future__ import annotations

import signal
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio

from bot4.errors import StartRefused
from bot4.signals import Signals
from bot4.wiring.run import enter_unless


def a_house(wait):
    seen = []

    @asynccontextmanager
    async def opening():
        seen.append("opened")
        try:
            await wait()
            yield "house"
        finally:
            seen.append("closed")

    return opening(), seen


async def test_a_signal_while_the_house_waits_gives_up_and_closes(autojump_clock):
    signals = Signals(clock=trio.current_time)
    opening, seen = a_house(trio.sleep_forever)
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:

        async def press():
            await trio.sleep(30)
            signals.deliver(signal.SIGINT)

        nursery.start_soon(press)
        assert await enter_unless(signals, stack, opening) is None
        assert seen == ["opened", "closed"]


async def test_an_open_house_outlives_the_wait_and_is_closed_by_its_stack(autojump_clock):
    signals = Signals(clock=trio.current_time)

    async def a_moment():
        await trio.sleep(1)

    opening, seen = a_house(a_moment)
    async with AsyncExitStack() as stack:
        assert await enter_unless(signals, stack, opening) == "house"
        signals.deliver(signal.SIGINT)
        await trio.sleep(1)
        assert seen == ["opened"]
    assert seen == ["opened", "closed"]


async def test_a_refusal_to_open_is_not_swallowed(autojump_clock):
    async def refuse():
        await trio.lowlevel.checkpoint()
        raise StartRefused("held elsewhere", "wait")

    opening, seen = a_house(refuse)
    async with AsyncExitStack() as stack:
        with pytest.RaisesGroup(StartRefused, allow_unwrapped=True):
            await enter_unless(Signals(clock=trio.current_time), stack, opening)
    assert seen == ["opened", "closed"]
