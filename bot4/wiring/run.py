"""``trio-run bot4 run``: from the command line to a running house, and its exit code."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache

import attrs
import structlog
import trio

from bot4 import __version__
from bot4.app import House, Signals, log_stop_requested, run_bot
from bot4.config.env import load_mirror_secrets, load_secrets
from bot4.config.load import load_config
from bot4.config.options import RunOptions
from bot4.config.schema import Config, Mode, Secrets
from bot4.errors import ExitCode, JournalFault, StartRefused
from bot4.logs.redact import register_secret
from bot4.ports import World
from bot4.transport.world import RealWorld
from bot4.wiring.ending import say_early
from bot4.wiring.files import refuse_second
from bot4.wiring.history import Source
from bot4.wiring.simulator import arguments, read_announcement, run_child

log = structlog.get_logger()

OpenHouse = Callable[[Config, Secrets, World], AbstractAsyncContextManager[House]]


@asynccontextmanager
async def open_world(
    config: Config, options: RunOptions, *, watched: bool = False
) -> AsyncIterator[tuple[Config, Secrets, RealWorld]]:
    """Start the embedded venues where the mode asks for them, and open the way out.

    Args:
        config: as loaded.
        options: whose folder has the keys, and whether the simulated world is a new one.
        watched: whether the block is cancelled when the embedded venues end by themselves.

    The private keys are hidden from the log before anything else can see them.

    Raises:
        StartRefused, ConfigError: as their owners say.
    """
    if config.mode is not Mode.SIMULATION:
        secrets = load_secrets(config, options.config.parent)
        hide(secrets)
        yield config, secrets, RealWorld()
        return
    mirror = load_mirror_secrets(config, options.config.parent)
    command = arguments(config, fresh=options.fresh)
    log_file = config.state_dir / "simulator.log"
    child = run_child(command, log_file, meanwhile=_load_house, watched=watched)
    async with child as announced:
        venues = read_announcement(config, announced)
        hide(venues.secrets)
        profile = config.simulation.profile
        warning = ". Profile demo: its profits mean nothing" if profile == "demo" else ""
        log.info(
            "simulator.started",
            message=f"[SIMULATION] Two simulated venues are up; no real money moves{warning}",
            profile=profile,
            seed=config.simulation.seed,
            control=venues.control,
        )
        secrets = attrs.evolve(venues.secrets, mirror=mirror)
        yield venues.config, secrets, RealWorld(ca_file=venues.ca_file)


@cache
def _load_house() -> OpenHouse:
    """Do what takes long once: while the simulator starts, it costs no time of its own.

    What an entry needs is ready then, and the collector of garbage, which would stop it for a
    while, no longer looks at what stays for ever.
    """
    gc.disable()  # Nearly all of it stays: looking for garbage was a fifth of the work.
    try:
        from bot4.strategy.journal_format import prepare
        from bot4.transport import pool  # noqa: F401 - its libraries are slow to import
        from bot4.wiring.house import open_house

        prepare()
        gc.freeze()
    finally:
        gc.enable()
    return open_house


def hide(secrets: Secrets) -> None:
    """Keep the private keys out of every log line."""
    for secret in (
        secrets.vest_primary_key,
        secrets.vest_signing_key,
        secrets.paradex_private_key,
    ):
        register_secret(secret.reveal())


async def run(options: RunOptions, signals: Signals) -> ExitCode:
    """Load, open, trade, leave.

    Raises:
        ConfigError, AuthRefused, StartRefused, JournalFault: the command line tells of them, in
            one clear line each.
    """
    begun = trio.current_time()
    config = load_config(options.config, live_flag=options.live)
    log.info(
        "bot.started",
        message=f"[START] bot4 {__version__}, mode {config.mode.value}, "
        f"pairs {', '.join(pair.name for pair in config.pairs)}",
        mode=config.mode.value,
        version=__version__,
    )
    refuse_second(config)
    async with open_world(config, options, watched=True) as (opened, secrets, world):
        async with AsyncExitStack() as stack:
            opening = _load_house()(opened, secrets, world)
            house = await enter_unless(signals, stack, opening)
            if house is not None:
                left_s = None
                if options.for_s is not None:
                    left_s = max(options.for_s - (trio.current_time() - begun), 0.0)
                return await run_bot(house, signals, for_s=left_s, for_ready_s=options.for_ready_s)
    left = await unlooked(config)
    say_early(left, {})
    return ExitCode.LEFT_OPEN if left else ExitCode.CLEAN


async def unlooked(config: Config) -> list[str]:
    """Return what may be open although nothing was started: by the journal, which may be lost.

    Cancellation: safe.
    """
    source = Source(config)
    try:
        held = [f"{one.pair} is {one.state} in the journal" for one in await source.holdings()]
        known = await source.known()
    except (StartRefused, JournalFault) as fault:
        return [f"the journal cannot be read: {fault}"]
    if not held and not known:
        return ["the journal is new here, so it cannot say that nothing is held"]
    return held


async def enter_unless(
    signals: Signals, stack: AsyncExitStack, opening: AbstractAsyncContextManager[House]
) -> House | None:
    """Open the house, or give up at the first signal: opening may have to wait for an account.

    Returns:
        None when a signal came first.

    Cancellation: what was opened is closed.
    """
    house: House | None = None

    async def give_up() -> None:
        await signals.wait_first()
        log_stop_requested(signals.names[0])
        nursery.cancel_scope.cancel(reason=f"{signals.names[0]} arrived")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(give_up)
        # The house keeps no nursery and no scope of its own open: it may outlive this one.
        house = await stack.enter_async_context(opening)
        nursery.cancel_scope.cancel(reason="the house is open")
    return house
