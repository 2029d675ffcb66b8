"""What a pair remembers between evaluations: confirmations, usual exits, the last pictures."""

from __future__ import annotations

from bot4.domain.market import VENUES, other
from bot4.domain.units import E8, to_e8
from bot4.strategy.confirmation import Broken, Confirmation, Confirmed, Seen, Waiting
from bot4.strategy.depth import ThinBook
from bot4.strategy.edge import ExitHistory
from bot4.strategy.rules import Rules
from bot4.strategy.spread import evaluate
from bot4.strategy.view import View


class Memory:
    """One per pair, kept by whoever calls ``decide``."""

    def __init__(self, rules: Rules) -> None:
        entry = rules.entry
        self.confirmations = {
            venue: Confirmation(entry.confirm_ms, entry.confirm_prices) for venue in VENUES
        }
        """By the venue of the long leg."""
        self.history = {venue: ExitHistory(entry.exit_history_s) for venue in VENUES}
        """Exit spreads by the venue of the long leg."""
        self._published = (0, 0)
        self.detected_at = 0.0
        """Arrival of the newest frame, or the time of an evaluation that no frame caused."""

    @property
    def flickers(self) -> int:
        """Gaps that closed before they were confirmed, both directions."""
        return sum(one.flickers for one in self.confirmations.values())

    def look(self, view: View, rules: Rules) -> None:
        """Note what a usable picture says besides the decision it leads to."""
        published = (view.vest_published, view.paradex_published)
        books = view.books().values()
        newest = max(book.received_at for book in books)
        self.detected_at = newest if published != self._published else view.now_s
        self._published = published
        if any(history.due(view.now_s) for history in self.history.values()):
            self._sample(view, rules)

    def saw(self, view: View, long_venue: str, *, enough: bool) -> Confirmed | Waiting | Broken:
        """Tell the direction's confirmation of this evaluation."""
        short_venue, books = other(long_venue), view.books()
        return self.confirmations[long_venue].saw(
            view.now_s,
            enough=enough,
            long=Seen(view.published(long_venue), books[long_venue].ask),
            short=Seen(view.published(short_venue), books[short_venue].bid),
        )

    def blind(self, now_s: float) -> None:
        """No usable picture: no gap can be seen to last."""
        for confirmation in self.confirmations.values():
            confirmation.blind(now_s)

    def restart(self) -> None:
        """A pair was opened or is held: gaps are confirmed anew afterwards."""
        for confirmation in self.confirmations.values():
            confirmation.restart()

    def _sample(self, view: View, rules: Rules) -> None:
        books, lot = view.books(), to_e8(view.pair.lot)
        vest, paradex = (books[venue] for venue in VENUES)
        wanted = to_e8(rules.size.notional) * E8 // vest.ask
        size = max(wanted // lot, 1) * lot
        try:
            spreads = evaluate(vest, paradex, size, view.rate)
        except ThinBook:
            return
        for venue, history in self.history.items():
            history.add(view.now_s, spreads.leave(venue))
