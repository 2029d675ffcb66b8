"""What the journal keeps, in which order, and what it refuses to keep."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from bot4.errors import JournalFault
from bot4.ports import Entry


def entry(kind="leg.intent", number=0):
    return Entry(
        kind=kind,
        trade_id="t1",
        body={"size": "1.50", "number": number, "nested": {"é\x00": [None, True]}},
        client_order_id=f"b4-{number}",
    )


def test_rows_come_back_in_order_numbered_and_stamped(journal, world, reopen):
    journal.append([entry(number=1), entry(number=2)], durable=True)
    world.now_ms += 5
    journal.append([entry("leg.filled", 3)], durable=False)

    rows = list(reopen().entries())

    assert [(r.row, r.wall_ms, r.kind, r.client_order_id) for r in rows] == [
        (1, 1_700_000_000_000, "leg.intent", "b4-1"),
        (2, 1_700_000_000_000, "leg.intent", "b4-2"),
        (3, 1_700_000_000_005, "leg.filled", "b4-3"),
    ]
    assert [r.trade_id for r in rows] == ["t1"] * 3
    assert rows[0].body == entry(number=1).body


def test_rows_go_on_rising_after_a_restart(journal, reopen):
    journal.append([entry()], durable=True)

    reopen().append([entry()], durable=True)

    assert [row.row for row in reopen().entries()] == [1, 2]


def test_many_pages_are_read_in_order(journal, reopen):
    for start in range(0, 1200, 100):
        journal.append([entry(number=start + n) for n in range(100)], durable=False)

    rows = list(reopen().entries())

    assert [row.row for row in rows] == list(range(1, 1201))
    assert [row.body["number"] for row in rows] == list(range(1200))


def test_nothing_to_write_writes_nothing(journal, world):
    world.statements.clear()

    journal.append([], durable=True)

    assert world.statements == []


def test_both_legs_are_one_transaction(journal, world):
    world.statements.clear()

    journal.append([entry(number=1), entry(number=2)], durable=True)

    assert [sql.split()[0] for sql in world.statements] == ["BEGIN", "INSERT", "INSERT", "COMMIT"]


@pytest.mark.parametrize("failing", ["BEGIN", "INSERT INTO entry", "COMMIT"])
def test_a_failed_write_keeps_nothing_and_the_next_one_works(journal, world, reopen, failing):
    journal.append([entry(number=1)], durable=True)
    world.failing = failing

    with pytest.raises(JournalFault):
        journal.append([entry(number=2), entry(number=3)], durable=True)

    world.failing = ""
    assert [row.body["number"] for row in journal.entries()] == [1]
    journal.append([entry(number=4)], durable=True)
    assert [(row.row, row.body["number"]) for row in reopen().entries()] == [(1, 1), (2, 4)]


def test_a_full_disk_keeps_nothing_and_says_make_room(journal, reopen):
    journal._database.execute("PRAGMA max_page_count = 12")

    with pytest.raises(JournalFault, match="make room"):
        journal.append([Entry("big", "t1", {"x": "y" * 100_000})], durable=True)

    assert list(journal.entries()) == []
    journal.append([entry()], durable=True)
    assert len(list(reopen().entries())) == 1


@pytest.mark.parametrize("value", [Decimal("1.5"), float("nan"), float("inf"), object(), b"x"])
def test_what_json_cannot_hold_is_refused_and_nothing_is_written(journal, value):
    with pytest.raises((TypeError, ValueError)):
        journal.append([entry(), Entry("bad", "t1", {"value": value})], durable=True)

    assert list(journal.entries()) == []


def test_a_file_that_sqlite_finds_damaged_is_a_fault(journal, world, reopen, path):
    journal.close()
    checked = world.open_database

    def damaged(file):
        database = checked(file)
        ask = database.execute
        database.execute = lambda sql, parameters=(): (
            [("row 7 missing from index",)] if "integrity" in sql else ask(sql, parameters)
        )
        return database

    world.open_database = damaged

    with pytest.raises(JournalFault, match="is damaged: row 7 missing from index"):
        reopen()


def test_rows_can_be_neither_changed_nor_removed(journal):
    journal.append([entry()], durable=True)

    for statement in ("UPDATE entry SET kind = 'x'", "DELETE FROM entry"):
        with pytest.raises(JournalFault, match="append-only"):
            journal._database.execute(statement)


def test_types_are_kept_by_the_file_itself(journal):
    with pytest.raises(JournalFault, match="cannot store TEXT"):
        journal._database.execute(
            "INSERT INTO entry VALUES (1, 'now', 'kind', 't', 'c', '{}', x'00')"
        )


def sync_of(journal):
    return journal._database.execute("PRAGMA synchronous")[0][0]


FULL, NORMAL = 2, 1


def test_durable_rows_are_synced_and_others_are_not(journal):
    assert sync_of(journal) == FULL

    journal.append([entry()], durable=False)
    assert sync_of(journal) == NORMAL

    journal.append([entry()], durable=True)
    assert sync_of(journal) == FULL


def test_process_durability_waits_for_no_disk(reopen):
    journal = reopen(durability="process")

    journal.append([entry()], durable=True)

    assert sync_of(journal) == NORMAL


def test_numbers_rise_by_one_and_above_the_floor(journal):
    assert [journal.next_number("trade") for _ in range(3)] == [1, 2, 3]
    assert journal.next_number("nonce", 1_700_000_000_000) == 1_700_000_000_001
    assert journal.next_number("nonce", 5) == 1_700_000_000_002
    assert journal.next_number("trade") == 4


def test_a_number_is_never_given_twice_across_restarts(journal, reopen):
    given = []
    for _ in range(4):
        given += [journal.next_number("trade") for _ in range(60)]
        given += [journal.next_number("trade", given[-1] + 7)]
        journal = reopen()

    assert given == sorted(set(given))


def test_numbers_are_reserved_a_hundred_at_a_time(journal, world):
    world.statements.clear()

    for _ in range(250):
        number = journal.next_number("trade")
        assert number <= journal._database.execute("SELECT reserved FROM number")[0][0]

    assert world.statements.count("COMMIT") == 3


def test_a_number_that_could_not_be_reserved_is_not_given(journal, world, reopen):
    world.failing = "COMMIT"

    with pytest.raises(JournalFault):
        journal.next_number("trade")

    world.failing = ""
    assert journal.next_number("trade") == 1
    assert reopen().next_number("trade") == 101


def test_the_tag_is_six_characters_and_stays(journal, reopen):
    assert re.fullmatch("[a-z0-9]{6}", journal.tag)
    assert reopen().tag == journal.tag


def test_another_journal_has_another_tag(journal, reopen, path):
    journal.close()
    path.unlink()

    assert reopen().tag != journal.tag
