"""Lets other commands read the journal of a running bot: it alone may open the file.

One line of JSON is the question, ``{"after": 0, "kinds": ["Closed"]}``; the answer is a line a row,
then ``{"last": N}``, the number of the newest row. ``"bare": true`` leaves the bodies out, and
``"newest": N`` asks for so many of the newest rows only. Few rows are read at a time: nothing here
may keep an order waiting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import attrs
import trio

from bot4.errors import JournalFault

QUESTION_LIMIT: Final = 2000
"""Bytes."""
TALK_LIMIT_S: Final = 60.0
SPAN: Final = 100
"""Rows looked at in one go."""
SPAN_OF_KINDS: Final = 2000
"""The same when most of them are not wanted."""
NEWEST_LIMIT: Final = 200
REST_S: Final = 0.001
KINDS_LIMIT: Final = 20
UNANSWERED: Final = (trio.BrokenResourceError, trio.ClosedResourceError, JournalFault)


class Raw(Protocol):
    """One row as it lies there."""

    row: int
    wall_ms: int
    kind: str
    trade_id: str
    client_order_id: str
    body: str


class Rows(Protocol):
    """What of the journal may be read."""

    @property
    def last_row(self) -> int:
        """Number of the newest row."""

    def span(self, after: int, until: int, kinds: Sequence[str], *, bare: bool) -> Sequence[Any]:
        """Return the ``Raw`` rows after one up to another, of some kinds when named."""

    def newest(self, kinds: Sequence[str], count: int) -> Sequence[Any]:
        """Return the newest ``Raw`` rows of some kinds."""


@attrs.frozen
class Question:
    """What is asked."""

    after: int
    kinds: list[str]
    bare: bool
    newest: int
    """0: all."""


@attrs.frozen
class Window:
    """Answers whoever asks on one listener."""

    journal: Rows
    listener: trio.SocketListener

    async def keep(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Answer for ever. Cancellation: hangs up."""
        task_status.started()
        await trio.serve_listeners(self._talk, [self.listener])

    async def _talk(self, stream: trio.SocketStream) -> None:
        # Whoever asked sees that the last line is missing.
        with trio.move_on_after(TALK_LIMIT_S), suppress(*UNANSWERED):
            await self._answer(stream)
        with trio.move_on_after(REST_S, shield=True):
            await stream.aclose()

    async def _answer(self, stream: trio.SocketStream) -> None:
        question = await _question(stream)
        if question is None:
            return
        last = self.journal.last_row
        if question.newest:
            await _send(stream, self.journal.newest(question.kinds, question.newest))
        else:
            await self._send_all(stream, question, last)
        await stream.send_all(json.dumps({"last": last}).encode() + b"\n")

    async def _send_all(self, stream: trio.SocketStream, question: Question, last: int) -> None:
        after, step = question.after, SPAN_OF_KINDS if question.kinds else SPAN
        while after < last:
            until = min(after + step, last)
            rows = self.journal.span(after, until, question.kinds, bare=question.bare)
            after = until
            await _send(stream, rows)
            await trio.sleep(REST_S)


async def _send(stream: trio.SocketStream, rows: Sequence[Raw]) -> None:
    lines = [
        json.dumps(
            [row.row, row.wall_ms, row.kind, row.trade_id, row.client_order_id, row.body]
        ).encode()
        for row in rows
    ]
    if lines:
        await stream.send_all(b"\n".join([*lines, b""]))


async def _question(stream: trio.SocketStream) -> Question | None:
    raw = b""
    while b"\n" not in raw:
        more = await stream.receive_some(QUESTION_LIMIT)
        raw += more
        if not more or len(raw) > QUESTION_LIMIT:
            return None
    try:
        asked = json.loads(raw)
        question = Question(
            after=int(asked.get("after", 0)),
            kinds=list(map(str, asked.get("kinds", ()))),
            bare=asked.get("bare") is True,
            newest=int(asked.get("newest", 0)),
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    fits = question.after >= 0 and 0 <= question.newest <= NEWEST_LIMIT
    return question if fits and len(question.kinds) <= KINDS_LIMIT else None
