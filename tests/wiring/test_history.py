"""History read from a dead bot's files and from a living one's socket: the same answers."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
import trio
import trio.testing
from localsupabase.story import Story
from timeouts import LOOPBACK_S

from bot4.errors import StartRefused
from bot4.report.account import add_up
from bot4.wiring.files import archive_file
from bot4.wiring.history import Source
from bot4.wiring.vacuum import DAY_MS, vacuum
from bot4.wiring.window import ask_window, open_window, socket_file


def fill(journal, world, trades=3):
    for number in range(trades):
        one = Story(f"a-{number}", net=f"0.{number + 1}", closed_ms=world.now_ms)
        journal.append(one.whole(), durable=False)
        world.now_ms += DAY_MS
    journal.append(Story("z-1").opening(), durable=False)


async def said(source):
    return (
        [(one.trade_id, one.net) for one in await source.trades(0, None)],
        [(one.name, one.trades, one.net) for one in add_up(await source.days(0, None), "pair")],
        [(one.trade_id, one.unhedged, one.state) for one in await source.holdings()],
    )


async def test_a_living_bot_answers_what_its_files_say_when_it_is_dead(config, journal, world):
    fill(journal, world)
    async with open_window(config, journal) as (keep,), trio.open_nursery() as nursery:
        await nursery.start(keep)
        alive = await said(Source(config, world))
        nursery.cancel_scope.cancel()
    journal.close()

    dead = await said(Source(config, world))
    assert alive == dead
    assert [name for name, _ in dead[0]] == ["a-0", "a-1", "a-2"]
    assert [name for name, _, _ in dead[2]] == ["z-1"]
    assert not socket_file(config).exists()


async def test_the_last_trades_are_asked_for_alone_and_bare_rows_have_no_body(
    config, journal, world
):
    fill(journal, world, trades=30)
    async with open_window(config, journal) as (keep,), trio.open_nursery() as nursery:
        await nursery.start(keep)
        source = Source(config, world)
        alive = await source.trades(0, None, 5), await source.trades(0, "BTC", 5)
        newest = await ask_window(config, 0, ("Closed",), newest=2)
        bare = await ask_window(config, 470, (), bare=True)
        nursery.cancel_scope.cancel()
    journal.close()

    assert [one.trade_id for one in alive[0]] == [f"a-{number}" for number in range(25, 30)]
    assert alive[0] == alive[1] == await source.trades(0, None, 5)
    assert [raw.trade_id for raw in newest] == ["a-28", "a-29"]
    assert [raw.row for raw in bare] == list(range(471, 489))
    assert {raw.body for raw in bare} == {""}


async def test_the_socket_is_ours_alone_and_more_than_one_may_ask(config, journal, world):
    fill(journal, world, trades=40)
    async with open_window(config, journal) as (keep,), trio.open_nursery() as nursery:
        await nursery.start(keep)
        assert socket_file(config).stat().st_mode & 0o777 == 0o600
        answers = []

        async def ask():
            answers.append(len(await ask_window(config, 0, ("Closed",))))

        async with trio.open_nursery() as asking:
            for _ in range(5):
                asking.start_soon(ask)
        nursery.cancel_scope.cancel()

    assert answers == [40] * 5


@pytest.mark.parametrize(
    "words",
    [
        b"what?\n",
        b"[1]\n",
        b'{"after": -1}\n',
        b'{"newest": 999}\n',
        b'{"newest": "x"}\n',
        b"x" * 5000,
        b"",
    ],
)
async def test_a_foolish_question_gets_no_answer_and_harms_nobody(config, journal, words):
    from bot4.transport.unix import connect

    async with open_window(config, journal) as (keep,), trio.open_nursery() as nursery:
        await nursery.start(keep)
        async with await connect(socket_file(config)) as stream:
            with trio.fail_after(LOOPBACK_S):
                try:
                    await stream.send_all(words)
                    await stream.send_eof()
                    assert await stream.receive_some(100) == b""
                except trio.BrokenResourceError:
                    pass
        assert await ask_window(config, 0, ()) == []
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("pause_s", "answers"), [(25.0, True), (35.0, False)])
async def test_a_slow_answer_is_waited_for_and_silence_is_not(
    config, autojump_clock, pause_s, answers
):
    from bot4.transport.unix import listen

    async def say(stream):
        await stream.receive_some(1000)
        for piece in (b'[1, 2, "Closed", ', b'"a-0", "", "{}"]\n', b'{"last"', b": 1}\n"):
            await trio.sleep(pause_s)
            await stream.send_all(piece)
        await stream.aclose()

    config.state_dir.mkdir(parents=True)
    async with trio.open_nursery() as nursery:
        listener = listen(socket_file(config))
        nursery.start_soon(trio.serve_listeners, say, [listener])
        if answers:
            assert [raw.trade_id for raw in await ask_window(config, 0, ())] == ["a-0"]
        else:
            with pytest.raises(StartRefused, match="does not answer"):
                await ask_window(config, 0, ())
        nursery.cancel_scope.cancel()


async def test_a_journal_that_is_held_for_a_moment_is_waited_for(config, journal, world):
    fill(journal, world)
    answers = []

    async def ask():
        answers.append(len(await Source(config, world).trades(0, None)))

    async with trio.open_nursery() as asking:
        asking.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        journal.close()

    assert answers == [3]


async def test_a_bot_that_cannot_be_asked_is_said_in_one_line(
    config, journal, world, autojump_clock
):
    with pytest.raises(StartRefused, match="a bot is running and holds the journal"):
        await Source(config, world).trades(0, None)


async def test_a_socket_left_by_a_killed_bot_is_no_obstacle(config, journal, world):
    fill(journal, world)
    journal.close()
    from bot4.transport.unix import listen

    listener = listen(socket_file(config))
    listener.socket.close()

    assert len(await Source(config, world).trades(0, None)) == 3
    await listen(socket_file(config)).aclose()


async def test_a_path_too_long_for_a_socket_is_told_and_nothing_else_changes(
    config, journal, tmp_path
):
    deep = attrs.evolve(config, state_dir=tmp_path / ("x" * 120))
    deep.state_dir.mkdir()
    async with open_window(deep, journal) as services:
        assert services == ()


async def test_without_a_journal_there_is_no_history(config, world):
    assert await said(Source(config, world)) == ([], [("total", 0, 0)], [])


async def test_a_trade_that_went_on_after_its_end_is_held_and_then_told_once(
    config, journal, world
):
    fill(journal, world, trades=2)
    *begun, closing = Story("a-0").reopened()
    journal.append(begun[:2], durable=False)
    async with open_window(config, journal) as (keep,), trio.open_nursery() as nursery:
        await nursery.start(keep)
        source = Source(config, world)
        assert {one.trade_id for one in await source.holdings()} == {"a-0", "z-1"}
        journal.append([*begun[2:], closing], durable=False)
        assert {one.trade_id for one in await source.holdings()} == {"z-1"}
        told, days, _ = await said(source)
        assert sorted(told) == [("a-0", Decimal("0.25")), ("a-1", Decimal("0.2"))]
        assert days[-1] == ("total", 2, Decimal("0.45"))
        nursery.cancel_scope.cancel()


async def test_after_the_vacuum_the_answers_are_the_same(config, journal, world):
    fill(journal, world, trades=20)
    journal.close()
    source = Source(config, world)
    before = await said(source)

    done = vacuum(config, 7, world)

    assert done.trades == 13
    assert done.rows_after < done.rows_before
    assert await said(source) == before
    assert [one.trade_id for one in await source.trades(0, None, 3)] == ["a-17", "a-18", "a-19"]
    assert [one.trade_id for one in await source.trades(0, "ETH")] == []
    assert vacuum(config, 7, world).trades == 0


async def test_a_crash_between_archive_and_journal_counts_every_trade_once(
    config, journal, world, monkeypatch
):
    fill(journal, world, trades=10)
    journal.close()
    source = Source(config, world)
    before = await said(source)

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bot4.storage.journal.SqliteJournal.forget", die)
    with pytest.raises(KeyboardInterrupt):
        vacuum(config, 2, world)
    monkeypatch.undo()

    assert archive_file(config).exists()
    assert await said(source) == before
    assert vacuum(config, 2, world).trades == 8
    assert await said(source) == before


def test_a_vacuum_beside_a_running_bot_is_refused(config, journal, world):
    with pytest.raises(StartRefused, match="another process"):
        vacuum(config, 7, world)


def test_a_vacuum_of_nothing_is_refused(config, world):
    with pytest.raises(StartRefused, match="no journal"):
        vacuum(config, 7, world)
