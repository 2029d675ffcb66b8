"""What both venues hold together: how much of a leg may be closed, and what no leg hedges.

For whoever closes by hand, beside no journal: the pairs of bot4.yaml and what the venues say are
all that is known. Pure: what was read or filled is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import attrs

from bot4.domain.market import Market, MarketKey
from bot4.domain.position import Position
from bot4.domain.units import ceil_step, common_step, floor_step, plain
from bot4.strategy.clips import cut, smallest

ZERO: Final = Decimal(0)
NOTIONAL_ROOM: Final = Decimal("1.1")
"""A smallest order by value is taken this much larger: its price is the entry's, not the book's."""
NOBODY_ASKED: Final = "it was not read yet"


@attrs.frozen
class Room:
    """How much of a position may be closed now, base units, and why not more."""

    size: Decimal
    why: str = ""


@attrs.frozen
class Remark:
    """What is left of a pair, or of a market of no pair, for a person."""

    name: str
    naked: bool
    """Nothing hedges it, or nobody knows whether anything does."""
    text: str


@attrs.define
class Exposure:
    """Both venues' positions as last read, and which markets were seen to execute our orders.

    ``pairs`` are the couples of markets that hedge each other, by the pair's name; only those whose
    two venues are both looked after here.
    """

    pairs: Mapping[str, Sequence[MarketKey]] = attrs.field(factory=dict)
    markets: dict[MarketKey, Market] = attrs.field(factory=dict)
    listed: set[str] = attrs.field(factory=set)
    """Venues whose markets were read."""
    shut: dict[str, str] = attrs.field(factory=dict)
    """Why a venue executes nothing now, by venue; "" when it does."""
    halts_told: dict[str, bool] = attrs.field(factory=dict)
    """Whether a venue says which markets are halted."""
    done: dict[str, bool] = attrs.field(factory=dict)
    """Whether nothing is left to do, by venue."""
    under_way: set[MarketKey] = attrs.field(factory=set)
    """Markets whose closing order has not ended."""
    late: bool = False
    """Whether the time is over: a hedged pair is not begun any more."""
    changes: int = 0
    """Grows with whatever another venue's leg may have waited for."""
    _held: dict[MarketKey, Position] = attrs.field(factory=dict)
    _closed: dict[MarketKey, Decimal] = attrs.field(factory=dict)
    _read: set[str] = attrs.field(factory=set)
    _executes: set[MarketKey] = attrs.field(factory=set)
    _refused: dict[MarketKey, int] = attrs.field(factory=dict)
    _most: dict[MarketKey, Decimal] = attrs.field(factory=dict)
    """The largest order that refusals leave to be tried, where no limit was announced."""

    # ------------------------------------------------------------------------- what happened

    def take(self, venue: str, positions: Iterable[Position]) -> None:
        """Note all that a venue holds now."""
        mine = {position.key: position for position in positions}
        was = self.sizes(venue)
        self._held = {k: p for k, p in self._held.items() if k.venue != venue} | mine
        if venue not in self._read or was != self.sizes(venue):
            self.changes += 1
        self._read.add(venue)

    def take_markets(self, venue: str, markets: Iterable[Market]) -> None:
        """Note all that a venue lists now."""
        for key in [key for key in self.markets if key.venue == venue]:
            del self.markets[key]
        self.listed.add(venue)
        self.markets |= {market.key: market for market in markets}

    def note_shut(self, venue: str, why: str) -> None:
        """Note why a venue executes nothing now, "" when it does."""
        if self.shut.get(venue) != why:
            self.shut[venue] = why
            self.changes += 1

    def note_filled(self, key: MarketKey, size: Decimal) -> None:
        """Note what a closing order filled: the other leg need not wait for the next reading."""
        self._refused.pop(key, None)
        if size:
            self._executes.add(key)
            self._closed[key] = self._closed.get(key, ZERO) + size
            position = self._held[key]
            left = max(abs(position.size) - size, ZERO).copy_sign(position.size)
            self._held[key] = attrs.evolve(position, size=left)
            self.changes += 1

    def note_refused(self, key: MarketKey) -> None:
        """Note that a market refused a closing order: it has to show again that it executes."""
        self._refused[key] = self._refused.get(key, 0) + 1
        self._executes.discard(key)

    def note_too_large(self, key: MarketKey, size: Decimal) -> bool:
        """Note that a market's limits refused so large an order; whether half of it is worth a try.

        Below the smallest order nothing helps: then it was no matter of size, and all is tried.
        """
        market = self.markets[key]
        half = floor_step(size / 2, market.lot)
        if half < max(self._least(key), market.lot):
            self._most.pop(key, None)
            return False
        self._most[key] = half
        return True

    # -------------------------------------------------------------------------- what is known

    def market(self, key: MarketKey) -> Market:
        """Return a market as listed, its largest order no larger than refusals have taught.

        Raises:
            KeyError: it is not listed.
        """
        market, most = self.markets[key], self._most.get(key)
        if most is None:
            return market
        return attrs.evolve(market, max_order=min(most, market.max_order or most))

    def is_read(self, venue: str) -> bool:
        """Whether the venue's positions were ever read."""
        return venue in self._read

    def sizes(self, venue: str) -> dict[str, Decimal]:
        """Return what a venue held when last read, signed, by symbol."""
        return {k.symbol: p.size for k, p in self._held.items() if k.venue == venue and p.size}

    def closed(self, venue: str) -> dict[str, Decimal]:
        """Return what was closed, base units, by symbol."""
        return {k.symbol: size for k, size in self._closed.items() if k.venue == venue}

    def other(self, key: MarketKey) -> MarketKey | None:
        """Return the market that hedges this one; None where no pair has it."""
        for keys in self.pairs.values():
            if key in keys:
                return keys[1] if key == keys[0] else keys[0]
        return None

    def room(self, key: MarketKey, *, everything: bool) -> Room:
        """Return how much of a position may be closed now.

        What nothing hedges may always go. Of a hedged pair, both legs go or none: neither while a
        venue or market of it is shut. The market that shows least goes first, with the smallest
        order that both venues take, until each has executed one; then it goes whole, and the other
        one follows whatever it fills.

        Args:
            key: the market, as last read.
            everything: False leaves what is hedged, and markets of no pair.
        """
        own, other = abs(self._size(key)), self.other(key)
        if other is None:
            return Room(own if everything else ZERO)
        if other.venue not in self._read:
            return Room(ZERO, f"what {other.venue} holds is not known: it may hedge this")
        lone = self._lone(key)
        if everything and lone == own:
            return Room(own)
        lone = self._cut(key, lone)
        if not everything:
            return Room(lone)
        if why := self._why_shut(key) or self._why_shut(other):
            return Room(lone, f"{why}: the hedged part stays on at both venues")
        if lone or self.late or not self._leads(key) or self._cut(other, self._lone(other)):
            return Room(lone, f"{key.symbol} waits for {other}")
        if not {key, other} <= self._executes:
            return Room(self._first(key, other, own))
        return Room(self._at_once(other, own))

    def remarks(self) -> list[Remark]:
        """Return what is left, pair by pair, and then the markets of no pair."""
        found = [one for name, keys in self.pairs.items() if (one := self._pair(name, *keys))]
        for key, position in sorted(self._held.items(), key=lambda item: str(item[0])):
            if position.size and self.other(key) is None:
                text = f"{key.venue} {self._leg(key)}: it is no leg of a pair here"
                found.append(Remark(str(key), naked=False, text=text))
        return found

    # ------------------------------------------------------------------------------- inside

    def _size(self, key: MarketKey) -> Decimal:
        position = self._held.get(key)
        return ZERO if position is None else position.size

    def _lone(self, key: MarketKey) -> Decimal:
        """What of a position the other leg does not hedge, base units."""
        other = self.other(key)
        own, opposite = self._size(key), ZERO if other is None else self._size(other)
        if own * opposite >= 0:
            return abs(own)
        return max(abs(own) - abs(opposite), ZERO)

    def _least(self, key: MarketKey) -> Decimal:
        """The smallest order of a market, base units; 0 while nobody told."""
        market, position = self.markets.get(key), self._held.get(key)
        if market is None:
            return ZERO
        price = None if position is None else position.entry_price
        if price is None or price <= 0:
            return max(market.lot, market.min_size)
        return smallest(market, price / NOTIONAL_ROOM)

    def _cut(self, key: MarketKey, size: Decimal) -> Decimal:
        """What of a size the market takes as an order of its own."""
        market = self.markets.get(key)
        if market is None:
            return size
        return floor_step(size, market.lot) if size >= self._least(key) else ZERO

    def _first(self, key: MarketKey, other: MarketKey, own: Decimal) -> Decimal:
        """The smallest part of a leg that both markets take, all of it where little would stay."""
        lot = common_step(self.markets[key].lot, self.markets[other].lot)
        clip = ceil_step(max(self._least(key), self._least(other)), lot)
        return own if own < 2 * clip else clip

    def _at_once(self, follows: MarketKey, own: Decimal) -> Decimal:
        """As much of a leg as one order of the leg that follows it takes."""
        market = self.market(follows)
        if market.max_order is None:
            return own
        return cut(own, market.max_order, self._least(follows), market.lot) or own

    def _leads(self, key: MarketKey) -> bool:
        def rank(one: MarketKey) -> tuple[int, bool, str]:
            silent = not self.halts_told.get(one.venue, False)
            return self._refused.get(one, 0), silent, one.venue

        other = self.other(key)
        return other is None or rank(key) > rank(other)

    def _why_shut(self, key: MarketKey) -> str:
        if why := self.shut.get(key.venue, NOBODY_ASKED):
            return f"{key.venue}: {why}"
        market = self.markets.get(key)
        if market is None:
            return f"{key} is not listed"
        return "" if market.trading else f"{key} is not trading"

    def _leg(self, key: MarketKey) -> str:
        size = self._size(key)
        if size:
            return f"still {described(size, key.symbol)}"
        return "was closed" if self._closed.get(key) else "holds nothing"

    def _pair(self, name: str, one: MarketKey, two: MarketKey) -> Remark | None:
        unread = [key for key in (one, two) if key.venue not in self._read]
        net = self._size(one) + self._size(two)
        way = "long" if net > 0 else "short"
        if len(unread) == 1:
            (blind,), (seen,) = unread, {one, two} - set(unread)
            danger = f": you may be {way}" if net else ""
            text = f"{seen.venue} {self._leg(seen)}, what {blind.venue} holds is not known{danger}"
            return Remark(name, naked=True, text=f"{name}: {text}")
        if unread:
            return Remark(name, naked=True, text=f"{name}: what both venues hold is not known")
        if not (self._size(one) or self._size(two)):
            return None
        legs = ", ".join(f"{key.venue} {self._leg(key)}" for key in (one, two))
        if any(self._cut(key, self._lone(key)) for key in (one, two)):
            text = f"{name}: {legs}: you are {way} {plain(abs(net))}"
            return Remark(name, naked=True, text=text)
        if not (self._size(one) and self._size(two)):
            return Remark(name, naked=False, text=f"{name}: {legs}: less than the smallest order")
        return Remark(name, naked=False, text=f"{name} stays on, hedged: {legs}")


def described(size: Decimal, symbol: str) -> str:
    """Return a position in words, such as ``short 0.0036 BTC-PERP``; the size is signed, not 0."""
    return f"{'long' if size > 0 else 'short'} {plain(abs(size))} {symbol}"
