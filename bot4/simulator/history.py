"""What a market remembers of itself: minutes of prices, the tape of trades, funding rates.

It lives with the process: a restarted world begins a new history. Bounded, oldest out first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import attrs

from bot4.simulator.orders import ZERO, Side

MINUTE_MS: Final = 60_000
MOST_MINUTES: Final = 2_000
MOST_TRADES: Final = 1_000


@attrs.frozen
class TapeTrade:
    """One trade as the public sees it: ``side`` is the taker's."""

    number: int
    """Counts the trades of this market from 1."""
    id: str
    side: Side
    price: Decimal
    size: Decimal
    time_ms: int
    kind: str = "FILL"


@attrs.define
class Candle:
    """Prices and trades of a span of time that begins at ``open_ms``."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    """Base units."""
    quote_volume: Decimal = ZERO
    trades: int = 0

    def see(self, price: Decimal) -> None:
        """Stretch to a newer price."""
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.close = price

    def add(self, other: Candle) -> None:
        """Take in a later candle."""
        self.high, self.low = max(self.high, other.high), min(self.low, other.low)
        self.close = other.close
        self.volume += other.volume
        self.quote_volume += other.quote_volume
        self.trades += other.trades


@attrs.frozen
class Rate:
    """The funding of one minute: rate per hour, and the running index per unit."""

    time_ms: int
    hourly: Decimal
    index: Decimal


@attrs.define
class History:
    """The memory of one market. Times are the venue's wall clock, milliseconds."""

    minutes: deque[Candle] = attrs.field(factory=lambda: deque(maxlen=MOST_MINUTES))
    tape: deque[TapeTrade] = attrs.field(factory=lambda: deque(maxlen=MOST_TRADES))
    rates: deque[Rate] = attrs.field(factory=lambda: deque(maxlen=MOST_MINUTES))
    traded: int = 0
    """Trades ever noted."""

    def see(self, price: Decimal, time_ms: int) -> None:
        """Note the price now."""
        open_ms = time_ms - time_ms % MINUTE_MS
        # A clock that was set back stays in the minute it knows.
        if self.minutes and open_ms <= self.minutes[-1].open_ms:
            self.minutes[-1].see(price)
        else:
            self.minutes.append(Candle(open_ms, price, price, price, price))

    def rate(self, rate: Rate) -> None:
        """Note the funding now: the first of each minute is kept."""
        if not self.rates or rate.time_ms // MINUTE_MS > self.rates[-1].time_ms // MINUTE_MS:
            self.rates.append(rate)

    def trade(
        self,
        side: Side,
        price: Decimal,
        size: Decimal,
        time_ms: int,
        *,
        name: str = "",
        kind: str = "FILL",
    ) -> TapeTrade:
        """Note a trade, of ours or of a stranger, and return it."""
        self.traded += 1
        label = name or f"{time_ms:013d}{self.traded % 1_000_000:06d}"
        done = TapeTrade(self.traded, label, side, price, size, time_ms, kind)
        self.tape.append(done)
        self.see(price, time_ms)
        minute = self.minutes[-1]
        minute.volume += size
        minute.quote_volume += price * size
        minute.trades += 1
        return done

    def trades_after(self, number: int) -> list[TapeTrade]:
        """Return the trades noted after one, oldest first."""
        found: list[TapeTrade] = []
        for trade in reversed(self.tape):
            if trade.number <= number:
                break
            found.append(trade)
        return found[::-1]

    def candles(self, minutes: int, start_ms: int = 0, end_ms: int = 2**62) -> list[Candle]:
        """Return candles of so many minutes that open within a span, oldest first."""
        span_ms = minutes * MINUTE_MS
        return [candle for candle in self._merged(span_ms) if start_ms <= candle.open_ms <= end_ms]

    def _merged(self, span_ms: int) -> Iterator[Candle]:
        whole: Candle | None = None
        for minute in self.minutes:
            open_ms = minute.open_ms - minute.open_ms % span_ms
            if whole is not None and whole.open_ms == open_ms:
                whole.add(minute)
                continue
            if whole is not None:
                yield whole
            whole = attrs.evolve(minute, open_ms=open_ms)
        if whole is not None:
            yield whole
