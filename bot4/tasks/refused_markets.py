"""Markets that refused an order because they execute none: they are taken for shut for a while."""

from __future__ import annotations

from typing import Final

import attrs
import trio

from bot4.domain.market import MarketKey
from bot4.tasks.gate import Gate

CLOSE_AGAIN_S: Final = 3.0
"""After so long a hedged pair is tried again: its other leg leaves only once this one is taken."""
FIRST_S: Final = 10.0
MOST_S: Final = 600.0
"""How long nothing opens there: doubled with each refusal in a row. Source: ours."""


@attrs.frozen
class Refusal:
    """The last one of a market. Times in Trio's."""

    why: str
    close_again_at: float
    open_again_at: float
    pause_s: float


@attrs.define
class RefusedMarkets:
    """Remembers the refusals of one venue; where it tells halts itself, ``Upkeep`` asks it."""

    venue: str
    gate: Gate
    _last: dict[str, Refusal] = attrs.field(factory=dict)

    def refused(self, symbol: str, why: str) -> None:
        """An order was refused: no order is executed on this market now."""
        now, before = trio.current_time(), self._last.get(symbol)
        pause_s = FIRST_S if before is None else min(before.pause_s * 2, MOST_S)
        self._last[symbol] = Refusal(why, now + CLOSE_AGAIN_S, now + pause_s, pause_s)
        self._block(symbol, shut=True)

    def accepted(self, symbol: str) -> None:
        """An order was accepted."""
        if self._last.pop(symbol, None) is not None:
            self.gate.clear(self._name(symbol))

    def expire(self) -> None:
        """Let those be tried again whose time is over. The next refusal doubles it all the same."""
        now = trio.current_time()
        for symbol, last in self._last.items():
            if last.open_again_at <= now:
                self.gate.clear(self._name(symbol))
            elif last.close_again_at <= now:
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
