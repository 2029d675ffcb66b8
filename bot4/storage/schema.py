"""The journal's tables, its header, and the chain that shows a row was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from random import Random
from typing import Any, Final

import attrs

from bot4.errors import JournalFault, StartRefused
from bot4.invocation import command
from bot4.ports import Database
from bot4.storage.gaps import CLOSED_INDEX, ENTRY_STAYS, GAP_TABLE
from bot4.storage.transactions import transaction

SCHEMA_VERSION: Final = 1
TAG_LENGTH: Final = 6
TAG_CHARACTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
LINK_BYTES: Final = 16
_IDENTITY: Final = "identity."
_SHOWN: Final = 12
"""How much of an account is shown, which is enough to tell two apart."""

TABLES: Final = (
    "CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE entry (
        row INTEGER PRIMARY KEY,
        wall_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        trade_id TEXT NOT NULL,
        client_order_id TEXT NOT NULL,
        body TEXT NOT NULL,
        link BLOB NOT NULL
    ) STRICT""",
    "CREATE TABLE number (name TEXT PRIMARY KEY, reserved INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    GAP_TABLE,
    ENTRY_STAYS,
    CLOSED_INDEX,
)


@attrs.frozen
class Header:
    """What a journal says of itself; written once, bound into every row's link."""

    mode: str
    identity: Mapping[str, str]
    """Venue -> public name of the account."""
    tag: str
    created_ms: int
    schema: int = SCHEMA_VERSION

    def genesis(self) -> bytes:
        """Return the link that the first row continues."""
        return _digest(b"", *(f"{name}={value}" for name, value in sorted(_pairs(self).items())))


def link_after(previous: bytes, fields: Sequence[object]) -> bytes:
    """Return the link of a row, from the one before it and all its fields in order."""
    return _digest(previous, *map(str, fields))


def create(
    database: Database, *, mode: str, identity: Mapping[str, str], created_ms: int, random: Random
) -> Header:
    """Make the tables of a new journal in one transaction and return its header.

    Raises:
        JournalFault: nothing was made.
    """
    tag = "".join(random.choices(TAG_CHARACTERS, k=TAG_LENGTH))
    header = Header(mode=mode, identity=dict(identity), tag=tag, created_ms=created_ms)
    with transaction(database, "EXCLUSIVE"):
        write_tables(database, header)
    return header


def write_tables(database: Database, header: Header) -> None:
    """Make the tables, and write who the journal belongs to, inside the open transaction.

    Raises:
        JournalFault: the transaction is to be rolled back.
    """
    for statement in TABLES:
        database.execute(statement)
    for name, value in _pairs(header).items():
        database.execute("INSERT INTO header VALUES (?, ?)", (name, value))


def read_header(database: Database, path: object) -> Header | None:
    """Return the header, or None when the file is empty and new.

    Raises:
        StartRefused: written by another version of bot4.
        JournalFault: it is a database, but not a journal.
    """
    tables = {str(row[0]) for row in database.execute("SELECT name FROM sqlite_schema")}
    if not tables:
        return None
    if "header" not in tables:
        raise JournalFault(f"{path} is another program's database; move it away, then restart")
    found = {str(name): str(value) for name, value in database.execute("SELECT * FROM header")}
    if found.get("schema") != str(SCHEMA_VERSION):
        raise StartRefused(
            f"{path} was written by another version of bot4 "
            f"(schema {found.get('schema', 'unknown')}, this one writes {SCHEMA_VERSION})",
            "use that version until it is flat, then move the file away",
        )
    try:
        return Header(
            mode=found["mode"],
            identity={
                name.removeprefix(_IDENTITY): value
                for name, value in found.items()
                if name.startswith(_IDENTITY)
            },
            tag=found["tag"],
            created_ms=int(found["created_ms"]),
        )
    except (KeyError, ValueError):
        raise damaged(path, "its header is incomplete") from None


def check_owner(header: Header, path: object, *, mode: str, identity: Mapping[str, str]) -> None:
    """Refuse a journal of another mode or account.

    Raises:
        StartRefused: says which and what to do.
    """
    if header.mode != mode:
        raise StartRefused(
            f"{path} is a journal of mode {header.mode}, and this run is {mode}",
            "give each mode its own state_dir",
        )
    for name in sorted({*identity, *header.identity}):
        written, asked = header.identity.get(name, "none"), identity.get(name, "none")
        if written != asked:
            raise StartRefused(
                f"{path} belongs to another {name} account "
                f"({written[:_SHOWN]}, and this run uses {asked[:_SHOWN]})",
                "use the account it was written with, or give this one another state_dir",
            )


def damaged(path: object, what: str) -> JournalFault:
    """Return the fault for a journal whose rows cannot be believed."""
    return JournalFault(
        f"{path} is damaged: {what}; run {command('flatten')}, then move it away with its -wal file"
    )


def _pairs(header: Header) -> dict[str, Any]:
    return {
        "schema": str(header.schema),
        "mode": header.mode,
        "tag": header.tag,
        "created_ms": str(header.created_ms),
        **{_IDENTITY + name: value for name, value in header.identity.items()},
    }


def _digest(previous: bytes, *fields: str) -> bytes:
    # The lengths keep two neighbouring fields from being shifted into each other.
    text = "".join(f"{len(field)}:{field}" for field in fields)
    return blake2b(
        previous + text.encode("utf-8", "surrogatepass"), digest_size=LINK_BYTES
    ).digest()
