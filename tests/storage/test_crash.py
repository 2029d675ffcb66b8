"""kill -9 at any moment: what was acknowledged is there, and no number comes back."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

WRITER = """
import random, sys
from pathlib import Path
from bot4.ports import Entry
from bot4.storage.journal import open_journal
from bot4.transport.database import open_database

class World:
    random = random.Random(1)
    open_database = staticmethod(open_database)
    wall_ms = staticmethod(lambda: 1)

journal = open_journal(World(), Path(sys.argv[1]), mode="simulation", identity={})
given = count = 0
while True:
    given = journal.next_number("trade", given + 40)
    legs = [Entry("leg.intent", "t", {"number": given, "leg": leg}) for leg in "ab"]
    journal.append(legs, durable=count % 2 == 0)
    count += 1
    print(given, flush=True)
"""
KILLS = 8


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_no_number_is_given_twice(reopen, path):
    rng = random.Random(4)
    given = []
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            given += [int(writer.stdout.readline()) for _ in range(rng.randint(2, 30))]
            writer.kill()
            given += [int(line) for line in writer.stdout if line.endswith("\n")]

    journal = reopen(identity={})

    rows = [(row.body["number"], row.body["leg"]) for row in journal.entries()]
    written = [number for number, _ in rows[::2]]
    assert len(given) > KILLS
    assert given == sorted(set(given))
    assert set(given) <= set(written)
    assert rows == [(number, leg) for number in written for leg in "ab"]
    assert journal.next_number("trade") > written[-1]
