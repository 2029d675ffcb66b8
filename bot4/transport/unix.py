"""A socket file on this machine, for this user alone."""

from __future__ import annotations

import os
import socket as stdlib
import stat
from pathlib import Path
from typing import Final

import trio

PRIVATE: Final = 0o600
WAITING: Final = 8


def listen(path: Path) -> trio.SocketListener:
    """Make the file and listen on it; one that a dead process left is replaced.

    Only whoever owns the state folder's lock may call it.

    Raises:
        OSError: the file cannot be made; its path may be too long for a socket.
    """
    _remove_left(path)
    # Bound as a plain socket: Trio would bind a file in a thread, and under a mock clock a thread
    # looks like idleness.
    plain = stdlib.socket(stdlib.AF_UNIX, stdlib.SOCK_STREAM)
    socket = trio.socket.from_stdlib_socket(plain)
    try:
        # The folder is closed to others; the file is too, before anybody can find it.
        mask = os.umask(0o777 & ~PRIVATE)
        try:
            plain.bind(str(path))
        finally:
            os.umask(mask)
        socket.listen(WAITING)
    except BaseException:
        socket.close()
        raise
    return trio.SocketListener(socket)


def _remove_left(path: Path) -> None:
    if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
        path.unlink()


async def connect(path: Path) -> trio.SocketStream:
    """Connect to whoever listens there.

    Raises:
        OSError: nobody does.
    """
    return await trio.open_unix_socket(str(path))
