"""Takes the account at the start: at once where it is free, after a wait where its holder is mute.

A holder that lives says so every minute; the first such word ends the wait, and nothing starts. One
that is gone stays silent: then the account is ours once its lease and its longest trade are over.
"""

from __future__ import annotations

from typing import Final, Protocol

import structlog
import trio

from bot4.errors import MirrorAway, StartRefused
from bot4.invocation import command

log = structlog.get_logger()

POLL_S: Final = 5.0
NAMED_EVERY_S: Final = 60.0


class Claim(Protocol):
    """The database's word; times by its clock."""

    @property
    def granted(self) -> bool:
        """Whether the account is ours now."""

    @property
    def token(self) -> int:
        """Whose turn it is."""

    @property
    def holder(self) -> str:
        """Whose it is."""

    @property
    def seen_s(self) -> int:
        """How long ago the holder was heard of."""

    @property
    def free_in_s(self) -> int:
        """When it is free, unless the holder is heard of again."""


class Taking(Protocol):
    """Our hold on the account, as far as this goes."""

    async def take(self) -> Claim:
        """Ask for it once."""


async def take_account(lease: Taking) -> Claim:
    """Return the claim that was granted.

    Raises:
        StartRefused: another bot holds the account, and lives.
        MirrorAway, MirrorUnusable, MirrorRefused: the first question was not answered.

    Cancellation: safe; nothing was taken.
    """
    claim = await lease.take()
    named_at = float("-inf")
    while not claim.granted:
        if trio.current_time() - named_at >= NAMED_EVERY_S:
            named_at = trio.current_time()
            _name(claim)
        await trio.sleep(POLL_S)
        try:
            again = await lease.take()
        except MirrorAway:
            continue  # Somebody held it a moment ago: no answer is no leave to begin.
        if not again.granted and _lives(claim, again):
            raise StartRefused(
                f"another bot holds this account and lives: {again.holder}, "
                f"heard of {again.seen_s} s ago",
                "stop it first: two bots would trade against each other",
            )
        claim = again
    return claim


def _lives(before: Claim, after: Claim) -> bool:
    renewed = after.seen_s < before.seen_s
    return renewed or (after.token, after.holder) != (before.token, before.holder)


def _name(claim: Claim) -> None:
    why = f"{claim.holder} holds it and was heard of {claim.seen_s} s ago"
    log.warning(
        "lease.waiting",
        message=f"[SAFETY] Another bot holds this account: {claim.holder}. Waiting for a sign "
        f"of its life; without one the account is free in {claim.free_in_s} s",
        holder=claim.holder,
        seen_s=claim.seen_s,
        free_in_s=claim.free_in_s,
        why=why,
        do=f"wait, or Ctrl+C; if that machine is off for good: {command('db release')}",
    )
