"""One process of the bot in a universe, and the stage on which troubles strike it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import attrs
import structlog
import trio

from bot4.app import run_bot
from bot4.cli.endings import exit_code
from bot4.errors import ExitCode, leaves
from bot4.signals import Signals
from bot4.simulator.faults import UnknownFault
from bot4.strategy.saga import State
from bot4.wiring.house import open_house
from bot4.wiring.universe import Universe
from universelib.grammar import Fault
from universelib.script import Aimed
from universelib.situations import Situations
from universelib.troubled import TroubledDisk

DEAD: Final = -9
DARKENS: Final = frozenset(
    {
        "maintenance",
        "blocked",
        "cancel_only",
        "post_only",
        "refuse_connect",
        "halt",
        "delist",
        "net_half_open",
        "clock_skew",
        "suspend",
    }
)
DARK_S: Final = {"net_half_open": 10.0, "suspend": 15.0}
"""How long a venue may be unreachable after such a fault; the others say it themselves."""


class Log:
    """Every event, in order and with its time, and a hash over them. The dead are not heard."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.deaf = False
        self._hash = hashlib.sha256()

    def __call__(
        self, _logger: object, level: str, event: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        """Keep one event; it goes nowhere else."""
        if not self.deaf:
            line = {"level": level, **{k: v for k, v in event.items() if k != "exc_info"}}
            line["at"] = trio.current_time()
            self.events.append(line)
            self._hash.update(repr(line).encode())
        raise structlog.DropEvent

    def note(self, event: str, words: str) -> None:
        """Write down something that nobody in the universe said."""
        line = {"level": "debug", "event": event, "message": words, "at": trio.current_time()}
        self.events.append(line)

    @property
    def trace(self) -> str:
        """A short name of everything said so far."""
        return self._hash.hexdigest()[:16]

    def said(self, *events: str, since: int = 0) -> list[dict[str, Any]]:
        """Return every such line, from a position of ``events`` on."""
        return [line for line in self.events[since:] if line["event"] in events]


@attrs.define
class Stage:
    """A universe, the disk of the machine in it, and what struck them."""

    universe: Universe
    disk: TroubledDisk
    log: Log
    situations: Situations
    aimed: list[Aimed]
    struck: int = 0
    honest: bool = False
    """Whether the troubles are over."""
    dark: list[tuple[str, float, float]] = attrs.field(factory=list)
    """(venue, from, until): when a venue may have been unreachable."""

    def strike(self, fault: Fault) -> None:
        """Let something go wrong now; what finds nothing to strike is not counted."""
        try:
            if fault["venue"] == "disk":
                self.disk.strike(fault)
            else:
                self.universe.strike(fault)
        except UnknownFault:
            return
        self.struck += 1
        words = " ".join(f"{name}={value}" for name, value in fault.items())
        self.log.note("fault", words)
        self.situations.struck(fault)
        kind, now = fault["kind"], trio.current_time()
        if kind in DARKENS:
            lasts = DARK_S.get(kind) or float(fault.get("seconds", 5.0))
            self.dark.append((str(fault["venue"]), now, now + lasts))

    def calm(self) -> None:
        """Let everything go well from now on."""
        self.honest = True
        self.universe.calm()
        self.disk.clear()
        self.aimed.clear()
        for venue in (self.universe.box.vest, self.universe.box.paradex):
            for order in venue.orders.values():
                order.extra.pop("cancel_refused", None)

    async def aim(self) -> None:
        """Strike when a trade comes to the state that a fault waits for, for ever."""
        send, receive = trio.open_memory_channel[Aimed](100)

        def arrived(state: State) -> None:
            for one in [one for one in self.aimed if one.state == state]:
                self.aimed.remove(one)
                send.send_nowait(one)

        self.situations.arrived = arrived
        async with trio.open_nursery() as striking, receive:
            async for one in receive:
                striking.start_soon(self._later, one)

    async def _later(self, one: Aimed) -> None:
        await trio.sleep(one.after_s)
        if not self.honest:
            self.strike(one.fault)


@attrs.define(eq=False)
class Life:
    """A process from its start to its exit, or to its death."""

    stage: Stage
    signals: Signals = attrs.field(factory=lambda: Signals(clock=trio.current_time))
    ended: trio.Event = attrs.field(factory=trio.Event)
    code: int = DEAD
    errors: list[str] = attrs.field(factory=list)
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    async def live(self) -> None:
        """Run the whole bot. Cancellation: as ``run_bot``."""
        there = self.stage.universe
        code = DEAD
        try:
            with self._scope:
                async with open_house(there.config, there.secrets, there.world) as house:
                    code = int(await run_bot(house, self.signals))
        except* Exception as group:  # noqa: BLE001 - the outermost place, as the command line is
            code = int(exit_code(group))
            if code == ExitCode.CRASHED:
                self.errors += [repr(leaf) for leaf in leaves(group)]
        if not self._scope.cancel_called:
            self.code = code
        self.ended.set()

    async def die(self, *, power_lost: bool) -> None:
        """End now, without another byte, line or row. The stage then has what the disk kept."""
        stage = self.stage
        stage.log.deaf = True
        stage.log.note("death", "power" if power_lost else "kill")
        stage.universe.world.die(lost=power_lost)
        stage.disk = stage.disk.left(power_lost=power_lost)
        self.errors.clear()
        self._scope.cancel(reason="killed")
        await self.ended.wait()
        self.errors.clear()
        stage.log.deaf = False

    def again(self, seed: int, **config: Any) -> Life:
        """Return the next process on the same venues, with the disk as this one left it."""
        stage = self.stage
        if self.code != DEAD:
            stage.disk = stage.disk.left(power_lost=False)
        there = stage.universe
        stage.universe = attrs.evolve(
            there,
            config=attrs.evolve(there.config, **config),
            world=there.new_world(seed, stage.disk.open),
        )
        return Life(stage)
