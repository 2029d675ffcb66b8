"""What the running bot says of itself every second, in one small file beside its journal."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import trio

from bot4.config.schema import Config
from bot4.domain.market import MarketKey
from bot4.domain.position import Account, Position
from bot4.domain.units import plain
from bot4.strategy.limits import cost_of_one
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.gate import Gate
from bot4.transport.process import birth_of
from bot4.wiring.venues import VenueParts

VERSION: Final = 1
"""Of the file's shape; another one is not read."""
BIGGEST_BYTES: Final = 1 << 20
FRESH_MS: Final = 5000
"""A running bot speaks every second; older words are not of now."""


def status_file(config: Config) -> Path:
    """Written every second by the bot, next to its heartbeat."""
    return config.state_dir / "status.json"


def describe(
    parts: Mapping[str, VenueParts],
    books: Books,
    accounts: Accounts,
    trades: list[dict[str, Any]],
    gate: Gate,
) -> dict[str, Any]:
    """Return what is known now, in JSON values: decimals are texts, ages are seconds."""
    return {
        "venues": {
            venue: _venue(part, books, accounts) | _account_of(accounts, venue)
            for venue, part in parts.items()
        },
        "trades": trades,
        "stopped": gate.reasons,
    }


def _venue(part: VenueParts, books: Books, accounts: Accounts) -> dict[str, Any]:
    gateway, venue = part.gateway, part.gateway.venue
    now = trio.current_time()
    records = {symbol: books.get(MarketKey(venue, symbol)) for symbol in part.session.symbols}
    due_ms = gateway.codec.login_due_ms()
    return {
        "api": gateway.codec.api_version,
        "links": {link.name.removeprefix(f"{venue} "): link.useful for link in part.links},
        "books": {
            symbol: None if record is None else round(now - record.book.received_at, 2)
            for symbol, record in records.items()
        },
        "half_costs": {symbol: _half_cost(part, books, symbol) for symbol in records},
        "clock_offset_ms": gateway.offset_ms,
        "clock_error_ms": gateway.clock_error_ms,
        "token_due_s": round((due_ms - gateway.now_ms()) / 1000) if due_ms else None,
        "on_wire": gateway.on_wire,
        "open_orders": part.session.open_orders,
        "limits": gateway.allowance.known(),
        "refused_as_too_many": gateway.allowance.refused,
        "account_age_s": round(accounts.age_s(venue), 1) if accounts.get(venue) else None,
    }


def _half_cost(part: VenueParts, books: Books, symbol: str) -> str | None:
    """What closing one unit costs now, quote currency; None while nobody can tell."""
    record = books.get(MarketKey(part.gateway.venue, symbol))
    market = part.session.markets.get(symbol)
    if record is None or market is None:
        return None
    return plain(cost_of_one(record.book, market))


def _account_of(accounts: Accounts, venue: str) -> dict[str, Any]:
    reading = accounts.get(venue)
    return {} if reading is None else account_row(reading.account, reading.positions)


def account_row(account: Account, positions: tuple[Position, ...]) -> dict[str, Any]:
    """Return what a venue says of our money and positions there."""
    return {
        "equity": plain(account.equity),
        "free": plain(account.free_collateral),
        "positions": {one.key.symbol: plain(one.size) for one in positions if one.size},
    }


def write_status(config: Config, wall_ms: int, said: Mapping[str, Any]) -> None:
    """Replace the file. A full disk must not stop us: then we only look dead."""
    path = status_file(config)
    draft = path.with_suffix(".new")
    pid = os.getpid()
    head = {
        "version": VERSION,
        "pid": pid,
        "born": _birth(pid),
        "wall_ms": wall_ms,
        "mode": config.mode.value,
    }
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps({**head, **said}))
        draft.replace(path)
    except OSError:
        return


@cache
def _birth(pid: int) -> str:
    return birth_of(pid) or ""


def forget_status(config: Config) -> None:
    """Remove the file: from now on nobody speaks."""
    with suppress(OSError):
        status_file(config).unlink(missing_ok=True)


def read_status(config: Config) -> dict[str, Any] | None:
    """Return what the bot last said; None when it never did, or it cannot be read."""
    path = status_file(config)
    try:
        if path.stat().st_size > BIGGEST_BYTES:
            return None
        said = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    usable = isinstance(said, dict) and said.get("version") == VERSION
    return said if usable and isinstance(said.get("wall_ms"), int) else None


def fresh_status(config: Config, wall_ms: int) -> dict[str, Any] | None:
    """Return what a bot that lives says of itself now; None when none does."""
    said = read_status(config)
    if said is None or abs(wall_ms - said["wall_ms"]) > FRESH_MS:
        return None
    lives = not said.get("born") or birth_of(said.get("pid", 0)) == said["born"]
    return said if lives else None
