"""Trades leave the journal whole, and the chain of its rows goes on over the gaps."""

from __future__ import annotations

from decimal import Decimal

import pytest
from localsupabase.story import Story

from bot4.errors import JournalFault
from bot4.storage.folding import FILL_COLUMNS, Keep, finished_trades

DAY_MS = 86_400_000
FOR_EVER = 10**15


def finished(journal, sent=FOR_EVER):
    return finished_trades(journal, Keep(FOR_EVER), sent, 100)


def test_what_was_not_copied_yet_stays(reopen, written, leave):
    written.close()
    journal = reopen()
    # The second trade's rows are 17 to 32.
    assert leave(journal, sent=0) == []
    assert leave(journal, sent=31) == ["a-1"]
    assert leave(journal, sent=32) == ["a-2"]


def test_more_than_so_many_trades_stay_for_a_day_only(world, reopen, written, leave):
    written.close()
    journal = reopen()
    keep = {"trades": 1, "surely_ms": world.now_ms - 2 * DAY_MS}
    assert leave(journal, 0, **keep) == ["a-1"], "the second is too young"
    assert leave(journal, 0, trades=3, surely_ms=FOR_EVER) == []
    assert leave(journal, 0, trades=1, surely_ms=FOR_EVER) == ["a-2"]


def test_the_journal_goes_on_over_the_gaps_and_a_lost_row_is_still_noticed(
    reopen, written, tamper, lines, leave
):
    written.close()
    journal = reopen()
    journal.append(Story("a-5", pair="ETH").whole(), durable=True)
    journal.append(Story("a-4").closing(), durable=True)
    leave(journal)
    left = lines(journal)
    assert {name for _, name, _, _ in left} == {"a-4"}, "the newest row's trade"

    journal = reopen()
    assert lines(journal) == left
    journal.append(Story("a-6").opening(), durable=True)
    assert [entry.row for entry in reopen().entries()][-1] == 56 + 16 + 8 + 8
    reopen().close()

    tamper("DELETE FROM entry WHERE row = (SELECT min(row) + 2 FROM entry)")
    with pytest.raises(JournalFault, match="is missing"):
        reopen()


def test_a_gap_in_the_wrong_place_is_noticed(reopen, written, tamper, leave):
    written.close()
    leave(reopen(), sent=20)
    reopen().close()
    tamper("UPDATE gap SET last = last + 1")
    with pytest.raises(JournalFault, match=r"is missing|was changed"):
        reopen()


def test_neighbouring_gaps_become_one(world, path, reopen, written, leave):
    written.close()
    journal = reopen()
    for sent in (20, 40, 60):
        leave(journal, sent=sent)
    journal.close()

    database = world.open_database(path)
    assert [tuple(row) for row in database.execute("SELECT first, last FROM gap")] == [(1, 48)]
    database.close()


def test_nothing_but_a_noted_gap_may_be_deleted_and_the_newest_row_never(reopen, written, path):
    import sqlite3

    written.close()
    journal = reopen()
    with pytest.raises(ValueError, match="newest"):
        journal.forget([journal.last_row])
    journal.close()
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("DELETE FROM entry WHERE row = 3")
    connection.close()


@pytest.mark.parametrize("statement", ["INSERT INTO gap", "DELETE FROM entry", "COMMIT"])
def test_a_disk_that_fails_while_rows_leave_keeps_them_all(
    world, reopen, written, statement, lines, leave
):
    written.close()
    journal = reopen()
    world.failing = statement
    with pytest.raises(JournalFault):
        leave(journal)
    world.failing = ""

    assert len(lines(reopen())) == 56


def test_late_fills_leave_with_their_trade_and_each_fill_is_kept_once(reopen, written):
    written.close()
    journal = reopen()
    told = Story("a-1").late(Decimal("0.0002"))
    journal.append([told, told], durable=True)
    journal.append(Story("a-4").closing(), durable=True)

    assert [one.entry.trade_id for one in finished(journal, sent=56)] == ["a-2", "a-3"], "not sent"
    one = finished(journal)[0]
    fills = [dict(zip(FILL_COLUMNS, fill, strict=True)) for fill in one.fills]
    assert (one.entry.trade_id, len(one.rows)) == ("a-1", 16 + 2)
    assert len(fills) == 5
    assert fills[-1]["fill_id"] == "late-a-1"
    assert sum(Decimal(fill["fee"]) for fill in fills) == Decimal("0.25")


def test_a_journal_of_before_is_given_what_it_lacks(world, path, reopen, written, leave):
    written.execute("DROP TABLE gap")
    written.execute("DROP TRIGGER entry_stays")
    written.execute("DROP INDEX entry_closed")
    written.close()
    journal = reopen()

    assert leave(journal) == ["a-1", "a-2", "a-3"]
    journal.close()
    plan = (
        "EXPLAIN QUERY PLAN SELECT row FROM entry WHERE kind = 'Closed' AND row <= 9 ORDER BY row"
    )
    database = world.open_database(path)
    assert "entry_closed" in " ".join(str(row) for row in database.execute(plan))
    database.close()
