"""Every way in which Supabase can be unusable: one clear line, and nothing lost."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count

import httpx
import pytest
import trio
from localsupabase.gateway import PUBLISHABLE_KEY, Fault
from localsupabase.stack import role_token
from timeouts import ANSWERED_S, REQUEST_S

from bot4.errors import LeaseLost, MirrorAway, MirrorRefused, MirrorUnusable
from bot4.invocation import command
from bot4.storage.mirror.check import check_schema
from bot4.storage.mirror.needs import migrations

OLDER = (
    "create or replace function public.bot4_schema() returns jsonb language sql as $$"
    " select jsonb_build_object('version', 0) $$"
)


@asynccontextmanager
async def changed(stack, sql):
    """The project with something changed, and mended afterwards."""
    await reloaded(stack, sql)
    try:
        yield
    finally:
        stack.sql(f"drop schema public cascade; create schema public;{ROLES_AGAIN}")
        stack.migrate()
        await reloaded(stack, "select 1")


async def reloaded(stack, sql):
    """Run SQL, and wait until the API has read the schema again: it does so in its own time."""
    mark = f"mark_{next(MARKS)}"
    made = f"create function public.{mark}() returns int language sql as 'select 1'"
    stack.sql(f"{sql}; {made}; notify pgrst, 'reload schema'")
    token = {"Authorization": f"Bearer {role_token('service_role')}"}
    transport = httpx.AsyncHTTPTransport(uds=str(stack.api))
    with trio.fail_after(ANSWERED_S):
        async with httpx.AsyncClient(transport=transport, timeout=REQUEST_S) as client:
            while (  # noqa: ASYNC110 - the API tells nobody
                await client.post(f"http://api/rpc/{mark}", headers=token)
            ).status_code != 200:
                await trio.sleep(0.02)
    stack.sql(f"drop function public.{mark}()")


MARKS = count()


ROLES_AGAIN = """
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on functions to anon, authenticated, service_role;
"""


@pytest.mark.parametrize("key", ["sb_secret_of_another_project", PUBLISHABLE_KEY, "x"])
async def test_a_wrong_key_is_named(machine, key):
    async with machine(key=key) as one:
        with pytest.raises(MirrorUnusable, match="refuses the key") as caught:
            await one.lease.take()

    assert "SUPABASE_SECRET_KEY" in caught.value.do
    assert key not in str(caught.value) or key == "x"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, b"<html>busy</html>", "answers 503"),
        (502, b"", "answers 502"),
        (429, b'{"message": "slow down"}', "answers 429: slow down"),
        (540, b"Project paused", "paused"),
        (200, b"<html>log in to this hotel's network</html>", "unreadable"),
        (200, b'{"granted": "perhaps"}', "unreadable"),
    ],
)
async def test_an_answer_that_is_none_is_tried_again(machine, gateway, status, body, words):
    gateway.fail("answer", status=status, body=body)
    async with machine() as one:
        with pytest.raises(MirrorAway, match=words):
            await one.lease.take()

        assert (await one.lease.take()).granted


async def test_nobody_there_is_tried_again(machine, gateway):
    async with machine(url="https://127.0.0.1:9") as one:
        with pytest.raises(MirrorAway, match="does not answer"):
            await one.lease.take()


async def test_a_certificate_of_somebody_else_is_no_supabase(machine, gateway, tmp_path):
    from functools import partial

    import trustme

    from bot4.secret import Secret
    from bot4.storage.mirror.door import SupabaseDoor
    from bot4.storage.mirror.store import SupabaseStore
    from bot4.transport.pool import open_client
    from bot4.transport.world import RealWorld

    foreign = tmp_path / "foreign.pem"
    trustme.CA().cert_pem.write_to_path(str(foreign))
    door = SupabaseDoor(
        partial(open_client, RealWorld(ca_file=foreign)), gateway.url, Secret("sb_secret_mine")
    )
    with pytest.raises(MirrorAway):
        await SupabaseStore(door, "00000000-0000-4000-8000-000000000001").instance()
    await door.aclose()

    assert gateway.seen == []


@pytest.mark.parametrize(
    ("sql", "finding", "mended_by"),
    [
        (
            "drop view public.unfinished_events; drop table public.fills",
            "table fills is missing",
            "create table if not exists public.fills",
        ),
        (
            "alter table public.trades drop column funding_usdc",
            "column trades.funding_usdc is missing",
            "alter table public.trades add column funding_usdc numeric;",
        ),
        ("drop function public.bot4_schema()", "functions are missing", "function public.bot4_s"),
        (
            "alter table public.orders disable row level security",
            "table orders has no row-level security",
            "enable row level security",
        ),
        ("drop trigger bot4_guard on public.fills", "fills has lost its guard", "bot4_guard"),
        (
            "drop function public.bot4_release(uuid, bigint)",
            "function bot4_release is missing",
            "create or replace function public.bot4_release",
        ),
        (
            OLDER,
            "version 0, this bot4 needs 2",
            "create or replace function public.bot4_schema()",
        ),
    ],
)
async def test_the_check_names_what_is_missing_and_its_sql_mends_it(
    machine, empty, sql, finding, mended_by
):
    async with changed(empty, sql), machine() as one:
        found = await check_schema(one.store)

        assert len(found.faults) == 1, found.faults
        assert finding in found.faults[0]
        assert mended_by in found.sql

        await reloaded(empty, found.sql)
        assert (await check_schema(one.store)).faults == ()


async def test_the_check_of_an_empty_project_gives_the_whole_sql(machine, empty):
    everything = "drop schema public cascade; create schema public;" + ROLES_AGAIN
    async with changed(empty, everything), machine() as one:
        found = await check_schema(one.store)

        assert found.sql.strip() == migrations().strip()
        assert len(found.faults) == 9


async def test_the_check_of_a_whole_project_finds_nothing(machine):
    async with machine() as one:
        assert (await check_schema(one.store)).faults == ()


async def test_the_check_with_a_wrong_key_says_so(machine):
    async with machine(key="sb_secret_wrong") as one:
        with pytest.raises(MirrorUnusable, match="refuses the key"):
            await check_schema(one.store)


@pytest.mark.parametrize(
    "sql",
    [
        "drop view public.unfinished_events; drop table public.events",
        "alter table public.orders drop column reason",
        "drop function public.bot4_claim(uuid, text, text, text, text, integer, integer)",
    ],
    ids=["a missing table", "an old schema", "a missing function"],
)
async def test_missing_parts_are_said_once_and_what_waits_is_sent_after_the_mending(
    machine, empty, story, events, converged, monkeypatch, sql, until
):
    monkeypatch.setattr("bot4.tasks.keeper.MENDING_EVERY_S", 0.05)
    async with changed(empty, sql), machine() as one:
        one.write(*story("a-1").whole())
        async with trio.open_nursery() as nursery:
            await nursery.start(one.keeper().keep)
            await until(lambda: any(line["event"] == "mirror.unusable" for line in events))
            asked = len(one.gateway.seen)
            await until(lambda: len(one.gateway.seen) > asked + 3)
            assert one.outbox.lag_rows == 16
            assert one.gate.open, "trading is not affected"
            said = [line for line in events if line["event"] == "mirror.unusable"]
            assert len(said) == 1
            assert command("db check") in said[0]["do"]

            empty.sql((await check_schema(one.store)).sql + "; notify pgrst, 'reload schema'")
            await one.sent()
            converged(one)
            one.closing.raise_sign("over")


async def test_a_paused_project_is_named_once_and_everything_arrives_when_it_is_restored(
    machine, gateway, story, events, converged, until
):
    gateway.always = Fault("answer", status=540, body=b"Project paused")
    async with machine() as one, trio.open_nursery() as nursery:
        await nursery.start(one.keeper().keep)
        one.write(*story("a-1").whole())
        await until(lambda: len(gateway.seen) > 3)
        assert one.gate.open, "trading is not affected"
        assert one.outbox.lag_rows == 16
        (said,) = [line for line in events if line["event"] == "mirror.away"]
        assert "paused" in said["why"]
        assert "restore it" in said["do"]

        gateway.always = None
        await one.sent()
        converged(one)
        one.closing.raise_sign("over")


async def test_a_wrong_key_under_trading_is_said_once_and_nothing_is_lost(
    machine, gateway, story, events, converged, until, monkeypatch
):
    monkeypatch.setattr("bot4.tasks.keeper.MENDING_EVERY_S", 0.05)
    async with machine(key="sb_secret_wrong") as one, trio.open_nursery() as nursery:
        await nursery.start(one.keeper().keep)
        one.write(*story("a-1").whole())
        await until(lambda: len(gateway.seen) > 3)
        assert one.gate.open, "trading is not affected"
        assert one.outbox.lag_rows == 16
        (said,) = [line for line in events if line["event"] == "mirror.unusable"]
        assert "SUPABASE_SECRET_KEY" in said["do"]
        one.closing.raise_sign("over")
    async with machine() as again, trio.open_nursery() as nursery:
        await nursery.start(again.keeper().keep)
        await again.sent()
        converged(again)
        again.closing.raise_sign("over")


async def test_more_rows_than_a_page_are_read_to_the_last(machine, empty, story):
    async with machine() as one:
        await one.lease.take()
        claim = one.lease.token
        for number in range(70):
            one.write(*story(f"a-{number:02d}", pair=f"P{number}").opening())
            one.write(*story(f"b-{number:02d}", pair=f"Q{number}").whole())
        while batch := await one.outbox.next(500):
            assert await one.store.push(batch.tables, claim) == []
            one.outbox.confirm(batch)
        empty.sql(
            "insert into public.events select gen_random_uuid(), account_id, 'long', n, 'Tuned',"
            " '', '{}', 'x', n, now(), token from public.instances, generate_series(1, 2500) n"
        )
        found = await one.store.unfinished()

    assert len(found) == 70 * 8 + 2500
    assert [event.seq for event in found if event.trade_id == "long"] == list(range(1, 2501))


async def test_clocks_that_differ_by_hours_change_nothing(machine, story, converged, rows):
    async with machine() as one:
        one.world.now_ms -= 7 * 3_600_000
        one.write(*story("a-1").opening())
        one.world.now_ms += 14 * 3_600_000
        one.write(*story("a-1").closing())
        async with trio.open_nursery() as nursery:
            await nursery.start(one.keeper().keep)
            await one.sent()
            assert one.lease.held
            assert one.gate.open
            converged(one)
            one.closing.raise_sign("over")


async def test_what_the_database_says_of_rows_is_told_apart(machine, empty):
    async with machine() as one:
        await one.lease.take()
        row = {"id": "00000000-0000-4000-8000-00000000000b", "account_id": one.store.account}
        with pytest.raises(MirrorRefused, match="null value"):
            await one.store._upsert("decisions", [{**row, "token": 1}])
        with pytest.raises(LeaseLost, match="not the one that holds"):
            await one.store._upsert("decisions", [{**row, "token": 9}])


async def test_the_key_is_in_no_line_and_no_row(machine, gateway, story, events):
    async with machine() as one:
        one.write(*story("a-1").whole())
        gateway.fail("answer", status=503)
        gateway.fail("drop_after")
        async with trio.open_nursery() as nursery:
            await nursery.start(one.keeper().keep)
            await one.sent()
            one.closing.raise_sign("over")

    assert gateway.sent
    assert not any(b"sb_secret" in body for body in gateway.sent)
    assert "sb_secret" not in str(events)
    assert "sb_secret" not in repr(one.store.door.__dict__)
