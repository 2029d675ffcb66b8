"""The whole bot and both venues in memory, under a mock clock."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import structlog
import trio

from bot4.app import run_bot
from bot4.config.schema import Config
from bot4.errors import ExitCode
from bot4.signals import Signals
from bot4.wiring.house import open_house
from bot4.wiring.universe import Universe, open_universe, plain_config

BOOKS_PER_S = 3.0
"""A market slower than the real ones: most of a universe's work is books that change nothing."""


class Said(list[dict[str, Any]]):
    """Every log event, as it is made; ``news`` is set, and replaced, at each."""

    def __init__(self) -> None:
        super().__init__()
        self.news = trio.Event()

    def append(self, line: dict[str, Any]) -> None:
        super().append(line)
        if (news := self.news).statistics().tasks_waiting:
            self.news = trio.Event()
            news.set()


@attrs.define
class Run:
    """One run of the bot in a universe, and how to drive it."""

    universe: Universe
    events: Said
    signals: Signals
    code: ExitCode | None = None

    @property
    def truth(self) -> dict[str, Any]:
        return self.universe.box.truth()

    def fault(self, venue: str, kind: str, **args: Any) -> None:
        self.universe.box.faults.add({"venue": venue, "kind": kind, **args})

    def gap(self, bps: float = 40.0, seconds: float = 5.0, **args: Any) -> None:
        self.fault("vest", "gap_jump", bps=bps, seconds=seconds, **args)

    def stop(self) -> None:
        self.signals.deliver(signal.SIGINT)

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.events if line["event"] == event]

    async def until(self, event: str, count: int = 1, within_s: float = 60.0) -> dict[str, Any]:
        """Wait until the log holds the event so many times; return the last one."""
        with trio.fail_after(within_s):
            while len(self.said(event)) < count:
                await self.events.news.wait()
        return self.said(event)[count - 1]

    def positions(self) -> dict[str, Decimal]:
        """Signed positions by venue and symbol, zeros left out.

        Asked at every instant by what watches a run: the whole truth would cost more than the bot.
        """
        box = self.universe.box
        return {
            f"{venue.name}:{symbol}": held.size
            for venue in (box.vest, box.paradex)
            for symbol, held in venue.ledger.positions.items()
            if held.size
        }

    def net(self) -> Decimal:
        return sum(self.positions().values(), Decimal(0))

    def open_orders(self) -> list[Any]:
        """What may still fill and is ours: another's order is not ours to end."""
        rows = [order for state in self.truth.values() for order in state["open_orders"]]
        return [order for order in rows if not order["foreign"]]

    def clean(self) -> None:
        """Nothing resting, nothing naked, and the journal explains what is held."""
        assert self.open_orders() == []
        assert self.net() == 0, self.positions()


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Said:
    lines = Said()

    def keep(_logger: Any, level: str, event: dict[str, Any]) -> dict[str, Any]:
        lines.append({"level": level, "at": _now(), **event})
        json.dumps(event, default=str)
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    return lines


def _now() -> float:
    try:
        return trio.current_time()
    except RuntimeError:
        return 0.0


NO_SOCKETS = shutil.ignore_patterns("*.sock")
Play = Callable[..., Any]


@pytest.fixture
def play(tmp_path: Path, events: Said, autojump_clock: trio.testing.MockClock) -> Play:
    """Open a universe, run the bot in it, and hand the run to the test's own script."""

    @asynccontextmanager
    async def universe(config: Config | None = None, **changes: Any) -> AsyncIterator[Universe]:
        config = config or plain_config(tmp_path / "state", changes.pop("seed", 1))
        more = changes.pop("more", ())
        pace = changes.pop("books_per_s", BOOKS_PER_S)
        config = attrs.evolve(config, **changes)
        async with open_universe(config, more=more, books_per_s=pace) as opened:
            yield opened

    @asynccontextmanager
    async def killed(opened: Universe, at_s: Callable[[Run], Any]) -> AsyncIterator[Universe]:
        """Run a bot, kill it when ``at_s(run)`` returns, and yield its world after its death."""
        run = Run(opened, events, Signals(clock=trio.current_time))
        after = tmp_path / "after"

        async def live() -> None:
            async with open_house(opened.config, opened.secrets, opened.world) as house:
                await run_bot(house, run.signals)

        async with trio.open_nursery() as living:
            living.start_soon(live)
            with trio.fail_after(120):
                await at_s(run)
            opened.world.die()
            shutil.copytree(opened.config.state_dir, after, ignore=NO_SOCKETS)
            living.cancel_scope.cancel()
        events.clear()
        config = attrs.evolve(opened.config, state_dir=after)
        yield attrs.evolve(opened, config=config, world=opened.new_world(99))

    @asynccontextmanager
    async def bot(opened: Universe, for_ready_s: float | None = None) -> AsyncIterator[Run]:
        run = Run(opened, events, Signals(clock=trio.current_time))
        ended = trio.Event()

        async def live() -> None:
            async with open_house(opened.config, opened.secrets, opened.world) as house:
                run.code = await run_bot(house, run.signals, for_ready_s=for_ready_s)
            ended.set()

        async with trio.open_nursery() as living:
            living.start_soon(live)
            yield run
            if not run.signals.stopping and for_ready_s is None:
                run.stop()
            with trio.fail_after(120):
                await ended.wait()

    class Player:
        pass

    player = Player()
    player.universe = universe  # type: ignore[attr-defined]
    player.bot = bot  # type: ignore[attr-defined]
    player.killed = killed  # type: ignore[attr-defined]
    return player  # type: ignore[return-value]
