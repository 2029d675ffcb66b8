"""Another process is ended only when it is proven to be the one that was meant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio

from bot4.transport.process import birth_of, end_process

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@asynccontextmanager
async def sleeper() -> AsyncIterator[trio.Process]:
    process = await trio.lowlevel.open_process(SLEEPER, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def test_a_process_has_one_birth_for_its_whole_life():
    own = birth_of(os.getpid())
    async with sleeper() as other:
        assert own
        assert birth_of(os.getpid()) == own
        assert birth_of(other.pid) not in (None, "", own)


async def test_the_one_that_was_meant_is_ended():
    async with sleeper() as other:
        birth = birth_of(other.pid)
        assert birth is not None
        assert await end_process(other.pid, birth) == ""
        assert birth_of(other.pid) is None
        assert await other.wait() == -9


async def test_one_that_only_has_the_number_is_left_alone():
    async with sleeper() as other:
        assert await end_process(other.pid, "another boot 1") == ""
        assert birth_of(other.pid) is not None


async def test_one_whose_birth_nobody_noted_is_neither_ended_nor_called_dead():
    async with sleeper() as other:
        assert "does not tell" in await end_process(other.pid, "")
        assert birth_of(other.pid) is not None


async def test_a_stopped_process_can_be_ended():
    async with sleeper() as other:
        birth = birth_of(other.pid)
        assert birth is not None
        other.send_signal(19)  # SIGSTOP
        assert await end_process(other.pid, birth) == ""


@pytest.fixture
def ended() -> Iterator[int]:
    """The number of a process that has ended and that nobody waited for."""
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    yield child.pid
    child.wait()


async def test_one_that_has_ended_and_was_never_waited_for_is_dead(ended: int):
    assert birth_of(ended) is None
    assert await end_process(ended, "any boot 1") == ""


@pytest.fixture
def nobody() -> int:
    """A number that no process has."""
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    child.wait()
    return child.pid


async def test_a_number_nobody_has_is_dead(nobody: int):
    assert birth_of(nobody) is None
    assert await end_process(nobody, "any boot 1") == ""
