"""How long tests, and the clients of conformance, wait on the machine's own clock, and why.

A machine may be loaded by others, so nothing waits for time where it can wait for an event. What
is left has two kinds. A ``Bound`` ends what hangs: it is at least ten times what the thing usually
takes on two slow cores, and says nothing about speed, which ``scripts/bench`` and the tests under
a mock clock judge. A ``Pause`` has to pass because its passing is the story; being later than it
does no harm. ``tests/house/test_timeouts.py`` holds the tests to this list.

Plain standard library: the conformance clients read it in environments of their own.
"""

from __future__ import annotations

from typing import Self

TIMES = 10
"""A bound is so many times the usual, or more."""


class Bound(float):
    """Seconds after which something is taken to hang.

    Args:
        seconds: the bound.
        usual: what it takes on two slow cores with nothing else to do, seconds.
        why: what is bounded, and why there is no event that could be waited for alone.
    """

    usual: float
    why: str

    def __new__(cls, seconds: float, usual: float, why: str) -> Self:
        """Make the number that carries its reason."""
        bound = super().__new__(cls, seconds)
        bound.usual, bound.why = usual, why
        return bound


class Pause(float):
    """Seconds that must pass, at least.

    Args:
        seconds: the least.
        why: what it is for, and why a longer one changes nothing.
    """

    why: str

    def __new__(cls, seconds: float, why: str) -> Self:
        """Make the number that carries its reason."""
        pause = super().__new__(cls, seconds)
        pause.why = why
        return pause


# ------------------------------------------------------------------------------ real processes

STORY_S = Bound(300, 15, "one story of a real bot, start to end; a bot that hangs says nothing")
LONG_STORY_S = Bound(600, 50, "the same with a guard, which waits for a bot's silence by itself")
LINE_S = Bound(120, 6, "one line of a bot's log, its start included; it may never come")
ENDS_S = Bound(60, 2, "the end of a process that was asked to end; it may not hear")
COMMAND_S = Bound(120, 3, "one command or script, start to end; it may wait for a lock for ever")
RECOVERED_S = Bound(
    180, 6, "a bot's start, until the account is hedged or flat and every old trade is resolved"
)
KILLED_S = Bound(10, 0.05, "the end of a process after SIGKILL; left of a test, never its story")
VENUES_S = Bound(120, 3, "the start of the simulated venues as a process, a few requests, the end")
REQUEST_S = Bound(60, 0.05, "one request over loopback; the other end may hang")
LOOPBACK_S = Bound(60, 0.5, "a few exchanges over loopback TLS in one process; a task may hang")
SIGNALLED_S = Bound(30, 0.05, "what ends by a signal, in one process; it may be deaf to it")
TYPED_S = Bound(60, 0.5, "a question at a terminal and its answer; the prompt may never come")
SCRIPT_S = Bound(600, 20, "a script of ours as a process, start to end")

NEXT_WISH_S = Pause(1.05, "what is nearer than a second is the same wish to stop")

MOMENT_S = Pause(1 / 60, "Ctrl+C comes that much later each time, over the first second of a start")
ASLEEP_S = Pause(7, "a process that is stopped is away for longer than a feed may be silent")
GUARD_SILENCE_S = Pause(10, "a bot is dead for its guard then; it speaks every second")

# ---------------------------------------------------------------------------------- databases

DATABASE_S = Bound(300, 4, "the start of PostgreSQL and PostgREST; they may not come up")
ANSWERED_S = Bound(300, 5, "something that the copy in a real database must show; nobody tells")
SENT_S = Bound(300, 2, "every row has arrived in a real database; the outbox tells nobody")
KEEPER_S = Bound(600, 10, "a keeper's life beside a real database; it may hang")
PLAYED_S = Bound(3600, 120, "an event of a bot beside a real database, seconds of its fast clock")
PACE_S = Pause(0.01, "lets others have a turn between two things that are done to them")
QUIET_S = Pause(0.2, "nothing may happen meanwhile; on a busy machine less could, never more")

# -------------------------------------------------------------------------------- conformance

CLIENT_ANSWER_S = Bound(180, 5, "news that a client waits for: a frame, an order's end")
CLIENT_S = Bound(900, 60, "one client against the venues; its first start compiles it")
