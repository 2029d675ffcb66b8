"""One bot an account: who holds it, who waits, and who can no longer write."""

from __future__ import annotations

import pytest
import trio

from bot4.errors import LeaseLost, MirrorAway, StartRefused
from bot4.tasks.keeper import LEASE
from bot4.wiring.taking import take_account


async def test_the_first_takes_it_and_a_second_machine_is_refused(machine):
    async with machine("one") as one, machine("two") as two:
        assert (await one.lease.take()).granted
        claim = await two.lease.take()

        assert not claim.granted
        assert claim.holder == one.lease.holder
        assert claim.seen_s <= 2
        assert 60 <= claim.free_in_s <= 65
        assert not two.lease.held


async def test_the_same_bot_takes_it_again_at_once_with_a_newer_token(machine):
    async with machine("one") as one:
        await one.lease.take()
        first = one.lease.token
    async with machine("one") as again:
        assert (await again.lease.take()).granted
        assert again.lease.token == first + 1


async def test_what_was_given_back_is_free_at_once(machine):
    async with machine("one") as one, machine("two") as two:
        await one.lease.take()
        await one.lease.release()

        assert (await two.lease.take()).granted


@pytest.mark.parametrize(("silent_s", "granted"), [(59, False), (64, False), (66, True)])
async def test_a_newcomer_waits_for_the_ttl_and_the_longest_trade(
    machine, empty, silent_s, granted
):
    async with machine("one") as one, machine("two") as two:
        await one.lease.take()
        silence(empty, silent_s)

        assert (await two.lease.take()).granted is granted


async def test_a_stale_holder_can_neither_renew_nor_write(machine, empty, story, rows):
    async with machine("one") as one, machine("two") as two:
        await one.lease.take()
        silence(empty, 66)
        await two.lease.take()

        one.write(*story("a-1").opening())
        batch = await one.outbox.next(100)
        with pytest.raises(LeaseLost):
            await one.store.push(batch.tables, one.lease.token)
        with pytest.raises(LeaseLost):
            await one.lease.renew()
        assert not one.lease.held
        assert one.lease.left_s == 0
        assert rows("events") == []


async def test_a_write_that_was_on_its_way_lands_before_the_takeover_or_never(
    machine, gateway, empty, story, rows, until
):
    async with machine("one") as one, machine("two") as two:
        await one.lease.take()
        one.write(*story("a-1").opening())
        batch = await one.outbox.next(100)
        gateway.fail("delay", path="trades", until=(lands := trio.Event()))
        refused = []

        async def late():
            try:
                await one.store.push(batch.tables, one.lease.token)
            except LeaseLost as lost:
                refused.append(lost)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(late)
            await until(lambda: not gateway.faults)
            silence(empty, 66)
            assert (await two.lease.take()).granted
            lands.set()

    assert refused
    assert rows("trades") == []


async def test_the_keeper_stops_opening_when_another_bot_takes_over(
    machine, empty, story, events, until
):
    async with machine("one") as one, machine("two") as two, trio.open_nursery() as nursery:
        await nursery.start(one.keeper().keep)
        one.write(*story("a-1").opening())
        await one.sent()
        silence(empty, 66)
        await two.lease.take()
        one.write(*story("a-1").closing())
        await until(lambda: not one.gate.open)

        assert LEASE in one.gate.reasons
        assert [line["level"] for line in events if line["event"] == "lease.lost"] == ["error"]
        assert one.outbox.lag_rows == 8, "what could not be written waits here"
        one.closing.raise_sign("over")


async def test_the_keeper_opens_nothing_while_somebody_else_holds_the_account(
    machine, events, until
):
    async with machine("one") as one, machine("two") as two, trio.open_nursery() as nursery:
        await one.lease.take()
        await nursery.start(two.keeper().keep)
        await until(lambda: not two.gate.open)

        said = [line for line in events if line["event"] == "lease.refused"]
        assert one.lease.holder in said[0]["why"]
        two.closing.raise_sign("over")


async def test_a_holder_that_cannot_renew_opens_nothing_after_the_ttl_and_again_when_it_can(
    machine, gateway, until, fast_clock
):
    async with machine("one") as one, trio.open_nursery() as nursery:
        one.lease.ttl_s = 12
        await nursery.start(one.keeper().keep)
        await until(lambda: one.lease.held)
        assert one.gate.open
        await gateway.cut()
        began = trio.current_time()
        await until(lambda: not one.gate.open)
        assert trio.current_time() - began > 4, "not before the ttl is over"

        gateway.down = False
        await until(lambda: one.gate.open)
        one.closing.raise_sign("over")


async def test_our_count_never_ends_after_the_databases(machine, gateway):
    """The answer may be slow: what counts is when we asked."""
    async with machine("one") as one:
        gateway.fail("delay", path="bot4_claim", seconds=0.4)
        await one.lease.take()

        assert one.lease.left_s <= 60 - 0.4


@pytest.fixture
def waiting(monkeypatch, gateway, until):
    """Let a newcomer ask for an account that is held, until it has asked so many times."""
    monkeypatch.setattr("bot4.wiring.taking.POLL_S", 0.02)

    class Newcomer:
        def __init__(self, lease):
            self.lease, self.claim, self.refused = lease, None, None

        async def wait(self):
            try:
                self.claim = await take_account(self.lease)
            except StartRefused as refused:
                self.refused = refused

        async def asked(self, more):
            goal = asks() + more
            await until(lambda: asks() >= goal)

    def asks():
        return sum("bot4_claim" in path for _, path, _ in gateway.seen)

    return Newcomer


async def test_a_newcomer_waits_as_long_as_the_holder_may_live_and_then_begins(
    machine, empty, waiting, events
):
    async with machine("one") as one, machine("two") as two, trio.open_nursery() as nursery:
        await one.lease.take()
        silence(empty, 10)
        newcomer = waiting(two.lease)
        nursery.start_soon(newcomer.wait)
        await newcomer.asked(3)
        for silent_s in (59, 63):
            silence(empty, silent_s)
            await newcomer.asked(3)
            assert newcomer.claim is None
        silence(empty, 66)
        await newcomer.asked(1)

    assert newcomer.claim.granted
    assert two.lease.held
    (said,) = [line for line in events if line["event"] == "lease.waiting"]
    assert one.lease.holder in said["why"]
    assert 50 <= said["free_in_s"] <= 55


async def test_a_newcomer_is_refused_at_the_holders_next_sign_of_life(
    machine, empty, waiting, gateway
):
    async with machine("one") as one, machine("two") as two, trio.open_nursery() as nursery:
        await one.lease.take()
        silence(empty, 30)
        newcomer = waiting(two.lease)
        nursery.start_soon(newcomer.wait)
        await newcomer.asked(2)
        gateway.fail("answer", path="bot4_claim", status=503, times=2)
        await newcomer.asked(4)
        assert newcomer.refused is None, "no answer is no sign of life, nor of death"
        await one.lease.renew()

    assert f"lives: {one.lease.holder}" in newcomer.refused.why
    assert not two.lease.held


async def test_a_newcomer_is_refused_when_a_third_bot_was_quicker(machine, empty, waiting, until):
    async with machine("one") as one, machine("two") as two, trio.open_nursery() as nursery:
        await one.lease.take()
        silence(empty, 30)
        newcomer = waiting(two.lease)
        nursery.start_soon(newcomer.wait)
        await newcomer.asked(2)
        empty.sql("update public.instances set token = token + 1, holder = 'three@elsewhere'")
        await until(lambda: newcomer.refused)

    assert "three@elsewhere" in newcomer.refused.why


async def test_a_newcomer_that_gets_no_answer_at_all_says_so(machine, gateway):
    await gateway.cut()
    async with machine("one") as one:
        with pytest.raises(MirrorAway):
            await take_account(one.lease)


async def test_two_at_once_get_one_yes(machine):
    async with machine("one") as one, machine("two") as two:
        claims = []

        async def take(lease):
            claims.append(await lease.take())

        async with trio.open_nursery() as nursery:
            for lease in (one.lease, two.lease):
                nursery.start_soon(take, lease)

    assert sorted(claim.granted for claim in claims) == [False, True]


async def test_accounts_do_not_hold_each_other_up(machine):
    async with machine("one") as one, machine("two") as two:
        two.lease.store = other_account(two.store)
        assert (await one.lease.take()).granted
        assert (await two.lease.take()).granted


def other_account(store):
    from bot4.storage.mirror.store import SupabaseStore

    return SupabaseStore(store.door, "00000000-0000-4000-8000-0000000000bb")


def silence(stack, seconds):
    """Let the holder have been silent for so long, by the database's clock."""
    seen = f"clock_timestamp() - interval '{seconds} s'"
    stack.sql(f"update public.instances set renewed_at = {seen}")  # noqa: S608
