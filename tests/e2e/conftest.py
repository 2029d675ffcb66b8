"""The real process over loopback TLS on the real clock, judged by the simulated venues' truth."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import httpx
import pytest
import trio
from timeouts import COMMAND_S, ENDS_S, KILLED_S, LINE_S, REQUEST_S

TRIO_RUN = Path(sys.executable).parent / "trio-run"
DOOMED = Path(__file__).parent / "doomed.py"
LEGS = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}
QUICK = {
    # Profile demo leaves three worlds of this seed in peace until a story holds the gap.
    "seed": 275,
    "latency_scale": 0.2,
    "confirm_ms": 250,
    "settle_ms": 300,
    # A disk or a machine that others keep busy is another story: nothing here is about speed.
    "durability": "process",
    "deadline_ms": 5000,
    "answer_by_ms": 10_000,
    "window_ms": 3000,
    "mend_within_ms": 10_000,
    "leave_within_s": 60,
    "paradex_book_ms": 10_000,
    "vest_book_ms": 10_000,
    "vest_heartbeat_ms": 10_000,
    "skew_ms": 10_000,
}
"""Of bot4.yaml, for stories that take seconds."""
CLEAN = "[SHUTDOWN] Clean exit, no pending orders"
HELD_S = 3600.0
"""A gap that stays until the story ends it: how long the bot takes to see it decides nothing."""


@attrs.define(eq=False)
class Bot:
    """One process of ours: what it says, line by line, and the way to its venues."""

    process: trio.Process
    stderr: Path
    raw: bytearray = attrs.field(factory=bytearray)
    lines: list[dict[str, Any]] = attrs.field(factory=list)
    simulator: int = 0
    """Process id of the venues, once they serve."""
    peace: trio.Event = attrs.field(factory=trio.Event)
    """Set once the gap is held closed: the market does nothing by itself any more."""
    _news: trio.Event = attrs.field(factory=trio.Event)
    _read: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    @property
    def last(self) -> dict[str, Any]:
        return last_word(self.lines)

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    async def until(
        self, *events: str, count: int = 1, within_s: float = LINE_S, **facts: Any
    ) -> dict[str, Any]:
        """Wait until the log holds one of the events, with these facts, so many times."""

        def found() -> list[dict[str, Any]]:
            lines = [line for line in self.lines if line["event"] in events]
            return [line for line in lines if facts.items() <= line.items()]

        with trio.move_on_after(within_s):
            while len(found()) < count and not self._read.cancel_called:
                await self._news.wait()
        assert len(found()) >= count, f"{events} {facts} not within {within_s} s:\n{self.story()}"
        return found()[count - 1]

    async def ready(self) -> None:
        """Wait until both feeds and both private streams are up, and the bot looks."""
        await self.peace.wait()
        await self.until("feed.ready", count=4)
        await self.until("spread.seen")

    async def hedged(self) -> dict[str, Any]:
        """Open a gap, wait until both legs are on, and leave it open: nothing closes them."""
        await self.ready()
        await self.open_gap()
        return await self.until("pair.opened")

    async def open_gap(self, bps: float = 45.0) -> None:
        """Hold Vest this much above Paradex until the gap is closed; nothing else moves."""
        await self.fault("vest", "gap_jump", bps=bps, seconds=HELD_S)

    async def close_gap(self) -> None:
        """Let the prices meet again: an open pair is closed on it."""
        await self.fault("vest", "gap_jump", bps=0.0, seconds=HELD_S)

    async def keep_peace(self) -> None:
        """Close the gap as soon as there are venues: a story may take as long as it likes."""
        while not self.said("simulator.started"):
            if self._read.cancel_called:
                return  # It ended without venues of its own.
            await self._news.wait()
        # Whoever dies first needs no peace.
        with suppress(httpx.TransportError):
            await self.close_gap()
        self.peace.set()

    async def fault(self, venue: str, kind: str, **args: Any) -> None:
        """Ask the venues for a fault of their menu."""
        control = (await self.until("simulator.started"))["control"]
        # Plain HTTP on loopback: no list of authorities needs to be read.
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        token = (self.stderr.parent / "state/simulation/control.token").read_text()
        async with httpx.AsyncClient(trust_env=False, verify=unused, timeout=REQUEST_S) as client:
            spec = {"venue": venue, "kind": kind, **args}
            headers = {"Authorization": f"Bearer {token}"}
            answer = await client.post(f"{control}/fault", json=spec, headers=headers)
        assert answer.json() == {"status": "ok"}

    def deliver(self, number: int) -> None:
        self.process.send_signal(number)

    async def taken(self, number: int) -> None:
        """Wait until the process has taken a signal sent to it."""
        mask = 1 << (number - 1)
        with trio.fail_after(ENDS_S):
            while pending(self.process.pid) & mask:  # noqa: ASYNC110 - a signal has no event
                await trio.sleep(0.001)

    async def end(self, within_s: float = ENDS_S) -> int:
        """Wait until the process is gone and all it said is read; return its code."""
        with trio.move_on_after(within_s) as patience:
            code = await self.process.wait()
            while not self._read.cancel_called:
                await self._news.wait()
        assert not patience.cancelled_caught, f"still running after {within_s} s:\n{self.story()}"
        return code

    async def stop(self, number: int = signal.SIGINT) -> int:
        """Ask it to stop, and wait for the end; return the code."""
        self.deliver(number)
        return await self.end()

    async def hang_up(self) -> None:
        """Close our end of its standard output."""
        self._read.cancel()
        await self.process.stdout.aclose()

    async def kill(self) -> None:
        self.deliver(signal.SIGKILL)
        assert await self.end() == -signal.SIGKILL

    def story(self) -> str:
        """What it said, for whoever reads the failure."""
        told = [f"{line['ts'][11:23]} {line['event']}: {line['message']}" for line in self.lines]
        return "\n".join([*told, self.stderr.read_text()])

    async def _keep_reading(self) -> None:
        pending = b""
        try:
            with self._read:
                async for part in self.process.stdout:
                    self.raw += part
                    *whole, pending = (pending + part).split(b"\n")
                    for line in whole:
                        # Whatever is no JSON line fails the test here.
                        self._hear(json.loads(line))
        finally:
            self._read.cancel()
            self._news.set()
        assert pending == b"", "the last line has no end"

    def _hear(self, line: dict[str, Any]) -> None:
        self.lines.append(line)
        if line["event"] == "simulator.started":
            (self.simulator,) = children(self.process.pid)
        self._news.set()
        self._news = trio.Event()


@attrs.define(eq=False)
class Home:
    """A folder of one's own: bot4.yaml, state, and the processes started in it."""

    root: Path
    folder: Path
    config: Path
    state: Path
    starts: int = 0
    launcher: tuple[str, ...] = ()
    """Words before ours: a program that starts us."""

    def configure(self, **changes: Any) -> None:
        """Write the shipped bot4.yaml with other values; every name must stand there once."""
        text = (self.root / "bot4.yaml").read_text()
        for name, value in {"state_dir": self.folder / "state", **QUICK, **changes}.items():
            text, found = re.subn(rf"(?m)^( *{name}:) .*$", rf"\1 {value}", text)
            assert found == 1, name
        self.config.write_text(text)

    @asynccontextmanager
    async def bot(
        self, *args: str, command: str = "run", dies: str = "", typed: str = ""
    ) -> AsyncIterator[Bot]:
        """Start ``trio-run bot4``; what still runs at the end of the block is killed.

        Args:
            args: further words of the command line.
            command: of bot4.
            dies: where the process kills itself, see ``doomed.py``.
            typed: what a person types at its terminal; "" where it has none.
        """
        self.starts += 1
        ours, theirs = os.openpty() if typed else (-1, subprocess.DEVNULL)
        doomed = [sys.executable, str(DOOMED), dies]
        door = [*self.launcher, *([str(TRIO_RUN), "bot4"] if not dies else doomed)]
        words = [*door, command, "--config", str(self.config), "--log", "json", *args]
        stderr = self.folder / f"stderr-{self.starts}"
        with stderr.open("wb") as errors:
            process = await trio.lowlevel.open_process(
                words, stdin=theirs, stdout=subprocess.PIPE, stderr=errors
            )
        if typed:
            os.write(ours, typed.encode())
        bot = Bot(process, stderr)
        try:
            async with trio.open_nursery() as reading:
                reading.start_soon(bot._keep_reading)
                reading.start_soon(bot.keep_peace)
                yield bot
                reading.cancel_scope.cancel(reason="the block has ended")
            assert "Traceback" not in stderr.read_text()
        finally:
            if typed:
                os.close(ours)
                os.close(theirs)
            if process.poll() is None:
                process.kill()
            with trio.CancelScope(shield=True, deadline=trio.current_time() + KILLED_S):
                await process.wait()
                await process.stdout.aclose()
                while bot.simulator and alive(bot.simulator):  # noqa: ASYNC110
                    await trio.sleep(0.02)

    async def run(self, command: str, *args: str, typed: str = "") -> Bot:
        """Run a command to its end."""
        async with self.bot(*args, command=command, typed=typed) as bot:
            await bot.end(within_s=COMMAND_S)
        return bot

    def truth(self) -> dict[str, Any]:
        """What the venues wrote when they ended."""
        return json.loads((self.state / "truth.json").read_text())

    @property
    def last(self) -> dict[str, Any]:
        """The last word of the log file."""
        return last_word(self.log())

    def log(self) -> list[dict[str, Any]]:
        """The log file, whole lines only."""
        text = (self.state / "bot4.log").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def last_word(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The last word; a pair that stays on is told behind it."""
    return [line for line in lines if line["event"] != "shutdown.held"][-1]


def children(pid: int) -> list[int]:
    """Process ids of the children, whichever thread started them."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(word) for word in thread.read_text().split()]
    return found


def pending(pid: int) -> int:
    """Which signals a process was sent and has not taken, as a mask; none where it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("ShdPnd:"):
                return int(line.split()[1], 16)
    return 0


def alive(pid: int) -> bool:
    """Whether a process that is not our child still runs; one nobody reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def positions(truth: Mapping[str, Any]) -> dict[str, Decimal]:
    """Signed positions by venue, zeros left out. The only market is BTC."""
    held = {venue: Decimal(truth[venue]["positions"].get(LEGS[venue], "0")) for venue in LEGS}
    assert all(set(truth[venue]["positions"]) <= {LEGS[venue]} for venue in LEGS)
    return {venue: size for venue, size in held.items() if size}


def entries(truth: Mapping[str, Any], venue: str) -> list[dict[str, Any]]:
    """Orders that could open something."""
    return [order for order in truth[venue]["orders"] if not order["reduce_only"]]


def neutral(truth: Mapping[str, Any]) -> None:
    """Nothing is open, nothing is naked, and no name was used twice."""
    for venue in LEGS:
        assert truth[venue]["open_orders"] == []
        names = [order["handle"] for order in truth[venue]["orders"]]
        assert len(names) == len(set(names))
    assert sum(positions(truth).values(), Decimal(0)) == 0, positions(truth)


def as_claimed(last: Mapping[str, Any], truth: Mapping[str, Any]) -> None:
    """The last line is true: clean, and holding exactly what the venues say."""
    assert (last["event"], last["message"]) == ("shutdown.clean", CLEAN)
    claimed = last["held"].get("BTC", {})
    assert {venue: Decimal(size) for venue, size in claimed.items()} == positions(truth)
    neutral(truth)


def seconds(line: Mapping[str, Any]) -> float:
    """When a line was written, seconds since the epoch."""
    return datetime.fromisoformat(line["ts"]).timestamp()


@pytest.fixture
def judge() -> SimpleNamespace:
    """What the stories ask of the truth, by name."""
    return SimpleNamespace(
        neutral=neutral,
        as_claimed=as_claimed,
        positions=positions,
        entries=entries,
        seconds=seconds,
        over=("pair.closed", "pair.unwound", "pair.missed"),
    )


@pytest.fixture
def home(root: Path, tmp_path: Path) -> Home:
    """A folder with the shipped settings, made quick."""
    made = Home(root, tmp_path, tmp_path / "bot4.yaml", tmp_path / "state" / "simulation")
    made.configure()
    return made
