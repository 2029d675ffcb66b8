"""Everything outside the process: disk, network, clocks and chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

import attrs

from bot4.errors import StartRefused

CLOSED: Final = "Closed"
"""Kind of the row that ends a trade and carries its account; every other one is an event's name."""


@attrs.frozen
class Entry:
    """One row of the journal: something that happened, in JSON-ready values."""

    kind: str
    trade_id: str
    body: Mapping[str, Any]
    client_order_id: str = ""
    row: int = 0
    """Assigned by the journal, rising for ever."""
    wall_ms: int = 0


class Journal(Protocol):
    """The durable, append-only record. One instance at a time, by an exclusive lock."""

    tag: str
    """Six random characters of this journal: part of every client order id."""

    def append(self, entries: Iterable[Entry], *, durable: bool) -> None:
        """Write the entries in one transaction.

        Args:
            entries: rows in order; ``row`` and ``wall_ms`` are filled in by the journal.
            durable: return only when a power loss cannot undo it.

        Raises:
            JournalFault: they were not written; nothing of them is kept.
        """

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every row after one, oldest first."""

    def next_number(self, name: str, floor: int = 0) -> int:
        """Return a number larger than any given before under this name, and than ``floor``.

        Durable before it is returned to the wire: rows are reserved in blocks.
        """


# --------------------------------------------------------------------------------- accounts


@attrs.frozen
class AccountName:
    """One account at one venue, by public facts alone."""

    venue: str
    network: str
    """Which of the venue's networks: the same keys are another account on another one."""
    identity: str
    """Its public address; the letters' case does not matter."""

    @property
    def key(self) -> str:
        """What its lock is called: the same for everybody who means this account."""
        text = f"{self.venue}\n{self.network}\n{self.identity.lower()}"
        return sha256(text.encode()).hexdigest()


class AccountLock(Protocol):
    """An account that this process alone may trade on this machine."""

    def close(self) -> None:
        """Give it back. Safe to call twice."""

    async def answer(self, *, task_status: Any) -> None:
        """Tell who asks who holds it. Started: at once. Cancellation: safe."""


def account_taken(account: AccountName, holder: str) -> StartRefused:
    """Return the refusal to work on an account that another process of this machine has.

    Args:
        account: which one.
        holder: who has it; "" where that cannot be told.
    """
    return StartRefused(
        f"another bot trades this account: {account.venue} {account.identity} "
        f"is held by {holder or 'another process'}",
        "stop that one first, with Ctrl+C where it runs: two bots on one account trade against "
        "each other",
    )


# --------------------------------------------------------------------------------- world


class ByteStream(Protocol):
    """A bidirectional byte stream, already encrypted where the real world encrypts."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything. Cancellation: leaves the stream broken."""

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there may be room. Cancellation: safe."""

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Wait for bytes; empty at the end. Cancellation: safe."""

    async def aclose(self) -> None:
        """Close both directions. Cancellation: closes all the same."""

    def is_readable(self) -> bool:
        """Whether bytes or the end already wait to be read (tells an idle connection died)."""


class Database(Protocol):
    """What the journal needs of SQLite."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Iterable[Sequence[Any]]:
        """Run one statement. Raises JournalFault when the database cannot do it."""

    def close(self) -> None:
        """Give the file back. Safe to call twice."""


class World(Protocol):
    """Everything outside: network, clocks, chance, disk. Trio's own clock is the monotonic one."""

    random: Random

    async def dial(self, host: str, port: int) -> ByteStream:
        """Open an encrypted stream to a host, certificate checked.

        Raises:
            OSError: it could not be opened (DNS, refused, TLS).

        Cancellation: safe.
        """

    def wall_ms(self) -> int:
        """Our wall clock, ms since the epoch."""

    def suspended_s(self) -> float:
        """Seconds that this machine has slept, from some moment on; only differences mean anything.

        Trio's clock stands still meanwhile, the venues do not.
        """

    def open_database(self, path: Path) -> Database:
        """Open (or create, mode 0600) a SQLite file, autocommit, for this process alone.

        Raises:
            StartRefused: another process holds it.
            JournalFault: it is not a usable database.
        """

    async def lock_account(self, account: AccountName, holder: str) -> AccountLock:
        """Take an account for this process alone, for every user of this machine.

        Args:
            account: which one.
            holder: what is said of us to whoever is refused.

        Raises:
            StartRefused: another process holds it.

        Cancellation: nothing was taken.
        """
