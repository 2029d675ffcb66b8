"""One process in a universe: the bot, or flatten; its log lines, its steps and its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import attrs
import structlog
import trio

from bot4.app import House, run_bot
from bot4.cli.endings import exit_code, until_signal
from bot4.domain.market import VENUES
from bot4.errors import ExitCode
from bot4.ports import Database
from bot4.signals import Signals
from bot4.transport.memory import MemoryStream
from bot4.wiring.flatten import flatten_all, open_flatteners
from bot4.wiring.house import open_house
from bot4.wiring.rooms import Rooms
from bot4.wiring.universe import MemoryWorld, Universe
from universelib.disk import Disk

PROCESS: ContextVar[int] = ContextVar("process", default=0)
"""Which process the running task belongs to; 0 is the venues and the world."""


class Log:
    """Every event with its process and time; those of the dead are not heard."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.dead: set[int] = set()
        self._more = trio.Event()

    def __call__(
        self, _logger: object, level: str, event: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        """Keep one event. Raises DropEvent, as the last of structlog's processors."""
        number = PROCESS.get()
        if number not in self.dead:
            line = {k: v for k, v in event.items() if k != "exc_info"}
            at = trio.current_time()
            self.events.append({"level": level, "at": at, "process": number, **line})
            self._more.set()
            self._more = trio.Event()
        raise structlog.DropEvent

    def said(self, event: str, process: int) -> list[dict[str, Any]]:
        """Return every such line of one process."""
        return [e for e in self.events if e["event"] == event and e["process"] == process]

    async def wait(self, event: str, process: int, count: int = 1) -> None:
        """Block until a process has said it so many times. Cancellation: safe."""
        while len(self.said(event, process)) < count:
            await self._more.wait()


class FarWorld(MemoryWorld):
    """A process's way out, which can lose a venue."""

    def __init__(
        self, universe: Universe, serving: trio.Nursery, seed: int, disk: Callable[[Path], Database]
    ) -> None:
        super().__init__(universe.box, serving, seed, disk, clock=universe.world.clock)
        self._opened: list[tuple[str, MemoryStream]] = []
        self._dark: set[str] = set()

    async def dial(self, host: str, port: int) -> MemoryStream:
        """As the plain one; no way leads to a venue that was lost."""
        if venue_of(host) in self._dark:
            await trio.sleep(0.001)
            raise OSError("no route to host")
        stream = await super().dial(host, port)
        self._opened.append((host, stream))
        return stream

    def moved(self) -> tuple[int, ...]:
        """What tells two moments apart, seen from the venues: connections and bytes under way."""
        streams = [stream for _, stream in self._opened]
        waiting = sum(len(stream._out.data) for stream in streams)  # noqa: SLF001
        return len(streams), sum(stream._closed for stream in streams), waiting  # noqa: SLF001

    def lose(self, venue: str) -> None:
        """Lose the network to one venue for good: connections break, none can be opened."""
        self._dark.add(venue)
        for host, stream in self._opened:
            if venue_of(host) == venue:
                stream.cut()


def venue_of(host: str) -> str:
    """Return whose endpoint it is."""
    return host.partition(".")[0]


@attrs.define(eq=False)
class Process:
    """A life from start to exit, or to its death."""

    number: int
    universe: Universe
    world: FarWorld
    disk: Disk
    log: Log
    main: Callable[[Process], Awaitable[int]]
    signals: Signals = attrs.field(factory=lambda: Signals(clock=trio.current_time))
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    ended: trio.Event = attrs.field(factory=trio.Event)
    code: int = -9
    """The exit code; -9 for a death."""
    ended_at: float = 0.0
    error: BaseException | None = None
    house: House | None = None

    def start(self, nursery: trio.Nursery) -> None:
        """Begin, as tasks marked with our number."""
        token = PROCESS.set(self.number)
        try:
            nursery.start_soon(self._live)
        finally:
            PROCESS.reset(token)

    def die(self, *, power_lost: bool) -> Disk:
        """End now, without another byte, line or row; return what the disk holds afterwards."""
        self.log.dead.add(self.number)
        self.world.die(lost=power_lost)
        left = self.disk.left(power_lost=power_lost)
        self._end()
        self.scope.cancel(reason="killed")
        return left

    @property
    def rooms(self) -> Rooms | None:
        """What the bot's verbs work on, once the house is open."""
        return getattr(getattr(self.house, "trade", None), "__self__", None)

    def _end(self) -> None:
        if not self.ended.is_set():
            self.ended_at = trio.current_time()
            self.ended.set()

    async def _live(self) -> None:
        code: int = ExitCode.SECOND_SIGNAL
        try:
            with self.scope:
                code = await self.main(self)
        except* Exception as group:  # noqa: BLE001 - the outermost place, as the command line is
            self.error = group
            code = exit_code(group)
        if not self.ended.is_set():
            self.code = int(code)
            self._end()


async def bot(process: Process) -> int:
    """Run the whole bot, as ``trio-run bot4`` does. Cancellation: as ``run_bot``."""
    there = process.universe
    async with open_house(there.config, there.secrets, process.world) as house:
        process.house = house
        return await run_bot(house, process.signals)


async def flatten(process: Process) -> int:
    """Flatten both venues, as ``trio-run bot4 flatten --yes`` does. Cancellation: as that."""
    there = process.universe

    async def work() -> int:
        every: dict[str, frozenset[str] | None] = dict.fromkeys(VENUES)
        opened = open_flatteners(there.config, there.secrets, process.world, every)
        async with opened as flatteners:
            return await flatten_all(flatteners)

    return await until_signal(work, process.signals, stopped=ExitCode.LEFT_OPEN)
