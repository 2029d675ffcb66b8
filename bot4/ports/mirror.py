"""What the keeper of the mirror works with: rows to send, where they go, and the lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot4.errors import LeaseLost

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


class Batch(Protocol):
    """Rows to send together."""

    @property
    def tables(self) -> Tables:
        """Rows by table."""


class Post(Protocol):
    """The journal's rows that have not arrived."""

    @property
    def lag_rows(self) -> int:
        """How many."""

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest was written."""

    async def catch_up(self) -> str:
        """Return the key of the last event that was sent."""

    def start_over(self) -> None:
        """Send everything again."""

    async def next(self, limit: int) -> Batch | None:
        """Return the next rows, None when there are none."""

    def confirm(self, batch: Any) -> None:
        """They have arrived."""


class Shelf(Protocol):
    """Where they go. Everything raises a ``MirrorFault``."""

    async def push(self, tables: Tables, token: int) -> list[str]:
        """Write rows; return what was refused."""

    async def has_event(self, event_key: str) -> bool:
        """Whether it arrived."""

    def hurry(self, limit_s: float) -> None:
        """From now on no call takes longer."""


class Claim(Protocol):
    """The database's word on the lease."""

    @property
    def granted(self) -> bool:
        """Whether it is ours now."""

    @property
    def holder(self) -> str:
        """Whose it is."""

    @property
    def seen_s(self) -> int:
        """How long ago the holder was heard of, by the database's clock."""


class Hold(Protocol):
    """Our hold on the account."""

    token: int | None
    lost: LeaseLost | None
    ttl_s: int

    @property
    def held(self) -> bool:
        """Whether it is ours."""

    @property
    def left_s(self) -> float:
        """For how long we may still open."""

    @property
    def due(self) -> bool:
        """Whether it is time to ask again."""

    async def take(self) -> Any:
        """Ask for it; return a ``Claim``."""

    async def renew(self) -> None:
        """Say that we live."""

    async def release(self) -> None:
        """Give it back."""
