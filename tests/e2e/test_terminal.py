"""The terminal that shows the bot: whatever becomes of it, the bot goes on."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio
from timeouts import KILLED_S, LINE_S, LONG_STORY_S, STORY_S

pytestmark = pytest.mark.slow

TRIO_RUN = Path(sys.executable).parent / "trio-run"
BEATS = 8
"""Signs of life that are waited for once the terminal takes nothing any more."""
LONG_BEATS = 180
FRESH_MS = 2_000
"""Between two signs of life, nineteen times of twenty: others may keep the machine busy."""
DEAD_MS = 15_000
"""What a guard takes for death, as bot4.yaml is shipped."""


def stall(person: int, ours: int) -> None:
    """Fill a terminal that nobody reads, but for some room: less than the bot's first line."""
    os.set_blocking(ours, False)
    try:
        while os.write(ours, b"." * 1000):
            pass
    except BlockingIOError:
        os.set_blocking(ours, True)
    while not select.select([], [ours], [], 0)[1]:
        os.read(person, 100)


@asynccontextmanager
async def shown(home: Any, ours: int) -> AsyncIterator[trio.Process]:
    """Run the bot on a terminal that is also its standard error."""
    words = [TRIO_RUN, "bot4", "run", "--config", home.config, "--log", "json"]
    process = await trio.lowlevel.open_process(
        [str(word) for word in words], stdin=ours, stdout=ours, stderr=ours
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + KILLED_S):
            await process.wait()


async def beats(home: Any, count: int) -> list[int]:
    """Wait for so many signs of life; return when each was given, ms since the epoch."""
    seen: list[int] = []
    status = home.state / "status.json"
    with trio.move_on_after(LINE_S + count):
        while len(seen) < count:
            if status.exists():
                told = json.loads(status.read_text())["wall_ms"]
                if told not in seen:
                    seen.append(told)
            await trio.sleep(0.05)
    return seen


async def full(ours: int) -> bool:
    """Whether the terminal comes to take nothing any more."""
    with trio.move_on_after(LINE_S):
        while select.select([], [ours], [], 0)[1]:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.05)
        return True
    return False


def events(home: Any) -> list[str]:
    return [line["event"] for line in home.log()] if (home.state / "bot4.log").exists() else []


async def filed(home: Any, event: str) -> bool:
    """Whether the log file comes to hold an event."""
    with trio.move_on_after(LINE_S):
        while event not in events(home):  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.05)
        return True
    return False


@pytest.fixture(autouse=True)
def a_long_first_line(home: Any) -> None:
    """The first line of a start names bot4.yaml, so that the length of its path is the line's."""
    deep = home.folder.joinpath(*["x" * 200] * 15)
    deep.mkdir(parents=True)
    home.config = home.config.rename(deep / home.config.name)


@pytest.fixture
def terminal() -> Any:
    person, ours = os.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    yield person, ours
    for number in (person, ours):
        os.close(number)


async def test_a_bot_on_a_terminal_that_takes_nothing_goes_on_and_ends_clean(
    home: Any, judge: Any, terminal: tuple[int, int]
):
    stall(*terminal)
    with trio.fail_after(STORY_S):
        async with shown(home, terminal[1]) as process:
            assert await filed(home, "feed.ready"), "it stands still"
            assert await full(terminal[1])
            assert len(await beats(home, BEATS)) == BEATS
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0

    judge.as_claimed(home.last, home.truth())


@pytest.mark.proof
async def test_for_three_minutes_no_sign_of_life_is_late_while_the_terminal_takes_nothing(
    home: Any, terminal: tuple[int, int]
):
    stall(*terminal)
    with trio.fail_after(LONG_STORY_S):
        async with shown(home, terminal[1]) as process:
            assert await filed(home, "spread.seen")
            assert await full(terminal[1])
            told = await beats(home, LONG_BEATS)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0

    assert len(told) == LONG_BEATS
    gaps = sorted(b - a for a, b in pairwise(told))
    assert gaps[len(gaps) * 19 // 20] < FRESH_MS
    assert gaps[-1] < DEAD_MS
