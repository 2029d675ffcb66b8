"""Whether a gap is real: it must last, and both venues must have spoken since it opened.

A gap that one venue opens is often only the other's picture being late. So the venue that did
not move has to publish after the one that did, and the gap has to survive that.
"""

from __future__ import annotations

from math import ceil

import attrs


@attrs.frozen
class Confirmed:
    """The gap is real. ``lived_ms`` since it opened."""

    lived_ms: int


@attrs.frozen
class Waiting:
    """The gap is open but young. ``left_ms`` is 0 when only prices are missing."""

    left_ms: int
    why: str


@attrs.frozen
class Broken:
    """No gap. ``lived_ms`` is how long the one that just closed lasted, None when none did."""

    lived_ms: int | None = None


@attrs.frozen
class Seen:
    """What one venue's book says of one direction."""

    published: int
    """How many books the venue has published; rises by one with each, moved or not."""
    price: int
    """e8: the ask where we would buy, the bid where we would sell."""


_NOTHING = Broken()


class Confirmation:
    """Watches one direction of one pair. Told of every evaluation, in order."""

    def __init__(self, confirm_ms: int, prices: int) -> None:
        self._confirm_ms = confirm_ms
        self._prices = prices
        self._since: float | None = None
        self._base = (0, 0)
        """Published counts just before the gap opened."""
        self._answer_to_long = self._answer_to_short = 0
        """The short venue's count when the long one last moved our way, and the reverse."""
        self._last: tuple[Seen, Seen] | None = None
        self.flickers = 0
        """Gaps that closed before they were confirmed."""
        self._fresh = True
        """Whether the gap that is open has not been confirmed yet."""

    def saw(
        self, now_s: float, *, enough: bool, long: Seen, short: Seen
    ) -> Confirmed | Waiting | Broken:
        """Take one evaluation into account.

        Args:
            now_s: Trio time.
            enough: whether the spread is at or above the threshold.
            long: the venue where we would buy.
            short: the venue where we would sell.
        """
        before = self._last
        self._last = (long, short)
        if not enough:
            return self._break(now_s)
        if self._since is None:
            self._open(now_s, before, long, short)
        self._note_moves(before, long, short)
        lived_ms = self._lived_ms(now_s)
        if lived_ms < self._confirm_ms:
            return Waiting(ceil(self._confirm_ms - lived_ms), "it has to last")
        missing = self._missing(long, short)
        if missing:
            return Waiting(0, missing)
        self._fresh = False
        return Confirmed(int(lived_ms))

    def blind(self, now_s: float) -> Broken:
        """There is no picture to see a gap in: counts may begin anew when there is one again."""
        self._last = None
        return self._break(now_s)

    def restart(self) -> None:
        """Begin anew after the gap was traded: it must be confirmed again."""
        self._since = None
        self._last = None

    def _break(self, now_s: float) -> Broken:
        if self._since is None:
            return _NOTHING
        lived_ms = int(self._lived_ms(now_s))
        self._since = None
        if self._fresh:
            self.flickers += 1
        return Broken(lived_ms)

    def _lived_ms(self, now_s: float) -> float:
        # Rounded to the microsecond, so that 600 ms are reached after 600 ms.
        return 0.0 if self._since is None else round((now_s - self._since) * 1000, 3)

    def _open(
        self, now_s: float, before: tuple[Seen, Seen] | None, long: Seen, short: Seen
    ) -> None:
        # The frame that opened the gap counts as one of its venue's prices.
        one, two = before or (long, short)
        self._since, self._fresh = now_s, True
        self._base = (one.published, two.published)
        self._answer_to_long = two.published if before else short.published
        self._answer_to_short = one.published if before else long.published

    def _note_moves(self, before: tuple[Seen, Seen] | None, long: Seen, short: Seen) -> None:
        """Remember who moved. Only a move that widens the gap needs an answer.

        Counting every change of a touch would wait for ever on two venues that both change with
        each frame; a venue cannot widen the gap for ever without its being one.
        """
        if before is None:
            return
        if long.price < before[0].price:
            self._answer_to_long = short.published
        if short.price > before[1].price:
            self._answer_to_short = long.published

    def _missing(self, long: Seen, short: Seen) -> str:
        if (
            long.published - self._base[0] < self._prices
            or short.published - self._base[1] < self._prices
        ):
            return f"each venue must publish {self._prices} prices"
        if short.published <= self._answer_to_long or long.published <= self._answer_to_short:
            return "the venue that did not move must publish after the one that did"
        return ""
