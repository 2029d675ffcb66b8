"""The locks of the accounts: whoever may send an order holds one for each of its venues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import structlog
import trio

from bot4.config.networks import LOOPBACK
from bot4.config.schema import Config, Secrets
from bot4.domain.market import PARADEX, VENUES, VEST
from bot4.errors import StartRefused
from bot4.ports import AccountLock, AccountName, World

log = structlog.get_logger()

DYING_S: Final = 2.0
"""A process that was just ended gives its locks back when it is gone, a moment later."""
LOOK_S: Final = 0.1


def identity_of(secrets: Secrets) -> dict[str, str]:
    """What tells one account's journal from another's; public facts only."""
    from bot4.venues.vest.signing import address_of

    return {
        VEST: address_of(secrets.vest_primary_key),
        PARADEX: secrets.paradex_account.reveal().lower(),
    }


def account_names(config: Config, secrets: Secrets) -> dict[str, AccountName]:
    """Return the account at each venue.

    Venues on this machine are a network of their own at each address: two simulations of one seed
    have the same keys and nothing else in common.
    """
    urls = {VEST: config.vest.rest_url, PARADEX: config.paradex.rest_url}
    names = {}
    for venue, identity in identity_of(secrets).items():
        where = urlsplit(urls[venue])
        here = f" {where.netloc}" if where.hostname in LOOPBACK else ""
        names[venue] = AccountName(venue, f"{config.mode.value}{here}", identity)
    return names


@asynccontextmanager
async def lock_accounts(
    config: Config,
    secrets: Secrets,
    world: World,
    *,
    holder: str = "the bot",
    venues: Iterable[str] = VENUES,
    within_s: float = 0.0,
) -> AsyncIterator[Sequence[AccountLock]]:
    """Hold the accounts of these venues until the block is left.

    Args:
        config: where the venues are, and the state folder that others are told.
        secrets: whose accounts they are.
        world: this machine.
        holder: what works on them.
        venues: at which ones.
        within_s: how long to try, where the holder may be about to end.

    Raises:
        StartRefused: another process holds one of them; none is held then.

    Cancellation: gives back what was taken.
    """
    names = account_names(config, secrets)
    says = f"{holder} of {config.state_dir}"
    async with AsyncExitStack() as stack:
        locks = []
        until = trio.current_time() + within_s
        for venue in venues:
            lock = await _lock(world, names[venue], says, until)
            stack.callback(lock.close)
            locks.append(lock)
        yield locks


async def _lock(world: World, name: AccountName, holder: str, until: float) -> AccountLock:
    while True:
        try:
            return await world.lock_account(name, holder)
        except StartRefused:
            if trio.current_time() >= until:
                raise
        await trio.sleep(LOOK_S)


@asynccontextmanager
async def lock_to_close(
    config: Config, secrets: Secrets, world: World, venues: Iterable[str], *, force: bool
) -> AsyncIterator[None]:
    """Hold the accounts while a person has orders sent there, so that no bot begins meanwhile.

    Args:
        config: as in ``lock_accounts``.
        secrets: as there.
        world: as there.
        venues: as there.
        force: go on, with a warning, where another process holds one.

    Raises:
        StartRefused: another process holds one, and goes on holding it.

    Cancellation: gives back what was taken.
    """
    async with AsyncExitStack() as stack:
        for venue in venues:
            lock = lock_accounts(
                config,
                secrets,
                world,
                holder="a command",
                venues=(venue,),
                within_s=DYING_S,
            )
            try:
                await stack.enter_async_context(lock)
            except StartRefused as refused:
                if not force:
                    raise StartRefused(
                        refused.why, f"{refused.do}; flatten --force closes all the same"
                    ) from None
                log.warning(
                    "flatten.planned",
                    message=f"[FLATTEN] Forced: {refused.why}",
                    why=refused.why,
                    do="stop that bot too, or it opens again what is closed here",
                )
        yield
