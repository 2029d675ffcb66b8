"""A new machine, an empty journal: the open trades come back, and nothing else does."""

from __future__ import annotations

import pytest

from bot4.errors import MirrorAway
from bot4.storage.mirror.restore import restore
from bot4.tasks.gate import Gate
from bot4.tasks.ledger import Ledger


async def send_all(machine):
    if not machine.lease.held:
        assert (await machine.lease.take()).granted
    while batch := await machine.outbox.next(100):
        assert await machine.store.push(batch.tables, machine.lease.token) == []
        machine.outbox.confirm(batch)


def lines(machine, trade_id):
    return [
        (entry.kind, entry.client_order_id, dict(entry.body))
        for entry in machine.journal.entries()
        if entry.trade_id == trade_id
    ]


async def test_open_trades_come_back_event_by_event(machine, story):
    async with machine("one") as one:
        one.write(*story("a-1").whole())
        one.write(*story("a-2").opening(), *story("a-3", pair="ETH", long="paradex").opening())
        await send_all(one)
        await one.lease.release()
        written = {name: lines(one, name) for name in ("a-2", "a-3")}

    async with machine("two") as two:
        await two.lease.take()
        restored = await restore(two.store, two.journal)

        assert set(restored.trades) == {"a-2", "a-3"}
        assert restored.events == 16
        assert restored.differences == ()
        assert {name: lines(two, name) for name in ("a-2", "a-3")} == written
        assert lines(two, "a-1") == []


async def test_the_ledger_reads_what_came_back_as_if_it_had_never_been_away(machine, story):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        await one.lease.release()
        before = Ledger(one.journal, Gate())
        before.replay()

    async with machine("two") as two:
        await two.lease.take()
        await restore(two.store, two.journal)
        after = Ledger(two.journal, Gate())
        orders = after.replay()

        assert after.trades == before.trades
        assert [order.client_order_id for order in orders] == [
            "a-1-vest-enter",
            "a-1-paradex-enter",
        ]


async def test_what_came_back_goes_on_as_the_same_rows(machine, story, rows):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        await one.lease.release()
    async with machine("two") as two:
        await two.lease.take()
        await restore(two.store, two.journal)
        two.write(*story("a-1").closing())
        await send_all(two)

    assert [row["status"] for row in rows("positions")] == ["closed"]
    assert len(rows("events")) == 16
    assert len(rows("fills")) == 4
    assert len(rows("trades")) == 1


async def test_restoring_twice_changes_nothing(machine, story):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        await one.lease.release()
    async with machine("two") as two:
        await two.lease.take()
        await restore(two.store, two.journal)
        rows_then = two.journal.last_row

        again = await restore(two.store, two.journal)

        assert again.trades == ()
        assert two.journal.last_row == rows_then


async def test_the_first_machine_learns_how_its_trade_ended_elsewhere(machine, story):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        await one.lease.release()
    async with machine("two") as two:
        await two.lease.take()
        await restore(two.store, two.journal)
        two.write(*story("a-1").closing())
        await send_all(two)
        await two.lease.release()
    async with machine("one") as back:
        await back.lease.take()
        restored = await restore(back.store, back.journal)
        ledger = Ledger(back.journal, Gate())
        ledger.replay()

        assert restored.trades == ("a-1",)
        assert ledger.trades == ()
        assert [result["net_usdc"] for result in ledger.results.newest.values()] == ["0.5"]


async def test_a_journal_that_is_ahead_stays_as_it_is(machine, story):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        one.write(*story("a-1").closing())
        rows_then = one.journal.last_row

        restored = await restore(one.store, one.journal)

        assert restored.trades == ()
        assert restored.differences == ()
        assert one.journal.last_row == rows_then


async def test_a_late_fill_of_a_closed_trade_opens_nothing_anew(machine, story):
    async with machine("one") as one:
        one.write(*story("a-1").whole(), story("a-1").late(), *story("a-2").opening())
        await send_all(one)
        await one.lease.release()
        rows_then = one.journal.last_row

        again = await restore(one.store, one.journal)

        assert (again.trades, again.differences, one.journal.last_row) == ((), (), rows_then)
    async with machine("two") as two:
        await two.lease.take()
        restored = await restore(two.store, two.journal)

        assert (restored.trades, restored.differences) == (("a-2",), ())


async def test_where_the_two_lines_part_the_journals_is_kept_and_the_difference_told(
    machine, story
):
    async with machine("one") as one:
        one.write(*story("a-1").opening()[:5])
        await send_all(one)
        await one.lease.release()
    async with machine("two") as two:
        await two.lease.take()
        two.write(*story("a-1").opening()[:3], *story("a-1").opening()[5:7])
        before = lines(two, "a-1")

        restored = await restore(two.store, two.journal)

        assert lines(two, "a-1") == before
        assert "event 4 is" in restored.differences[0]


async def test_a_trade_of_a_pair_that_is_open_here_is_told_and_left_out(machine, story):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        await one.lease.release()
    async with machine("two") as two:
        await two.lease.take()
        two.write(*story("b-1").opening())

        restored = await restore(two.store, two.journal)

        assert restored.trades == ()
        assert "a-1" in restored.differences[0]
        assert lines(two, "a-1") == []


async def test_a_line_with_a_hole_is_believed_up_to_the_hole(machine, story, empty):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        await one.lease.release()
    empty.sql("delete from public.events where seq = 6")
    async with machine("two") as two:
        await two.lease.take()
        restored = await restore(two.store, two.journal)

        assert restored.events == 5


async def test_without_an_answer_the_journal_is_untouched(machine, story, gateway):
    async with machine("one") as one:
        one.write(*story("a-1").opening())
        await send_all(one)
        gateway.fail("answer", path="unfinished", status=503)
    async with machine("two") as two:
        with pytest.raises(MirrorAway):
            await restore(two.store, two.journal)

        assert two.journal.last_row == 0
