"""Opens the mirror: restores what a new machine lacks, then copies behind the trade."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from math import ceil
from typing import Final

import attrs
import structlog
import trio

from bot4 import __version__
from bot4.app import Service
from bot4.config.schema import Config, MirrorSecrets, Mode
from bot4.errors import MirrorAway, MirrorFault, MirrorUnusable, StartRefused
from bot4.logs.redact import register_secret
from bot4.ports import World
from bot4.storage.journal import SqliteJournal
from bot4.storage.mirror.door import SupabaseDoor
from bot4.storage.mirror.ids import account_key
from bot4.storage.mirror.lease import Lease
from bot4.storage.mirror.outbox import Outbox
from bot4.storage.mirror.restore import Restored, restore
from bot4.storage.mirror.rows import hold_row
from bot4.storage.mirror.store import Claim, SupabaseStore
from bot4.strategy.decision import Hold
from bot4.strategy.receiving import MOST_MS
from bot4.tasks.backoff import Backoff
from bot4.tasks.gate import Gate
from bot4.tasks.judge import Judge
from bot4.tasks.keeper import Keeper
from bot4.tasks.stop import StopSign

log = structlog.get_logger()

CURSOR_FILE: Final = "mirror.db"
RETRY_FIRST_S: Final = 1.0
RETRY_CAP_S: Final = 30.0
RELEASE_LIMIT_S: Final = 1.0
MARGIN_S: Final = 10
"""Added to the longest trade: for clocks, and for orders that are late."""


@attrs.frozen
class MirrorsHouse:
    """What the mirror needs of the house it stands in."""

    journal: SqliteJournal
    identity: Mapping[str, str]
    """Venue -> public name of the account."""
    gate: Gate
    closing: StopSign
    busy: Callable[[], bool]
    """Whether orders are on the wire."""
    judges: Mapping[str, Judge]
    """By pair, filled later: what they last decided is sampled."""


@asynccontextmanager
async def open_mirror(
    config: Config, secrets: MirrorSecrets | None, world: World, house: MirrorsHouse
) -> AsyncIterator[Sequence[Service]]:
    """Take the account, restore what the journal lacks, and yield the service that copies.

    Must be left before the journal is closed, and entered before it is replayed.

    Raises:
        StartRefused: another bot holds the account.
        JournalFault: the journal or the cursor beside it cannot be used.

    Cancellation: gives the account back, within ``RELEASE_LIMIT_S``.
    """
    if secrets is None:
        log.info("mirror.off", message="[MIRROR] The journal on this machine is the only copy")
        yield ()
        return
    register_secret(secrets.key.reveal())
    store = open_store(config, secrets, world, house.identity)
    lease = Lease(
        store=store,
        names={"account": account_text(house.identity), "mode": config.mode.value},
        holder=f"{house.journal.tag}@{os.uname().nodename}",
        version=__version__,
        ttl_s=config.mirror.lease_ttl_s,
        bound_s=longest_trade_s(config),
    )
    cursor = world.open_database(config.state_dir / CURSOR_FILE)
    try:
        outbox = Outbox(house.journal, cursor, store.account, secrets.url)
        await _begin(store, lease, house.journal)
        keeper = Keeper(
            post=outbox,
            shelf=store,
            lease=lease,
            gate=house.gate,
            closing=house.closing,
            backoff=Backoff(world.random, RETRY_FIRST_S, RETRY_CAP_S),
            wall_ms=world.wall_ms,
            busy=house.busy,
            sample=partial(_sample, store.account, house, world),
            batch=config.mirror.batch,
            every_s=float(config.mirror.every_s),
        )
        # What was just loaded stays for ever: the collector of garbage would stop an entry for it.
        gc.collect()
        gc.freeze()
        yield (keeper.keep,)
    finally:
        await _end(store, lease)  # noqa: ASYNC102 - bounded inside
        cursor.close()


def open_store(
    config: Config, secrets: MirrorSecrets, world: World, identity: Mapping[str, str]
) -> SupabaseStore:
    """Return the way to the account's rows. Nothing is dialled yet.

    Closes: nothing by itself; close its door.
    """
    from bot4.transport.pool import open_client
    from bot4.transport.world import RealWorld

    # The simulated venues' world trusts their certificates alone, and Supabase is no simulation.
    outside = RealWorld() if config.mode is Mode.SIMULATION else world
    door = SupabaseDoor(partial(open_client, outside), secrets.url, secrets.key)
    return SupabaseStore(door, account_key(config.mode.value, identity))


def account_text(identity: Mapping[str, str]) -> str:
    """Return the account's public names, for a person."""
    return ", ".join(f"{venue} {name}" for venue, name in sorted(identity.items()))


def longest_trade_s(config: Config) -> int:
    """Return how long after its first order a trade may still send one that opens, seconds."""
    budget = config.execution
    ms = (
        budget.deadline_ms
        + budget.answer_by_ms
        + budget.mend_within_ms
        + MOST_MS
        + budget.settle_ms
    )
    return ceil(ms / 1000) + MARGIN_S


async def _begin(store: SupabaseStore, lease: Lease, journal: SqliteJournal) -> None:
    """Take the account and restore, once; where that fails, the bot starts all the same."""
    try:
        claim = await lease.take()
        if not claim.granted:
            raise _refused(claim)
        restored = await restore(store, journal)
    except (MirrorAway, MirrorUnusable) as fault:
        empty = journal.last_row == 0
        log.warning(
            "mirror.away" if isinstance(fault, MirrorAway) else "mirror.unusable",
            message=f"[MIRROR] {fault}"
            + ("; whether trades were open elsewhere is not known" if empty else ""),
            why=fault.why,
            do=fault.do,
        )
        return
    log.info(
        "mirror.ready",
        message="[MIRROR] Supabase keeps a copy of the journal, and this bot holds the account",
        token=claim.token,
        holder=lease.holder,
    )
    _tell(restored)


def _refused(claim: Claim) -> StartRefused:
    return StartRefused(
        f"another bot holds this account: {claim.holder}, heard of {claim.seen_s} s ago",
        f"stop it; if its machine is gone, wait {claim.free_in_s} s or run "
        "trio-run bot4 db release",
    )


def _tell(restored: Restored) -> None:
    if restored.trades:
        log.warning(
            "mirror.restored",
            message=f"[RECOVERY] {len(restored.trades)} open trades came back from Supabase: "
            f"{', '.join(restored.trades)}",
            trades=list(restored.trades),
            events=restored.events,
            why="this machine's journal did not know how they went on",
            do="nothing: both venues are compared before anything opens",
        )
    for difference in restored.differences:
        log.warning(
            "mirror.differs",
            message=f"[MIRROR] {difference}",
            why=difference,
            do="nothing: both venues decide; look at the trade if it matters to you",
        )


async def _end(store: SupabaseStore, lease: Lease) -> None:
    """Give the account back if the keeper did not, and hang up."""
    store.hurry(RELEASE_LIMIT_S)
    with trio.move_on_after(2 * RELEASE_LIMIT_S, shield=True):
        try:
            await lease.release()
        except MirrorFault:
            log.debug("mirror.away", message="[MIRROR] The account could not be given back")
        await store.door.aclose()


def _sample(account: str, house: MirrorsHouse, world: World) -> dict[str, list[dict[str, object]]]:
    """Say why each pair does nothing just now, as rows."""
    now_ms = world.wall_ms()
    rows = []
    for pair, judge in house.judges.items():
        decision = judge.decision
        if isinstance(decision, Hold):
            words = f"{decision.reason.value}: {decision.detail}".removesuffix(": ")
            target = judge.rules.entry.spread_entry * 100
            rows.append(hold_row(account, pair, now_ms, words, target))
    return {"decisions": rows}
