"""``scripts/killtest --flatten N``: a real bot dies or hangs, and the real tools clean up after it.

Cells are drawn from the table of ``scripts/universe --flatten`` and judged by the same proof. In
each a bot comes to its state and is ended, a fault is set, and ``scripts/flatten.py`` or the guard
runs. What is left then must go once the fault is over.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, Final

import attrs
import trio
from timeouts import LINE_S, LONG_STORY_S
from universelib.aftermath import GAP, LANDS_MS, STATES, TOOLS, UNDER_WAY_S, Ended, other
from universelib.flatproof import FLAT, ZERO, Outcome, Played, held_in, judged
from universelib.grammar import MARKETS
from universelib.menu import CASES, arguments, lasting

from killtestlib.bot import Bot, Line, living
from killtestlib.twins import BASES, Twins, open_twins

LANES: Final = 6
"""So many pairs of venues are used at once: a cell mostly waits."""
LASTS_EVERY: Final = 4
"""In each so manieth cell the fault lasts; flatten then tries for its minute."""
HELD_S: Final = 3600.0
STRUCK_S: Final = 8.0
"""How long one takes that lasts at all and is not there to the end."""
FLATTEN: Final = Path(__file__).resolve().parent.parent / "flatten.py"
GUARD: Final = "guard:\n  silence_s: 6\n"
FINISHED: Final = ("guard.finished", "guard.stepped_back")
REFUSED: Final = 4


@attrs.frozen
class Drawn:
    """One cell, and whether its fault lasts."""

    state: str
    tool: str
    venue: str
    kind: str
    lasts: bool

    @property
    def name(self) -> str:
        """As in the table, with what was drawn besides."""
        how = "" if self.lasts else " for a while"
        return f"{self.state}/{self.venue}/{self.kind}/{self.tool}{how}"

    @property
    def fault(self) -> dict[str, Any]:
        """The fault of the menu."""
        args = lasting(self.venue, self.kind) if self.lasts else arguments(self.venue, self.kind)
        if not self.lasts and "seconds" in args:
            args["seconds"] = STRUCK_S
        return {"venue": self.venue, "kind": self.kind, **args}


def draw(seed: int, count: int) -> list[Drawn]:
    """Return so many cells, those first whose fault lasts.

    Every state with both tools comes in turn, each with another fault.
    """
    random = Random(seed)  # noqa: S311 - a draw that can be made again
    pairs = list(product(STATES, TOOLS))
    random.shuffle(pairs)
    cases = random.sample([case for case in CASES if case[1] != "bust"], count)
    drawn = [
        Drawn(state, tool, *case, lasts=number % LASTS_EVERY == 0 and not STATES[state].hangs)
        for number, ((state, tool), case) in enumerate(
            zip([pairs[n % len(pairs)] for n in range(count)], cases, strict=True)
        )
    ]
    return sorted(drawn, key=lambda cell: not cell.lasts)


async def play_all(folder: Path, seed: int, count: int) -> list[Outcome]:
    """Play what is drawn, some at once; say each as it ends, and a violation with it."""
    waiting, outcomes = draw(seed, count), list[Outcome]()

    async def lane(number: int) -> None:
        place = folder / str(number)
        place.mkdir()
        async with open_twins(place, seed + number) as twins:
            while waiting:
                cell = waiting.pop(0)
                outcome = await Stage(twins, place / f"cell-{len(waiting)}", cell).play()
                outcomes.append(outcome)
                _say(outcome)

    async with trio.open_nursery() as lanes:
        for number in range(min(LANES, count)):
            lanes.start_soon(lane, number)
    return outcomes


def figures(outcomes: Sequence[Outcome], seed: int, seconds: float) -> str:
    """The closing line."""
    flat = sum(one.ending == FLAT for one in outcomes)
    codes = {code: sum(one.code == code for one in outcomes) for code in (0, 3)}
    violated = sum(bool(one.broken) for one in outcomes)
    return (
        f"seed {seed}: {len(outcomes)} cells with real processes, {flat} ended flat, {codes[0]} "
        f"with code 0, {codes[3]} with 3, {sum(bool(one.refused) for one in outcomes)} refused "
        f"with {REFUSED} until forced; {seconds:.0f} s, {violated} violations"
    )


def _say(one: Outcome) -> None:
    print(f"{one.name:<58} code {one.code}, {one.ending}, {one.took_s:.0f} s", flush=True)
    for why in one.broken:
        print(f"VIOLATED {one.name}: {why}", flush=True)


@attrs.define
class Stage:
    """One cell on its venues, in a folder of its own."""

    twins: Twins
    folder: Path
    cell: Drawn
    lines: list[Line] = attrs.field(factory=list)

    async def play(self) -> Outcome:
        """Bring the bot there, end it, strike, run the tool, judge; then close what is left."""
        twins, cell, state = self.twins, self.cell, STATES[self.cell.state]
        self.folder.mkdir()
        # Nothing moves by itself: the gap between the venues is ours.
        for base in BASES:
            await twins.strike({**GAP, "bps": 0.0, "seconds": HELD_S, "base": base})
        config = twins.settle_in(self.folder)
        config.write_text(config.read_text() + GUARD)
        async with living(twins, config) as bot:
            await self._bring(bot)
            if state.hangs:
                bot.process.send_signal(signal.SIGSTOP)
            else:
                await bot.kill()
            await twins.calm()
            if not state.journal:
                for file in (self.folder / "state").glob("**/journal.db*"):
                    file.unlink()
            await twins.strike(cell.fault)
            before, began = held_in(await twins.truth()), time.monotonic()
            ended = await (self._flatten if cell.tool == "flatten" else self._guard)(config)
            took_s, truth = time.monotonic() - began, await twins.truth()
        played = Played(
            name=cell.name,
            state=cell.state,
            venue=cell.venue,
            kind=cell.kind,
            tool=cell.tool,
            ended=ended,
            before=before,
            after=held_in(truth),
            truth=truth,
            lines=self.lines,
            naked=(0.0, ZERO),
            took_s=0.0,
            lasts=cell.lasts,
        )
        outcome = attrs.evolve(judged(played, 0.0), took_s=took_s)
        return attrs.evolve(outcome, broken=(*outcome.broken, *await self._afterwards(config)))

    async def _bring(self, bot: Bot) -> None:
        """Return when the bot is where it shall end. Raises RuntimeError when it does not come."""
        twins, (base, venue) = self.twins, STATES[self.cell.state].base_at(self.cell.venue)
        await self._until(bot, "feed.ready", 4)
        if base == "doubt":
            await twins.strike({"venue": venue, "kind": "lose_answer"})
            await twins.strike({"venue": venue, "kind": "delay_landing", "ms": LANDS_MS})
        await twins.strike({**GAP, "base": "BTC"})
        if base == "doubt":
            await self._until(bot, "pair.opening")
            await trio.sleep(UNDER_WAY_S)
            return
        await self._until(bot, "pair.opened")
        if base == "one-leg":
            gone = other(venue)
            await twins.strike({"venue": gone, "kind": "manual_close", "market": MARKETS[gone]})
        if base == "resting":
            for where, market in MARKETS.items():
                await twins.strike({"venue": where, "kind": "foreign_order", "market": market})

    async def _until(self, bot: Bot, event: str, count: int = 1) -> None:
        def there(lines: list[Line]) -> bool:
            return [line["event"] for line in lines].count(event) >= count

        if not await bot.until(there, LINE_S):
            said = bot.lines[-1]["message"] if bot.lines else "nothing"
            raise RuntimeError(f"{self.cell.name}: no {event}; it said last: {said}")

    async def _flatten(self, config: Path) -> Ended:
        code = await self._script(config)
        if code != REFUSED:
            return Ended(code)
        last = self.lines[-1]
        return Ended(await self._script(config, "--force"), f"{last['why']}; {last['do']}")

    async def _script(self, config: Path, *words: str) -> int:
        """Run scripts/flatten.py and keep what it says."""
        command = [sys.executable, str(FLATTEN), "--config", str(config), "--log", "json", "--yes"]
        with trio.fail_after(LONG_STORY_S):
            done = await trio.run_process(
                [*command, *words],
                env=self.twins.environment(),
                stdin=subprocess.DEVNULL,
                capture_stdout=True,
                check=False,
            )
        self.lines += [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode

    async def _guard(self, config: Path) -> Ended:
        """Let the guard act once, and stop it."""
        async with living(self.twins, config, "guard") as watch:
            await watch.until(lambda lines: any(_finishes(line) for line in lines), LONG_STORY_S)
            await watch.interrupt(LINE_S)
        self.lines += watch.lines
        acted = [line for line in watch.lines if _finishes(line)]
        if not acted:
            return Ended(-1, "the guard did not finish")
        if acted[0]["event"] != FINISHED[0]:
            return Ended(REFUSED, acted[0]["why"])
        return Ended(3 if acted[0]["level"] == "error" else 0)

    async def _afterwards(self, config: Path) -> list[str]:
        """Close what is left once the fault is over; return what does not go."""
        await self.twins.calm()
        truth = await self.twins.truth()
        if not any(held_in(truth).values()) and not any(v["open_orders"] for v in truth.values()):
            return []
        code = await self._script(config)
        truth = await self.twins.truth()
        held, open_ = (
            held_in(truth),
            [row for venue in truth.values() for row in venue["open_orders"]],
        )
        fine = not (code or any(held.values()) or open_)
        return [] if fine else [f"afterwards: code {code}, {held}, {len(open_)} orders open"]


def _finishes(line: Line) -> bool:
    return line["event"] in FINISHED
