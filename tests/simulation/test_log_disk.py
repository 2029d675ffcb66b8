"""The disk of the log file stops answering while the bot trades."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
from timeouts import COMMAND_S

from bot4.config.schema import SimulationConfig
from bot4.logs.setup import close, configure

CALM = SimulationConfig(profile="calm", seed=3)


class Disk:
    """One that does not answer keeps whoever writes to the file, but for the loop itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers = threading.Event()
        self.answers.set()
        self.loop = threading.get_ident()
        self.kept_the_loop = 0

    def before(self, number: int) -> None:
        if self.answers.is_set() or os.fstat(number).st_ino != self.path.stat().st_ino:
            return
        if threading.get_ident() == self.loop:
            self.kept_the_loop += 1
        else:
            assert self.answers.wait(COMMAND_S)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk, write = Disk(tmp_path / "logs" / "bot4.log"), os.write

    def writing(number: int, data: bytes) -> int:
        disk.before(number)
        return write(number, data)

    monkeypatch.setattr(os, "write", writing)
    yield disk
    disk.answers.set()
    close()
    structlog.reset_defaults()


def log_to(path: Path, run: Any) -> io.StringIO:
    """Log as a bot does, to a screen and the file; the run still hears every event."""
    screen = io.StringIO()
    configure(mode="json", stream=screen, file=path)

    def hear(_logger: Any, level: str, event: dict[str, Any]) -> dict[str, Any]:
        run.events.append({"level": level, **event})
        return event

    structlog.configure(processors=[hear, *structlog.get_config()["processors"]])
    return screen


async def test_a_trade_is_opened_and_closed_and_the_file_is_whole_when_it_answers_again(
    play: Any, autojump_clock: Any, disk: Disk
):
    async with play.universe(simulation=CALM) as universe, play.bot(universe) as run:
        screen = log_to(disk.path, run)
        await trio.sleep(3)
        disk.answers.clear()
        run.gap(45.0, 6.0)
        await run.until("pair.opened")
        await run.until("pair.closed", within_s=120)

        assert disk.kept_the_loop == 0
        assert not run.said("loop.stalled")
        shown = [json.loads(line)["event"] for line in screen.getvalue().splitlines()]
        assert {"pair.opened", "pair.closed"} <= set(shown)
        disk.answers.set()
    run.clean()
    close()

    filed = [json.loads(line)["event"] for line in disk.path.read_text().splitlines()]
    assert {"pair.opened", "pair.closed", "shutdown.clean"} <= set(filed)
