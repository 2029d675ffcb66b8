"""Markets that refused an order, for executing none or for its size: nothing opens there."""

from __future__ import annotations

from typing import Final

import attrs
import trio

from bot4.domain.market import MarketKey
from bot4.tasks.backoff import Pause
from bot4.tasks.gate import Gate

CLOSE_AGAIN_S: Final = 3.0
"""After so long a hedged pair is tried again: its other leg leaves only once this one is taken."""
FIRST_S: Final = 10.0
MOST_S: Final = 60.0
"""How long nothing opens there: doubled with each refusal after the pause. Source: ours."""


@attrs.frozen
class Refusal:
    """The last one of a market. Times in Trio's."""

    why: str
    close_again_at: float
    pause: Pause
    """Nothing opens before it is over."""


@attrs.define
class RefusedMarkets:
    """Remembers the refusals of one venue; where it tells halts itself, ``Upkeep`` asks it."""

    venue: str
    gate: Gate
    _last: dict[str, Refusal] = attrs.field(factory=dict)

    def refused(self, symbol: str, why: str) -> None:
        """An order was refused: no order is executed on this market now."""
        before = self._last.get(symbol)
        pause = Pause(FIRST_S, MOST_S) if before is None else before.pause
        pause.begin()
        self._last[symbol] = Refusal(why, trio.current_time() + CLOSE_AGAIN_S, pause)
        self._block(symbol, shut=True)

    def accepted(self, symbol: str) -> None:
        """An order was accepted."""
        if self._last.pop(symbol, None) is not None:
            self.gate.clear(self._name(symbol))

    def expire(self) -> None:
        """Let those be tried again whose time is over. The next refusal doubles it all the same."""
        for symbol, last in self._last.items():
            if last.pause.over:
                self.gate.clear(self._name(symbol))
            elif last.close_again_at <= trio.current_time():
                self._block(symbol, shut=False)

    def _block(self, symbol: str, *, shut: bool) -> None:
        self.gate.block(
            self._name(symbol),
            f"{self.venue} executes no orders on {symbol}: {self._last[symbol].why}",
            "wait: it is tried again",
            on=MarketKey(self.venue, symbol),
            shut=shut,
        )

    def _name(self, symbol: str) -> str:
        return f"{self.venue} {symbol} refused"


LIMIT_FIRST_S: Final = 60.0
LIMIT_MOST_S: Final = 4 * 3600.0
"""How long nothing opens on a market whose limits refused an order and do not say why: doubled
with each after the pause. Each costs a leg that is taken back. Source: ours."""


@attrs.define
class RefusedSizes:
    """Markets of one venue whose limits refused an order: nothing opens there until they change."""

    venue: str
    gate: Gate
    unread: set[str] = attrs.field(factory=set)
    """Those whose limits are to be read anew."""
    _pauses: dict[str, Pause] = attrs.field(factory=dict)

    def refused(self, symbol: str, why: str) -> None:
        """An order was refused for its size, or for how many are open."""
        pause = self._pauses.setdefault(symbol, Pause(LIMIT_FIRST_S, LIMIT_MOST_S))
        pause.begin()
        self.unread.add(symbol)
        self.gate.block(
            self._name(symbol),
            f"{self.venue} refused the size of an order on {symbol}: {why}",
            f"nothing: it is tried again in {pause.seconds:.0f} s, sooner if its limits change; a "
            "smaller notional in bot4.yaml may be taken",
            on=MarketKey(self.venue, symbol),
        )

    def read(self, symbol: str, *, changed: bool) -> None:
        """The market's limits were read anew."""
        self.unread.discard(symbol)
        if changed and self._pauses.pop(symbol, None) is not None:
            self.gate.clear(self._name(symbol))

    def expire(self) -> None:
        """Let those be tried again whose time is over."""
        for symbol, pause in self._pauses.items():
            if pause.over:
                self.gate.clear(self._name(symbol))

    def _name(self, symbol: str) -> str:
        return f"{self.venue} {symbol} limits"
