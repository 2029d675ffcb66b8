"""A world with a disk and a clock that stands still, and a journal in it."""

from __future__ import annotations

import random
import sqlite3

import pytest

from bot4.errors import JournalFault
from bot4.storage.journal import open_journal
from bot4.transport.database import open_database

IDENTITY = {"vest": "0xabc", "paradex": "0xdef"}


class DiskWorld:
    """A real disk, a clock that the test moves, and a way to make statements fail."""

    def __init__(self):
        self.random = random.Random(7)
        self.now_ms = 1_700_000_000_000
        self.failing = ""
        self.statements = []

    def wall_ms(self):
        return self.now_ms

    def open_database(self, path):
        return FailingDatabase(open_database(path), self)


class FailingDatabase:
    """Passes everything on, but for the statement that the world says fails."""

    def __init__(self, database, world):
        self.database = database
        self.world = world

    def execute(self, sql, parameters=()):
        self.world.statements.append(sql)
        if self.world.failing and sql.startswith(self.world.failing):
            raise JournalFault("made to fail")
        return self.database.execute(sql, parameters)

    def close(self):
        self.database.close()


@pytest.fixture
def world():
    return DiskWorld()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def reopen(world, path):
    """Open the journal, closing the one opened before."""
    opened = []

    def again(**changes):
        if opened:
            opened.pop().close()
        journal = open_journal(
            world, path, **{"mode": "simulation", "identity": IDENTITY, **changes}
        )
        opened.append(journal)
        return journal

    yield again
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(reopen):
    return reopen()


@pytest.fixture
def tamper(path):
    """Change the file behind a closed journal's back, triggers put aside."""

    def run(*statements):
        connection = sqlite3.connect(path)
        connection.execute("DROP TRIGGER IF EXISTS entry_is_final")
        connection.execute("DROP TRIGGER IF EXISTS entry_stays")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    return run
