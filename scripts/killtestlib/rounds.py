"""One death after the other: when it comes, and what is asked of the venues afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

import attrs
import trio
from timeouts import ENDS_S, RECOVERED_S

from killtestlib import judge
from killtestlib.book import read_book
from killtestlib.bot import SAGA, Bot, Line, living
from killtestlib.twins import Twins, now_ms

CALM_READINGS: Final = 3
LOOK_S: Final = 0.3
NEAR_S: Final = 0.05
SAGA_LINES: Final = 14
"""A trade says about so many lines; each is as good a moment as another."""
SAGA_S: Final = 25.0
LIVES_S: Final = 5.0
STARTS_S: Final = 3.0
FENCE_S: Final = 1.4
"""Window and settling of these bots: after it nothing of theirs can be accepted."""


@attrs.define
class Tally:
    """What happened, and every violation, one line each."""

    kills: int = 0
    stops: int = 0
    near: int = 0
    """Of both, those within ``NEAR_S`` of a line on a trade or an order."""
    starting: int = 0
    """Of both, those before the bot had recovered."""
    recoveries: int = 0
    resolved: int = 0
    """Trades of an earlier run that a start brought to their end or found hedged."""
    trades: int = 0
    fills: int = 0
    strays: int = 0
    """Fills that the journal does not give to exactly one trade, in full."""
    slowest_s: float = 0.0
    """The longest recovery."""
    violations: list[str] = attrs.field(factory=list)

    def blame(self, where: str, findings: Iterable[str]) -> None:
        """Note violations and say them at once."""
        for finding in findings:
            self.violations.append(f"{where}: {finding}")
            print(f"VIOLATED {where}: {finding}", flush=True)


@attrs.define
class Story:
    """Everything one run of this program works on."""

    twins: Twins
    config: Path
    random: Random
    tally: Tally

    async def kill(self, number: int) -> None:
        """Start, let it recover and trade, kill it at a random moment."""
        tally, where = self.tally, f"kill {number}"
        async with living(self.twins, self.config) as bot:
            await self._live(bot, where, near=number % 2 == 0)
            died_ms = now_ms()
            await bot.kill()
            self.twins.moving = False
        tally.kills += 1
        tally.near += _near(bot, died_ms)
        tally.blame(where, judge.reopened(bot.lines))
        tally.blame(where, judge.wrong(bot.lines))

    async def stop(self, number: int) -> None:
        """Start, let it recover and trade, ask it to stop, hold it to its last line."""
        tally, where = self.tally, f"stop {number}"
        async with living(self.twins, self.config) as bot:
            known = judge.handles(await self.twins.truth())
            await self._live(bot, where, near=number % 2 == 0)
            asked_ms = now_ms()
            # The market goes on tempting it meanwhile.
            code = await bot.interrupt(ENDS_S)
            truth = await self.twins.truth()
            self.twins.moving = False
        tally.stops += 1
        tally.near += _near(bot, asked_ms)
        tally.blame(where, judge.untrue(code, bot.lines, truth))
        tally.blame(where, judge.resting(truth))
        tally.blame(where, judge.reopened(bot.lines))
        tally.blame(where, judge.wrong(bot.lines))
        tally.blame(where, judge.entered_after(truth, known, _heeded_ms(bot, asked_ms)))
        await trio.sleep(FENCE_S)
        later = await self.twins.truth()
        tally.blame(where, judge.accepted_after(later, judge.handles(truth)))

    async def end(self) -> None:
        """One last recovery and stop; then every fill must be in exactly one trade."""
        tally = self.tally
        async with living(self.twins, self.config) as bot:
            await self._recover(bot, "the end")
            code = await bot.interrupt(ENDS_S)
            truth = await self.twins.truth()
        tally.blame("the end", judge.untrue(code, bot.lines, truth))
        tally.blame("the end", judge.reused(truth))
        book = await read_book(self.config)
        strays = [*judge.unbooked(truth, book.trades_of), *judge.misbooked(truth, book.filled)]
        tally.blame("the end", strays)
        tally.strays = len(strays)
        tally.trades = book.trades
        tally.fills = sum(len(truth[venue]["fills"]) for venue in truth)

    async def _live(self, bot: Bot, where: str, *, near: bool) -> None:
        """Return at the moment of the death that is due."""
        random = self.random
        if not near and random.random() < 1 / 3:
            self.tally.starting += 1
            await trio.sleep(random.uniform(0, STARTS_S))
            return
        await self._recover(bot, where)
        self.twins.moving = True
        if not near:
            await trio.sleep(random.uniform(0, LIVES_S))
            return
        wanted = bot.saga_lines() + random.randint(1, SAGA_LINES)
        await bot.until(lambda _: bot.saga_lines() >= wanted, SAGA_S)
        await trio.sleep(random.uniform(0, NEAR_S))

    async def _recover(self, bot: Bot, where: str) -> None:
        """Wait until the account is hedged or flat, nothing rests and no old trade is open."""
        began, calm = trio.current_time(), 0
        found: list[str] = ["it said nothing"]
        with trio.move_on_after(RECOVERED_S):
            while calm < CALM_READINGS and not bot.ended:
                await trio.sleep(LOOK_S)
                looking = any(line["event"] == "spread.seen" for line in bot.lines)
                found = [] if looking else ["it does not look at spreads yet"]
                found += [f"unresolved: trade {one}" for one in sorted(bot.unresolved())]
                if not found:
                    found = judge.resting(await self.twins.truth())
                calm = 0 if found else calm + 1
        if calm < CALM_READINGS:
            last = bot.lines[-1]["message"] if bot.lines else "nothing"
            self.tally.blame(where, [f"not recovered: {'; '.join(found)}; it said last: {last}"])
            return
        self.tally.recoveries += 1
        self.tally.resolved += sum(line["event"] == "trade.recovered" for line in bot.lines)
        self.tally.slowest_s = max(self.tally.slowest_s, trio.current_time() - began)


def _near(bot: Bot, moment_ms: int) -> bool:
    """Whether the last line on a trade or order was said just before."""
    said = [line for line in bot.lines if line["message"].startswith(SAGA)]
    if not said:
        return False
    return moment_ms - _ms(said[-1]) <= 1000 * NEAR_S


def _heeded_ms(bot: Bot, asked_ms: int) -> int:
    """When the bot said that it had heard: from then on nothing may be signed that opens."""
    heard = [line for line in bot.lines if line["event"] == "shutdown.requested"]
    return _ms(heard[0]) if heard else asked_ms


def _ms(line: Line) -> int:
    return round(datetime.fromisoformat(line["ts"]).timestamp() * 1000)
