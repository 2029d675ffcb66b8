"""Reads what was traded: from the journal of a dead bot, or by asking the living one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Final

import attrs
import trio

from bot4.config.options import Since
from bot4.config.schema import Config
from bot4.errors import StartRefused
from bot4.ports import CLOSED, World
from bot4.report.account import Account, Day, account_of, day_of, merged, moment, read_totals
from bot4.report.holding import Holding, holdings_of
from bot4.storage.archive import Archive, ArchivedDay
from bot4.storage.reading import (
    INTENDED,
    PLANNED,
    RawRow,
    last_row,
    read_known,
    read_newest,
    read_span,
)
from bot4.tasks.window import NEWEST_LIMIT
from bot4.transport.world import RealWorld
from bot4.wiring.files import archive_file, journal_file
from bot4.wiring.window import ask_window, socket_file

HELD_LIMIT_S: Final = 3.0
"""A bot that starts holds the journal before it can be asked, and another question holds it while
it reads: milliseconds, and seconds on a busy machine."""
HELD_EVERY_S: Final = 0.05


class Source:
    """Rows of the journal, wherever they can be had."""

    def __init__(self, config: Config, world: World | None = None) -> None:
        self._config = config
        self._world = world or RealWorld()

    def since_ms(self, since: Since | None) -> int:
        """Return the moment from which on is asked for."""
        return 0 if since is None else since.begins_ms(self._world.wall_ms())

    async def rows(
        self, after: int, kinds: Collection[str], *, bare: bool = False, newest: int = 0
    ) -> list[RawRow]:
        """Return rows after one, of some kinds when named; none where there is no journal.

        Args:
            after: the row before the first.
            kinds: none is all.
            bare: without their bodies.
            newest: only so many, the newest of all; 0 is all.

        Raises:
            StartRefused: a bot runs and cannot be asked.
            JournalFault: the file cannot be read.

        Cancellation: safe.
        """
        path = journal_file(self._config)
        if not path.exists():
            return []
        begun, database = trio.current_time(), None
        while database is None:
            if socket_file(self._config).exists():
                # The file may be left by a bot that was killed: then the lock is free.
                with suppress(StartRefused):
                    return await ask_window(self._config, after, kinds, bare=bare, newest=newest)
            try:
                database = self._world.open_database(path)
            except StartRefused:
                if trio.current_time() - begun >= HELD_LIMIT_S:
                    raise StartRefused(
                        "a bot is running and holds the journal, and it cannot be asked",
                        "stop it with Ctrl+C first, or ask again",
                    ) from None
                await trio.sleep(HELD_EVERY_S)
        try:
            if newest:
                return read_newest(database, kinds, newest)
            return read_span(database, after, last_row(database), kinds, bare=bare)
        finally:
            database.close()

    async def known(self) -> bool:
        """Whether the journal is there and not new; see ``read_known``.

        Raises:
            StartRefused: somebody holds it.
            JournalFault: the file cannot be read.
        """
        await trio.lowlevel.checkpoint()
        path = journal_file(self._config)
        if not path.exists():
            return False
        database = self._world.open_database(path)
        try:
            return read_known(database)
        finally:
            database.close()

    async def holdings(self) -> list[Holding]:
        """Return what is held now. Raises as ``rows``."""
        first: dict[str, int] = {}
        begun: dict[str, int] = {}
        for raw in await self.rows(0, (PLANNED, INTENDED, CLOSED), bare=True):
            if raw.kind == CLOSED:
                begun.pop(raw.trade_id, None)
            else:
                # An order after its end: a late fill made it go on.
                begun[raw.trade_id] = first.setdefault(raw.trade_id, raw.row)
        if not begun:
            return []
        rows = await self.rows(min(begun.values()) - 1, ())
        return holdings_of(raw.entry() for raw in rows if raw.trade_id in begun)

    async def trades(
        self, since_ms: int, pair: str | None, newest: int | None = None
    ) -> list[Account]:
        """Return finished trades, oldest first; the newest if so told. Raises as ``rows``."""
        few = 0 if newest is None or pair or newest > NEWEST_LIMIT else newest
        fresh = [
            one
            for one in accounts_of(await self.rows(0, (CLOSED,), newest=few))
            if one.closed_ms >= since_ms and pair in (None, one.pair)
        ]
        if newest is not None and len(fresh) >= newest:
            return fresh[-newest:]
        here = {one.trade_id for one in fresh}
        with _Opened(self._world, self._config) as archive:
            old = [] if archive is None else archive.trades(since_ms, pair, newest)
        known = [account_of(one.trade_id, one.body) for one in old if one.trade_id not in here]
        both = [*known, *fresh]
        return both if newest is None else both[-newest:]

    async def days(self, since_ms: int, pair: str | None) -> list[Day]:
        """Return what each day came to, from the day of a time on. Raises as ``rows``."""
        since_day = moment(since_ms).date().isoformat()
        fresh = {
            raw.trade_id: one
            for raw in newest_of(await self.rows(0, (CLOSED,)))
            if (one := day_of(raw.trade_id, raw.entry().body)).day >= since_day
            and pair in (None, one.pair)
        }
        with _Opened(self._world, self._config) as archive:
            if archive is None:
                return merged(fresh.values())
            new = [one for name, one in fresh.items() if not archive.has(name)]
            return [*map(_day, archive.days(since_day, pair)), *merged(new)]


def accounts_of(rows: Iterable[RawRow]) -> list[Account]:
    """Return the account that each trade's newest closing row tells."""
    return [account_of(raw.trade_id, raw.entry().body) for raw in newest_of(rows)]


def newest_of(rows: Iterable[RawRow]) -> list[RawRow]:
    """Return the newest row of each trade, oldest first: one that went on was closed twice."""
    found: dict[str, RawRow] = {}
    for raw in rows:
        found.pop(raw.trade_id, None)
        found[raw.trade_id] = raw
    return list(found.values())


@attrs.define
class _Opened:
    """The archive while the block lasts; None where there is none."""

    world: World
    config: Config
    archive: Archive | None = None

    def __enter__(self) -> Archive | None:
        path = archive_file(self.config)
        if path.exists():
            self.archive = Archive(self.world.open_database(path))
        return self.archive

    def __exit__(self, *_error: object) -> None:
        if self.archive is not None:
            self.archive.close()


def _day(one: ArchivedDay) -> Day:
    return Day(one.day, one.pair, one.long, one.short, read_totals(one.totals))
