"""What a bot leaves behind, and the two tools that clean up after it, in one universe.

A base is played once, up to the death of its bot; what differs only from there on (the journal is
gone, the process hangs and keeps its locks) is done when a cell begins.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import attrs
import trio

from bot4.app import run_bot
from bot4.config.options import GuardOptions
from bot4.config.schema import Config, GuardConfig, SimulationConfig
from bot4.domain.market import VENUES
from bot4.errors import ExitCode, StartRefused
from bot4.signals import Signals
from bot4.simulator.options import Options
from bot4.tasks.guard import CleanUp, Guard, Word
from bot4.transport.database import open_database
from bot4.wiring.accounts import account_names, lock_to_close
from bot4.wiring.files import journal_file
from bot4.wiring.flatten import flatten_all, only_hand, open_flatteners
from bot4.wiring.guard import RealHands, clean_account
from bot4.wiring.house import open_house
from bot4.wiring.probe import far_order
from bot4.wiring.universe import Universe, open_universe, plain_config
from universelib.grammar import MARKETS
from universelib.play import LIGHTER, VERIFY_EVERY
from universelib.process import PROCESS, Log
from universelib.scenarios import Fault

PROFILE: Final = "calm"
SEED: Final = 3
BOOKS_PER_S: Final = 4.0
BOT, TOOL = 1, 2
"""Numbers of the processes in the log."""
GAP: Final[Fault] = {"venue": "vest", "kind": "gap_jump", "bps": 45.0, "seconds": 300.0}
UNDER_WAY_S: Final = 0.3
"""From the opening to the death of a bot whose order got no answer."""
LANDS_MS: Final = 1500
"""What that order takes to its venue's engine: whoever cleans up is at work by then."""
WINDOW_MS: Final = 2000
ALIVE_S: Final = 120.0
"""Simulated; a bot that does not come to its state in time never does."""
TRIES_S: Final = 25.0
"""How long flatten tries, in place of its minute: what stands in its way here lasts for ever."""
SILENCE_S: Final = Decimal(6)
"""The shortest that bot4.yaml allows a guard."""
NO_SOCKETS: Final = shutil.ignore_patterns("*.sock")


@attrs.frozen
class State:
    """What the bot left, and how it is made of a base."""

    name: str
    base: str
    """hedged, one-leg, doubt or resting."""
    there: bool = False
    """Whether the leg that is on is at the other venue than the fault."""
    journal: bool = True
    hangs: bool = False
    """Whether the process lives, holds its locks and does nothing."""

    def base_at(self, venue: str) -> tuple[str, str]:
        """Return the base and its venue for a fault at this one; "" where it has none."""
        if self.base in ("hedged", "resting"):
            return self.base, ""
        return self.base, other(venue) if self.there else venue


STATES: Final = {
    state.name: state
    for state in (
        State("hedged", "hedged"),
        State("one-leg-here", "one-leg"),
        State("one-leg-there", "one-leg", there=True),
        State("in-doubt", "doubt"),
        State("resting-orders", "resting"),
        State("journal-missing", "hedged", journal=False),
        State("bot-hung", "hedged", hangs=True),
        State("bot-hung-one-leg", "one-leg", hangs=True),
    )
}
"""Here and there: whether the leg that is on is at the venue of the fault. But for the two that
hang, the bot is dead."""


def other(venue: str) -> str:
    """Return the other venue."""
    return "paradex" if venue == "vest" else "vest"


@attrs.frozen
class Left:
    """A universe whose bot was just stopped for ever, and the folder that it left."""

    universe: Universe
    folder: Path
    log: Log


@asynccontextmanager
async def left_by_bot(base: str, venue: str, folder: Path, log: Log) -> AsyncIterator[Left]:
    """Run a bot up to a base and kill it.

    Args:
        base: hedged, one-leg, doubt or resting.
        venue: where the leg is on, or the doubt; "" for the others.
        folder: gets the bot's files.
        log: hears all.

    Raises:
        trio.TooSlowError: the bot did not get there.
    """
    options = Options(
        seed=SEED,
        profile=PROFILE,
        bases=("BTC",),
        books_per_s=BOOKS_PER_S,
        vest={"verify_every": VERIFY_EVERY},
        paradex={"verify_every": VERIFY_EVERY},
        tick_s=LIGHTER["tick_s"],
    )
    simulation = SimulationConfig(profile=PROFILE, seed=SEED)
    guard = GuardConfig(silence_s=SILENCE_S)
    config = attrs.evolve(plain_config(folder / "alive", SEED), simulation=simulation, guard=guard)
    async with open_universe(config, options) as universe, trio.open_nursery() as living:
        PROCESS.set(BOT)
        life = trio.CancelScope()
        living.start_soon(_live, universe, life)
        PROCESS.set(0)
        with trio.fail_after(ALIVE_S):
            await _bring(universe, log, base, venue)
        log.dead.add(BOT)
        universe.world.die()
        shutil.copytree(folder / "alive", folder / "left", ignore=NO_SOCKETS)
        life.cancel(reason="killed")
        if base == "resting":
            await _rest(universe)
        universe.box.faults.clear()
        yield Left(universe, folder, log)


async def _live(universe: Universe, life: trio.CancelScope) -> None:
    with life:
        async with open_house(universe.config, universe.secrets, universe.world) as house:
            await run_bot(house, Signals(clock=trio.current_time))


async def _bring(universe: Universe, log: Log, base: str, venue: str) -> None:
    faults = universe.box.faults
    await log.wait("feed.ready", BOT, 4)
    if base == "doubt":
        faults.add({"venue": venue, "kind": "lose_answer"})
        faults.add({"venue": venue, "kind": "delay_landing", "ms": LANDS_MS})
    faults.add(GAP)
    if base == "doubt":
        await log.wait("pair.opening", BOT)
        await trio.sleep(UNDER_WAY_S)
        return
    await log.wait("pair.opened", BOT)
    if base == "one-leg":
        gone = other(venue)
        faults.add({"venue": gone, "kind": "manual_close", "market": MARKETS[gone]})


async def _rest(universe: Universe) -> None:
    """Let an order of ours rest at each venue, far from the market.

    Raises:
        As ``Gateway.ask``.
    """
    everything: dict[str, frozenset[str] | None] = dict.fromkeys(VENUES)
    world = universe.new_world(97)
    async with open_flatteners(universe.config, universe.secrets, world, everything) as doors:
        for gateway in (door.gateway for door in doors):
            await gateway.sync_clock()
            await gateway.sign_in()
            wanted = MARKETS[gateway.venue]
            (market,) = [one for one in await gateway.markets() if one.key.symbol == wanted]
            order = await far_order(gateway, market, 1)
            signed, errand = gateway.codec.sign_resting(order, gateway.now_ms(), WINDOW_MS)
            await gateway.ask(errand)
            while (await gateway.find(signed))[0] is None:  # noqa: ASYNC110 - nobody tells
                await trio.sleep(0.1)


@attrs.frozen
class Hung:
    """A process whose loop does not turn: all that is left of it is what it holds."""

    _held: ExitStack

    def die(self) -> None:
        """End it, as SIGKILL does."""
        self._held.close()


async def hang(left: Left, config: Config) -> Hung:
    """Hold the journal and the accounts, as the bot did, and do nothing.

    Raises:
        StartRefused: somebody else holds one of them.
    """
    held, world = ExitStack(), left.universe.new_world(98)
    held.callback(open_database(journal_file(config)).close)
    for name in account_names(config, left.universe.secrets).values():
        held.callback((await world.lock_account(name, "the bot")).close)
    return Hung(held)


@attrs.frozen
class Ended:
    """How a tool ended."""

    code: int
    refused: str = ""
    """Why it refused to begin at first, where it did."""


Tool = Callable[[Left, Config, Hung | None], Awaitable[Ended]]


async def flatten(left: Left, config: Config, hung: Hung | None) -> Ended:
    """Run ``flatten --yes``; where it refuses because the bot lives, once more with --force."""
    del hung
    try:
        return Ended(await _close(left, config, force=False))
    except StartRefused as refused:
        return Ended(await _close(left, config, force=True), _words(refused))


def _words(refused: StartRefused) -> str:
    return f"{refused.why}; {refused.do}"


async def _close(left: Left, config: Config, *, force: bool) -> int:
    universe, everything = left.universe, dict[str, frozenset[str] | None].fromkeys(VENUES)
    world = universe.new_world(99)
    async with (
        only_hand(config, ask=True, force=force),
        lock_to_close(config, universe.secrets, world, VENUES, force=force),
        open_flatteners(config, universe.secrets, world, everything) as flatteners,
    ):
        return await flatten_all(flatteners)


@attrs.define
class Hands:
    """The guard's hands in a universe. Implements ``tasks.guard.Hands``."""

    real: RealHands
    left: Left
    hung: Hung | None
    end: Ended | None = None

    def word(self) -> Word | None:
        """Return what the bot's status file says."""
        return self.real.word()

    def wall_ms(self) -> int:
        """The universe's wall clock."""
        return self.left.universe.world.wall_ms()

    async def answers(self) -> bool:
        """A bot that is dead or hangs does not. Cancellation: safe."""
        await trio.lowlevel.checkpoint()
        return False

    async def bury(self, word: Word) -> None:
        """Kill the process that hangs."""
        del word
        await trio.lowlevel.checkpoint()
        if self.hung is not None:
            self.hung.die()

    async def clean_up(self) -> CleanUp:
        """As the real one does, in the universe. Raises StartRefused as that."""
        universe, config = self.left.universe, self.real.config
        try:
            async with only_hand(config, ask=False, force=False):
                done = await clean_account(config, universe.secrets, self.real.world)
        except StartRefused as refused:
            self.end = Ended(ExitCode.REFUSED, _words(refused))
            raise
        self.end = Ended(ExitCode.CLEAN if done.proven else ExitCode.LEFT_OPEN)
        return done


async def guard(left: Left, config: Config, hung: Hung | None) -> Ended:
    """Let the guard watch until it has acted once; the code says whether it proved its end."""
    real = RealHands(config, GuardOptions(), left.universe.new_world(99))
    hands = Hands(real, left, hung)
    watch = Guard(hands, float(config.guard.silence_s), config.guard.flatten)
    async with trio.open_nursery() as watching:
        watching.start_soon(watch.keep)
        while hands.end is None or watch.at_work:  # noqa: ASYNC110 - it watches for ever
            await trio.sleep(0.1)
        watching.cancel_scope.cancel(reason="it has acted")
    return hands.end


@contextmanager
def on_our_clock() -> Iterator[None]:
    """Let nothing wait on the machine's own clock, as SQLite does, nor for longer than it helps."""
    with (
        patch("bot4.transport.database.BUSY_LIMIT_S", 0.0),
        patch("bot4.tasks.flatten.LIMIT_S", TRIES_S),
    ):
        yield


TOOLS: Final[dict[str, Tool]] = {"flatten": flatten, "guard": guard}


@asynccontextmanager
async def began(left: Left, state: State, name: str) -> AsyncIterator[tuple[Config, Hung | None]]:
    """Give a cell its own copy of what the bot left, changed as its state wants it."""
    config = attrs.evolve(left.universe.config, state_dir=left.folder / name)
    shutil.copytree(left.folder / "left", config.state_dir)
    if not state.journal:
        for file in config.state_dir.glob("journal.db*"):
            file.unlink()
    hung = await hang(left, config) if state.hangs else None
    token: Any = PROCESS.set(TOOL)
    try:
        with on_our_clock():
            yield config, hung
    finally:
        PROCESS.reset(token)
        if hung is not None:
            hung.die()
        shutil.rmtree(config.state_dir, ignore_errors=True)
