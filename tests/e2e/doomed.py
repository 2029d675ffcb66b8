"""The bot with a death built in: ``python doomed.py PLACE run --config ...``.

The process is the ordinary one, but for a World that sends itself SIGKILL at the chosen place:

==========  =====================================================================================
intent      both entry orders are durable, no byte of them has left
between     one entry order has reached its venue, of the other one nothing has left
one-fill    the first fill of the trade is durable, nothing was done about it yet
hedged      both legs are on and it has been said
closing     both exit orders are durable, one has reached its venue, of the other nothing has left
==========  =====================================================================================

Reached: the first byte of the answer is here, and nobody has read it.
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


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives SIGKILL")


class Post:
    """Counts orders on their way out, all connections together."""

    def __init__(self, place: str) -> None:
        self.begun = 0
        self._at_once = place == "intent"
        self._last = {"between": 1, "closing": 3}.get(place, 0)
        """Which order is the last one to leave."""

    async def begins(self) -> None:
        """An order's first byte is about to leave."""
        import trio

        if self._at_once:
            die()
        self.begun += 1
        if self._last and self.begun > self._last:
            await trio.sleep_forever()

    def answered(self, number: int) -> None:
        """The first byte of an answer is here."""
        if number and number == self._last:
            die()


class Watched:
    """A stream that tells of the orders sent over it."""

    def __init__(self, stream: Any, post: Post) -> None:
        self._stream = stream
        self._post = post
        self._number = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if bytes(data).startswith(ORDERS):
            await self._post.begins()
            self._number = self._post.begun
        await self._stream.send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        got: bytes | bytearray = await self._stream.receive_some(max_bytes)
        self._post.answered(self._number)
        return got


class Counted:
    """A database that ends us once a fill is durable."""

    def __init__(self, database: Any, place: str) -> None:
        self._database = database
        self._place = place
        self._filled = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        self._filled = self._filled or (
            sql.startswith("INSERT INTO entry") and "Filled" in parameters
        )
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
