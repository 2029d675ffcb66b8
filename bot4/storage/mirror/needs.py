"""What this version of bot4 needs in Supabase: tables, columns, functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import bot4

SCHEMA_VERSION: Final = 2
VERSION_FUNCTION: Final = "bot4_schema"
FUNCTIONS: Final = ("claim", "guard", "rank", "release", "renew", "schema")
"""Each begins with ``bot4_``."""
MIGRATIONS: Final = Path(bot4.__file__).parent.parent / "supabase" / "migrations"

_ROW: Final = {"version": "bigint", "token": "bigint"}
_NUMBERS: Final = (
    "matched",
    "target_percent",
    "detected_percent",
    "entry_percent",
    "exit_percent",
    "entry_slippage_bps",
    "exit_slippage_bps",
    "gross_usdc",
    "fees_usdc",
    "funding_usdc",
    "net_usdc",
    "naked_usd_s",
    "naked_s",
)

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "instances": {
        "account_id": "uuid",
        **dict.fromkeys(("account", "mode", "holder", "version"), "text"),
        "token": "bigint",
        **dict.fromkeys(("taken_at", "renewed_at", "released_at"), "timestamptz"),
        **dict.fromkeys(("ttl_s", "bound_s"), "integer"),
    },
    "trades": {
        **dict.fromkeys(("id", "account_id"), "uuid"),
        **dict.fromkeys(("trade_id", "pair", "long_venue", "long_market"), "text"),
        **dict.fromkeys(("short_venue", "short_market", "status", "state", "outcome"), "text"),
        **dict.fromkeys(("size", "quote_rate", *_NUMBERS), "numeric"),
        "mended": "boolean",
        "orders": "integer",
        "latency_ms": "jsonb",
        **dict.fromkeys(("decided_at", "opened_at", "closed_at"), "timestamptz"),
        **_ROW,
    },
    "positions": {
        **dict.fromkeys(("id", "account_id"), "uuid"),
        **dict.fromkeys(("pair", "status", "state"), "text"),
        **dict.fromkeys(("long_size", "short_size", "net_size"), "numeric"),
        **dict.fromkeys(("opened_at", "closed_at"), "timestamptz"),
        **_ROW,
    },
    "legs": {
        **dict.fromkeys(("id", "account_id", "trade_key"), "uuid"),
        **dict.fromkeys(("leg", "venue", "market", "status"), "text"),
        **dict.fromkeys(("held_size", "opened_size", "closed_size"), "numeric"),
        **dict.fromkeys(("entry_price", "exit_price", "fees"), "numeric"),
        **_ROW,
    },
    "orders": {
        **dict.fromkeys(("id", "account_id", "trade_key", "leg_key"), "uuid"),
        **dict.fromkeys(("client_order_id", "venue_order_id", "venue", "market"), "text"),
        **dict.fromkeys(("purpose", "side", "status", "reason"), "text"),
        "attempt": "integer",
        "reduce_only": "boolean",
        **dict.fromkeys(("size", "limit_price", "filled", "average_price", "fee"), "numeric"),
        **dict.fromkeys(("signed_at", "intended_at", "ended_at"), "timestamptz"),
        **_ROW,
    },
    "fills": {
        **dict.fromkeys(("id", "account_id", "trade_key", "order_key"), "uuid"),
        **dict.fromkeys(("venue", "fill_id", "venue_order_id", "market"), "text"),
        **dict.fromkeys(("side", "kind"), "text"),
        **dict.fromkeys(("price", "size", "fee"), "numeric"),
        **dict.fromkeys(("venue_time", "heard_at"), "timestamptz"),
        **_ROW,
    },
    "decisions": {
        **dict.fromkeys(("id", "account_id"), "uuid"),
        **dict.fromkeys(("trade_id", "pair", "decision", "reason"), "text"),
        "decided_at": "timestamptz",
        **dict.fromkeys(("percent", "target_percent"), "numeric"),
        **_ROW,
    },
    "events": {
        **dict.fromkeys(("id", "account_id"), "uuid"),
        **dict.fromkeys(("trade_id", "kind", "client_order_id", "body", "journal"), "text"),
        **dict.fromkeys(("seq", "journal_row", "token"), "bigint"),
        "written_at": "timestamptz",
    },
}
"""Table -> column -> type, in the order in which rows are sent: what is referred to comes first."""

ORDER: Final = tuple(name for name in TABLES if name != "instances")
"""Events come last: what they tell has arrived by then."""


def migrations() -> str:
    """Return the SQL that makes everything; running it again changes nothing.

    Raises:
        OSError: the project's folder is not whole.
    """
    return "\n".join(path.read_text("utf-8") for path in sorted(MIGRATIONS.glob("*.sql")))


def mending(table: str, column: str) -> str:
    """Return the SQL that adds a missing column."""
    return f"alter table public.{table} add column {column} {TABLES[table][column]};"
