"""One bot an account: a lease in the database, timed by its clock and counted from ours.

The database decides who holds the account, by its own clock. We count from the moment before the
last request that it confirmed, by a clock that never jumps: so we are never later than it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
import trio

from bot4.errors import LeaseLost
from bot4.storage.mirror.store import Claim, SupabaseStore

RENEW_EVERY_S: Final = 60.0


@attrs.define
class Lease:
    """Our hold on the account."""

    store: SupabaseStore
    names: Mapping[str, str]
    """``account`` and ``mode``, for people."""
    holder: str
    version: str
    ttl_s: int
    bound_s: int
    """The longest that a trade takes from its first order to hedged or taken back."""
    token: int | None = None
    lost: LeaseLost | None = None
    _since: float = attrs.field(factory=trio.current_time)
    """When it was confirmed; before that, when we began."""

    @property
    def held(self) -> bool:
        """Whether the database ever gave it to us and did not take it away."""
        return self.token is not None and self.lost is None

    @property
    def left_s(self) -> float:
        """Seconds for which we may still open: none when it is lost."""
        return 0.0 if self.lost else self._since + self.ttl_s - trio.current_time()

    @property
    def due(self) -> bool:
        """Whether it is time to ask again."""
        every_s = min(RENEW_EVERY_S, self.ttl_s / 3)
        return not self.held or trio.current_time() - self._since >= every_s

    async def take(self) -> Claim:
        """Ask for the account once.

        Raises:
            MirrorAway, MirrorUnusable, MirrorRefused: as the store.
        """
        asked = trio.current_time()
        claim = await self.store.claim(
            self.names, self.holder, self.version, self.ttl_s, self.bound_s
        )
        if claim.granted:
            self.token, self._since = claim.token, asked
        return claim

    async def renew(self) -> None:
        """Say that we live.

        Raises:
            LeaseLost: another bot holds the account; said again at every later call.
            MirrorAway, MirrorUnusable: as the store.
        """
        if self.lost:
            raise self.lost
        asked = trio.current_time()
        try:
            await self.store.renew(self.token or 0)
        except LeaseLost as lost:
            self.lost = lost
            raise
        self._since = asked

    async def release(self) -> None:
        """Give it back, so that the next bot need not wait. Raises as the store."""
        token, self.token = self.token, None
        if token is not None and self.lost is None:
            await self.store.release(token)
