"""Being asked to stop: which signal is the first, the second and the third.

The first asks the app to end well, the second to stop waiting, the third ends the process at
once. Repeats within a second of the last one that counted are the same wish: launchers and
terminals can deliver one Ctrl+C twice.

This file imports nothing slow, so that ``trio_run`` can own the signals before anything else is
imported. Trio itself is imported when somebody first waits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from types import FrameType

    import trio

REPEAT_S: Final = 1.0
"""Source: ours; a launcher without a terminal doubles a Ctrl+C within milliseconds."""

FLUSH_LIMIT_S: Final = 0.3

OWNED: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


THIRD_SIGNAL: Final = 130
"""Source: the shells' convention for a death by Ctrl+C; the same number as in the exit codes."""


def _nothing() -> None: ...


def _heed_nothing(number: int, frame: FrameType | None) -> None: ...


def _has_terminal() -> bool:
    """Whether closing a terminal would hang us up. Once it is closed, nobody can tell any more."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def exit_at_once() -> NoReturn:
    """End the process with 130, flushing what can be flushed within a moment."""
    import threading

    # Flushing may block for ever on a stopped terminal: another thread holds the door open.
    door = threading.Timer(FLUSH_LIMIT_S, os._exit, (THIRD_SIGNAL,))
    door.daemon = True
    with contextlib.suppress(Exception):
        door.start()
        # Where no sink was ever imported, no line waits in one.
        if sink := sys.modules.get("bot4.logs.sink"):
            sink.drain()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    os._exit(THIRD_SIGNAL)


class Signals:
    """Counts the wishes to stop and wakes who waits for them.

    Args:
        clock: seconds, for telling a repeat from a new wish. Tests under a mock clock pass
            ``trio.current_time``.
        on_third: called at once, in the handler, when the third wish arrives.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_third: Callable[[], None] = _nothing,
    ) -> None:
        self._clock = clock
        self._on_third = on_third
        self._counted: list[tuple[int, float]] = []
        self._token: trio.lowlevel.TrioToken | None = None
        self._events: tuple[trio.Event, trio.Event] | None = None

    def __repr__(self) -> str:
        return f"<Signals {', '.join(self.names) or 'none'}>"

    @property
    def count(self) -> int:
        """How many wishes to stop have arrived, repeats not counted."""
        return len(self._counted)

    @property
    def names(self) -> tuple[str, ...]:
        """What arrived, oldest first, repeats not counted: ``("SIGINT", "SIGTERM")``."""
        return tuple(signal.Signals(number).name for number, _ in self._counted)

    @property
    def stopping(self) -> bool:
        """Whether the first wish has arrived."""
        return self.count >= 1

    @property
    def hurried(self) -> bool:
        """Whether the second wish has arrived: stop waiting."""
        return self.count >= 2

    async def wait_first(self) -> None:
        """Wait until somebody asked to stop.

        Cancellation: safe.
        """
        await self._made()[0].wait()

    async def wait_second(self) -> None:
        """Wait until somebody asked a second time, more than a second later.

        Cancellation: safe.
        """
        await self._made()[1].wait()

    def deliver(self, number: int) -> None:
        """Act as if this signal had arrived now. Call it in the loop's own thread."""
        if self._count(number):
            self._wake()
            self._third()

    def own(self) -> None:
        """Take SIGINT, SIGTERM and SIGHUP for the rest of the process. Main thread only.

        SIGHUP says that the terminal is gone. Of a process that has none it is how the system asks
        for a fresh log file: the log follows its path by itself, and nobody is asked to stop. One
        that was ignored when we started stays ignored: that is what nohup asks for.
        """
        for number in OWNED:
            if number != signal.SIGINT and signal.getsignal(number) is signal.SIG_IGN:
                continue
            hangup = number == getattr(signal, "SIGHUP", None)
            wish = not hangup or _has_terminal()
            # Not ignored: a process that we start would inherit that.
            signal.signal(number, self._handle if wish else _heed_nothing)

    @staticmethod
    def unblock() -> None:
        """Let in what a launcher held back while the interpreter started. Own them first.

        What is pending arrives here and now. From here on no process that we start is deaf either:
        the mask is handed on.
        """
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, OWNED)

    def hand_on(self) -> None:
        """Hold them back again, with what has arrived so far, for the program we become now."""
        signal.pthread_sigmask(signal.SIG_BLOCK, OWNED)
        for number, _ in self._counted:
            os.kill(os.getpid(), number)  # pending, until it is let in there

    @staticmethod
    def disown() -> None:
        """Ignore them from here on: the exit code is settled and the interpreter is leaving.

        Without this the interpreter puts the default actions back while it shuts down, and a late
        Ctrl+C would turn a clean exit into a death by signal.
        """
        for number in OWNED:
            signal.signal(number, signal.SIG_IGN)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Let real signals wake the tasks of the running Trio loop inside this block."""
        import trio

        self._token = trio.lowlevel.current_trio_token()
        self._made()
        try:
            yield
        finally:
            self._token = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # Runs between any two bytecodes of the main thread, Trio's own included: it may count and
        # knock at the loop's door, nothing more.
        if not self._count(number):
            return
        token = self._token
        if token is not None:
            # The loop may have ended a moment ago: then nobody waits any more.
            with contextlib.suppress(Exception):
                token.run_sync_soon(self._wake, idempotent=True)
        self._third()

    def _count(self, number: int) -> bool:
        now = self._clock()
        if self._counted and now - self._counted[-1][1] < REPEAT_S:
            return False
        self._counted.append((number, now))
        return True

    def _third(self) -> None:
        if self.count >= 3:
            self._on_third()

    def _made(self) -> tuple[trio.Event, trio.Event]:
        if self._events is None:
            import trio

            self._events = trio.Event(), trio.Event()
        self._wake()  # what arrived before anybody could wait
        return self._events

    def _wake(self) -> None:
        if self._events is not None:
            for event in self._events[: self.count]:
                event.set()
