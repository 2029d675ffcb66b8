from __future__ import annotations

from decimal import Decimal

import pytest

from bot4.errors import JournalFault, StartRefused
from bot4.storage.archive import Archive
from bot4.storage.compaction import compact
from bot4.storage.folding import Keep, finished_trades
from bot4.storage.mirror.outbox import Outbox
from bot4.storage.reading import last_row, read_span
from bot4.tasks.gate import Gate
from bot4.tasks.ledger import Ledger

DAY_MS = 86_400_000
FOR_EVER = 10**15


async def test_old_trades_leave_whole_and_the_rest_stays_as_it_was(
    world, path, reopen, written, lines, leave
):
    written.close()
    journal = reopen()
    assert leave(journal, world.now_ms - DAY_MS) == ["a-1", "a-2"]
    journal.close()

    done = compact(world, world.open_database(path), path, cursor=FOR_EVER)

    journal = reopen()
    kept = lines(journal)
    assert {name for _, name, _, _ in kept} == {"a-3", "a-4"}
    assert [kind for kind, name, _, _ in kept if name == "a-3"][-1] == "Closed"
    assert done.rows == 24
    assert {at for _, name, at, _ in kept if name == "a-4"} == {world.now_ms}
    ledger = Ledger(journal, Gate())
    ledger.replay()
    assert [trade.plan.trade_id for trade in ledger.trades] == ["a-4"]
    assert [result["net_usdc"] for result in ledger.results.newest.values()] == ["0.5"]


def test_names_are_never_given_out_again(world, path, reopen, written):
    tag = reopen_tag(written)
    compact(world, written, path, cursor=0)

    journal = reopen()
    assert journal.tag == tag
    assert journal.next_number("order") > 100


def reopen_tag(database):
    return dict(database.execute("SELECT name, value FROM header"))["tag"]


def test_a_cursor_keeps_its_place_among_the_rows_that_stay(
    world, path, reopen, written, tmp_path, leave
):
    written.close()
    journal = reopen()
    leave(journal, sent=40)
    journal.close()
    done = compact(world, world.open_database(path), path, cursor=56 - 3)

    assert done.cursor == 24 - 3
    journal = reopen()
    outbox = Outbox(journal, world.open_database(tmp_path / "mirror.db"), "account", "project")
    outbox._set(done.cursor)
    assert outbox.lag_rows == 3
    outbox.close()


def test_a_journal_that_was_tampered_with_is_left_alone(world, path, written, tamper):
    written.close()
    tamper("UPDATE entry SET body = '{}' WHERE row = 20")
    database = world.open_database(path)

    with pytest.raises(JournalFault, match="row 20 was changed"):
        compact(world, database, path, cursor=0)

    assert last_row(database) == 56
    database.close()


@pytest.mark.parametrize("statement", ["INSERT INTO entry", "COMMIT", "PRAGMA wal_checkpoint"])
def test_a_failing_disk_leaves_the_old_journal_in_its_place(
    world, path, reopen, written, statement, lines
):
    world.failing = statement
    with pytest.raises(JournalFault):
        compact(world, written, path, cursor=0)
    world.failing = ""
    written.close()

    assert len(lines(reopen())) == 56


def test_a_running_bot_keeps_its_journal(world, path, written):
    with pytest.raises(StartRefused):
        world.open_database(path)
    written.close()


def test_the_rows_of_some_kinds_are_read_and_no_others(written):
    found = read_span(written, 0, 1000, ("Closed",))

    assert [(raw.kind, raw.trade_id) for raw in found] == [
        ("Closed", "a-1"),
        ("Closed", "a-2"),
        ("Closed", "a-3"),
    ]
    assert [raw.row for raw in read_span(written, 3, 5)] == [4, 5]
    written.close()


def test_the_archive_finds_the_last_trades_without_reading_them_all(world, tmp_path):
    database = world.open_database(tmp_path / "history.db")
    archive = Archive(database)
    sql = "SELECT body FROM trade WHERE closed_ms >= 0 ORDER BY closed_ms DESC, trade_id LIMIT 20"

    plan = " ".join(str(row) for row in database.execute(f"EXPLAIN QUERY PLAN {sql}"))

    assert "trade_by_time" in plan
    archive.close()


def finished(journal, sent=FOR_EVER):
    return finished_trades(journal, Keep(FOR_EVER), sent, 100)


def test_numbers_of_the_archive_are_exact(world, reopen, written, tmp_path):
    from bot4.report.account import read_totals
    from bot4.wiring.retention import archived, plus

    written.close()
    pairs, rows = archived(finished(reopen()))
    archive = Archive(world.open_database(tmp_path / "history.db"))

    assert len(rows) == 48
    assert archive.add(pairs, plus) == 3
    assert archive.add(pairs, plus) == 0, "each once"
    (day,) = archive.days("2000-01-01", None)
    assert read_totals(day.totals).net == Decimal("1.5")
    assert archive.days("2000-01-01", "ETH") == []
    assert [one.trade_id for one in archive.trades(0, "BTC", 2)] == ["a-2", "a-3"]
    first = archive.page((0, ""), 2)
    assert [one.trade_id for one in first] == ["a-1", "a-2"]
    assert [len(one.fills) for one in first] == [4, 4]
    assert [one.trade_id for one in archive.page((first[1].closed_ms, "a-2"), 2)] == ["a-3"]
    archive.close()


def test_an_archive_of_before_has_no_fills_and_takes_new_ones(world, tmp_path):
    database = world.open_database(tmp_path / "history.db")
    database.execute(
        "CREATE TABLE trade (trade_id TEXT PRIMARY KEY, closed_ms INTEGER NOT NULL,"
        " pair TEXT NOT NULL, body TEXT NOT NULL) STRICT"
    )
    database.execute("INSERT INTO trade VALUES ('old', 5, 'BTC', '{}')")
    archive = Archive(database)

    assert [one.fills for one in archive.page((0, ""), 9)] == [[]]
    archive.close()
