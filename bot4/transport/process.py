"""Another process of this machine: whether it lives, and how it is ended without a mistake.

A process id alone names nobody: it is given to another program once its owner is gone. Together
with the moment of birth it names one process for ever.
"""

from __future__ import annotations

import os
import pwd
import signal
from pathlib import Path
from typing import Final

import trio

PROC: Final = Path("/proc")
GONE: Final = frozenset("ZX")
"""States of one that has ended and whose parent has not asked yet. Source: proc(5)."""
STATE: Final = 0
STARTED: Final = 19
"""Places of both in /proc/PID/stat, counted behind the name. Source: proc(5)."""
END_LIMIT_S: Final = 10.0
"""What the kernel gets to end a killed process."""
LOOK_S: Final = 0.02


def birth_of(pid: int) -> str | None:
    """Return when a living process began: the boot, and the clock ticks since.

    Returns:
        None when there is no such process, or it has ended; "" where the machine does not tell.
    """
    if not (PROC / "self" / "stat").exists():
        return "" if _exists(pid) else None
    try:
        # The name stands in brackets and may hold anything, brackets too.
        fields = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = (PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[STATE] in GONE else f"{boot} {fields[STARTED]}"


async def end_process(pid: int, birth: str) -> str:
    """Kill one process and wait until it is gone; never one that only has its number.

    Args:
        pid: its number.
        birth: what ``birth_of`` said of it while it was known to be the one.

    Returns:
        "" when it is proven dead, else why it is not.

    Cancellation: may leave it killed and not yet gone.
    """
    lives = birth_of(pid)
    if lives is None or (lives and birth and lives != birth):
        await trio.lowlevel.checkpoint()
        return ""
    if not lives or not birth:
        await trio.lowlevel.checkpoint()
        return f"this machine does not tell whether process {pid} is still the bot"
    try:
        # A handle on the process itself: from here on the number cannot come to mean another.
        handle = os.pidfd_open(pid)
    except OSError:
        return "" if birth_of(pid) != birth else f"process {pid} cannot be reached"
    try:
        if birth_of(pid) != birth:
            return ""
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        with trio.move_on_after(END_LIMIT_S):
            while birth_of(pid) == birth:  # noqa: ASYNC110 - the kernel has no event for us
                await trio.sleep(LOOK_S)
            return ""
    except ProcessLookupError:
        return ""
    except OSError as error:
        return f"process {pid} may not be ended by this user: {error.strerror}"
    finally:
        os.close(handle)
    return f"process {pid} was killed and is still there after {END_LIMIT_S:g} s"


def locked_by(path: Path) -> str:
    """Say which process holds a lock on a file, as ``process 123 of user bob``.

    Returns:
        "" where nobody does, or this machine does not tell.
    """
    try:
        found = path.stat()
        lines = (PROC / "locks").read_text().splitlines()
        here = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        for line in lines:
            # "1: POSIX  ADVISORY  WRITE 123 08:01:456 0 EOF". Source: proc_locks(5).
            *_, pid, file, _start, _end = line.split()
            if file == here and pid.isdigit():
                return f"process {pid} of user {user_name((PROC / pid).stat().st_uid)}"
    except (OSError, ValueError):
        return ""
    return ""


def user_name(number: int) -> str:
    """Return what a user is called; the number where nobody knows."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
