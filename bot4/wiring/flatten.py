"""``trio-run bot4 flatten``: both venues to zero by hand, without a bot and without a journal."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

import structlog
import trio

from bot4.config.load import load_config
from bot4.config.options import FlattenOptions, RunOptions
from bot4.config.schema import Config, Secrets
from bot4.domain.market import PARADEX, VENUES, VEST, MarketKey
from bot4.domain.units import plain
from bot4.errors import ConfigError, ExitCode, JournalFault, StartRefused
from bot4.invocation import command
from bot4.logs.redact import register_token
from bot4.ports import World
from bot4.strategy.exposure import Exposure
from bot4.tasks.flat import Flat, summary
from bot4.tasks.flatten import Flattener
from bot4.tasks.gateway import Gateway
from bot4.transport.database import SqliteDatabase, is_in_use, open_database
from bot4.transport.http import HttpxDoor
from bot4.wiring.accounts import lock_to_close
from bot4.wiring.files import journal_file, stop_file
from bot4.wiring.flatten_words import agreed, beside_bot, look, tell, tell_left
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
    """Cancel every order and close every position, and prove it.

    What is held and what closing will cost is told first, through a running bot where there is one;
    it is asked to stop only after somebody has said yes.

    Returns:
        CLEAN only when every venue asked is proven flat; with ``dry_run``, when all could be read.

    Raises:
        StartRefused: the bot did not stop, another one trades the account, or nobody could say yes.
        ConfigError: the pair or venue is not one of bot4.yaml.

    Cancellation: may leave a venue half flattened; it can be run again.
    """
    config = load_config(options.config, live_flag=options.live)
    venues = _venues(options)
    symbols = {venue: _symbols(config, options, venue) for venue in venues}
    if not (options.yes or options.dry_run or sys.stdin.isatty()):
        raise StartRefused("nobody is there to say yes", "add --yes, or --dry-run to look only")
    world_options = RunOptions(config=options.config, live=options.live)
    beside = beside_bot(config, symbols)
    if beside is not None:
        if options.dry_run:
            return tell(beside)
        tell(beside)
        if not options.yes and not await agreed():
            return ExitCode.REFUSED
    async with AsyncExitStack() as stack:
        if not options.dry_run:
            hand = only_hand(config, ask=True, force=options.force)
            await stack.enter_async_context(hand)
        opened = await stack.enter_async_context(open_world(config, world_options))
        asked = () if options.dry_run else venues
        await stack.enter_async_context(lock_to_close(*opened, asked, force=options.force))
        flatteners = await stack.enter_async_context(open_flatteners(*opened, symbols))
        if beside is None:
            code = tell([await look(flattener) for flattener in flatteners])
            if options.dry_run:
                return code
            if not options.yes and not await agreed():
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
        exposure = Exposure(_pairs(config, symbols))
        flatteners = []
        for venue, wanted in symbols.items():
            speech = speech_of(venue, config, secrets, tag)
            door = HttpxDoor(world, speech.rest_url)
            stack.push_async_callback(door.aclose)
            gateway = Gateway(speech.codec, door, world, hide=register_token)
            await counters.start(gateway.run)
            flatteners.append(Flattener(gateway, wanted, _next(rows), exposure))
        yield flatteners
        counters.cancel_scope.cancel(reason="flattened")


async def flatten_all(flatteners: list[Flattener], *, close: bool = True) -> ExitCode:
    """Flatten every venue at once and say how each ended, and what of each pair is left.

    Args:
        flatteners: one a venue.
        close: False cancels what is open and closes only what nothing hedges.

    Returns:
        CLEAN when every venue is proven to be so, and no leg is alone.

    Cancellation: as the flattener.
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
                left={symbol: plain(size) for symbol, size in (flat.left or {}).items()},
                why=flat.why or "it still holds something",
                do="run it again, or close it on the venue's page",
                **known,
            )
    left = flatteners[0].exposure.remarks()
    for remark in left:
        tell_left(remark)
    naked = any(remark.naked for remark in left)
    fine = all(flat.proven for flat in ends) and not naked
    return ExitCode.CLEAN if fine else ExitCode.LEFT_OPEN


@asynccontextmanager
async def only_hand(config: Config, *, ask: bool, force: bool) -> AsyncIterator[bool]:
    """Hold the journal's lock, so that no bot begins meanwhile; a running one is asked to stop.

    A journal that is missing, broken or cannot be written is no obstacle while nobody has it open:
    then nothing is held, which is warned of once, and False is yielded.

    Args:
        config: says where the journal is.
        ask: ask a running bot to stop; and where nobody can tell whether one runs, go on.
        force: go on although it did not stop.

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
            with suppress(OSError):
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
            except (JournalFault, StartRefused) as fault:
                used = is_in_use(path)
                if used is False or (used is None and ask):
                    _warn_unlocked(fault)
                    return None
            if used is None:
                raise StartRefused(
                    f"{path} cannot be read: nobody can tell whether a bot runs",
                    "mend its owner and rights",
                )
            if not ask:
                raise StartRefused(ALIVE, f"stop it first; {command('flatten')} asks it to")
            _ask_to_stop(wanted)
            await trio.sleep(0.2)
        return None
    if force:
        return None
    raise StartRefused(ALIVE, "it did not stop in time: press Ctrl+C where it runs, or use --force")


def _ask_to_stop(wanted: Path) -> None:
    if wanted.exists():
        return
    try:
        wanted.touch(mode=0o600)
    except OSError as error:
        why = f"{wanted}: {error.strerror or error}"
        raise StartRefused(why, "press Ctrl+C where the bot runs, then run this again") from None
    log.warning(
        "flatten.planned",
        message="[FLATTEN] The bot runs: it is asked to stop first",
        why=ALIVE,
        do="wait",
    )


def _warn_unlocked(fault: Exception) -> None:
    log.warning(
        "journal.failed",
        message=f"[JOURNAL] It cannot be locked: going on without. {fault}",
        why=str(fault),
        do="start no bot until this has ended; then mend the folder",
    )


def _pairs(
    config: Config, symbols: Mapping[str, frozenset[str] | None]
) -> dict[str, tuple[MarketKey, MarketKey]]:
    """The pairs both of whose markets are looked after."""
    if len(symbols) < len(VENUES):
        return {}
    pairs = {p.name: (MarketKey(VEST, p.vest), MarketKey(PARADEX, p.paradex)) for p in config.pairs}
    return {
        name: keys
        for name, keys in pairs.items()
        if all((wanted := symbols[k.venue]) is None or k.symbol in wanted for k in keys)
    }


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
