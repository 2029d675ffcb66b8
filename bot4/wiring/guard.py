"""``trio-run bot4 guard``: a second process that cleans up after a bot that hangs or died."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

import attrs
import structlog
import trio

from bot4.config.env import load_secrets
from bot4.config.load import load_config
from bot4.config.options import GuardOptions, RunOptions
from bot4.config.schema import Config, Mode, Secrets
from bot4.domain.market import VENUES
from bot4.errors import ExitCode, StartRefused
from bot4.invocation import command
from bot4.ports import World
from bot4.signals import Signals
from bot4.tasks.guard import CleanUp, Guard, Word
from bot4.transport.process import birth_of, end_process
from bot4.transport.world import RealWorld
from bot4.wiring.accounts import lock_to_close
from bot4.wiring.flatten import flatten_all, only_hand, open_flatteners
from bot4.wiring.flatten_words import held_words
from bot4.wiring.run import open_world
from bot4.wiring.snapshot import forget_status, read_status
from bot4.wiring.window import ask_window

log = structlog.get_logger()

ASK_S: Final = 3.0
NEWEST: Final = 1 << 62
"""A row that no journal reaches: the answer is one short line."""


@attrs.frozen
class RealHands:
    """Implements ``tasks.guard.Hands`` beside one state folder."""

    config: Config
    options: GuardOptions
    world: World

    def word(self) -> Word | None:
        """Return what the status file says of its writer."""
        said = read_status(self.config)
        if said is None or not isinstance(said.get("pid"), int):
            return None
        return Word(said["pid"], str(said.get("born", "")), said["wall_ms"])

    async def answers(self) -> bool:
        """Ask for rows that do not exist yet. Cancellation: safe."""
        with trio.move_on_after(ASK_S):
            try:
                await ask_window(self.config, NEWEST, ())
            except StartRefused:
                return False
            return True
        return False

    def wall_ms(self) -> int:
        """Our wall clock, ms since the epoch."""
        return self.world.wall_ms()

    async def bury(self, word: Word) -> None:
        """Kill the process that said this, if it still lives.

        Raises:
            StartRefused: it cannot be proven dead.
        """
        lived = bool(word.birth) and birth_of(word.pid) == word.birth
        if why := await end_process(word.pid, word.birth):
            raise StartRefused(why, f"end the bot, then run {command('flatten')}")
        if lived:
            log.warning(
                "guard.killed",
                message=f"[GUARD] Process {word.pid} hung and was killed",
                pid=word.pid,
                why="its loop answered nothing, and two hands on one account would fight",
                do="keep the bot's log file and send it to whoever looks after the bot",
            )

    async def clean_up(self) -> CleanUp:
        """Cancel all, close what nothing hedges, or all where configured, under the journal's lock.

        A journal that cannot be locked is no obstacle where it is plain that nobody uses it. Each
        venue's end is logged.

        Raises:
            StartRefused: somebody else holds the journal, or nobody can tell; nothing was touched.

        Cancellation: may leave a venue half flattened.
        """
        run_options = RunOptions(config=self.options.config, live=self.options.live)
        async with AsyncExitStack() as stack:
            hand = only_hand(self.config, ask=False, force=False)
            await stack.enter_async_context(hand)
            opened = await stack.enter_async_context(open_world(self.config, run_options))
            return await clean_account(*opened)


async def clean_account(config: Config, secrets: Secrets, world: World) -> CleanUp:
    """Clean up under the locks of the accounts; whoever calls this holds the journal's.

    Raises:
        StartRefused: somebody else holds an account; nothing was touched.

    Cancellation: may leave a venue half flattened.
    """
    everything: dict[str, frozenset[str] | None] = dict.fromkeys(VENUES)
    async with (
        lock_to_close(config, secrets, world, VENUES, force=False),
        open_flatteners(config, secrets, world, everything) as flatteners,
    ):
        code = await flatten_all(flatteners, close=config.guard.flatten)
        if code is ExitCode.CLEAN:
            # Nobody is missed any more. Still under the lock: no bot can have spoken.
            forget_status(config)
        return CleanUp(code is ExitCode.CLEAN, held_words(flatteners))


async def run_guard(options: GuardOptions, signals: Signals) -> ExitCode:
    """Watch until the first signal.

    Returns:
        CLEAN when it was only watching, LEFT_OPEN when it was stopped at work.

    Raises:
        ConfigError: bot4.yaml or a key is unusable. Better known now than when they are needed.

    Cancellation: as after a signal.
    """
    config = load_config(options.config, live_flag=options.live)
    if config.mode is not Mode.SIMULATION:
        load_secrets(config, options.config.parent)
    guard = Guard(
        RealHands(config, options, RealWorld()),
        float(config.guard.silence_s),
        config.guard.flatten,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(guard.keep)
        await signals.wait_first()
        nursery.cancel_scope.cancel(reason=f"{signals.names[0]} arrived")
    return ExitCode.LEFT_OPEN if guard.at_work else ExitCode.CLEAN
