"""The small keepers of order: gate, stop sign, health, backoff, watchdog, accounts."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
import trio

from bot4.domain.market import MarketKey
from bot4.domain.position import Account, Position
from bot4.tasks.accounts import Accounts
from bot4.tasks.backoff import Backoff
from bot4.tasks.gate import Gate
from bot4.tasks.health import SICK, WELL, Health
from bot4.tasks.stop import StopSign
from bot4.tasks.watchdog import CLOCKS, JUMP_MS, keep_watch

D = Decimal


async def test_each_reason_is_told_when_it_comes_and_when_it_goes(lines: Any):
    gate = Gate()
    assert gate.open
    gate.block("a", "why a", "do a")
    gate.block("a", "why a, still", "do a")
    gate.block("b", "why b", "do b", quiet=True)
    assert not gate.open
    assert gate.reasons == {"a": "why a, still", "b": "why b"}
    gate.clear("a")
    gate.clear("a")
    gate.clear("b", quiet=True)

    assert gate.open
    assert [line["message"] for line in lines] == [
        "[SAFETY] Nothing opens: why a",
        "[SAFETY] a: over",
    ]


async def test_the_last_reason_that_goes_is_told_to_be_the_last(lines: Any):
    gate = Gate()
    gate.block("a", "why", "do")
    gate.clear("a")

    assert "allowed again" in lines[-1]["message"]


async def test_the_stop_sign_ends_what_runs_and_what_will(autojump_clock: Any):
    stop, ended = StopSign(), []

    async def run(name: str) -> None:
        with stop.while_running():
            await trio.sleep_forever()
        ended.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, "running")
        await trio.sleep(1)
        assert not stop.raised
        stop.raise_sign("first")
        stop.raise_sign("second")
        await stop.wait()
        nursery.start_soon(run, "late")

    assert ended == ["running", "late"]
    assert stop.why == "first"


async def test_a_venue_is_sick_after_too_many_failures_and_well_after_a_good_row(lines: Any):
    gate = Gate()
    health = Health("vest", gate)
    for _ in range(SICK - 1):
        health.bad()
        health.good()
    assert gate.open
    for _ in range(SICK):
        health.bad()
    assert "vest health" in gate.reasons
    for _ in range(WELL - 1):
        health.good()
    assert not gate.open
    health.bad()
    for _ in range(WELL):
        health.good()

    assert gate.open
    assert len(lines) == 2


async def test_the_first_retry_is_immediate_and_the_others_are_capped_and_spread():
    backoff = Backoff(Random(1))
    delays = [backoff.next_delay_s() for _ in range(12)]

    assert delays[0] == 0
    assert all(0 < delay <= 4.0 for delay in delays[1:])
    assert max(delays[6:]) > 1.0
    assert len(set(delays)) == len(delays)
    backoff.succeeded()
    assert backoff.next_delay_s() == 0


async def test_a_reading_knows_what_is_held_and_how_old_it_is(autojump_clock: Any):
    accounts, key = Accounts(), MarketKey("vest", "BTC-PERP")
    assert accounts.get("vest") is None
    assert accounts.age_s("vest") == float("inf")
    positions = [Position(key, D(2), D(1)), Position(MarketKey("vest", "ETH-PERP"), D(1), D(1))]
    accounts.post("vest", Account("vest", D(1), D(1), D(0)), positions, 0.0)
    await trio.sleep(3)

    assert accounts.get("vest").size(key) == 2
    assert accounts.get("vest").size(MarketKey("vest", "SOL-PERP")) == 0
    assert accounts.age_s("vest") == pytest.approx(3)


# ---------------------------------------------------------------------------------- watchdog


class Watched:
    def __init__(self, world: Any) -> None:
        self.world, self.gate = world, Gate()
        self.beats, self.looks, self.measured = 0, 0, 0

    def stays_home(self) -> str:
        self.looks += 1
        return ""

    def beat(self) -> None:
        self.beats += 1

    def measure(self) -> None:
        self.measured += 1

    async def keep(self, *, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        await keep_watch(
            self.stays_home,
            self.beat,
            self.measure,
            self.gate,
            self.world,
            task_status=task_status,
        )


async def test_it_beats_every_second_and_looks_for_the_stop_file_more_often(
    world: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    watched = Watched(world)
    await nursery.start(watched.keep)
    await trio.sleep(10.1)

    assert watched.beats == 11
    assert watched.looks == 41
    assert lines == []
    assert watched.gate.open


@pytest.mark.parametrize("sign", [1, -1], ids=["forward", "back"])
async def test_a_clock_that_was_set_stops_opening_and_is_measured_anew(
    world: Any, nursery: Any, autojump_clock: Any, lines: Any, sign: int
):
    watched = Watched(world)
    await nursery.start(watched.keep)
    await trio.sleep(1)
    world.ahead_ms += sign * (JUMP_MS + 500)
    await trio.sleep(1)

    assert CLOCKS in watched.gate.reasons
    assert watched.measured == 1


async def test_a_loop_that_was_held_up_is_told_of(
    world: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    watched = Watched(world)
    await nursery.start(watched.keep)
    await trio.sleep(1.1)
    autojump_clock.jump(2.0)
    await trio.sleep(1)

    stalled = [line for line in lines if line["event"] == "loop.stalled"]
    assert len(stalled) == 1
    assert stalled[0]["stalled_ms"] > 1000
    assert stalled[0]["do"]
