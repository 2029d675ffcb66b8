"""Watches a bot from another process: is it alive, silent for a while, or to be taken for dead?

A sign of life comes from the bot's own event loop: its status file, written every second, or an
answer on its socket. So a loop that hangs is noticed, and a full disk alone is no death.
"""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import Final, Protocol

import attrs
import structlog
import trio

from bot4.errors import StartRefused
from bot4.invocation import command

log = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0
HUSH_S: Final = 2.5
"""After so long without a word the bot is asked on its socket. It speaks every second."""
SLEPT_S: Final = 5.0
"""Between two of our looks: then we did not run either, and nobody's silence counts."""
RECENT_MS: Final = 600_000
"""A last word older than this at our start is of a death that others took care of by now."""


class Verdict(Enum):
    """What to think of the bot now."""

    NOBODY = "no bot runs, or it ended in order"
    ALIVE = "it spoke"
    QUIET = "it has not spoken for a while"
    SILENT = "it has not spoken for too long"


@attrs.frozen
class Word:
    """The last that the bot said of itself."""

    pid: int
    birth: str
    """When the process began; "" where the machine does not tell."""
    wall_ms: int


@attrs.define
class Watch:
    """Judges one look after the other. Pure: times are handed in."""

    silence_s: float
    _word: Word | None = None
    _spoke_at: float = -inf
    _looked_at: float = -inf
    _old: Word | None = None
    """Of a bot that had died long before we began."""

    def hushed(self, word: Word | None, now_s: float) -> bool:
        """Whether it is worth asking: the word is the known one, and not new."""
        return word is not None and word == self._word and now_s - self._spoke_at >= HUSH_S

    def look(self, word: Word | None, now_s: float, wall_ms: int, *, answered: bool) -> Verdict:
        """Judge the bot by its last word and by whether it answered just now.

        Args:
            word: the newest; None when nobody speaks.
            now_s: Trio time.
            wall_ms: the wall clock, used at the first look only.
            answered: it answered on its socket just now.
        """
        first, slept = self._looked_at == -inf, now_s - self._looked_at > SLEPT_S
        self._looked_at = now_s
        if word is None:
            self._word = self._old = None
            return Verdict.NOBODY
        if first and abs(wall_ms - word.wall_ms) > RECENT_MS:
            self._old = word
        if word == self._old and not answered:
            return Verdict.NOBODY
        if word != self._word or answered or slept:
            self._spoke_at = now_s
        self._word, self._old = word, None
        silent_s = now_s - self._spoke_at
        if silent_s >= self.silence_s:
            return Verdict.SILENT
        return Verdict.QUIET if silent_s >= HUSH_S else Verdict.ALIVE

    def settle(self, word: Word) -> None:
        """This bot was cleaned up after: its last word says no more, should it not go away."""
        self._old = word

    def wait_again(self, now_s: float) -> None:
        """Whatever was tried failed: the silence is counted anew before the next try."""
        self._spoke_at = now_s


@attrs.frozen
class CleanUp:
    """What came of cleaning up."""

    proven: bool
    """No order is open, and no leg alone."""
    held: str
    """What each venue holds, in words; "" when nothing."""


class Hands(Protocol):
    """What the guard can see and do."""

    def word(self) -> Word | None:
        """Return the bot's last word; None when it has none, or took it back in order."""

    async def answers(self) -> bool:
        """Ask the bot on its socket. Cancellation: safe."""

    def wall_ms(self) -> int:
        """Our wall clock, ms since the epoch."""

    async def bury(self, word: Word) -> None:
        """Make sure that the process which said this is dead.

        Raises:
            StartRefused: it cannot be proven.
        """

    async def clean_up(self) -> CleanUp:
        """Take the journal's lock, cancel all, close what is alone, or all where configured.

        Raises:
            StartRefused: the account may be in other hands; nothing was touched.
        """


@attrs.define
class Guard:
    """Keeps watch for ever."""

    hands: Hands
    silence_s: float
    flattens: bool
    at_work: bool = False
    """Whether it acts at this moment."""
    _seen: tuple[int, str] | None = None

    async def keep(self) -> None:
        """Look every second; act on a bot that is to be taken for dead.

        Cancellation: safe while watching; at work it may leave the account half cleaned up.
        """
        watch, hands = Watch(self.silence_s), self.hands
        while True:
            now_s, word = trio.current_time(), hands.word()
            answered = watch.hushed(word, now_s) and await hands.answers()
            verdict = watch.look(word, now_s, hands.wall_ms(), answered=answered)
            if word is not None and verdict is not Verdict.NOBODY:
                self._greet(word)
            if word is not None and verdict is Verdict.SILENT:
                if await self._act(word):
                    watch.settle(word)
                watch.wait_again(trio.current_time())
            await trio.sleep(LOOK_EVERY_S)

    def _greet(self, word: Word) -> None:
        if (word.pid, word.birth) == self._seen:
            return
        self._seen = word.pid, word.birth
        what = "cancel all and close all"
        if not self.flattens:
            what = "cancel all and close a leg that is alone; a hedged pair stays"
        log.info(
            "guard.watching",
            message=f"[GUARD] Watching the bot, process {word.pid}; "
            f"after {self.silence_s:g} s of silence: {what}",
            pid=word.pid,
            silence_s=self.silence_s,
            flattens=self.flattens,
        )

    async def _act(self, word: Word) -> bool:
        """Do all of it; whether nothing is left to do."""
        self.at_work = True
        end: CleanUp | None = None
        why = f"process {word.pid} gave no sign of life for {self.silence_s:g} s"
        log.critical(
            "guard.silent",
            message=f"[GUARD] The bot is taken for dead: {why}",
            pid=word.pid,
            why=why,
            do="nothing: the guard makes sure that it is dead, then cleans up; look why it died",
        )
        try:
            await self.hands.bury(word)
            end = await self.hands.clean_up()
        except StartRefused as refused:
            log.error(
                "guard.stepped_back",
                message=f"[GUARD] The account was not touched: {refused.why}",
                why=refused.why,
                do="nothing if you started the bot again; "
                f"else end it and run {command('flatten')}",
            )
        else:
            self._tell_end(end)
        self.at_work = False
        return end is not None and end.proven

    def _tell_end(self, end: CleanUp) -> None:
        if not end.proven:
            why = "a venue could not be proven clean, see above"
            log.error(
                "guard.finished",
                message=f"[GUARD] NOT cleaned up, tried again in {self.silence_s:g} s; "
                f"held: {end.held or 'nothing'}",
                held=end.held,
                why=why,
                do="look at both venues' pages now",
            )
        elif end.held:
            log.warning(
                "guard.finished",
                message=f"[GUARD] Cleaned up; held, and watched by nobody: {end.held}",
                held=end.held,
                why="what is hedged stays on where guard.flatten is false",
                do=f"start the bot, which takes it up, or run {command('flatten')}",
            )
        else:
            log.info(
                "guard.finished",
                message="[GUARD] Cleaned up, nothing is held; waiting for the next bot",
                held="",
            )
