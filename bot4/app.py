"""The whole bot on one screen: services outlive trading, and nothing outlives the root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import attrs
import structlog
import trio

from bot4.errors import ExitCode, leaves
from bot4.invocation import command
from bot4.tasks.stop import StopSign

log = structlog.get_logger()

CLOSE_LIMIT_S = 3.0
"""What the connections get to say goodbye."""
RUDE_LIMIT_S = 0.4
"""The same when something is left: then the list is due, and no venue waits for a goodbye."""


class Signals(Protocol):
    """What the outside asks of the process (Ctrl+C and its kin)."""

    @property
    def names(self) -> tuple[str, ...]:
        """What arrived, oldest first."""

    async def wait_first(self) -> None:
        """Block until the first signal."""

    async def wait_second(self) -> None:
        """Block until a second one, more than a second after the first."""


class Service(Protocol):
    """Runs until its nursery is cancelled; started means useful."""

    async def __call__(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run; call ``task_status.started()`` once useful."""


class Crashes:
    """Errors of tasks that nobody could handle: the first one stops the bot, politely."""

    def __init__(self, stop: StopSign) -> None:
        self.errors: list[Exception] = []
        self._stop = stop

    async def guard(  # noqa: ASYNC128 - the service itself says when it has started
        self, service: Service, *, task_status: trio.TaskStatus[None]
    ) -> None:
        """Run a service; once it has started, its crash becomes a stop instead of a cancel.

        A crash must not cancel the tasks that still have a leg to bring home.
        """
        status = _Started(task_status)
        try:
            await service(task_status=status)
        except Exception as error:
            if not status.called:
                raise
            self.note(error)

    async def outlive(self, task: Callable[[], Awaitable[None]], times: int = 1) -> None:
        """Run a task; its crash becomes a stop too. Cancellation: as the task.

        Args:
            task: what to run.
            times: how often it is run, until it ends without a crash.
        """
        for _ in range(times):
            try:
                await task()
            except Exception as error:  # noqa: BLE001 - whatever it is, a leg may be open
                self.note(error)
                continue
            return

    def note(self, error: Exception) -> None:
        """Log an error once and ask the bot to stop."""
        self.errors.append(error)
        for leaf in leaves(error):
            log.error(
                "bot.crashed",
                message=f"[FATAL] {type(leaf).__name__}: {leaf}",
                why=f"{type(leaf).__name__}: {leaf}",
                do="send this line and the log file to whoever looks after the bot",
                exc_info=leaf,
            )
        self._stop.raise_sign("a task crashed")


@attrs.frozen
class House:
    """Everything that was opened, and what to do with it."""

    stop: StopSign
    """Raised once: nothing opens any more."""
    closing: StopSign
    """Raised after trading: the streams say goodbye."""
    sessions: Sequence[Service]
    """Gateways and sessions, needed by the streams."""
    streams: Sequence[Service]
    """Public and private connections; they end by themselves after the closing sign."""
    recover: Callable[[], Awaitable[None]]
    """From the journal and the venues to a ledger that both agree with."""
    trade: Callable[[Crashes], Awaitable[None]]
    """Detector and pairs; returns once stopped and settled, or out of time. What crashes in it is
    noted; the others go on."""
    leave: Callable[[], Awaitable[list[str]]]
    """Cancel and prove; return what is left, one line each."""
    abandon: Callable[[], Awaitable[list[str]]]
    """After a second signal: fire cancel-all once, return what is abandoned. Takes seconds."""
    hang_up: Callable[[], Awaitable[None]]
    """Close the doors: requests whose answer nobody waits for any more end at once."""
    goodbye: Callable[[Sequence[str]], None]
    """Log the last lines, given what is left."""


class _Started:
    def __init__(self, inner: trio.TaskStatus[None]) -> None:
        self._inner = inner
        self.called = False

    def started(self, value: None = None) -> None:
        self.called = True
        self._inner.started(value)


async def run_bot(
    house: House,
    signals: Signals,
    *,
    for_s: float | None = None,
    for_ready_s: float | None = None,
) -> ExitCode:
    """Trade until asked to stop, leave nothing behind, then hang up.

    Args:
        house: from ``wiring.open_house``.
        signals: the ladder: the first stops, the second abandons.
        for_s: stop by itself this long from now, ready or not.
        for_ready_s: stop by itself this long after both feeds are ready.

    Raises:
        Whatever a service raised before it had started.

    Cancellation: leaves as after a second signal.
    """
    crashes = Crashes(house.stop)
    left: list[str] = []
    hurry = trio.CancelScope()
    async with trio.open_nursery() as services:
        services.start_soon(_heed, signals, house, hurry)
        async with trio.open_nursery() as streams:
            try:
                with hurry:
                    with house.stop.while_running():
                        if for_s is not None:
                            services.start_soon(_stop_after, house.stop, for_s)
                        await _start(services, house.sessions, crashes)
                        await _start(streams, house.streams, crashes)
                        if for_ready_s is not None:
                            services.start_soon(_stop_after, house.stop, for_ready_s)
                        await house.recover()
                    await house.trade(crashes)
                    left = await house.leave()
            finally:
                if hurry.cancelled_caught or streams.cancel_scope.cancel_called:
                    left = ["the venues could not be told to cancel in time"]
                    with trio.move_on_after(CLOSE_LIMIT_S, shield=True):
                        left = await house.abandon()
                house.closing.raise_sign("closing")
                limit_s = RUDE_LIMIT_S if left else CLOSE_LIMIT_S
                streams.cancel_scope.deadline = trio.current_time() + limit_s
                if left:
                    # A question that a dark venue never answers would hold up the streams' end.
                    services.start_soon(house.hang_up)
        with trio.move_on_after(limit_s, shield=True):
            await house.hang_up()
        services.cancel_scope.cancel(reason="all streams are closed")
    house.goodbye(left)
    if hurry.cancelled_caught:
        return ExitCode.SECOND_SIGNAL
    if crashes.errors:
        return ExitCode.CRASHED
    return ExitCode.LEFT_OPEN if left else ExitCode.CLEAN


async def _start(nursery: trio.Nursery, services: Sequence[Service], crashes: Crashes) -> None:
    """Start them all at once; return when every one is useful."""
    async with trio.open_nursery() as starting:
        for service in services:
            starting.start_soon(nursery.start, crashes.guard, service)


async def _heed(signals: Signals, house: House, hurry: trio.CancelScope) -> None:
    await signals.wait_first()
    name = signals.names[0]
    log_stop_requested(name)
    house.stop.raise_sign(name)
    await signals.wait_second()
    name = signals.names[-1]
    log.warning(
        "shutdown.requested",
        message=f"[SHUTDOWN] {name} again: no more waiting",
        signal=name,
        why=f"a second {name}",
        do=f"run {command('flatten')} if anything is listed below",
    )
    hurry.cancel(reason="second signal")
    # At once: what is under way must not hold the shot up.
    await house.abandon()


def log_stop_requested(signal: str) -> None:
    """Say that a first signal arrived."""
    log.warning(
        "shutdown.requested",
        message=f"[SHUTDOWN] {signal}: stopping, nothing opens any more",
        signal=signal,
        why=f"{signal} received",
        do="wait; press Ctrl+C again to stop waiting",
    )


async def _stop_after(stop: StopSign, seconds: float) -> None:
    await trio.sleep(seconds)
    stop.raise_sign(f"{seconds:g} s are over")
