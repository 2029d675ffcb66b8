"""``trio-run bot4 flatten``: both venues to zero by hand, with the bot dead and no journal."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Final

import structlog
import trio

from bot4.config.load import load_config
from bot4.config.options import FlattenOptions, RunOptions
from bot4.config.schema import Config, Secrets
from bot4.domain.market import VENUES
from bot4.domain.units import plain
from bot4.errors import ConfigError, ExitCode, JournalFault, StartRefused
from bot4.invocation import command
from bot4.logs.redact import register_token
from bot4.ports import World
from bot4.tasks.flatten import Flat, Flattener, summary
from bot4.tasks.gateway import Gateway
from bot4.tasks.line import SAID
from bot4.transport.database import SqliteDatabase, open_database
from bot4.transport.http import HttpxDoor
from bot4.wiring.accounts import lock_to_close
from bot4.wiring.files import journal_file, stop_file
from bot4.wiring.run import open_world
from bot4.wiring.snapshot import read_status
from bot4.wiring.venues import speech_of, symbols_of

log = structlog.get_logger()

STOP_WAIT_S: Final = 15.0
"""What a running bot gets to stop from its last sign of life on: it settles for ten at most."""
STOP_LIMIT_S: Final = 30.0
"""What it gets in all: on a busy machine it lives on for a while, and says so. Not longer: what is
open waits too."""
ALIVE: Final = "the bot is running: two hands on one account would fight"


async def run_flatten(options: FlattenOptions) -> ExitCode:
    """Cancel every order and close every position, each venue on its own; prove it.

    Returns:
        CLEAN only when every venue asked is proven flat.

    Raises:
        StartRefused: the bot is alive, another one trades the account, or nobody could say yes.
        ConfigError: the pair or venue is not one of bot4.yaml.

    Cancellation: may leave a venue half flattened; it can be run again.
    """
    config = load_config(options.config, live_flag=options.live)
    venues = _venues(options)
    symbols = {venue: _symbols(config, options, venue) for venue in venues}
    if not (options.yes or options.dry_run or sys.stdin.isatty()):
        raise StartRefused("nobody is there to say yes", "add --yes, or --dry-run to look only")
    world_options = RunOptions(config=options.config, live=options.live)
    async with (
        only_hand(config, ask=not options.dry_run, force=options.force),
        open_world(config, world_options) as (opened, secrets, world),
        lock_to_close(
            opened, secrets, world, () if options.dry_run else venues, force=options.force
        ),
        open_flatteners(opened, secrets, world, symbols) as flatteners,
    ):
        await _plan(flatteners)
        if options.dry_run:
            return ExitCode.CLEAN
        if not options.yes and not await _agreed():
            return ExitCode.REFUSED
        return await flatten_all(flatteners)


@asynccontextmanager
async def open_flatteners(
    config: Config,
    secrets: Secrets,
    world: World,
    symbols: dict[str, frozenset[str] | None],
) -> AsyncIterator[list[Flattener]]:
    """Open each venue's door and counter. Closes: the connections, when the block is left."""
    tag = "".join(world.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6))
    rows = count(1)
    async with AsyncExitStack() as stack:
        counters = await stack.enter_async_context(trio.open_nursery())
        flatteners = []
        for venue, wanted in symbols.items():
            speech = speech_of(venue, config, secrets, tag)
            door = HttpxDoor(world, speech.rest_url)
            stack.push_async_callback(door.aclose)
            gateway = Gateway(speech.codec, door, world, hide=register_token)
            await counters.start(gateway.run)
            flatteners.append(Flattener(gateway, wanted, _next(rows)))
        yield flatteners
        counters.cancel_scope.cancel(reason="flattened")


async def flatten_all(flatteners: list[Flattener], *, close: bool = True) -> ExitCode:
    """Flatten every venue at once and say how each ended. Cancellation: as the flattener.

    Args:
        flatteners: one a venue.
        close: False only cancels what is open; positions stay.
    """
    ends: list[Flat] = []

    async def one(flattener: Flattener) -> None:
        ends.append(await flattener.flatten(close=close))

    async with trio.open_nursery() as flattening:
        for flattener in flatteners:
            flattening.start_soon(one, flattener)
    for flat in sorted(ends, key=lambda flat: flat.venue):
        known = {
            "venue": flat.venue,
            "cancelled": flat.cancelled,
            "closed": {symbol: plain(size) for symbol, size in flat.closed.items()},
        }
        if flat.proven:
            log.info("flatten.done", message=f"[FLATTEN] {summary(flat)}", **known)
        else:
            log.error(
                "flatten.failed",
                message=f"[FLATTEN] {summary(flat)}",
                left={symbol: plain(size) for symbol, size in flat.left.items()},
                why=flat.why or "it still holds something",
                do="run it again, or close it on the venue's page",
                **known,
            )
    return ExitCode.CLEAN if all(flat.proven for flat in ends) else ExitCode.LEFT_OPEN


@asynccontextmanager
async def only_hand(config: Config, *, ask: bool, force: bool) -> AsyncIterator[bool]:
    """Hold the journal's lock, so that no bot begins meanwhile; a running one is asked to stop.

    A missing or broken journal is no obstacle: then there is nothing to hold, and False is
    yielded.

    Raises:
        StartRefused: the bot runs, and may not be asked or did not stop in time.
    """
    held = None
    try:
        held = await _take_journal(config, ask=ask, force=force)
        yield held is not None
    finally:
        if ask:
            # Another's wish that the bot stop is not ours to withdraw.
            stop_file(config).unlink(missing_ok=True)
        if held is not None:
            held.close()


async def _take_journal(config: Config, *, ask: bool, force: bool) -> SqliteDatabase | None:
    path, wanted = journal_file(config), stop_file(config)
    begun, word = trio.current_time(), read_status(config)
    with trio.move_on_after(STOP_WAIT_S) as patience:
        while path.exists():
            if word != (word := read_status(config)):
                now = trio.current_time()
                patience.deadline = min(now + STOP_WAIT_S, begun + STOP_LIMIT_S)
            try:
                return open_database(path)
            except JournalFault:
                return None
            except StartRefused:
                if not ask:
                    raise StartRefused(
                        ALIVE, f"stop it first; {command('flatten')} asks it to"
                    ) from None
            if not wanted.exists():
                wanted.touch(mode=0o600)
                log.warning(
                    "flatten.planned",
                    message="[FLATTEN] The bot runs: it is asked to stop first",
                    why=ALIVE,
                    do="wait",
                )
            await trio.sleep(0.2)
        return None
    if force:
        return None
    raise StartRefused(ALIVE, "it did not stop in time: press Ctrl+C where it runs, or use --force")


async def _plan(flatteners: list[Flattener]) -> None:
    for flattener in flatteners:
        venue = flattener.gateway.venue
        try:
            await flattener.gateway.sync_clock()
            orders, positions = await flattener.look()
        except SAID as said:
            log.warning(
                "venue.unreachable",
                message=f"[FLATTEN] {said}",
                venue=venue,
                why=str(said),
                do="it is tried again while flattening",
            )
            continue
        held = {position.key.symbol: plain(position.size) for position in positions}
        words = ", ".join(f"{size} {symbol}" for symbol, size in held.items()) or "nothing"
        log.info(
            "flatten.planned",
            message=f"[FLATTEN] {venue}: {orders} open orders, holds {words}",
            venue=venue,
            orders=orders,
            held=held,
        )


async def _agreed() -> bool:
    sys.stderr.write("Cancel and close all of this? Type yes: ")
    sys.stderr.flush()
    # A terminal is readable once a whole line was typed.
    await trio.lowlevel.wait_readable(sys.stdin.fileno())
    return sys.stdin.readline().strip().lower() == "yes"


def _venues(options: FlattenOptions) -> tuple[str, ...]:
    return VENUES if options.venue is None else (options.venue,)


def _symbols(config: Config, options: FlattenOptions, venue: str) -> frozenset[str] | None:
    if options.pair is None:
        return None
    names = [pair.name for pair in config.pairs]
    if options.pair not in names:
        raise ConfigError(
            [f"--pair {options.pair}: not in bot4.yaml, which has {', '.join(names)}"]
        )
    return frozenset({symbols_of(venue, config)[names.index(options.pair)]})


def _next(rows: count[int]) -> Callable[[], int]:
    return lambda: next(rows)
