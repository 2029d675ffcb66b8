"""One byte anywhere in the journal's files is wrong: it is noticed, or it changed nothing."""

from __future__ import annotations

import random
import shutil

import pytest

from bot4.errors import JournalFault, StartRefused
from bot4.ports import Entry

ROWS = 60
FLIPS = 120


def wrote(journal):
    """Fill a journal; return its rows and the last number it gave."""
    for number in range(ROWS):
        trade = f"t{number // 6}"
        body = {"number": number, "limit": f"{80_000 + number}.5", "note": "x" * (number * 7 % 300)}
        journal.append([Entry("Intended", trade, body, f"order-{number}")], durable=True)
        last = journal.next_number("order")
    return list(journal.entries()), last


def spoil(file, rng):
    data = bytearray(file.read_bytes())
    place = rng.randrange(len(data))
    data[place] ^= 1 << rng.randrange(8)
    file.write_bytes(data)
    return place


@pytest.mark.parametrize("beside", ["journal.db", "journal.db-wal"])
def test_one_wrong_byte_is_told_in_one_line_or_changed_nothing(journal, reopen, path, beside):
    rows, last = wrote(journal)
    whole = path.parent.with_name("whole")
    if beside == "journal.db":
        journal.close()
    shutil.copytree(path.parent, whole)
    journal.close()
    rng = random.Random(beside)
    told = []
    for _ in range(FLIPS):
        shutil.rmtree(path.parent)
        shutil.copytree(whole, path.parent)
        place = spoil(path.with_name(beside), rng)
        try:
            again = reopen()
        except (JournalFault, StartRefused) as fault:
            told.append(str(fault))
            continue
        found = list(again.entries())
        if beside == "journal.db":
            assert found == rows, place
            assert again.next_number("order") > last, place
        else:
            # What was not yet moved into the journal is lost from there on: a prefix is left.
            assert found == rows[: len(found)], place
    assert [fault for fault in told if str(path) not in fault or "\n" in fault] == []
    assert len(told) > FLIPS / 4 or beside != "journal.db"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE number SET reserved = 1 WHERE name = 'order'",
        "UPDATE number SET reserved = 1 WHERE name = 'order~'",
        "UPDATE number SET name = 'ordes' WHERE name = 'order'",
    ],
)
def test_a_counter_that_was_set_back_is_noticed(journal, reopen, tamper, change):
    wrote(journal)
    journal.close()
    tamper(change)

    with pytest.raises(JournalFault, match="the counter order was changed"):
        reopen()


def test_a_journal_with_one_copy_of_its_counters_goes_on(journal, reopen, tamper):
    _, last = wrote(journal)
    journal.close()
    tamper("DELETE FROM number WHERE name LIKE '%~'")
    again = reopen()

    assert again.next_number("order") > last
    assert reopen().next_number("order") > last + 1
