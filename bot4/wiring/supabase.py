"""``trio-run bot4 db check`` and ``db release``: Supabase looked at by hand."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from bot4.config.env import FILE, MIRROR_KEY, MIRROR_URL, load_mirror_secrets, load_secrets
from bot4.config.schema import Config, MirrorSecrets, Mode
from bot4.errors import ConfigError, StartRefused
from bot4.ports import World
from bot4.storage.mirror.check import Findings, check_schema
from bot4.storage.mirror.store import SupabaseStore
from bot4.transport.world import RealWorld
from bot4.wiring.accounts import identity_of
from bot4.wiring.mirror import open_store

NOBODY: Final = {"nobody": "0"}


def keys_of(config: Config, folder: Path) -> MirrorSecrets:
    """Return where Supabase is and the key to it, in simulation too.

    Raises:
        ConfigError: they are missing or unusable.
    """
    where = "the environment" if config.mode is Mode.SIMULATION else f"{folder / FILE}"
    # A simulation copies nothing unless it is told to: that one of the two is there says so.
    simulated = config.mode is Mode.SIMULATION and any(
        map(os.environ.get, (MIRROR_URL, MIRROR_KEY))
    )
    wanted = "on" if simulated else "auto"
    asked = attrs.evolve(config, mirror=attrs.evolve(config.mirror, enabled=wanted))
    try:
        found = load_mirror_secrets(asked, folder)
    except ConfigError as error:
        raise ConfigError(
            error.faults, f"put both right in {where}; see docs/supabase.md"
        ) from None
    if found is None:
        why = (
            f"there is no copy in Supabase: neither {MIRROR_URL} nor {MIRROR_KEY} is set, and the "
            "journal on this machine is the only one"
        )
        do = f"nothing, if you want no copy; else set both in {where}, see docs/supabase.md"
        raise ConfigError([why], do)
    return found


async def check(config: Config, folder: Path) -> Findings:
    """Compare the live schema with what this version needs.

    Raises:
        ConfigError: there are no keys for Supabase.
        MirrorAway, MirrorUnusable: it does not answer, or refuses the key.
    """
    async with _opened(keys_of(config, folder), config, NOBODY) as store:
        return await check_schema(store)


@attrs.frozen
class Released:
    """Who held the account."""

    holder: str
    renewed_at: str


async def release(config: Config, folder: Path) -> Released | None:
    """Give the account back for a bot that cannot do so any more; None when nobody held it.

    Whoever calls it vouches that the other machine is off.

    Raises:
        ConfigError: keys are missing.
        StartRefused: in simulation, whose account is known to a running bot only.
        MirrorAway, MirrorUnusable: Supabase does not answer, or refuses the key.
    """
    if config.mode is Mode.SIMULATION:
        raise StartRefused("a simulated account is not shared", "nothing is to be done")
    identity = identity_of(load_secrets(config, folder))
    async with _opened(keys_of(config, folder), config, identity) as store:
        held: dict[str, Any] = dict(await store.instance() or {})
        if not held or held.get("released_at"):
            return None
        await store.release(int(held["token"]))
        return Released(str(held["holder"]), str(held["renewed_at"]))


@asynccontextmanager
async def _opened(
    secrets: MirrorSecrets, config: Config, identity: dict[str, str], world: World | None = None
) -> AsyncIterator[SupabaseStore]:
    store = open_store(config, secrets, world or RealWorld(), identity)
    try:
        yield store
    finally:
        await store.door.aclose()
