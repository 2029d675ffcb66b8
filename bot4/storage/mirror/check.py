"""Compares what Supabase has with what this version needs, through the usual door."""

from __future__ import annotations

from typing import Any

import attrs

from bot4.errors import MirrorRefused, MirrorUnusable
from bot4.storage.mirror.needs import FUNCTIONS, SCHEMA_VERSION, TABLES, mending, migrations
from bot4.storage.mirror.store import SupabaseStore


@attrs.frozen
class Findings:
    """What is wrong with the live schema; empty when nothing is."""

    faults: tuple[str, ...] = ()
    sql: str = ""
    """What mends it; running it twice changes nothing."""


async def check_schema(store: SupabaseStore) -> Findings:
    """Look at every table, column and function that this version needs.

    Raises:
        MirrorAway: Supabase does not answer.
        MirrorUnusable: it refuses the key.
    """
    faults, columns_sql, sql = [], [], []
    for table, columns in TABLES.items():
        if await _answers(store, table, columns):
            continue
        if not await _answers(store, table, []):
            faults.append(f"table {table} is missing")
            sql.append(migrations())
            continue
        for column in columns:
            if not await _answers(store, table, [column]):
                faults.append(f"column {table}.{column} is missing")
                columns_sql.append(mending(table, column))
    faults += await _version(store, sql)
    # Columns first: the rest speaks of them.
    unique = dict.fromkeys([*columns_sql, *sql])
    return Findings(tuple(faults), "\n\n".join(unique))


async def _version(store: SupabaseStore, sql: list[str]) -> list[str]:
    try:
        said = await store.schema()
    except (MirrorUnusable, MirrorRefused) as fault:
        if _is_key(fault):
            raise
        sql.append(migrations())
        return ["bot4's functions are missing"]
    facts: dict[str, Any] = said if isinstance(said, dict) else {}
    faults = []
    if facts.get("version") != SCHEMA_VERSION:
        version = facts.get("version")
        faults.append(f"the schema is version {version}, this bot4 needs {SCHEMA_VERSION}")
    else:
        there = facts.get("functions", ())
        missing = [name for name in FUNCTIONS if f"bot4_{name}" not in there]
        faults += [f"function bot4_{name} is missing" for name in missing]
        faults += [f"table {name} has lost its guard" for name in facts.get("unguarded", ())]
        unprotected = facts.get("unprotected", ())
        faults += [f"table {name} has no row-level security: it is open" for name in unprotected]
    if faults:
        sql.append(migrations())
    return faults


async def _answers(store: SupabaseStore, table: str, columns: object) -> bool:
    try:
        await store.probe(table, list(columns) or ["*"])  # type: ignore[call-overload]
    except (MirrorUnusable, MirrorRefused) as fault:
        if _is_key(fault):
            raise
        return False
    return True


def _is_key(fault: MirrorUnusable | MirrorRefused) -> bool:
    return "SUPABASE_SECRET_KEY" in fault.do
