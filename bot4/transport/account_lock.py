"""One process of this machine for one account at a venue, whichever user or folder it runs from.

On Linux the lock is the name of a socket that lies in no folder (an abstract one, unix(7)): every
user meets it, nobody can delete it, and the kernel frees it when its process ends, however that
happens. Elsewhere it is a locked file. Containers do not share either.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket as stdlib
import struct
import sys
from pathlib import Path
from typing import Final

import trio

from bot4.errors import StartRefused
from bot4.ports import AccountLock, AccountName, account_taken
from bot4.transport.process import user_name

WAITING: Final = 4096
"""Processes that asked who holds it while the holder did not answer: beyond these, nobody learns
its process id any more. They are refused all the same."""
ANSWER_S: Final = 1.0
"""What the holder gets to say who it is; one that hangs does not."""
LONGEST_ANSWER: Final = 512
PAUSE_S: Final = 0.1
LOCK_FOLDER: Final = Path("/var/tmp")  # noqa: S108 - for every user, and not emptied at a start
READABLE: Final = 0o644
NAMED: Final[bool] = sys.platform == "linux"
"""Whether sockets may have a name that lies in no folder."""
_CREDENTIALS: Final = struct.Struct("3i")
"""Process, user and group. Source: unix(7), SO_PEERCRED."""


async def lock_account(account: AccountName, holder: str) -> AccountLock:
    """Take the account for this process, or refuse at once.

    Args:
        account: which one.
        holder: what is said of us to whoever is refused, such as ``the bot of /x/state/live``.

    Raises:
        StartRefused: another process of this machine holds it; names that process where the
            machine tells, and what to do.

    Cancellation: nothing was taken.
    """
    if NAMED:
        return await lock_by_name(account, holder)
    await trio.lowlevel.checkpoint()
    return lock_by_file(account, holder)


# -------------------------------------------------------------------------- by a socket's name


class _NamedLock:
    def __init__(self, plain: stdlib.socket, holder: str) -> None:
        self._socket = trio.socket.from_stdlib_socket(plain)
        self._holder = holder.encode()[:LONGEST_ANSWER]

    def close(self) -> None:
        self._socket.close()

    async def answer(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Tell whoever connects who we are. Started: at once. Cancellation: safe."""
        task_status.started()
        while True:
            try:
                asking, _ = await self._socket.accept()
                with asking:
                    await asking.send(self._holder)
            except OSError:  # Whoever asked is gone, or this process has no descriptor left.
                await trio.sleep(PAUSE_S)


async def lock_by_name(account: AccountName, holder: str) -> AccountLock:
    """Take a name in the kernel's list of sockets. As ``lock_account``."""
    await trio.lowlevel.checkpoint()
    name = f"\0bot4-{account.key}"
    plain = stdlib.socket(stdlib.AF_UNIX, stdlib.SOCK_STREAM)
    try:
        plain.bind(name)
        plain.listen(WAITING)
    except OSError as error:
        plain.close()
        if error.errno != errno.EADDRINUSE:
            raise _unusable(account, error) from None
        raise account_taken(account, await _ask(name)) from None
    return _NamedLock(plain, holder)


async def _ask(name: str) -> str:
    """Say which process holds a name, as far as the machine and the process itself tell."""
    plain = stdlib.socket(stdlib.AF_UNIX, stdlib.SOCK_STREAM)
    with trio.socket.from_stdlib_socket(plain) as asking:
        try:
            plain.connect(name)
            raw = plain.getsockopt(stdlib.SOL_SOCKET, stdlib.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:  # It is just beginning or ending, or too many have asked it.
            return ""
        said = b""
        with trio.move_on_after(ANSWER_S), contextlib.suppress(OSError):
            said = await asking.recv(LONGEST_ANSWER)
    pid, user, _ = _CREDENTIALS.unpack(raw)
    return _described(said, f"process {pid} of user {user_name(user)}" if pid else "")


# --------------------------------------------------------------------------------- by a file


class _FileLock:
    def __init__(self, number: int) -> None:
        self._number: int | None = number

    def close(self) -> None:
        if self._number is not None:
            os.close(self._number)
            self._number = None

    async def answer(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Nothing: who holds it stands in the file. Started: at once."""
        task_status.started()
        await trio.lowlevel.checkpoint()


def lock_by_file(account: AccountName, holder: str, folder: Path = LOCK_FOLDER) -> AccountLock:
    """Lock a file that every user can see, and write into it who we are. As ``lock_account``."""
    path = folder / f"bot4-{account.key}.lock"
    try:
        number = _open(path)
    except OSError as error:
        raise _unusable(account, error, path) from None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        said = os.pread(number, LONGEST_ANSWER, 0)
        owner = user_name(os.fstat(number).st_uid)
        os.close(number)
        raise account_taken(account, _described(said, f"user {owner}")) from None
    with contextlib.suppress(OSError):  # Another user's file: it is locked, and says nothing.
        os.ftruncate(number, 0)
        os.pwrite(number, f"{holder}, process {os.getpid()}".encode()[:LONGEST_ANSWER], 0)
    return _FileLock(number)


def _open(path: Path) -> int:
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | flags, READABLE)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)  # Another user's: a lock needs no more.
    with contextlib.suppress(OSError):
        os.fchmod(number, READABLE)  # Whatever the umask says: others must be able to meet it.
    return number


# ------------------------------------------------------------------------------------- words


def _described(said: bytes, process: str) -> str:
    """Return what is known of the holder. Its own words are a stranger's: only their letters."""
    text = said.decode(errors="replace")
    words = "".join(letter if letter.isprintable() else "?" for letter in text)
    return ", ".join(part for part in (words, process) if part)


def _unusable(account: AccountName, error: OSError, path: Path | None = None) -> StartRefused:
    what = f"the lock of the {account.venue} account" + (f", {path}," if path else "")
    return StartRefused(
        f"{what} cannot be taken: {error.strerror or error}",
        "look whether another bot runs; then mend the file's owner and rights"
        if path
        else "look whether another bot runs, and at what this machine forbids",
    )
