"""The keeper against the real thing: whatever goes wrong, the copy ends up exact."""

from __future__ import annotations

import json
import random
from contextlib import asynccontextmanager
from decimal import Decimal

import attrs
import pytest
import trio
from localsupabase.gateway import Fault
from timeouts import KEEPER_S, PACE_S, QUIET_S, REQUEST_S

from bot4.errors import MirrorAway
from bot4.tasks.backoff import Backoff


@pytest.fixture
def keeping():
    """Run a keeper for the length of the block, and end it as the bot does."""

    @asynccontextmanager
    async def run(machine, within_s=KEEPER_S, **changes):
        with trio.fail_after(within_s):
            async with trio.open_nursery() as nursery:
                keeper = machine.keeper(**changes)
                await nursery.start(keeper.keep)
                yield keeper
                machine.closing.raise_sign("the test is over")

    return run


async def test_what_the_journal_tells_arrives_exactly(machine, keeping, story, converged, rows):
    async with machine() as one, keeping(one):
        one.write(*story("a-1").whole())
        one.write(*story("a-2", long="paradex").opening())
        await one.sent()

        converged(one)
        assert [row["status"] for row in rows("positions")].count("open") == 1
        assert len(rows("fills")) == 6


async def test_numbers_keep_every_digit(machine, keeping, story, rows):
    exact = attrs.evolve(story("a-1"), size=Decimal("1234567890.123456789"), net="0.1234567890123")
    async with machine() as one, keeping(one):
        one.write(*exact.whole())
        await one.sent()
        claimed = await one.store.door.call(
            lambda client: client.table("fills").select("size::text").limit(1)
        )

    assert {row["size"] for row in rows("orders")} == {"1234567890.123456789"}
    assert [row["net_usdc"] for row in rows("trades")] == ["0.1234567890123"]
    assert claimed == [{"size": "1234567890.123456789"}]


async def test_words_that_no_database_holds_are_no_obstacle(machine, keeping, story, converged):
    from bot4.strategy.events import Answered, Verdict

    one_story = story("a-1")
    opening = one_story.opening()
    refused = one_story.entry(
        Answered("a-1-vest-enter", Verdict.REFUSED, why="nul \0, half a pair \ud800, \N{SNOWMAN}")
    )
    async with machine() as one, keeping(one):
        one.write(*opening[:2], refused)
        await one.sent()
        found = await one.store.unfinished()

    assert [event.kind for event in found] == ["Planned", "Intended", "Answered"]
    assert json.loads(found[2].body) == refused.body


async def test_rows_written_while_supabase_is_down_arrive_when_it_is_back(
    machine, keeping, gateway, story, converged, events, until
):
    async with machine() as one, keeping(one):
        one.write(*story("a-1").whole())
        await one.sent()
        await gateway.cut()
        for number in range(2, 12):
            one.write(*story(f"a-{number}").whole())
            await trio.sleep(PACE_S)
        assert one.outbox.lag_rows > 100

        gateway.down = False
        await one.sent()
        # Said by the round that sent the last row, when that round has ended.
        await until(lambda: any(line["event"] == "mirror.caught_up" for line in events))
        converged(one)

    said = [line for line in events if line["event"] == "mirror.away"]
    assert said[0]["lag_rows"] >= 0
    assert said[0]["why"]
    assert next(line for line in events if line["event"] == "mirror.caught_up")["lag_rows"] == 0


async def test_an_hour_without_supabase_under_trading_costs_nothing_and_all_of_it_arrives(
    machine, keeping, gateway, story, converged, events, mock_clock, until
):
    mock_clock.rate = 1.0
    async with machine(ttl_s=7200) as one:
        one.write(*story("a-00").whole())
        async with keeping(
            one, backoff=Backoff(random.Random(1), 1.0, 30.0), within_s=7200, batch=100
        ):
            await one.sent()
            await gateway.cut()
            for minute in range(1, 61):
                one.write(*story(f"a-{minute:02d}", pair=f"P{minute % 3}").whole())
                mock_clock.jump(60.0)
                await trio.sleep(PACE_S)
                assert one.gate.open, "trading goes on"
            assert one.outbox.lag_rows == 60 * 16

            gateway.down = False
            mock_clock.jump(30.0)
            await one.sent()
            # Said by the round that sent the last row, when that round has ended.
            await until(lambda: any(line["event"] == "mirror.caught_up" for line in events))
            converged(one)

    away = [line for line in events if line["event"] == "mirror.away"]
    back = [line for line in events if line["event"] == "mirror.caught_up"]
    assert len(away) <= 61, "said at most once a minute"
    assert away[-1]["since_s"] > 3000
    assert (len(back), back[0]["lag_rows"]) == (1, 0)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("table", ["trades", "orders", "fills", "events", "bot4_claim"])
@pytest.mark.ordinary(
    "trades-drop_before",
    "orders-drop_after",
    "fills-drop_before",
    "events-drop_after",
    "bot4_claim-drop_after",
)
async def test_an_answer_that_is_lost_makes_no_second_row(
    machine, keeping, gateway, story, converged, kind, table
):
    gateway.fail(kind, path=table, times=2)
    async with machine() as one, keeping(one):
        one.write(*story("a-1").whole())
        await one.sent()

        converged(one)
    assert gateway.faults == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.ordinary("2")
async def test_after_any_weather_the_copy_is_exact(
    machine, keeping, gateway, story, converged, seed
):
    dice = random.Random(seed)
    trades = [story(f"a-{number}", pair=f"P{number % 3}") for number in range(12)]
    lines = [trade.whole() for trade in trades]
    # Trades of one pair follow each other; those of different pairs overlap.
    queues = [[row for line in lines[pair::3] for row in line] for pair in range(3)]
    async with machine() as one, keeping(one, batch=dice.randint(1, 40)):
        while any(queues):
            queue = dice.choice([queue for queue in queues if queue])
            one.write(*queue[: (size := dice.randint(1, 6))])
            del queue[:size]
            match dice.randrange(8):
                case 0:
                    gateway.fail(dice.choice(["drop_before", "drop_after"]))
                case 1:
                    gateway.fail("answer", status=dice.choice([500, 502, 503, 429, 540]))
                case 2:
                    await gateway.cut()
                case 3:
                    gateway.down = False
            await trio.sleep(dice.choice([0, 0.005, 0.02]))
        gateway.down = False
        gateway.faults.clear()
        await one.sent()

        converged(one)


async def test_a_restart_goes_on_where_the_last_run_stopped(
    machine, keeping, gateway, story, converged
):
    async with machine() as one, keeping(one):
        one.write(*story("a-1").opening())
        await one.sent()
    sent = len(gateway.seen)
    async with machine() as one, keeping(one):
        one.write(*story("a-1").closing())
        await one.sent()

        converged(one)
    pushed = [path for _, path, _ in gateway.seen[sent:] if path.startswith("/rest/v1/events?on")]
    assert len(pushed) == 2  # eight rows, seven at once


async def test_a_cursor_that_was_lost_only_means_sending_again(machine, keeping, story, converged):
    async with machine() as one, keeping(one):
        one.write(*story("a-1").whole())
        await one.sent()
    for path in one.folder.glob("mirror.db*"):
        path.unlink()
    async with machine() as one, keeping(one):
        assert one.outbox.lag_rows > 0
        await one.sent()

        converged(one)


async def test_a_project_that_was_emptied_is_filled_again(
    machine, keeping, empty, story, converged, events, until
):
    async with machine() as one, keeping(one):
        one.write(*story("a-1").whole())
        await one.sent()
    empty.sql("truncate public.instances cascade")
    async with machine() as one, keeping(one):
        await until(lambda: "mirror.restarted" in {line["event"] for line in events})
        await one.sent()

        converged(one)
    assert "mirror.restarted" in {line["event"] for line in events}


async def test_a_row_that_the_database_refuses_holds_nothing_up(
    machine, keeping, empty, story, events, rows
):
    async with machine() as one, keeping(one):
        one.write(*story("a-1").opening())
        await one.sent()
        # A second open position for the pair: what the guard is for.
        one.write(*story("a-2").opening())
        one.write(*story("a-3", pair="ETH").whole())
        await one.sent()

    assert len(rows("events")) == 8 + 8 + 16
    assert [row["pair"] for row in rows("positions")].count("BTC") == 1
    refused = [line for line in events if line["event"] == "mirror.refused"]
    assert "positions_one_open_a_pair" in refused[0]["why"]


async def test_the_rest_is_sent_and_the_account_given_back_at_the_end(
    machine, keeping, story, converged, rows, until
):
    async with machine() as one:
        async with keeping(one, every_s=60.0):
            await until(lambda: one.lease.held)
            one.write(*story("a-1").whole())
        converged(one)

    assert rows("instances")[0]["released_at"] is not None


async def test_the_rest_is_sent_when_the_services_end_before_the_call_under_way(
    machine, keeping, gateway, story, converged, until
):
    async with machine() as one:
        with trio.CancelScope() as services:
            async with keeping(one):
                await until(lambda: one.lease.held)
                gateway.fail("delay", until=(answers := trio.Event()))
                one.write(*story("a-1").whole())
                await until(lambda: not gateway.faults)
                one.closing.raise_sign("all is settled")
                services.cancel()
                answers.set()
        converged(one)


async def test_leaving_does_not_wait_for_a_supabase_that_hangs(
    machine, keeping, gateway, story, until, monkeypatch
):
    for limit in ("HURRY_S", "LEAVE_S"):
        monkeypatch.setattr(f"bot4.tasks.keeper.{limit}", 0.2)
    async with machine() as one:
        async with keeping(one):
            await until(lambda: one.lease.held)
            gateway.always = Fault("delay", until=(never := trio.Event()))
            one.write(*story("a-1").whole())
            # It hangs in a call, and leaves the block all the same.
            await until(lambda: any(body for body in gateway.sent if b"a-1" in body))
        assert not never.is_set()


async def test_orders_on_the_wire_go_first(machine, keeping, gateway, story, until):
    async with machine() as one, keeping(one):
        await until(lambda: one.lease.held)
        one.busy = True
        one.write(*story("a-1").opening())
        await trio.sleep(QUIET_S)
        assert one.outbox.lag_rows == 8

        one.busy = False
        await one.sent()


@pytest.mark.parametrize("restart", [False, True])
async def test_a_fill_heard_after_a_trades_end_is_a_row_of_that_trade_once(
    machine, keeping, gateway, story, converged, events, rows, restart
):
    async with machine() as one:
        async with keeping(one):
            one.write(*story("a-1").whole(), *story("a-2", pair="ETH").opening())
            await one.sent()
            if not restart:
                one.write(story("a-1").late())
                await one.sent()
        if restart:
            one.write(story("a-1").late())
    async with machine() as one, keeping(one):
        gateway.fail("drop_after", path="fills")
        one.write(story("a-1").late(), *story("a-2", pair="ETH").closing())
        await one.sent()
        converged(one)

    assert len(rows("fills")) == 4 + 4 + 1
    (late,) = [row for row in rows("fills") if row["fill_id"] == "late-a-1"]
    (order,) = [row for row in rows("orders") if row["id"] == late["order_key"]]
    assert Decimal(order["filled"]) == Decimal("0.00364")
    assert {row["status"] for row in rows("trades")} == {"closed"}
    assert {row["status"] for row in rows("positions")} == {"closed"}
    seqs = sorted(row["seq"] for row in rows("events") if row["trade_id"] == late_trade(rows))
    assert seqs == list(range(1, 16 + 2 + 1))
    assert not [line for line in events if line["event"] == "mirror.refused"]


def late_trade(rows):
    return next(row["trade_id"] for row in rows("trades") if row["pair"] == "BTC")


@pytest.mark.parametrize("parts", [(1, 6), (2, 6), (4, 6), (6,)])
async def test_a_trade_that_goes_on_after_its_end_is_one_trade_with_its_last_account(
    machine, keeping, story, converged, events, rows, parts
):
    one_story = story("a-1")
    after, done = one_story.reopened(), 0
    async with machine() as one, keeping(one):
        one.write(*one_story.whole())
        await one.sent()
        for part in parts:
            one.write(*after[done:part])
            await one.sent()
            done = part
            converged(one)

    (trade,) = rows("trades")
    assert (trade["status"], trade["state"], trade["net_usdc"]) == ("closed", "flat", "0.25")
    kinds = sorted(row["kind"] for row in rows("fills"))
    assert kinds == ["busted", "trade", "trade", "trade", "trade"]
    assert Decimal(rows("positions")[0]["net_size"]) == 0
    assert not [line for line in events if line["event"] == "mirror.refused"]


async def test_a_trade_of_another_version_is_kept_as_it_is(machine, keeping, story, rows):
    from bot4.ports import Entry

    async with machine() as one, keeping(one):
        one.write(Entry("Tuned", "z-1", {"knob": "7"}), *story("a-1").opening())
        await one.sent()

    kinds = [row["kind"] for row in rows("events") if row["trade_id"] == "z-1"]
    assert kinds == ["Tuned"]
    assert len(rows("trades")) == 1


async def test_why_nothing_was_done_is_sampled(machine, keeping, rows, until):
    from bot4.storage.mirror.rows import hold_row

    async with machine() as one, keeping(one) as keeper:
        one.sample["decisions"] = [
            hold_row(one.store.account, "BTC", 1_795_000_000_000, "edge: too thin", Decimal("0.2"))
        ]
        keeper._sampled_at = float("-inf")
        await until(lambda: rows("decisions"))

    assert rows("decisions")[0]["reason"] == "edge: too thin"


async def test_a_dripping_answer_ends_in_time_and_the_next_call_works(machine, gateway):
    async with machine() as one:
        one.store.hurry(0.3)
        gateway.fail("delay", until=trio.Event())
        with pytest.raises(MirrorAway, match="not answer"):
            await one.store.instance()
        one.store.hurry(REQUEST_S)

        assert await one.store.instance() is None
