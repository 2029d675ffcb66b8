"""While the bot runs, old trades move to the archive by themselves; every answer stays the same."""

from __future__ import annotations

import pytest
import structlog
import trio
from localsupabase.story import Story
from timeouts import LOOPBACK_S

from bot4.errors import JournalFault
from bot4.report.account import add_up
from bot4.wiring import retention
from bot4.wiring.files import archive_file, cursor_file
from bot4.wiring.history import Source
from bot4.wiring.retention import AT_ONCE, DAY_MS, Retention, sent_everywhere
from bot4.wiring.window import open_window

MINUTE_MS = 60_000


@pytest.fixture
def keeping(config, world, journal):
    def make(**changes):
        given = {"sent": lambda: journal.last_row, "busy": lambda: False, **changes}
        return Retention(config, world, journal, **given)

    return make


def fill(journal, world, trades, step_ms=MINUTE_MS):
    for number in range(trades):
        one = Story(f"a-{number:04d}", net=f"0.{number + 1}", closed_ms=world.now_ms)
        journal.append(one.whole(), durable=False)
        world.now_ms += step_ms
    journal.append(Story("z-1").opening(), durable=False)


async def said(config, world):
    source = Source(config, world)
    return (
        [(one.trade_id, one.net) for one in await source.trades(0, None)],
        [(one.name, one.trades, one.net) for one in add_up(await source.days(0, None), "day")],
        [(one.trade_id, one.unhedged, one.state) for one in await source.holdings()],
    )


def left(journal):
    return {entry.trade_id for entry in journal.entries()}


async def test_old_trades_move_by_themselves_and_a_living_bot_answers_as_before(
    config, world, journal, keeping, monkeypatch
):
    # On the real clock, where the socket answers: a clock that hurries has no time for it.
    monkeypatch.setattr(retention, "BUSY_EVERY_S", 0.0)
    fill(journal, world, AT_ONCE + 3)
    world.now_ms += 8 * DAY_MS
    async with open_window(config, journal) as (answer,), trio.open_nursery() as nursery:
        await nursery.start(answer)
        before = await said(config, world)
        await nursery.start(keeping().keep)
        with trio.fail_after(LOOPBACK_S):
            while left(journal) != {"z-1"}:  # noqa: ASYNC110 - a file has no event
                await trio.sleep(0.01)
        assert await said(config, world) == before
        nursery.cancel_scope.cancel()
    journal.close()

    assert await said(config, world) == before
    assert len(before[0]) == AT_ONCE + 3


async def test_a_turn_is_bounded_and_young_trades_stay(world, journal, keeping):
    fill(journal, world, AT_ONCE + 3)
    keeper = keeping()
    assert await keeper.turn() == 0
    world.now_ms += 8 * DAY_MS
    assert [await keeper.turn() for _ in range(3)] == [AT_ONCE, 3, 0]


async def test_too_many_trades_of_the_week_leave_after_a_day(world, journal, keeping, monkeypatch):
    monkeypatch.setattr(retention, "KEEP_TRADES", 5)
    fill(journal, world, 12)
    keeper = keeping()
    assert await keeper.turn() == 0
    world.now_ms += DAY_MS
    assert await keeper.turn() == 7


async def test_what_supabase_does_not_have_yet_stays(config, world, journal, keeping):
    fill(journal, world, 4)
    world.now_ms += 8 * DAY_MS
    assert await keeping(sent=lambda: 16 + 5).turn() == 1

    assert sent_everywhere(config, world, 99) == 99, "copied nowhere"
    from bot4.storage.mirror.outbox import Outbox

    Outbox(journal, cursors := world.open_database(cursor_file(config)), "a", "p")._set(7)
    cursors.close()
    assert sent_everywhere(config, world, 99) == 7


async def test_orders_on_the_wire_go_first(world, journal, keeping, autojump_clock):
    fill(journal, world, 2)
    world.now_ms += 8 * DAY_MS
    orders = [True] * 20
    keeper = keeping(busy=lambda: bool(orders) and orders.pop())
    began = trio.current_time()
    assert await keeper.turn() == 2
    assert trio.current_time() - began >= 20 * retention.ASIDE_S


async def test_nothing_moves_while_orders_never_cease_and_a_trade_in_both_files_moves_once(
    config, world, journal, keeping, monkeypatch
):
    monkeypatch.setattr(retention, "ASIDE_S", 0.0)
    fill(journal, world, 2)
    world.now_ms += 8 * DAY_MS
    before = await said_of(journal, config, world)
    assert await keeping(busy=lambda: True).turn() == 0
    assert not archive_file(config).exists()

    calls = []
    late = keeping(busy=lambda: bool(calls) or calls.append(1))
    assert await late.turn() == 0, "orders came while the archive was written"
    assert archive_file(config).exists()
    assert await said_of(journal, config, world) == before
    assert await keeping().turn() == 2
    assert await said_of(journal, config, world) == before


async def said_of(journal, config, world):
    async with open_window(config, journal) as (answer,), trio.open_nursery() as nursery:
        await nursery.start(answer)
        found = await said(config, world)
        nursery.cancel_scope.cancel()
    return found


async def test_somebody_reading_the_archive_is_waited_for(config, world, journal, keeping):
    fill(journal, world, 2)
    world.now_ms += 8 * DAY_MS
    reader = world.open_database(archive_file(config))
    assert await keeping().turn() == 0
    reader.close()
    assert await keeping().turn() == 2


async def test_a_failing_disk_is_told_once_and_nothing_leaves(world, journal, keeping, monkeypatch):
    fill(journal, world, 2)
    world.now_ms += 8 * DAY_MS

    def fail(*_):
        raise JournalFault("history.db: the disk is full: make room")

    monkeypatch.setattr(retention, "put_away", fail)
    keeper = keeping()
    with structlog.testing.capture_logs() as lines:
        assert [await keeper.turn(), await keeper.turn()] == [0, 0]
    assert sum("could not be moved" in line.get("message", "") for line in lines) == 1
    assert left(journal) == {"a-0000", "a-0001", "z-1"}
