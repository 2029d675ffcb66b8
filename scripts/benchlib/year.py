"""A year of a trade a minute: what it takes on the disk, and how soon it answers.

All of it is written by the bot's own code, the last days through the journal, which old trades
leave as they do while a bot runs; only the clock is made up. Then the questions of the command
line are asked, of a living bot and of its files.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import trio
from localsupabase.story import Story

from benchlib.figures import Figure
from bot4.config.options import Since
from bot4.config.schema import Config
from bot4.domain.market import PARADEX, VEST
from bot4.ports import Entry
from bot4.report.account import add_up
from bot4.storage.folding import Finished, fill_of, finished_trades
from bot4.storage.journal import SqliteJournal, open_journal
from bot4.storage.reading import RawRow
from bot4.transport.world import RealWorld
from bot4.wiring.files import archive_file, journal_file
from bot4.wiring.history import Source
from bot4.wiring.retention import AT_ONCE, archived, put_away, usual_keep
from bot4.wiring.universe import plain_config
from bot4.wiring.window import open_window

YEAR: Final = 365 * 24 * 60
QUICK: Final = YEAR // 50
MINUTE_MS: Final = 60_000
BEGIN_MS: Final = 1_795_000_000_000
ASKED: Final = 9
TARGET_MS: Final = 200.0
TARGET_MB: Final = 1000.0
JOURNAL_MB: Final = 40.0
IN_JOURNAL: Final = 6 * 24 * 60
"""The last trades of the year pass through the journal, the others are in the archive at once."""
CHUNK: Final = 1000
NAME: Final = "abc123-0000001"
PAIRS: Final = ("BTC", "ETH", "SOL")
MORE: Final = {
    "detected_spread_percent": "0.3175%",
    "target_percent": "0.2000%",
    "funding_usdc": "-0.001234",
    "orders": 4,
    "dust": {},
    "decided_ms": BEGIN_MS,
    "latency_ms": {
        "decide_ms": 0.41,
        "sign_ms": 1.62,
        "journal_ms": 0.97,
        "send_ms": 0.52,
        "detected_to_sent_ms": 3.54,
        "sent_to_filled_ms": 214.8,
    },
}
"""What a real account has beyond the story's."""


@attrs.define
class _World(RealWorld):
    now_ms: int = BEGIN_MS

    def __attrs_post_init__(self) -> None:
        RealWorld.__init__(self)

    def wall_ms(self) -> int:
        """The made-up clock."""
        return self.now_ms


async def figures(folder: Path, *, quick: bool) -> AsyncIterator[Figure]:  # noqa: ASYNC900
    """Write the year, then measure."""
    config, world = plain_config(folder / "year", 1), _World()
    count, in_journal = (QUICK, QUICK // 3) if quick else (YEAR, IN_JOURNAL)
    _write_archive(config, world, count - in_journal)
    journal = open_journal(world, journal_file(config), mode="simulation", identity={})
    try:
        turns = _write_journal(config, world, journal, range(count - in_journal, count))
        yield Figure(f"moving {AT_ONCE} old trades holds the loop for", "ms", turns, 20.0)
        async with open_window(config, journal) as services, trio.open_nursery() as nursery:
            for service in services:
                await nursery.start(service)
            async for figure in _ask(Source(config, world), "a living bot", count):
                yield figure
            nursery.cancel_scope.cancel(reason="it has answered")
    finally:
        journal.close()
    async for figure in _ask(Source(config, world), "its files", count):
        yield figure
    size = sum(path.stat().st_size for path in config.state_dir.iterdir()) / 1e6
    # The journal's part is the same for a year and for a week.
    allowed = JOURNAL_MB + (TARGET_MB - JOURNAL_MB) * count / YEAR
    yield Figure("journal and archive together", "MB", [size], allowed, f"{count} trades")


async def _ask(source: Source, whom: str, count: int) -> AsyncIterator[Figure]:  # noqa: ASYNC900
    week = source.since_ms(Since(ago_s=7 * 86_400.0))
    questions: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
        ("trades, the last 20", partial(source.trades, 0, None, 20)),
        ("trades of one pair, the last 20", partial(source.trades, 0, "ETH", 20)),
        ("pnl of all days", partial(source.days, 0, None)),
        ("pnl of a week", partial(source.days, week, None)),
        ("positions", source.holdings),
    ]
    for what, question in questions:
        samples, lines = [], 0
        for _ in range(ASKED):
            began = time.perf_counter()
            said = await question()
            if what.startswith("pnl"):
                said = add_up(said, "day")
            samples.append((time.perf_counter() - began) * 1000)
            lines = len(said)
        note = f"{lines} lines, {count} trades"
        yield Figure(f"{what}, from {whom}", "ms", samples, TARGET_MS, note)


def _write_archive(config: Config, world: _World, count: int) -> None:
    """What left the journal long ago."""
    for start in range(0, count, CHUNK):
        leaving = []
        for number in range(start, min(start + CHUNK, count)):
            *rows, closing = _trade(number, world.now_ms)
            fills = [_fill(row, world.now_ms) for row in rows if row.kind == "Filled"]
            leaving.append(Finished(closing, tuple(fills), ()))
            world.now_ms += MINUTE_MS
        put_away(world, archive_file(config), archived(leaving)[0])


def _fill(row: Entry, wall_ms: int) -> Any:
    raw = RawRow(0, wall_ms, row.kind, row.trade_id, row.client_order_id, json.dumps(row.body))
    return fill_of(raw)


def _write_journal(
    config: Config, world: _World, journal: SqliteJournal, numbers: range
) -> list[float]:
    """Trade on, and let the old ones move as they do while a bot runs."""
    timed = []
    for number in numbers:
        journal.append(_trade(number, world.now_ms), durable=False)
        world.now_ms += MINUTE_MS
        if number % AT_ONCE == 0:
            timed.append(_turn(config, world, journal, AT_ONCE))
    journal.append(Story("z-1").opening(), durable=True)
    return timed[len(timed) // 2 :]


def _turn(config: Config, world: _World, journal: SqliteJournal, limit: int) -> float:
    """Move some trades; return for how many ms the event loop is held: the archive has a thread."""
    began = time.perf_counter()
    keep = usual_keep(world.now_ms)
    pairs, rows = archived(finished_trades(journal, keep, journal.last_row, limit))
    read_s = time.perf_counter() - began
    if pairs:
        put_away(world, archive_file(config), pairs)
    began = time.perf_counter()
    journal.forget(rows)
    return (read_s + time.perf_counter() - began) * 1000


def _trade(number: int, closed_ms: int) -> Iterator[Entry]:
    name, pair = f"abc123-{number:07d}", PAIRS[number % 3]
    long = VEST if number % 2 else PARADEX
    for kind, order, text in TEMPLATES[pair, long]:
        body = json.loads(text.replace(NAME, name))
        if kind == "Closed":
            body["closed_ms"] = closed_ms
            body["net_usdc"] = f"0.{number % 1000:03d}"
        yield Entry(kind, name, body, order.replace(NAME, name))


def _template(pair: str, long: str) -> list[tuple[str, str, str]]:
    rows = Story(NAME, pair=pair, long=long).whole()
    bodies: list[dict[str, Any]] = [dict(row.body) for row in rows]
    bodies[-1] |= MORE
    return [
        (row.kind, row.client_order_id, json.dumps(body))
        for row, body in zip(rows, bodies, strict=True)
    ]


TEMPLATES: Final = {
    (pair, long): _template(pair, long) for pair in PAIRS for long in (VEST, PARADEX)
}
