"""What the migrations make of an empty project."""

from __future__ import annotations

import pytest
from localsupabase import open_gateway
from localsupabase.gateway import PUBLISHABLE_KEY

from bot4.errors import MirrorUnusable
from bot4.storage.mirror.needs import TABLES, migrations

WRITE = "insert into public.{} ({}) values ({})"
NOW = "clock_timestamp()"
ACCOUNT = "'00000000-0000-4000-8000-00000000000a'"


def key(number: int) -> str:
    return f"'00000000-0000-4000-8000-{number:012d}'"


def put(table: str, **values: object) -> str:
    names, texts = ", ".join(values), ", ".join(str(value) for value in values.values())
    update = ", ".join(f"{name} = excluded.{name}" for name in values)
    return f"{WRITE.format(table, names, texts)} on conflict (id) do update set {update};"


def instance(token: int = 1) -> str:
    names = "account_id, account, mode, holder, version, ttl_s, bound_s"
    texts = f"{ACCOUNT}, 'a', 'testnet', 'me', '1', 60, 5"
    made = f"{WRITE.format('instances', names, texts)} on conflict do nothing;"
    return f"{made} update public.instances set token = {token};"  # noqa: S608


def trade(number: int, *, version: int = 1, status: str = "open", token: int = 1) -> str:
    closed = status == "closed"
    return put(
        "trades",
        id=key(number),
        account_id=ACCOUNT,
        trade_id=f"'t{number}'",
        pair="'BTC'",
        **dict.fromkeys(("long_venue", "long_market", "short_venue", "short_market"), "'x'"),
        status=f"'{status}'",
        state="'hedged'",
        outcome="'closed'" if closed else "null",
        size="1",
        quote_rate="1",
        orders="2",
        opened_at=NOW,
        closed_at=NOW if closed else "null",
        version=version,
        token=token,
    )


def position(number: int, *, version: int = 1, status: str = "open", pair: str = "BTC") -> str:
    return put(
        "positions",
        id=key(number),
        account_id=ACCOUNT,
        pair=f"'{pair}'",
        status=f"'{status}'",
        state="'hedged'",
        **dict.fromkeys(("long_size", "short_size", "net_size"), "0"),
        opened_at=NOW,
        closed_at=NOW if status == "closed" else "null",
        version=version,
        token=1,
    )


def order(number: int, of: int, *, version: int = 1, status: str = "intent") -> str:
    leg = put(
        "legs",
        id=key(1000 + of),
        account_id=ACCOUNT,
        trade_key=key(of),
        leg="'long'",
        venue="'vest'",
        market="'x'",
        status="'open'",
        **dict.fromkeys(("held_size", "opened_size", "closed_size", "fees"), "0"),
        version=1,
        token=1,
    )
    return leg + put(
        "orders",
        id=key(number),
        account_id=ACCOUNT,
        trade_key=key(of),
        leg_key=key(1000 + of),
        client_order_id=f"'c{number}'",
        venue_order_id="''",
        venue="'vest'",
        market="'x'",
        purpose="'enter'",
        attempt=1,
        side="'buy'",
        size="1",
        limit_price="1",
        reduce_only="false",
        status=f"'{status}'",
        filled="0",
        reason="''",
        intended_at=NOW,
        version=version,
        token=1,
    )


def fill(number: int, order_number: int, of: int, name: str = "f1") -> str:
    return put(
        "fills",
        id=key(number),
        account_id=ACCOUNT,
        trade_key=key(of),
        order_key=key(order_number),
        venue="'vest'",
        fill_id=f"'{name}'",
        venue_order_id="''",
        market="'x'",
        side="'buy'",
        price="1",
        size="1",
        fee="0",
        kind="'trade'",
        heard_at=NOW,
        version=1,
        token=1,
    )


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [
        ({"CI": "true"}, pytest.fail.Exception),
        ({"CI": "1"}, pytest.fail.Exception),
        ({"CI": "false"}, pytest.skip.Exception),
        ({}, pytest.skip.Exception),
    ],
)
def test_without_the_real_parts_a_person_skips_and_a_gate_fails(environment, outcome, missing):
    with pytest.raises(outcome, match="no npm"):
        missing("no npm", environment)


def test_the_tables_are_those_that_the_program_writes(stack):
    live: dict[str, dict[str, str]] = {}
    for table, column, kind in stack.sql(
        "select table_name, column_name, data_type from information_schema.columns c"
        " join pg_tables t on t.schemaname = c.table_schema and t.tablename = c.table_name"
        " where table_schema = 'public'"
    ):
        name = kind.replace("timestamp with time zone", "timestamptz")
        live.setdefault(table, {})[column] = name

    assert live == {table: dict(columns) for table, columns in TABLES.items()}


def test_every_column_and_table_and_function_says_what_it_is(stack):
    silent = stack.sql(
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0"
        " and not a.attisdropped and col_description(c.oid, a.attnum) is null"
        " union all select relname, '' from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null"
        " union all select proname, '()' from pg_proc where pronamespace = 'public'::regnamespace"
        " and obj_description(oid, 'pg_proc') is null"
    )

    assert silent == []


def test_row_level_security_is_on_everywhere_and_nobody_has_a_policy(stack):
    assert (
        stack.sql(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind = 'r' and not relrowsecurity"
        )
        == []
    )
    assert stack.sql("select * from pg_policies") == []


def test_the_public_roles_may_do_nothing(stack):
    assert (
        stack.sql(
            "select grantee, table_name from information_schema.role_table_grants"
            " where table_schema = 'public' and grantee in ('anon', 'authenticated')"
            " union all select r.rolname, p.proname from pg_proc p, pg_roles r"
            " where p.pronamespace = 'public'::regnamespace"
            " and r.rolname in ('anon', 'authenticated')"
            " and has_function_privilege(r.oid, p.oid, 'execute')"
        )
        == []
    )


async def test_the_publishable_key_reads_nothing(machine, empty):
    empty.sql(instance())
    async with machine(key=PUBLISHABLE_KEY) as one:
        with pytest.raises(MirrorUnusable, match="refuses the key"):
            await one.store.instance()
        with pytest.raises(MirrorUnusable, match="refuses the key"):
            await one.lease.take()


def test_running_the_migrations_again_changes_nothing(empty):
    empty.sql(instance() + trade(1) + position(1))
    before = empty.sql("select row_to_json(t) from public.trades t")

    empty.sql(migrations())

    assert empty.sql("select row_to_json(t) from public.trades t") == before


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (position(1), trade(2) + position(2), "positions_one_open_a_pair"),
        (order(5, 1) + fill(8, 5, 1), trade(2) + order(6, 2) + fill(8, 6, 2), "stays as it is"),
        (order(5, 1) + fill(8, 5, 1), trade(2) + order(6, 2) + fill(9, 6, 2), "duplicate key"),
        (trade(2) + order(5, 1), fill(8, 5, 2), "foreign key"),
        (trade(1, version=2, status="closed"), trade(1, version=3), "cannot go back"),
        (order(5, 1, version=2, status="refused"), order(5, 1, version=3), "cannot go back"),
        (
            order(5, 1, version=2, status="filled"),
            order(5, 1, version=3, status="partial"),
            "cannot go back",
        ),
        (position(1, version=2, status="closed"), position(1, version=3), "cannot go back"),
        ("", trade(3, token=2), "is not the one that holds"),
        (instance(2), trade(3, token=1), "is not the one that holds"),
        ("", order(5, 1).replace("'buy'", "'hold'"), "violates check"),
        ("", trade(3).replace("'open'", "'closed'"), "violates check"),
    ],
    ids=[
        "a second open position of a pair",
        "a fill moved to another trade",
        "a fill a second time under another key",
        "a fill of another trade's order",
        "a closed trade opened",
        "a refused order meant again",
        "a filled order under way again",
        "a closed position opened",
        "a token of the future",
        "a token of the past",
        "an unknown side",
        "closed without a time",
    ],
)
def test_the_impossible_is_refused(empty, first, then, words):
    empty.sql(instance() + trade(1) + first)

    with pytest.raises(ValueError, match=words):
        empty.sql(then)


def test_an_older_word_changes_nothing_and_is_no_error(empty):
    empty.sql(instance() + trade(1) + order(5, 1, version=4, status="filled"))

    empty.sql(order(5, 1, version=3, status="acked") + order(5, 1, version=4, status="refused"))

    assert empty.sql("select status, version from public.orders") == [["filled", "4"]]


def test_a_pair_opens_again_once_its_position_is_closed(empty):
    empty.sql(instance() + trade(1) + position(1) + trade(2))

    empty.sql(position(1, version=2, status="closed") + position(2))

    assert empty.sql("select count(*) from public.positions where status = 'open'") == [["1"]]


async def test_the_gateway_serves_nothing_beside_the_data(stack, tmp_path):
    import httpx

    from bot4.transport.pool import open_client
    from bot4.transport.world import RealWorld

    async with open_gateway(stack, tmp_path) as gateway:
        client: httpx.AsyncClient = open_client(RealWorld(ca_file=gateway.ca_file))
        key = {"apikey": PUBLISHABLE_KEY, "authorization": f"Bearer {PUBLISHABLE_KEY}"}
        answers = [
            await client.get(f"{gateway.url}/rest/v1/events"),
            await client.get(f"{gateway.url}/auth/v1/user", headers=key),
            await client.get(f"{gateway.url}/rest/v1/events", headers=key),
        ]
        await client.aclose()

    assert [answer.status_code for answer in answers] == [401, 404, 401]
