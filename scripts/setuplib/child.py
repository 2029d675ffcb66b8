"""Runs a command whose words are read as they come, and says what is waited for meanwhile."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from setuplib.messages import say

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
    heard: Callable[[str], bool],
    waiting: Callable[[], str],
    cwd: Path | None = None,
) -> int:
    """Run a command to its end and return its exit code.

    Args:
        command: its words; stdin is empty, stderr joins stdout.
        environ: what it sees.
        heard: gets each line without its end; returns whether it told the person something.
        waiting: asked what to tell whenever nothing was told for ``QUIET_S``.
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


def _listen(stdout: IO[bytes], heard: Callable[[str], bool], waiting: Callable[[], str]) -> None:
    pending, told = b"", time.monotonic()
    while True:
        left = max(0.0, told + QUIET_S - time.monotonic())
        if not select.select([stdout], [], [], left)[0]:
            say(waiting())
            told = time.monotonic()
            continue
        piece = os.read(stdout.fileno(), 65_536)
        *lines, pending = (pending + piece).split(b"\n")
        if not piece and pending:
            lines.append(pending)
        for line in lines:
            if heard(line.decode(errors="replace")):
                told = time.monotonic()
        if not piece:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
            process.wait(END_S)
        except (OSError, subprocess.TimeoutExpired):
            continue
