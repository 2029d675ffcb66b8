"""Child processes watched from outside: their lines, their memory and their time."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

END_LIMIT_S = 20.0


@attrs.define
class Child:
    """A process that says JSON lines on its standard output."""

    process: trio.Process
    began: float
    """Trio time just before it was started."""
    errors: Path
    """Where its standard error goes."""
    _unread: bytes = b""
    _last: bytes = b""

    async def say(self) -> dict[str, Any] | None:
        """Return what it says next, with ``at``: seconds since its start; None at its end."""
        stdout = self.process.stdout
        while stdout is not None and b"\n" not in self._unread:
            more = await stdout.receive_some()
            if not more:
                return None
            self._unread += more
        self._last, _, self._unread = self._unread.partition(b"\n")
        return {**json.loads(self._last), "at": trio.current_time() - self.began}

    def last_words(self) -> str:
        """Return the last line it wrote, anywhere."""
        lines = self.errors.read_text().splitlines() or [self._last.decode()]
        return f"{self.errors.stem} ended early: {lines[-1]}"

    def cpu_s(self) -> float:
        """The processor time it has used, seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """The memory it holds, MB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def running(command: Sequence[str], errors: Path) -> AsyncIterator[Child]:
    """Run a command; at the end close its standard input, ask it to stop, and wait for it."""
    began = trio.current_time()
    with errors.open("ab") as stderr:
        process = await trio.lowlevel.open_process(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )
        child = Child(process, began, errors)
        try:
            yield child
        finally:
            with trio.move_on_after(END_LIMIT_S, shield=True):
                if process.stdin is not None:
                    await process.stdin.aclose()
                process.terminate()
                while await child.say() is not None:
                    pass
                await process.wait()
            process.kill()
