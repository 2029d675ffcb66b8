"""A real PostgreSQL and PostgREST behind a gateway with faults, and a journal to copy into it."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import attrs
import pytest
import structlog
import trio
from localsupabase import Gateway, Stack, Unavailable, open_gateway, open_stack
from localsupabase.gateway import SECRET_KEY
from localsupabase.story import Story
from timeouts import ANSWERED_S, REQUEST_S, SENT_S

from bot4.domain.market import PARADEX, VEST
from bot4.ports import Entry
from bot4.secret import Secret
from bot4.storage.journal import SqliteJournal, open_journal
from bot4.storage.mirror.door import SupabaseDoor
from bot4.storage.mirror.ids import account_key
from bot4.storage.mirror.lease import Lease
from bot4.storage.mirror.needs import ORDER, TABLES
from bot4.storage.mirror.outbox import Outbox
from bot4.storage.mirror.store import SupabaseStore
from bot4.tasks.backoff import Backoff
from bot4.tasks.gate import Gate
from bot4.tasks.keeper import Keeper
from bot4.tasks.stop import StopSign
from bot4.transport.database import open_database
from bot4.transport.pool import open_client
from bot4.transport.world import RealWorld

IDENTITY = {VEST: "0xabc", PARADEX: "0xdef"}
NAMES = {"account": "vest 0xabc, paradex 0xdef", "mode": "testnet"}
ACCOUNT = account_key("testnet", IDENTITY)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    try:
        with open_stack() as opened:
            yield opened
    except Unavailable as reason:
        without_them(str(reason), os.environ)


def without_them(reason: str, environment: Mapping[str, str]) -> NoReturn:
    """Skip, where a person runs the tests; fail, where they decide whether a change lands."""
    if environment.get("CI", "") not in ("", "0", "false"):
        pytest.fail(f"the real Supabase parts must run here: {reason}")
    pytest.skip(reason)


@pytest.fixture
def missing() -> Callable[[str, Mapping[str, str]], NoReturn]:
    return without_them


@pytest.fixture
def empty(stack: Stack) -> Stack:
    """The project with no row in it."""
    stack.sql("truncate public.instances cascade")
    return stack


@pytest.fixture
async def gateway(empty: Stack, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(empty, tmp_path) as opened:
        yield opened


class FastClock(trio.abc.Clock):
    """Seconds pass ``RATE`` times faster, and not at all while others have the machine.

    Between two looks of the loop at the clock no more than ``STEP_S`` has passed for it, so a bot
    that the machine left alone for a second does not find all its deadlines over.
    """

    RATE = 4.0
    STEP_S = 0.05

    def __init__(self) -> None:
        self._now_s = 0.0
        self._seen = time.perf_counter()

    def start_clock(self) -> None:
        self._seen = time.perf_counter()

    def current_time(self) -> float:
        seen = time.perf_counter()
        self._now_s += self.RATE * min(seen - self._seen, self.STEP_S)
        self._seen = seen
        return self._now_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return min(max(0.0, deadline - self.current_time()) / self.RATE, self.STEP_S)


@pytest.fixture
def fast_clock() -> FastClock:
    """For tests of bots beside a real database: what takes them a minute takes a quarter of it."""
    return FastClock()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no call to the real database, and no leaving, be too slow: a busy machine is."""
    for limit in (
        "storage.mirror.door.CALL_LIMIT_S",
        "transport.world.CONNECT_LIMIT_S",
        "tasks.keeper.HURRY_S",
        "tasks.keeper.LEAVE_S",
        "wiring.mirror.RELEASE_LIMIT_S",
    ):
        monkeypatch.setattr(f"bot4.{limit}", float(REQUEST_S))


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every log event, as it is made."""
    lines: list[dict[str, Any]] = []

    def keep(_logger: Any, level: str, event: dict[str, Any]) -> dict[str, Any]:
        lines.append({"level": level, **event})
        json.dumps(event)
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    return lines


# ------------------------------------------------------------------------------- a machine


class Clocked(RealWorld):
    """The real world with a wall clock that the test sets."""

    now_ms = 1_795_000_000_000

    def wall_ms(self) -> int:
        self.now_ms += 7
        return self.now_ms


@attrs.define
class Machine:
    """One bot's disk and its way to Supabase; everything of the bot but the venues."""

    gateway: Gateway
    folder: Path
    world: Clocked
    journal: SqliteJournal
    store: SupabaseStore
    lease: Lease
    outbox: Outbox
    gate: Gate = attrs.field(factory=Gate)
    closing: StopSign = attrs.field(factory=StopSign)
    busy: bool = False
    sample: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)

    def keeper(self, **changes: Any) -> Keeper:
        given: dict[str, Any] = {
            "post": self.outbox,
            "shelf": self.store,
            "lease": self.lease,
            "gate": self.gate,
            "closing": self.closing,
            "backoff": Backoff(random.Random(1), 0.02, 0.1),
            "wall_ms": self.world.wall_ms,
            "busy": lambda: self.busy,
            "sample": lambda: self.sample,
            "batch": 7,
            "every_s": 0.02,
        }
        return Keeper(**{**given, **changes})

    async def sent(self, within_s: float = SENT_S) -> None:
        """Wait until every row has arrived."""
        with trio.fail_after(within_s):
            while self.outbox.lag_rows:  # noqa: ASYNC110 - the outbox has no event to wait for
                await trio.sleep(0.01)

    def write(self, *entries: Entry) -> None:
        self.journal.append(entries, durable=False)


Machines = Callable[..., Any]


@pytest.fixture
def until() -> Callable[..., Any]:
    """Wait until something holds, at most some seconds."""

    async def wait(holds: Callable[[], Any], within_s: float = ANSWERED_S) -> None:
        with trio.fail_after(within_s):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event
                await trio.sleep(0.02)

    return wait


@pytest.fixture
def machine(gateway: Gateway, tmp_path: Path) -> Machines:
    """Open a machine by name; the same name is the same disk."""

    @asynccontextmanager
    async def opened(
        name: str = "one", *, key: str = SECRET_KEY, ttl_s: int = 60, url: str = ""
    ) -> AsyncIterator[Machine]:
        world = Clocked(ca_file=gateway.ca_file)
        folder = tmp_path / name
        journal = open_journal(world, folder / "journal.db", mode="testnet", identity=IDENTITY)
        cursor = open_database(folder / "mirror.db")
        door = SupabaseDoor(partial(open_client, world), url or gateway.url, Secret(key))
        store = SupabaseStore(door, ACCOUNT)
        lease = Lease(store, NAMES, f"{journal.tag}@{name}", "0.1.0", ttl_s, 5)
        outbox = Outbox(journal, cursor, ACCOUNT, gateway.url)
        try:
            yield Machine(gateway, folder, world, journal, store, lease, outbox)
        finally:
            await door.aclose()
            cursor.close()
            journal.close()

    return opened


@pytest.fixture
def story() -> type[Story]:
    return Story


# ------------------------------------------------------------------------------ the truth


@pytest.fixture
def rows(empty: Stack) -> Callable[[str], list[dict[str, Any]]]:
    """Every row of a table as the database has it, decimals as text, by key."""

    def read(table: str) -> list[dict[str, Any]]:
        casts = {"numeric": "::text", "timestamptz": ""}
        columns = ", ".join(
            f"{name}{casts.get(kind, '')} as {name}" for name, kind in TABLES[table].items()
        )
        key = "account_id" if table == "instances" else "id"
        found = empty.sql(  # the names are those of our own table of needs
            f"select row_to_json(r) from (select {columns} from public.{table} order by {key}) r"  # noqa: S608
        )
        return [json.loads("\x1f".join(line)) for line in found]

    return read


@pytest.fixture
def converged(rows: Callable[[str], list[dict[str, Any]]]) -> Callable[[Machine], None]:
    """Assert that Supabase holds exactly what the journal tells, no row more or less."""
    from bot4.storage.mirror.fold import Fold
    from bot4.storage.mirror.rows import rows_of

    def check(machine: Machine) -> None:
        fold = Fold()
        told = [one for entry in machine.journal.entries() if (one := fold.read(entry))]
        wanted = rows_of(told, ACCOUNT, machine.journal.tag)
        for table in ORDER:
            expected = {row["id"]: row for row in wanted.get(table, ())}
            found = {row["id"]: row for row in rows(table)}
            assert found.keys() == expected.keys(), table
            for name, row in expected.items():
                for column, value in row.items():
                    assert _same(found[name][column], value), (table, column, value)

    return check


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*", wanted):
        return abs(_at(found) - _at(wanted)) < 1e-6
    return bool(found == wanted)


def _at(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
