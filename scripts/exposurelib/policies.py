"""What to do about a failed leg: ours, and what other bots publish that they do.

A policy is the product's own mender with another answer to one question: an entry has one leg on
and the other not, what now? Everything else is the product's for all of them: detection, size,
first orders, the tracking of orders in doubt, exits. Real ones know less, so this flatters them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import attrs

from bot4.domain.market import PARADEX, VEST, other
from bot4.domain.order import Purpose
from bot4.domain.units import floor_step
from bot4.strategy.events import Compensate
from bot4.strategy.limits import unwind_limit
from bot4.strategy.saga import Trade
from bot4.tasks.dispatch import Dispatcher, Signed, Wanted
from bot4.tasks.mending import Mender


@attrs.define
class Standing:
    """How far a policy has got with a trade."""

    asked: bool = False
    """Whether there was ever anything to answer."""
    given_up: bool = False
    """Nothing more is done: a person has to come."""
    trade_id: str = ""
    """Which trade this is about; another one is begun afresh."""


@attrs.frozen
class Policy(Mender):
    """The product's mender, as it is: complete or take back, whichever costs less now."""

    standing: Standing = attrs.field(factory=Standing)

    def compensate(self, trade: Trade, action: Compensate) -> None:
        """Answer the question for an entry; exits go forward as the product's do."""
        standing, trade_id = self.standing, trade.plan.trade_id
        if standing.trade_id != trade_id:
            standing.trade_id, standing.given_up = trade_id, False
        if trade.closing:
            Mender.compensate(self, trade, action)
        elif not standing.given_up:
            standing.asked = True
            self.answer(trade, action)

    def answer(self, trade: Trade, action: Compensate) -> None:
        """Ours."""
        Mender.compensate(self, trade, action)

    def give_up(self) -> None:
        """Do nothing more."""
        self.standing.given_up = True

    def proceed(self, trade: Trade, action: Compensate, rung_bps: int | None) -> None:
        """Send the missing leg, as far beyond the touch as the rung lets it."""
        excess, pair = action.excess, self.judge.pair
        market = pair.on(other(excess.venue))
        book = self.judge.books.get(market.key)
        size = floor_step(excess.size, market.lot)
        if book is None or size <= 0:
            return
        # What reduces the excess here is what completes the pair there.
        limit = unwind_limit(book.book, excess.side, rung_bps, market)
        wanted = self._wanted(trade, market.key.venue, excess.side, size, limit)
        self._send(trade, attrs.evolve(wanted, purpose=Purpose.MEND, reduce_only=False))

    def reverse(self, trade: Trade, action: Compensate, rung_bps: int | None) -> None:
        """Take the filled leg back, as far beyond the touch as the rung lets it."""
        excess, pair = action.excess, self.judge.pair
        book = self.judge.books.get(trade.plan.key(excess.venue))
        if book is None:
            return
        limit = unwind_limit(book.book, excess.side, rung_bps, pair.on(excess.venue))
        self._send(trade, self._wanted(trade, excess.venue, excess.side, excess.size, limit))

    def rung(self, trade: Trade) -> int:
        """Return how far the next attempt goes, as the product escalates."""
        rungs = self.execution.unwind_rungs_bps
        return rungs[min(trade.compensations, len(rungs) - 1)]


@attrs.frozen
class AlwaysReverse(Policy):
    """Take the filled leg back, whatever it costs, until it is gone."""

    def answer(self, trade: Trade, action: Compensate) -> None:
        """Go back."""
        self.reverse(trade, action, self.rung(trade))


@attrs.frozen
class AlwaysProceed(Policy):
    """Complete the pair, whatever it costs, until it is on."""

    def answer(self, trade: Trade, action: Compensate) -> None:
        """Go on."""
        self.proceed(trade, action, self.rung(trade))


@attrs.frozen
class RetryThenAbandon(Policy):
    """Send the missing leg at market, at once, three times; then leave it (hummingbot, crossex)."""

    attempts: ClassVar[int] = 3

    def answer(self, trade: Trade, action: Compensate) -> None:
        """Try, or leave it."""
        if trade.compensations >= self.attempts:
            self.give_up()
        else:
            self.attempt(trade, action)

    def attempt(self, trade: Trade, action: Compensate) -> None:
        """Send one order at market."""
        self.proceed(trade, action, None)


@attrs.frozen
class ProceedOnce(RetryThenAbandon):
    """One order at market for the missing leg, and no second look (r2)."""

    attempts: ClassVar[int] = 1


@attrs.frozen
class ReverseOnce(ProceedOnce):
    """One order at market that takes the filled leg back, and no second look (r2)."""

    def attempt(self, trade: Trade, action: Compensate) -> None:
        """Send it."""
        self.reverse(trade, action, None)


@attrs.frozen
class DoNothing(Policy):
    """Log it and go on."""

    def answer(self, trade: Trade, action: Compensate) -> None:
        """Leave it."""
        self.give_up()


class SerialDispatcher(Dispatcher):
    """Signs only one leg of an entry; the other waits for its fill."""

    first: str = VEST
    waiting: Wanted | None = None

    def sign(
        self, trade_id: str, wanted: Sequence[Wanted], later_ms: int = 0
    ) -> tuple[Signed, ...]:
        """Keep the second leg of an entry back."""
        if len(wanted) > 1 and all(want.purpose is Purpose.ENTER for want in wanted):
            (self.waiting,) = (want for want in wanted if want.key.venue != self.first)
            wanted = [want for want in wanted if want.key.venue == self.first]
        return super().sign(trade_id, wanted, later_ms)


@attrs.frozen
class Serial(Policy):
    """One leg first, the other once it has filled, at the limit that was coupled with it."""

    def answer(self, trade: Trade, action: Compensate) -> None:
        """Send the second leg; when that fails too, mend as the product does."""
        second = self._second()
        if second is None:
            Mender.compensate(self, trade, action)
            return
        size = floor_step(action.excess.size, self.judge.pair.on(second.key.venue).lot)
        if size > 0:
            self._send(trade, attrs.evolve(second, size=size, purpose=Purpose.MEND))

    def _second(self) -> Wanted | None:
        """Take the leg that waits, once."""
        if not isinstance(self.dispatcher, SerialDispatcher):
            return None
        second, self.dispatcher.waiting = self.dispatcher.waiting, None
        return second


@attrs.frozen
class Kind:
    """One line of the table."""

    mender: type[Policy]
    first: str | None = None
    """The venue a serial policy begins at."""
    however_late: bool = False
    """Whether completing is allowed without a limit of time."""


OURS: Final = "ours"
STATIC: Final = ("always reverse", "always proceed")
POLICIES: Final[Mapping[str, Kind]] = {
    OURS: Kind(Policy),
    "ours, however late": Kind(Policy, however_late=True),
    "always reverse": Kind(AlwaysReverse),
    "always proceed": Kind(AlwaysProceed),
    "retry at market x3, abandon": Kind(RetryThenAbandon),
    "reverse once at market": Kind(ReverseOnce),
    "proceed once at market": Kind(ProceedOnce),
    "serial, hedge x3, halt": Kind(RetryThenAbandon, PARADEX),
    "serial, vest first": Kind(Serial, VEST),
    "serial, paradex first": Kind(Serial, PARADEX),
    "do nothing": Kind(DoNothing),
}
