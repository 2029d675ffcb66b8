"""How naked a trade is, by the venues' truth, and why, by what the bot knows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import attrs
import trio

from bot4.domain.order import Purpose
from bot4.strategy.legs import LegState
from bot4.strategy.saga import State, Trade
from exposurelib.twins import Twins

KINDS: Final = ("skew", "repair", "doubt", "dark")
"""Both planned orders still under way; being mended or taken back; an order's fate is unknown;
the venue that holds the excess, or is to tell an order's fate, does not answer."""
DUST_USD: Final = 10.0
"""Below the smallest order nothing can be traded away."""
UNSURE: Final = (LegState.DOUBT, LegState.CANCELLING)


@attrs.define
class Meter:
    """Integrates |net| x price over time. ``note`` is to be called at every change."""

    twins: Twins
    trade: Callable[[], Trade | None]
    usd_s: dict[str, float] = attrs.field(factory=lambda: dict.fromkeys(KINDS, 0.0))
    largest_usd: float = 0.0
    longest_s: float = 0.0
    size_ms: float = 0.0
    """Base units x milliseconds."""
    _at: float = 0.0
    _net: Decimal = Decimal(0)
    _kind: str = "skew"
    _since: float | None = None

    def note(self) -> None:
        """Close the stretch that ends now, and see what the next one is."""
        now, price = trio.current_time(), self.twins.price()
        naked_usd, lasted = abs(float(self._net)) * price, now - self._at
        if self._net and lasted > 0:
            self.usd_s[self._kind] += naked_usd * lasted
            self.size_ms += abs(float(self._net)) * lasted * 1000
            self.largest_usd = max(self.largest_usd, naked_usd)
        if self._since is not None:
            self.longest_s = max(self.longest_s, now - self._since)
        held = self.twins.positions()
        net = sum(held.values(), Decimal(0))
        self._at, self._net = now, net if abs(float(net)) * price >= DUST_USD else Decimal(0)
        if not self._net:
            self._since = None
            return
        self._since = now if self._since is None else self._since
        excess = max(held, key=lambda venue: held[venue] * (1 if net > 0 else -1))
        self._kind = self._why(excess)

    @property
    def naked(self) -> bool:
        """Whether a leg is alone now."""
        return bool(self._net)

    @property
    def total(self) -> float:
        """USD seconds."""
        return sum(self.usd_s.values())

    def _why(self, excess: str) -> str:
        trade = self.trade()
        unsure = [leg for leg in trade.legs if leg.state in UNSURE] if trade else []
        if any(self.twins.dark(venue) for venue in (excess, *(u.order.key.venue for u in unsure))):
            return "dark"
        if unsure:
            return "doubt"
        if trade is None:
            return "repair"
        planned = trade.legs[-1].order.purpose in (Purpose.ENTER, Purpose.EXIT)
        waits = bool(trade.open_legs()) and trade.state in (State.OPENING, State.CLOSING)
        return "skew" if planned and waits else "repair"
