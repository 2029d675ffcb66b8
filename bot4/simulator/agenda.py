"""What a venue has promised to do later: orders that land, events that come late."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import Any

import trio


class Agenda:
    """Plain functions called at their Trio time, in order of time and then of arrival.

    One task runs it, so nothing is done in parallel and a universe stays repeatable. ``put``
    never blocks. Entries put before ``run`` starts wait for it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._acts: dict[int, Callable[[], None]] = {}
        self._count = 0
        self._changed = trio.Event()

    def put(self, delay_s: float, act: Callable[..., None], *args: Any) -> None:
        """Call ``act(*args)`` in ``delay_s`` seconds of Trio time."""
        self.put_at(trio.current_time() + max(0.0, delay_s), act, *args)

    def put_at(self, due: float, act: Callable[..., None], *args: Any) -> None:
        """Call ``act(*args)`` at a Trio time; at once when it has passed."""
        self._count += 1
        self._acts[self._count] = partial(act, *args)
        heappush(self._heap, (due, self._count))
        self._wake()

    @property
    def pending(self) -> int:
        """How many entries have not been done yet."""
        return len(self._heap)

    async def wait_idle(self) -> None:
        """Block until nothing is left to do. Needs ``run`` to be running.

        Cancellation: safe.
        """
        await trio.lowlevel.checkpoint()
        while self._heap:
            await self._changed.wait()

    async def run(self) -> None:
        """Do what is due, for ever. Cancellation: safe, entries stay on the agenda."""
        while True:
            changed = self._changed
            due = self._heap[0][0] if self._heap else float("inf")
            if due > trio.current_time():
                with trio.move_on_at(due):
                    await changed.wait()
                continue
            _, number = heappop(self._heap)
            self._acts.pop(number)()
            if not self._heap:
                self._wake()
            await trio.lowlevel.checkpoint()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
