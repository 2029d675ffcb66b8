"""The bot with a death built in: ``python doomed.py PLACE run --config ...``.

The process is the ordinary one, but for a World that sends itself SIGKILL at the chosen place:

==========  =====================================================================================
intent      both entry orders are durable, no byte of them has left
between     one entry order has left whole, of the other one nothing
one-fill    the first fill of the trade is durable, nothing was done about it yet
hedged      both legs are on and it has been said
closing     both exit orders are durable, one has left whole, of the other one nothing
==========  =====================================================================================
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from bot4 import trio_run

ORDERS = (b"POST /v1/orders HTTP", b"POST /v2/orders HTTP")
END_OF_HEAD = b"\r\n\r\n"


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives SIGKILL")


class Post:
    """Counts orders on their way out, all connections together."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.begun = 0

    async def begins(self) -> None:
        """An order's first byte is about to leave."""
        import trio

        self.begun += 1
        if self.place == "intent":
            die()
        if (self.place, self.begun) in {("between", 2), ("closing", 4)}:
            await trio.sleep_forever()

    def left(self) -> None:
        """An order's last byte has left."""
        if (self.place, self.begun) in {("between", 1), ("between", 2)}:
            die()
        if (self.place, self.begun) in {("closing", 3), ("closing", 4)}:
            die()


class Watched:
    """A stream that tells of the orders sent over it."""

    def __init__(self, stream: Any, post: Post) -> None:
        self._stream = stream
        self._post = post
        self._missing = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        body = bytes(data)
        if body.startswith(ORDERS):
            await self._post.begins()
            head, _, body = body.partition(END_OF_HEAD)
            fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
            self._missing = int(fields[b"content-length"])
        await self._stream.send_all(data)
        if self._missing:
            self._missing -= len(body)
            if self._missing == 0:
                self._post.left()


class Counted:
    """A database that ends us once a fill is durable."""

    def __init__(self, database: Any, place: str) -> None:
        self._database = database
        self._place = place
        self._filled = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        self._filled = self._filled or (sql.startswith("INSERT INTO entry") and "Filled" in parameters)
        done = self._database.execute(sql, parameters)
        if self._place == "one-fill" and self._filled and sql == "COMMIT":
            die()
        return done


def arm(place: str) -> None:
    """Put the deadly world in the place of the real one."""
    from bot4.tasks import words
    from bot4.transport.world import RealWorld
    from bot4.wiring import run

    post, say_hedged = Post(place), words.say_hedged

    class DeadlyWorld(RealWorld):
        async def dial(self, host: str, port: int) -> Any:
            return Watched(await super().dial(host, port), post)

        def open_database(self, path: Path) -> Any:
            return Counted(super().open_database(path), place)

    def say_hedged_and_die(*args: Any) -> None:
        say_hedged(*args)
        if place == "hedged":
            die()

    run.RealWorld = DeadlyWorld  # type: ignore[misc]
    words.say_hedged = say_hedged_and_die


if __name__ == "__main__":
    arm(sys.argv[1])
    sys.exit(trio_run.main(["bot4", *sys.argv[2:]]))
