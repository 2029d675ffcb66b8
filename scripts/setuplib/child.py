"""Runs a command whose words are read as they come, and says what is waited for meanwhile."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from setuplib.messages import say, silent_s

QUIET_S: Final = 4.0
"""So long nothing is said at most."""
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
END_S: Final = 10.0
"""What a command gets to take itself back after Ctrl+C."""


class Waiting:
    """What is waited for, and since when.

    Args:
        doing: what is being done.
    """

    def __init__(self, doing: str) -> None:
        self.now(doing)

    def now(self, doing: str) -> None:
        """Something else is being done from here on."""
        self.doing, self._since = doing, time.monotonic()

    def text(self) -> str:
        """Return the line for a person who waits."""
        return f"{self.doing}, {time.monotonic() - self._since:.0f} s"


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    heard: Callable[[str], None],
    waiting: Callable[[], str],
    lock: int | None = None,
    cwd: Path | None = None,
) -> int:
    """Run a command to its end and return its exit code.

    Args:
        command: its words; stdin is empty, stderr joins stdout.
        environ: what it sees.
        heard: gets each line without its end.
        waiting: asked what to tell whenever nothing was told for ``QUIET_S``.
        lock: a file that stays locked while the command lives, whatever becomes of us.
        cwd: the folder it works in, another than ours.

    Raises:
        KeyboardInterrupt: Ctrl+C; the command has been ended by then.
        OSError: it cannot be started.
    """
    # Held back until we can end what was started, and not in what is started.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        # A session of its own: Ctrl+C reaches us alone, and we end it in order.
        process = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before),  # noqa: PLW1509 - one thread
        )
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _listen(process.stdout, heard, waiting)
        return process.wait()
    finally:
        _end(process)
        process.stdout.close()


def _listen(stdout: IO[bytes], heard: Callable[[str], None], waiting: Callable[[], str]) -> None:
    pending = b""
    while True:
        if not select.select([stdout], [], [], max(0.0, QUIET_S - silent_s()))[0]:
            say(waiting())
            continue
        piece = os.read(stdout.fileno(), 65_536)
        *lines, pending = (pending + piece).split(b"\n")
        if not piece and pending:
            lines.append(pending)
        for line in lines:
            heard(line.decode(errors="replace"))
        if not piece:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what still runs: the command in its own order, then all that it started."""
    if process.poll() is None:
        with suppress(OSError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGINT)
            process.wait(END_S)
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
