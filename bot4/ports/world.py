"""Everything outside the process: disk, network, clocks and chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

import attrs

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

    def open_database(self, path: Path) -> Database:
        """Open (or create, mode 0600) a SQLite file, autocommit, for this process alone.

        Raises:
            StartRefused: another process holds it.
            JournalFault: it is not a usable database.
        """
