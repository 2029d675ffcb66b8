"""Six ways to stop a process at one of its scheduler steps, and a fork at each step to try them."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable
from random import Random
from typing import Any, Final, NoReturn

import trio

from universelib.process import PROCESS
from universelib.story import Stopped, Story

MODES: Final = ("kill", "power", "sigint", "sigint2", "cancel", "error")
SECOND_AFTER_S: Final = (0.0, 0.02, 0.1, 0.4, 1.2)
"""Between two signals. Less than a second is what a loop that was kept from running sees."""


class Injected(RuntimeError):
    """An error that no part of the bot foresaw."""


class Steps(trio.abc.Instrument):
    """Counts the scheduler's steps of one process, and calls ``reach(step, task)`` at each.

    A task belongs to the process that started it; those of the venues, which serve its
    connections, do not.
    """

    def __init__(self, number: int, reach: Callable[[int, trio.lowlevel.Task], None]) -> None:
        self.number = number
        self.count = 0
        self.batch = 0
        """Tasks of one batch run without a look at clock or wakings between them."""
        self.others = 0
        """Steps of everybody else."""
        self.error: BaseException | None = None
        self._reach = reach

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Take the mark off tasks that a connection starts at a venue."""
        nursery = task.parent_nursery
        parent = nursery.parent_task if nursery is not None else None
        if parent is not None and not parent.context.get(PROCESS, 0) and "serve" in task.name:
            task.context.run(PROCESS.set, 0)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count, and let the one who asked act before the step."""
        if task.context.get(PROCESS, 0) == self.number:
            self.count += 1
            try:
                self._reach(self.count, task)
            except BaseException as error:  # Trio would only log it, and count no further.
                self.error = error
                raise
        else:
            self.others += 1

    def before_io_wait(self, timeout: float) -> None:
        """Count the batches."""
        self.batch += 1


def stop(story: Story, mode: str, step: int, task: trio.lowlevel.Task) -> None:
    """Stop the story's process now, before its task takes this step."""
    process, now = story.subject, trio.current_time()
    random = Random(f"{story.seed}/{story.scenario.name}/{mode}/{step}/how")  # noqa: S311
    story.stopped = stopped = Stopped(mode, step, now, task.name)
    if mode in ("kill", "power"):
        story.left = process.die(power_lost=mode == "power")
    elif mode == "cancel":
        process.scope.cancel(reason="the root is cancelled")
    elif mode == "error":
        stopped.what = throw(process.number, task, random)
    else:
        process.signals.deliver(signal.SIGINT)
        if mode == "sigint2":
            story.nursery.start_soon(_again, story, random.choice(SECOND_AFTER_S))


async def _again(story: Story, after_s: float) -> None:
    await trio.sleep(after_s)
    if not story.subject.ended.is_set():
        story.skew_s += 2.0
        story.subject.signals.deliver(signal.SIGINT)


def throw(number: int, current: trio.lowlevel.Task, random: Random) -> str:
    """Raise an error in one waiting task of a process, where it waits; return the task's name."""

    def fail() -> NoReturn:
        raise Injected("injected")

    waiting = [
        task
        for task in tasks_below(trio.lowlevel.current_root_task())
        if task.context.get(PROCESS, 0) == number
        and task is not current
        and task._abort_func is not None  # noqa: SLF001 - Trio's own, of a pinned version
        and not any(n._parent_waiting_in_aexit for n in task.child_nurseries)  # noqa: SLF001
    ]
    if not waiting:
        return "nobody"
    victim = random.choice(sorted(waiting, key=lambda task: task._counter))  # noqa: SLF001
    victim._attempt_abort(fail)  # noqa: SLF001
    return victim.name


def tasks_below(root: trio.lowlevel.Task | None) -> list[trio.lowlevel.Task]:
    """Return a task and all its children's children."""
    found: list[trio.lowlevel.Task] = []
    waiting = [] if root is None else [root]
    while waiting:
        task = waiting.pop()
        found.append(task)
        for nursery in task.child_nurseries:
            waiting.extend(nursery.child_tasks)
    return found


def fork() -> int:
    """Fork inside a running loop; the child's loop gets its own view of the kernel's events."""
    pid = os.fork()
    if pid == 0:
        from trio._core._run import GLOBAL_RUN_CONTEXT

        runner: Any = GLOBAL_RUN_CONTEXT.runner
        io: Any = runner.io_manager
        _own(io._force_wakeup)  # noqa: SLF001 - Trio's own, of a pinned version
        _own(runner.entry_queue.wakeup)
        # Shared with the parent otherwise: what the child closes would be closed for both.
        io._epoll = select.epoll()  # noqa: SLF001
        io._epoll.register(io._force_wakeup.wakeup_sock, select.EPOLLIN)  # noqa: SLF001
        for fd, waiters in list(io._registered.items()):  # noqa: SLF001
            waiters.current_flags = 0
            io._update_registrations(fd)  # noqa: SLF001
    return pid


def _own(pair: Any) -> None:
    """Put a new pair of sockets in the place of one that a fork shares.

    A child that reads the byte by which its parent wakes its own loop leaves the parent asleep
    for ever.
    """
    woken = bool(select.select([pair.wakeup_sock], [], [], 0)[0])
    ours = socket.socketpair()
    for mine, shared in zip(ours, (pair.wakeup_sock, pair.write_sock), strict=True):
        mine.settimeout(0)
        os.dup2(mine.fileno(), shared.fileno())
        mine.close()
    if woken:
        pair.wakeup_thread_and_signal_safe()
