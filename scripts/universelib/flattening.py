"""``scripts/universe --flatten``: each fault at each venue, in every state, met by both tools."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

import attrs
import structlog
import trio
from exposurelib.clock import JumpClock

from universelib.aftermath import STATES, TOOL, TOOLS, Left, began, left_by_bot
from universelib.flatproof import FLAT, LEG, PAIR, Outcome, Played, held, judged, longest_naked
from universelib.menu import CASES, lasting
from universelib.play import MEMORY
from universelib.process import Log
from universelib.scheduler import seed_trio
from universelib.stopping import fork

NEVER: Final = frozenset({("doubt", "bust")})
"""A base and what finds nothing to strike there: no fill is there yet that could be taken back."""
PIECE: Final = 1 << 16
CHILD_LIMIT_S: Final = 30
"""CPU seconds after which a child that goes round in circles is ended by the system."""
SEED: Final = 7


@attrs.frozen
class Cell:
    """One state, one fault that lasts, one tool."""

    state: str
    venue: str
    kind: str
    tool: str

    @property
    def name(self) -> str:
        """As ``--only`` takes it."""
        return f"{self.state}/{self.venue}/{self.kind}/{self.tool}"

    @property
    def base(self) -> tuple[str, str]:
        """What has to be played before, see ``left_by_bot``."""
        return STATES[self.state].base_at(self.venue)


def every() -> list[Cell]:
    """Return the whole table, state by state."""
    return [
        Cell(state, venue, kind, tool)
        for state in STATES
        for venue, kind in CASES
        if (STATES[state].base, kind) not in NEVER
        for tool in TOOLS
    ]


async def play(left: Left, cell: Cell) -> Outcome:
    """Strike, let the tool work, and judge. The universe is used up then."""
    box, state, cpu_0 = left.universe.box, STATES[cell.state], time.process_time()
    async with began(left, state, f"cell-{os.getpid()}") as (config, hung):
        fault = {"venue": cell.venue, "kind": cell.kind, **lasting(cell.venue, cell.kind)}
        box.faults.add(fault)
        before, begun = held(box), trio.current_time()
        ended = await TOOLS[cell.tool](left, config, hung)
        now = trio.current_time()
    played = Played(
        **attrs.asdict(cell),
        name=cell.name,
        ended=ended,
        before=before,
        after=held(box),
        truth=box.truth(),
        lines=[line for line in left.log.events if line["process"] == TOOL],
        naked=longest_naked(box, begun, now),
        took_s=now - begun,
    )
    return judged(played, time.process_time() - cpu_0)


def on_base(base: tuple[str, str], then: Callable[[Left], object]) -> None:
    """Bring a universe to a base under a clock of its own, and go on with ``then``.

    ``then`` is a function, or one that returns something to wait for.
    """
    seed_trio(SEED)
    log = Log()
    structlog.configure(processors=[log], cache_logger_on_first_use=False)

    async def main(folder: Path) -> None:
        async with left_by_bot(*base, folder, log) as left:
            going_on = then(left)
            if going_on is not None:
                await going_on  # type: ignore[misc]

    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        trio.run(main, Path(folder), clock=JumpClock())


def alone(cell: Cell, *, log: bool = False) -> Outcome:
    """Play one cell in this process."""
    found: list[Outcome] = []

    async def then(left: Left) -> None:
        found.append(await play(left, cell))
        for line in left.log.events if log else ():
            said = line.get("message") or line.get("why") or ""
            print(f"{line['at']:9.3f} {line['process']} {line['level']:8} {line['event']}: {said}")

    on_base(cell.base, then)
    return found[0]


@attrs.define
class Pool:
    """Children of this process, each with one cell to play on a universe brought to its base."""

    jobs: int
    results: list[Outcome] = attrs.field(factory=list)
    _running: list[tuple[int, int, Cell]] = attrs.field(factory=list)

    def run(self, cells: Sequence[Cell]) -> Callable[[Left], object]:
        """Return what forks a child for each of these cells, which all have one base."""

        def then(left: Left) -> object:
            # No child looks for garbage: none lives long, and what they share would be copied.
            gc.collect()
            gc.freeze()
            gc.disable()
            for cell in cells:
                while len(self._running) >= self.jobs:
                    self._collect()
                read, write = os.pipe()
                if pid := fork():
                    os.close(write)
                    self._running.append((pid, read, cell))
                else:
                    os.close(read)
                    signal.setitimer(signal.ITIMER_PROF, CHILD_LIMIT_S)
                    return self._tell(left, cell, write)
            # Until the last has ended: what they work on goes with the universe.
            while self._running:
                self._collect()
            gc.enable()
            return None

        return then

    async def _tell(self, left: Left, cell: Cell, pipe: int) -> NoReturn:
        """Play in the child, hand the outcome over, and end the child."""
        outcome = _lost(cell, "it was cancelled")
        try:
            outcome = await play(left, cell)
        except Exception:  # noqa: BLE001 - whatever it is, the parent tells it
            outcome = _lost(cell, traceback.format_exc()[-1500:])
        finally:
            os.write(pipe, json.dumps(attrs.asdict(outcome)).encode()[: PIECE - 1])
            os._exit(0)

    def _collect(self) -> None:
        """Wait for the oldest child, and take what it says."""
        pid, pipe, cell = self._running.pop(0)
        said = bytearray()
        while piece := os.read(pipe, PIECE):
            said += piece
        os.close(pipe)
        os.waitpid(pid, 0)
        try:
            row = json.loads(said)
        except ValueError:
            self.results.append(_lost(cell, "the universe died without a word"))
        else:
            self.results.append(Outcome(**{**row, "broken": tuple(row["broken"])}))


def _lost(cell: Cell, why: str) -> Outcome:
    return Outcome(cell.name, (why,), -1, LEG, "", 0.0, 0.0)


def main(argv: Sequence[str] | None = None) -> int:
    """Play the table and print it, a line a violation before it; 1 when there was one."""
    parser = argparse.ArgumentParser(prog="scripts/universe --flatten", description=__doc__)
    parser.add_argument("--flatten", action="store_true")
    parser.add_argument(
        "--only", metavar="CELLS", help="by their names, with commas; one alone with its log"
    )
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    cells = every()
    began_s = time.monotonic()
    if args.only:
        named = {cell.name: cell for cell in cells}
        names = args.only.split(",")
        if unknown := [name for name in names if name not in named]:
            parser.error(f"no cell {unknown[0]!r}; one is {cells[0].name}")
        outcomes = [alone(named[name], log=len(names) == 1) for name in names]
    else:
        outcomes = played(cells, args.jobs)
    for one in outcomes:
        for why in one.broken:
            print(f"VIOLATED {one.name}: {why}")
            print(f"  replay: scripts/universe --flatten --only {one.name}", flush=True)
    for line in table(outcomes, time.monotonic() - began_s):
        print(line)
    return 1 if any(one.broken for one in outcomes) else 0


def played(cells: Sequence[Cell], jobs: int) -> list[Outcome]:
    """Play many, those of one base after the other; return them in the order given."""
    pool = Pool(jobs)
    for base in dict.fromkeys(cell.base for cell in cells):
        on_base(base, pool.run([cell for cell in cells if cell.base == base]))
    known = {one.name: one for one in pool.results}
    return [known[cell.name] for cell in cells]


def table(outcomes: Sequence[Outcome], seconds: float) -> Iterator[str]:
    """Yield a line a state and tool, and the figures last."""
    rows: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        state, *_, tool = one.name.split("/")
        rows.setdefault((state, tool), []).append(one)
    yield (
        f"{'state':<18}{'tool':<9}{'cells':>6}{'flat':>6}{'a pair':>8}{'a leg':>7}"
        f"{'code 0':>8}{'code 3':>8}{'other':>7}{'naked s':>9}{'took s':>8}{'violated':>10}"
    )
    for (state, tool), some in rows.items():
        endings = Counter(one.ending for one in some)
        codes = Counter(one.code for one in some)
        others = len(some) - codes[0] - codes[3]
        yield (
            f"{state:<18}{tool:<9}{len(some):6}{endings[FLAT]:6}{endings[PAIR]:8}{endings[LEG]:7}"
            f"{codes[0]:8}{codes[3]:8}{others:7}{max(one.naked_s for one in some):9.1f}"
            f"{max(one.took_s for one in some):8.1f}{sum(bool(one.broken) for one in some):10}"
        )
    violated = sum(bool(one.broken) for one in outcomes)
    refused = sum(bool(one.refused) for one in outcomes)
    yield (
        f"{len(outcomes)} cells, {refused} of them refused with 4 until forced, "
        f"{sum(one.cpu_s for one in outcomes):.0f} s of CPU, {seconds:.0f} s, {violated} violations"
    )


if __name__ == "__main__":
    sys.exit(main())
