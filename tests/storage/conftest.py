"""A world with a disk and a clock that stands still, and a journal in it."""

from __future__ import annotations

import random
import sqlite3

import pytest
from localsupabase.story import Story

from bot4.errors import JournalFault
from bot4.storage.folding import Keep, finished_trades
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


DAY_MS = 86_400_000


@pytest.fixture
def written(world, path, reopen):
    """Three finished trades, one open one, and a number given out."""
    journal = reopen()
    for number in (1, 2, 3):
        journal.append(Story(f"a-{number}").whole(), durable=True)
        world.now_ms += DAY_MS
    journal.append(Story("a-4").opening(), durable=True)
    journal.next_number("order")
    journal.close()
    return world.open_database(path)


@pytest.fixture
def lines():
    """What a journal tells, row by row."""

    def read(journal):
        return [(one.kind, one.trade_id, one.wall_ms, dict(one.body)) for one in journal.entries()]

    return read


@pytest.fixture
def leave():
    """Take what may leave out of a journal; return the trades' names."""

    def take(journal, before_ms=10**15, *, sent=10**15, **keep):
        leaving = finished_trades(journal, Keep(before_ms, **keep), sent, 100)
        journal.forget([row for one in leaving for row in one.rows])
        return [one.entry.trade_id for one in leaving]

    return take
