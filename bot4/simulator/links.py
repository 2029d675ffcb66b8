"""Open WebSocket connections of a venue: what is sent waits in an outbox, never in the venue."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import trio
from trio_websocket import WebSocketConnection

UNREAD_FRAMES: Final = 2000
"""A client this far behind is dropped. Source: Paradex API docs, Rate limits, seen 2026-08."""


@attrs.define(eq=False)
class Link:
    """One connection as the venue sees it. ``post`` and ``close`` are plain functions.

    ``kinds`` tells what the link carries ("public", "private"), for faults that cut some links.
    A link without a kind counts as public.
    """

    connection: WebSocketConnection
    kinds: set[str] = attrs.field(factory=set)
    subscriptions: set[str] = attrs.field(factory=set)
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _frames: deque[str | bytes] = attrs.field(factory=deque)
    _posted: trio.Event = attrs.field(factory=trio.Event)
    _closing: tuple[int, str] | None = None

    def post(self, frame: str | bytes) -> None:
        """Send a frame soon: text for str, binary for bytes. A client too far behind is cut."""
        if len(self._frames) >= UNREAD_FRAMES:
            self.cut()
        elif self._closing is None:
            self._frames.append(frame)
            self._posted.set()

    def close(self, code: int, reason: str = "") -> None:
        """Close politely with this code once the frames already posted are sent."""
        self._closing = (code, reason)
        self._posted.set()

    def cut(self) -> None:
        """Drop the connection without a word."""
        self._scope.cancel(reason="the venue cut the connection")

    async def keep_sending(self) -> None:
        """Send posted frames until the link is closed. Cancellation: leaves the link broken."""
        while True:
            while self._frames:
                await self.connection.send_message(self._frames.popleft())
            if self._closing is not None:
                await self.connection.aclose(*self._closing)
                return
            self._posted = trio.Event()
            await self._posted.wait()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Run the block until it ends or the link is cut."""
        with self._scope:
            yield


@attrs.define
class Links:
    """All open links of one venue."""

    _open: dict[Link, None] = attrs.field(factory=dict)

    def __iter__(self) -> Iterator[Link]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def attach(self, link: Link) -> Iterator[None]:
        """Count the link among the open ones while the block runs, and end it when it is cut."""
        self._open[link] = None
        try:
            with link.scope():
                yield
        finally:
            del self._open[link]

    def cut(self, which: str, code: int | None = None) -> None:
        """Drop links carrying ``which``: "public", "private" or "all".

        With a close code they are told goodbye; without one the line just breaks.
        """
        for link in self:
            if which != "all" and which not in (link.kinds or {"public"}):
                continue
            if code is None:
                link.cut()
            else:
                link.close(code, "closed by the venue")
