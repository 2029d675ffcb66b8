from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from timeouts import SIGNALLED_S
from trio.testing import MockClock, wait_all_tasks_blocked

from bot4.signals import OWNED, REPEAT_S, Signals


class Hands:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def given_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in OWNED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def test_the_first_and_the_second_wake_who_waits(autojump_clock: MockClock):
    signals = Signals(clock=trio.current_time)
    seen: list[tuple[str, float]] = []

    async def wait(name: str, waiting: Callable[[], object]) -> None:
        await waiting()  # type: ignore[misc]
        seen.append((name, trio.current_time() - start))

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "first", signals.wait_first)
        nursery.start_soon(wait, "second", signals.wait_second)
        await trio.sleep(3)
        signals.deliver(signal.SIGINT)
        await trio.sleep(0.5)
        signals.deliver(signal.SIGINT)
        await trio.sleep(2.5)
        signals.deliver(signal.SIGTERM)

    assert seen == [("first", 3.0), ("second", 6.0)]
    assert signals.names == ("SIGINT", "SIGTERM")
    assert repr(signals) == "<Signals SIGINT, SIGTERM>"


async def test_what_arrived_before_anybody_waited_is_not_lost():
    hands = Hands()
    signals = Signals(clock=hands)
    assert not signals.stopping
    assert repr(signals) == "<Signals none>"
    signals.deliver(signal.SIGHUP)
    hands.now = 5.0
    signals.deliver(signal.SIGHUP)

    with trio.fail_after(SIGNALLED_S):
        await signals.wait_first()
        await signals.wait_second()

    assert signals.stopping
    assert signals.hurried


def test_the_third_acts_at_once():
    hands, called = Hands(), []
    signals = Signals(clock=hands, on_third=lambda: called.append(hands.now))

    for now in (0.0, 0.9, 1.0, 1.5, 2.5):
        hands.now = now
        signals.deliver(signal.SIGINT)

    assert called == [2.5]


@given(st.lists(st.floats(0, 1.5), max_size=12))
def test_wishes_that_count_are_at_least_a_second_apart(pauses: list[float]):
    hands, counted = Hands(), []
    signals = Signals(clock=hands)

    for pause in pauses:
        hands.now += pause
        before = signals.count
        signals.deliver(signal.SIGTERM)
        if signals.count > before:
            counted.append(hands.now)

    assert len(counted) == signals.count
    assert bool(pauses) is bool(counted)
    assert all(b - a >= REPEAT_S for a, b in pairwise(counted))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("given_back")
async def test_a_real_signal_wakes_the_loop(number: signal.Signals):
    signals = Signals()
    signals.own()

    with trio.fail_after(SIGNALLED_S), signals.listening():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(signals.wait_first)
            await wait_all_tasks_blocked()
            os.kill(os.getpid(), number)

    assert signals.names == (signal.Signals(number).name,)


@pytest.mark.usefixtures("given_back")
def test_a_signal_outside_the_loop_is_counted_and_raises_nothing():
    hands = Hands()
    signals = Signals(clock=hands)
    signals.own()

    async def nothing() -> None:
        with signals.listening():
            await trio.lowlevel.checkpoint()

    signal.raise_signal(signal.SIGINT)
    hands.now = 2.0
    trio.run(nothing)
    signal.raise_signal(signal.SIGINT)

    assert signals.count == 2


@pytest.mark.usefixtures("given_back")
def test_a_hangup_that_nohup_ignores_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals = Signals()

    signals.own()
    signal.raise_signal(signal.SIGHUP)
    assert signals.count == 0

    signal.raise_signal(signal.SIGINT)
    assert signals.count == 1


@pytest.mark.usefixtures("given_back")
def test_disowned_signals_do_nothing():
    signals = Signals()
    signals.own()
    signals.disown()

    for number in OWNED:
        signal.raise_signal(number)

    assert signals.count == 0
