"""``trio-run bot4 status``: what the running bot says of itself; with the bot dead, both venues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import trio

from bot4.config.load import load_config
from bot4.config.options import RunOptions, StatusOptions
from bot4.config.schema import Config, Secrets
from bot4.domain.market import VENUES
from bot4.errors import JournalFault, StartRefused
from bot4.logs.redact import register_token
from bot4.ports import Entry, World
from bot4.storage.journal import open_journal
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID
from bot4.transport.http import HttpxDoor
from bot4.transport.world import RealWorld
from bot4.wiring.accounts import identity_of
from bot4.wiring.figures import trade_row
from bot4.wiring.files import journal_file
from bot4.wiring.run import open_world
from bot4.wiring.snapshot import account_row, read_status
from bot4.wiring.venues import speech_of

FRESH_S: Final = 5.0
"""A running bot speaks every second; older words are not of now."""


@attrs.frozen
class Status:
    """What there is to say, and whether it could all be learnt."""

    known: Mapping[str, Any]
    age_s: float | None
    """Of a running bot's words; None when both venues were asked just now."""
    complete: bool


async def run_status(options: StatusOptions) -> Status:
    """Read what the running bot wrote; when none runs, ask both venues and the journal.

    Nothing is changed anywhere: a mode in the file is enough, ``--live`` is not needed.

    Raises:
        ConfigError: bot4.yaml or a key is unusable.
        StartRefused: the venues of a simulation are in use by somebody else.

    Cancellation: safe.
    """
    config = load_config(options.config, live_flag=True)
    world = RealWorld()
    said = read_status(config)
    age_s = None if said is None else max(world.wall_ms() - said["wall_ms"], 0) / 1000
    if said is not None and age_s is not None and (age_s <= FRESH_S or is_held(config, world)):
        return Status(said, age_s, complete=age_s <= FRESH_S)
    run_options = RunOptions(config=options.config, live=True)
    async with open_world(config, run_options) as (opened, secrets, way_out):
        return await ask_venues(opened, secrets, way_out)


def is_held(config: Config, world: World) -> bool:
    """Whether somebody holds the journal: a bot that lives and does not speak, or a flattening."""
    if not journal_file(config).exists():
        return False
    try:
        world.open_database(journal_file(config)).close()
    except StartRefused:
        return True
    except JournalFault:
        return False
    return False


async def ask_venues(config: Config, secrets: Secrets, world: World) -> Status:
    """Ask each venue for clock, money, positions and open orders, both at once.

    Cancellation: waits for the exchanges under way, some seconds at most.
    """
    venues: dict[str, Any] = {}

    async def ask(venue: str) -> None:
        speech = speech_of(venue, config, secrets, "status")
        door = HttpxDoor(world, speech.rest_url)
        try:
            venues[venue] = await _ask(Gateway(speech.codec, door, world, hide=register_token))
        finally:
            await door.aclose()

    async with trio.open_nursery() as asking:
        for venue in VENUES:
            asking.start_soon(ask, venue)
    known = {
        "mode": config.mode.value,
        "venues": {venue: venues[venue] for venue in VENUES},
        "trades": _journaled(config, secrets, world),
        "stopped": {},
    }
    complete = not any("unreachable" in venue for venue in venues.values())
    return Status(known, None, complete)


async def _ask(gateway: Gateway) -> dict[str, Any]:
    try:
        await gateway.greet()
        account, positions = await gateway.account(), await gateway.positions()
        orders = len(await gateway.open_orders())
    except SAID as said:
        return {"api": gateway.codec.api_version, "unreachable": str(said)}
    return {
        "api": gateway.codec.api_version,
        "clock_offset_ms": gateway.offset_ms,
        "clock_error_ms": gateway.clock_error_ms,
        "open_orders": orders,
        "token_due_s": round((gateway.codec.login_due_ms() - gateway.now_ms()) / 1000),
        "limits": gateway.allowance.known(),
        "refused_as_too_many": gateway.allowance.refused,
        **account_row(account, tuple(positions)),
    }


class _Reading:
    """A journal that is read and never written: what the ledger adds at a start is dropped."""

    def __init__(self, entries: Sequence[Entry], tag: str) -> None:
        self.tag = tag
        self._entries = entries

    def append(self, entries: Iterable[Entry], *, durable: bool) -> None:
        del entries, durable

    def entries(self, after: int = 0) -> Iterator[Entry]:
        return (entry for entry in self._entries if entry.row > after)

    def next_number(self, name: str, floor: int = 0) -> int:
        del name
        return floor


def _journaled(config: Config, secrets: Secrets, world: World) -> list[dict[str, Any]]:
    try:
        return [trade_row(trade) for trade in journaled(config, secrets, world).trades]
    except (JournalFault, StartRefused) as fault:
        return [{"unreadable": str(fault)}]


def journaled(config: Config, secrets: Secrets, world: World) -> Ledger:
    """Return the trades that the last run left open; the journal's lock is given back at once.

    Raises:
        StartRefused: somebody holds it, or it is of another account.
        JournalFault: it cannot be read.
    """
    if not journal_file(config).exists():
        return Ledger(_Reading((), ""), Gate())
    journal = open_journal(
        world, journal_file(config), mode=config.mode.value, identity=identity_of(secrets)
    )
    try:
        entries = list(journal.entries())
    finally:
        journal.close()
    ledger = Ledger(_Reading(entries, journal.tag), Gate())
    ledger.replay()
    return ledger


# --------------------------------------------------------------------------------- table


def table(status: Status) -> list[str]:
    """Return the status as a person reads it, a few lines."""
    known = status.known
    lines = [_headline(status)]
    for venue, row in known["venues"].items():
        lines += [f"{venue:<9}{part}" for part in _venue_parts(row)]
    for trade in known["trades"]:
        lines.append(f"trade    {_trade(trade)}")
    if not known["trades"]:
        lines.append("trades   none open")
    stopped = known["stopped"]
    if status.age_s is not None:
        lines.append("opening  " + ("; ".join(stopped.values()) or "allowed"))
    return lines


def _headline(status: Status) -> str:
    mode = status.known.get("mode", "?")
    if status.age_s is None:
        return f"mode {mode}: no bot runs; this is what the venues say now"
    pid = status.known.get("pid", "?")
    if status.age_s <= FRESH_S:
        return f"mode {mode}: the bot runs (process {pid}); said {status.age_s:.1f} s ago"
    return (
        f"mode {mode}: process {pid} holds the journal and has said nothing for "
        f"{status.age_s:.0f} s; this was then"
    )


def _venue_parts(row: Mapping[str, Any]) -> Iterator[str]:
    if "unreachable" in row:
        yield f"NOT READ: {row['unreachable']}"
        return
    if "links" in row:
        links = ", ".join(f"{name} {'up' if up else 'DOWN'}" for name, up in row["links"].items())
        books = ", ".join(
            f"{symbol} {'none' if age is None else f'{age} s old'}"
            for symbol, age in row["books"].items()
        )
        yield f"links {links}; books {books}"
    clock = f"clock {row['clock_offset_ms']:+d} ms (+-{row['clock_error_ms']})"
    if row.get("token_due_s") is not None:
        clock += f"; token renewed in {row['token_due_s']} s"
    if row.get("open_orders") is not None:
        clock += f"; {row['open_orders']} open orders"
    yield f"{clock}; api {row['api']}"
    yield f"limits {_limits(row)}"
    if "equity" not in row:
        yield "account not read yet"
        return
    held = ", ".join(f"{symbol} {size}" for symbol, size in row["positions"].items()) or "nothing"
    age = row.get("account_age_s")
    yield f"equity {row['equity']} USDC, free {row['free']}; holds {held}" + (
        "" if age is None else f"; read {age} s ago"
    )


def _limits(row: Mapping[str, Any]) -> str:
    """Say what the venue lets us ask for still; not every venue tells."""
    words = [
        f"{name} {one['left']} of {one['of']} left" + (f" in {one['window']}" * bool(one["window"]))
        for name, one in row.get("limits", {}).items()
    ]
    if refused := row.get("refused_as_too_many"):
        words.append(f"{refused} requests refused as too many")
    return ", ".join(words) or "not told by the venue"


def _trade(trade: Mapping[str, Any]) -> str:
    if "unreadable" in trade:
        return f"the journal cannot be read: {trade['unreadable']}"
    held = ", ".join(f"{venue} {size}" for venue, size in trade["held"].items())
    doubt = f"; in doubt: {', '.join(trade['in_doubt'])}" if trade["in_doubt"] else ""
    return f"{trade['trade_id']} {trade['pair']} {trade['state']}: {held}{doubt}"
