"""Which journals are opened, and which are refused, with the file and what to do."""

from __future__ import annotations

import sqlite3

import pytest

from bot4.errors import JournalFault, StartRefused
from bot4.ports import Entry

ROWS = [Entry("leg.intent", "t1", {"number": number}, f"b4-{number}") for number in range(5)]


@pytest.fixture
def written(journal):
    journal.append(ROWS, durable=True)
    journal.close()
    return journal


def test_another_mode_is_refused(written, reopen, path):
    with pytest.raises(StartRefused) as refused:
        reopen(mode="live")

    assert refused.value.why == f"{path} is a journal of mode simulation, and this run is live"
    assert "state_dir" in refused.value.do


@pytest.mark.parametrize(
    ("identity", "named"),
    [
        ({"vest": "0xabc", "paradex": "0x999"}, "paradex"),
        ({"vest": "0xabc"}, "paradex"),
        ({"vest": "0xabc", "paradex": "0xdef", "third": "0x1"}, "third"),
    ],
)
def test_another_account_is_refused(written, reopen, identity, named):
    with pytest.raises(StartRefused, match=f"belongs to another {named} account"):
        reopen(identity=identity)


def test_a_refused_journal_is_given_back(written, reopen):
    with pytest.raises(StartRefused):
        reopen(mode="live")

    assert len(list(reopen().entries())) == 5


def test_another_version_is_refused(written, reopen, tamper):
    tamper("UPDATE header SET value = '99' WHERE name = 'schema'")

    with pytest.raises(StartRefused, match="schema 99, this one writes 1"):
        reopen()


def test_another_programs_database_is_a_fault(reopen, path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()

    with pytest.raises(JournalFault, match="another program"):
        reopen()


def test_a_journal_held_by_somebody_is_refused(journal, world, path):
    from bot4.storage.journal import open_journal

    with pytest.raises(StartRefused, match="another process"):
        open_journal(world, path, mode="simulation", identity={})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE entry SET body = '{\"number\":9}' WHERE row = 3", "row 3 was changed"),
        ("UPDATE entry SET wall_ms = wall_ms + 1 WHERE row = 1", "row 1 was changed"),
        ("UPDATE entry SET client_order_id = 'b4-9' WHERE row = 5", "row 5 was changed"),
        ("DELETE FROM entry WHERE row = 2", "row 2 is missing"),
        ("DELETE FROM entry WHERE row = 1", "row 1 is missing"),
        ("UPDATE header SET value = 'zzzzzz' WHERE name = 'tag'", "row 1 was changed"),
        ("DELETE FROM header WHERE name = 'tag'", "its header is incomplete"),
    ],
)
def test_a_changed_journal_is_a_fault_that_names_the_row(
    written, reopen, tamper, path, change, what
):
    tamper(change)

    with pytest.raises(JournalFault) as fault:
        reopen()

    assert str(fault.value).startswith(f"{path} is damaged: {what}; ")
    assert "flatten" in str(fault.value)


def test_a_lost_end_is_a_prefix_and_goes_on(written, reopen, tamper):
    tamper("DELETE FROM entry WHERE row > 3")

    journal = reopen()
    journal.append(ROWS[:1], durable=True)

    assert [row.row for row in reopen().entries()] == [1, 2, 3, 4]


def test_a_torn_write_ahead_log_leaves_a_prefix(journal, reopen, path, tmp_path):
    for row in ROWS:
        journal.append([row], durable=True)
    log = path.with_name("journal.db-wal").read_bytes()
    base = path.read_bytes()
    journal.close()
    kept = []
    for cut in range(0, len(log), 1237):
        path.write_bytes(base)
        path.with_name("journal.db-wal").write_bytes(log[:cut] + b"\xff" * 50)

        opened = reopen()
        rows = [row.body["number"] for row in opened.entries()]
        opened.close()

        assert rows == list(range(len(rows)))
        kept.append(len(rows))
    assert kept == sorted(kept)
    assert kept[-1] == 4


def test_a_garbled_page_is_a_fault(written, reopen, path):
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(data)

    with pytest.raises(JournalFault, match=str(path)):
        reopen()


def test_a_creation_that_fails_leaves_an_empty_file_that_can_be_used(world, reopen):
    world.failing = "CREATE TABLE number"
    with pytest.raises(JournalFault):
        reopen()

    world.failing = ""
    assert list(reopen().entries()) == []
