"""A world in memory: the whole bot and both venues in one event loop, from one seed.

``MemoryWorld`` replaces the real one and nothing else: transports, codecs, tasks and the venues'
logic are those that run outside. Under a mock clock a minute takes a moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

import attrs
import trio

from bot4.config.schema import Config, Mode, PairConfig, Secrets, SimulationConfig, StrategyConfig
from bot4.ports import AccountLock, AccountName, Database, account_taken
from bot4.simulator.box import TwoVenues
from bot4.simulator.options import Options
from bot4.transport.database import open_database
from bot4.transport.memory import MemoryStream
from bot4.transport.wires import KINDS, Wires
from bot4.wiring.simulator import Addresses, embed

WALL_0_MS: Final = 1_795_000_000_000
"""Where the wall clock of a universe begins: some day in 2026."""
DIAL_S: Final = 0.004
"""What opening a connection takes."""
ADDRESSES: Final = Addresses(
    vest_rest="https://vest.rest/v2",
    vest_ws="wss://vest.ws/ws-api?version=1.0",
    paradex_rest="https://paradex.rest/v1",
    paradex_ws="wss://paradex.ws/v1",
)


@attrs.define
class Clock:
    """The time of day of a universe: Trio's, and what it slept, which Trio's does not count."""

    slept_s: float = 0.0

    def wall_ms(self) -> int:
        """Ms since the epoch."""
        return wall_ms() + round(self.slept_s * 1000)


class MemoryWorld:
    """The way out of a bot that lives in a universe. Implements ``ports.World``."""

    def __init__(
        self,
        box: TwoVenues,
        serving: trio.Nursery,
        seed: int,
        disk: Callable[[Path], Database] = open_database,
        wires: Wires | None = None,
        locked: dict[str, _MemoryLock] | None = None,
        machine: str = "",
        clock: Clock | None = None,
    ) -> None:
        self.random = Random(f"{seed}/bot")  # noqa: S311 - one seed, one universe
        self._box = box
        self._serving = serving
        self._disk = disk
        self.wires = wires or Wires(Random(f"{seed}/wires").uniform)  # noqa: S311 - as above
        self._streams: list[MemoryStream] = []
        self._dead = False
        self._locked: dict[str, _MemoryLock] = {} if locked is None else locked
        self._machine = machine
        self.clock = clock or Clock()

    async def dial(self, host: str, port: int) -> MemoryStream:
        """Connect to one of the venues' endpoints, named by the host.

        Raises:
            OSError: there is no such endpoint, or this bot is dead.
        """
        del port
        await trio.sleep(DIAL_S)
        if self._dead:
            raise OSError("the process is dead")
        if host not in ("vest.rest", "vest.ws", "paradex.rest", "paradex.ws"):
            raise OSError(f"no host {host}")
        client, server = self.wires.join(host)
        self._serving.start_soon(self._box.serve, host, server)
        self._streams.append(client)
        return client

    def die(self, *, lost: bool = False) -> None:
        """Cut this bot off as SIGKILL does: its connections end, and no byte of it leaves again.

        The caller keeps what is on the disk now and cancels the rest.

        Args:
            lost: what was sent and not yet received is lost too, as when the machine dies.
        """
        self._dead = True
        for stream in self._streams:
            stream.cut() if lost else stream.hang_up()
        for lock in [one for one in self._locked.values() if one.owner is self]:
            lock.close()

    def another(
        self, seed: int, disk: Callable[[Path], Database] | None = None, machine: str = ""
    ) -> MemoryWorld:
        """The way out of a new process, to the same venues; the disk is this one's unless given.

        Processes of one machine meet at the locks of accounts, those of two do not.
        """
        disk = disk or self._disk
        return MemoryWorld(
            self._box,
            self._serving,
            seed,
            disk,
            self.wires,
            self._locked,
            machine,
            self.clock,
        )

    def wall_ms(self) -> int:
        """The universe's wall clock."""
        return self.clock.wall_ms()

    def suspended_s(self) -> float:
        """How long the universe has slept."""
        return self.clock.slept_s

    def suspend(self, seconds: float, connections: str) -> None:
        """Let the machine sleep: Trio's clock stands still, the venues' and the wall's do not.

        Args:
            seconds: how long.
            connections: what became of them: ``alive``, ``cut`` by the venues, or ``dead``,
                which nobody tells.
        """
        self.clock.slept_s += seconds
        for stream in self._streams:
            if connections == "cut":
                stream.cut()
            elif connections == "dead":
                stream.vanish()

    def open_database(self, path: Path) -> Database:
        """Open a SQLite file: the disk is the real one unless another was given."""
        return self._disk(path)

    async def lock_account(self, account: AccountName, holder: str) -> AccountLock:
        """Take an account among all processes of this universe.

        Raises:
            StartRefused: another one holds it.
        """
        await trio.lowlevel.checkpoint()
        key = f"{self._machine} {account.key}"
        if key in self._locked:
            raise account_taken(account, self._locked[key].holder)
        lock = self._locked[key] = _MemoryLock(self._locked, key, self, holder)
        return lock


@attrs.frozen(eq=False)
class _MemoryLock:
    """One account held in a universe. Implements ``ports.AccountLock``."""

    _all: dict[str, _MemoryLock]
    _key: str
    owner: MemoryWorld
    holder: str

    def close(self) -> None:
        """Give it back, unless it is another's by now."""
        if self._all.get(self._key) is self:
            del self._all[self._key]

    async def answer(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Nothing: who holds it can be seen. Started: at once."""
        task_status.started()
        await trio.lowlevel.checkpoint()


def wall_ms() -> int:
    """The wall clock of the universe that runs, ms since the epoch."""
    return WALL_0_MS + int(trio.current_time() * 1000)


@attrs.frozen
class Universe:
    """Two venues and a bot's way to them."""

    box: TwoVenues
    world: MemoryWorld
    config: Config
    secrets: Secrets

    def new_world(
        self, seed: int, disk: Callable[[Path], Database] | None = None, machine: str = ""
    ) -> MemoryWorld:
        """The way out of another process on the same venues, of this machine unless named."""
        return self.world.another(seed, disk, machine)

    def strike(self, fault: Mapping[str, Any]) -> None:
        """Let something go wrong now, at a venue or on the way to it.

        Raises:
            UnknownFault: there is no such fault, or nothing for it to strike.
        """
        if fault["kind"] == "suspend":
            self.world.suspend(float(fault["seconds"]), str(fault.get("connections", "dead")))
        elif fault["kind"] in KINDS:
            self.world.wires.strike(fault)
        else:
            self.box.faults.add(fault)

    def calm(self) -> None:
        """Let everything go well from now on."""
        self.world.wires.clear()
        self.box.faults.clear()


def plain_config(state_dir: Path, seed: int) -> Config:
    """A configuration for a universe: one pair, the defaults."""
    strategy = StrategyConfig()
    btc = PairConfig(
        name="BTC",
        vest="BTC-PERP",
        paradex="BTC-USD-PERP",
        spread_entry=strategy.spread_entry,
        spread_exit=strategy.spread_exit,
        notional=Decimal(300),
    )
    return Config(
        mode=Mode.SIMULATION,
        state_dir=state_dir,
        pairs=(btc,),
        strategy=strategy,
        simulation=SimulationConfig(seed=seed),
    )


@asynccontextmanager
async def open_universe(
    config: Config,
    options: Options | None = None,
    more: tuple[str, ...] = (),
    books_per_s: float | None = None,
) -> AsyncIterator[Universe]:
    """Run two venues in memory and yield what a house is opened with.

    Args:
        config: the bot's; its addresses and keys are replaced by the venues'.
        options: of the venues; made from the config's simulation section when None.
        more: bases to list besides those of the config's pairs, where ``options`` is None.
        books_per_s: as in ``Options``, where that is None.

    Closes: the venues, at once, when the block is left.
    """
    simulation = config.simulation
    named = (pair.vest.partition("-")[0] for pair in config.pairs)
    options = options or Options(
        seed=simulation.seed,
        profile=simulation.profile,
        # A market nobody trades here would only cost time.
        bases=tuple(dict.fromkeys((*named, *more))),
        latency_scale=float(simulation.latency_scale),
        line=simulation.link,
        collateral=simulation.collateral,
        books_per_s=books_per_s,
    )
    async with trio.open_nursery() as venues:
        clock = Clock()
        box = TwoVenues(options, wall_ms=clock.wall_ms)
        await venues.start(box.run)
        embedded, secrets = embed(config, ADDRESSES, box.credentials())
        world = MemoryWorld(box, venues, simulation.seed, clock=clock)
        yield Universe(box, world, embedded, secrets)
        venues.cancel_scope.cancel(reason="the universe ends")
