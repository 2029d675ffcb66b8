"""A venue that says how long to wait (Retry-After) is not asked before; what closes goes."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from bot4.ports import Answer, Errand, Pool, Request
from bot4.tasks.gate import Gate
from bot4.tasks.line import Line

LONG_S = 7.0


class Door:
    """Answers the first request 429, the others 200."""

    def __init__(self, retry_after: str) -> None:
        self.headers = {"retry-after": retry_after} if retry_after else {}
        self.sent: list[tuple[str, float]] = []

    async def send(self, request: Request, *, timeout_s: float) -> Answer:
        now = trio.current_time()
        self.sent.append((request.path, now))
        first = len(self.sent) == 1
        return Answer(429 if first else 200, self.headers if first else {}, b"", now, now)


def errand(path: str, pool: Pool) -> Errand[int]:
    return Errand(Request("GET", path), lambda answer: answer.status, pool)


@pytest.mark.parametrize(
    ("said", "waits_s"),
    [("7", LONG_S), ("86400", 60.0), ("", 0.0), ("soon", 0.0), ("-5", 0.0), ("0", 0.0)],
)
async def test_questions_wait_as_long_as_the_venue_says_and_cancels_do_not(
    make_venue: Any, world: Any, lines: Any, autojump_clock: Any, said: str, waits_s: float
):
    door, gate = Door(said), Gate()
    line = Line(make_venue("vest"), door, world, gate=gate)  # type: ignore[arg-type]

    assert await line.ask(errand("/account", Pool.READ)) == 429
    stopped = dict(gate.reasons)
    await line.ask(errand("/orders/cancel", Pool.SAFETY))
    await line.ask(errand("/orders", Pool.READ))

    began = door.sent[0][1]
    times = {path: at - began for path, at in door.sent}
    assert times == {"/account": 0.0, "/orders/cancel": 0.0, "/orders": pytest.approx(waits_s)}
    assert bool(stopped) is bool(waits_s)
    assert gate.open
