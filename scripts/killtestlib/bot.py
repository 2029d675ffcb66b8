"""One process of the bot: what it says, and how it is brought to its end."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import trio
from timeouts import ENDS_S, KILLED_S

from killtestlib.twins import Twins

SAGA: Final = ("[TRADE]", "[ORDER]", "[RETRY]")
OVER: Final = ("pair.closed", "pair.unwound", "pair.missed", "pair.opened")

Line = dict[str, Any]


@attrs.define(eq=False)
class Bot:
    """A running bot."""

    process: trio.Process
    lines: list[Line] = attrs.field(factory=list)
    ended: bool = False
    """Whether all that it said is read."""
    _news: trio.Event = attrs.field(factory=trio.Event)

    async def until(self, there: Callable[[list[Line]], bool], within_s: float) -> bool:
        """Wait until the lines satisfy a condition; False when they do not in time, or it died."""
        with trio.move_on_after(within_s):
            while not there(self.lines) and not self.ended:
                await self._news.wait()
        return there(self.lines)

    def saga_lines(self) -> int:
        """How many lines on trades and orders it has said."""
        return sum(line["message"].startswith(SAGA) for line in self.lines)

    async def kill(self) -> None:
        """SIGKILL, and wait until nothing of it is left."""
        self.process.send_signal(signal.SIGKILL)
        await self.gone(KILLED_S)

    async def interrupt(self, within_s: float) -> int | None:
        """SIGINT; return its exit code, or None when it is still there after so long.

        Sent once the bot owns its signals: while Python itself still starts, it answers with its
        own death, and nothing of ours is there yet that could be held to anything.
        """
        with trio.move_on_after(ENDS_S):
            while not self.ended and not _owns_signals(self.process.pid):  # noqa: ASYNC110
                await trio.sleep(0.005)
        self.process.send_signal(signal.SIGINT)
        return await self.gone(within_s)

    async def gone(self, within_s: float) -> int | None:
        """Wait for its end and its last line; return its exit code, None when it lives on."""
        with trio.move_on_after(within_s):
            await self.process.wait()
            while not self.ended:
                await self._news.wait()
            return self.process.returncode
        return None

    def unresolved(self) -> set[str]:
        """Trades that it found at its start and has not yet brought to an end."""
        found = {line["trade_id"] for line in self.lines if line["event"] == "trade.recovered"}
        over = {line.get("trade_id") for line in self.lines if line["event"] in OVER}
        return found - over

    async def keep_reading(self) -> None:
        """Read what it says until it ends."""
        pending = b""
        stdout = self.process.stdout
        if stdout is None:
            raise RuntimeError("the bot has no standard output")
        try:
            async for part in stdout:
                *whole, pending = (pending + part).split(b"\n")
                for line in whole:
                    self.lines.append(json.loads(line))
                self._wake()
        finally:
            self.ended = True
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()


def _owns_signals(pid: int) -> bool:
    """Whether it catches SIGTERM, which Python by itself never does. Source: proc(5), SigCgt."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@asynccontextmanager
async def living(twins: Twins, config: Path, command: str = "run") -> AsyncIterator[Bot]:
    """Start a bot, or another command; whatever still runs at the end of the block is killed."""
    with config.with_name("bot.err").open("ab") as errors:
        process = await trio.lowlevel.open_process(
            [*twins.command(command), str(config)],
            env=twins.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    bot = Bot(process)
    try:
        async with trio.open_nursery() as reading:
            reading.start_soon(bot.keep_reading)
            yield bot
            reading.cancel_scope.cancel(reason="the block has ended")
    finally:
        if process.poll() is None:
            process.kill()
        with trio.move_on_after(KILLED_S, shield=True):
            await process.wait()
