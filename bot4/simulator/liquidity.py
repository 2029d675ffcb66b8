"""Depth: what stands at which price, what an order takes of it, and how it comes back.

Vest has no book: its engine quotes a price curve around its own price, and an order fills whole
at the average along the curve. Paradex has a book of levels that stay where they are while the
price moves, so that most frames change little; an order takes level after level.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import islice
from math import exp
from typing import Final, Protocol
from zlib import crc32

import attrs
import trio

from bot4.simulator.orders import ZERO, Depth, Execution, Level, Side, SimMarket
from bot4.simulator.profiles import Shape

LEVELS: Final = 20
"""How many levels a side a feed shows."""
MOST_LEVELS: Final = 400
"""How far an order may walk: far beyond what a feed shows."""
RENEWED_S: Final = 4.0
"""How long a level of the Paradex book keeps its size when nobody trades."""
TIDE_S: Final = 30.0
"""How long a side of it stays thin or thick."""
BPS: Final = Decimal("0.0001")
AGAINST: Final[dict[Side, str]] = {"buy": ROUND_CEILING, "sell": ROUND_FLOOR}
"""How a price is rounded so that the one who takes pays for it."""


class Liquidity(Protocol):
    """What a venue's orders meet."""

    def depth(self, market: SimMarket, mid: Decimal, *, retail: bool = False) -> Depth:
        """Return the levels around a price, best first."""
        ...

    def execute(
        self,
        market: SimMarket,
        side: Side,
        size: Decimal,
        limit: Decimal | None,
        mid: Decimal,
        *,
        retail: bool = False,
        consume: bool = True,
    ) -> Execution:
        """Take liquidity, and remember that it is gone for a while when ``consume``."""
        ...


@attrs.define
class Taken:
    """Sizes taken, by key, fading as liquidity comes back."""

    refill_s: float
    _taken: dict[tuple[str, Side], dict[int, tuple[float, float]]] = attrs.field(factory=dict)

    def left(self, symbol: str, side: Side) -> dict[int, float]:
        """Return the base units still missing on a side, by level."""
        taken = self._taken.get((symbol, side))
        if not taken:
            return {}
        now, left = trio.current_time(), dict[int, float]()
        for level, (size, since) in list(taken.items()):
            left[level] = size * exp(-(now - since) / self.refill_s)
            if left[level] < size * 0.001:
                del taken[level]
        return left

    def take(self, symbol: str, side: Side, level: int, size: Decimal) -> None:
        """Remember that base units are gone from a level."""
        missing = self.left(symbol, side).get(level, 0.0) + float(size)
        taken = self._taken.setdefault((symbol, side), {})
        taken[level] = (missing, trio.current_time())


@attrs.define
class Variety:
    """A factor that a level keeps for some seconds; its name decides it.

    Between 0.5 and 1.5; or, with ``most``, from one over it to it, small and large alike.
    """

    _name: str
    _most: float = 1.0
    _kept_s: float = RENEWED_S
    _phase: float = attrs.field(init=False)
    _epoch: int = attrs.field(default=-1, init=False)
    _factor: float = attrs.field(default=1.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._phase = self._draw(self._name)

    def at(self, now: float) -> float:
        """Return the factor at a Trio time."""
        epoch = int(now / self._kept_s + self._phase)
        if epoch != self._epoch:
            self._epoch = epoch
            drawn = self._draw(f"{self._name}/{epoch}")
            mild = self._most == 1
            self._factor = 0.5 + drawn if mild else float(self._most ** (2 * drawn - 1))
        return self._factor

    def _draw(self, name: str) -> float:
        drawn = crc32(name.encode())
        return drawn / 2**32 if self._most == 1 else _mixed(drawn)


@attrs.define
class CurveLiquidity:
    """Vest: a curve around the engine's price, whole fills at the average price."""

    shape: Shape
    levels: int = LEVELS
    _taken: Taken = attrs.field(init=False)
    _factors: dict[Side, list[Decimal]] = attrs.field(
        factory=lambda: {"buy": [], "sell": []}, init=False
    )
    """Each level's price as a multiple of the engine's: made as far as anybody walked."""

    def __attrs_post_init__(self) -> None:
        self._taken = Taken(self.shape.refill_s)

    def depth(self, market: SimMarket, mid: Decimal, *, retail: bool = False) -> Depth:
        """Return the curve cut into levels; ``retail`` makes no difference at Vest."""
        del retail
        return Depth(
            bids=tuple(islice(self._walk(market, "sell", mid), self.levels)),
            asks=tuple(islice(self._walk(market, "buy", mid), self.levels)),
        )

    def execute(
        self,
        market: SimMarket,
        side: Side,
        size: Decimal,
        limit: Decimal | None,
        mid: Decimal,
        *,
        retail: bool = False,
        consume: bool = True,
    ) -> Execution:
        """Fill whole at the average along the curve, or not at all when beyond the limit."""
        del retail
        left, paid = size, ZERO
        for price, shown in self._walk(market, side, mid):
            part = min(left, shown)
            left -= part
            paid += part * price
            if left == 0:
                break
        if left > 0:
            return Execution()
        average = _to_tick(paid / size, market.tick, side)
        if limit is not None and (average > limit if side == "buy" else average < limit):
            return Execution()
        if consume:
            self._taken.take(market.symbol, side, 0, size)
        return Execution(((average, size),))

    def _walk(self, market: SimMarket, side: Side, mid: Decimal) -> Iterator[Level]:
        shape, lot = self.shape, market.lot
        each = Decimal(str(shape.level_quote)) / mid
        whole = each // lot * lot
        missing = Decimal(self._taken.left(market.symbol, side).get(0, 0.0))
        factors, in_ticks = self._factors[side], mid / market.tick
        for step in range(MOST_LEVELS):
            if step == len(factors):
                away = Decimal(str(shape.half_spread_bps + shape.step_bps * step)) * BPS
                factors.append(1 + away if side == "buy" else 1 - away)
            size = whole
            if missing:
                size = max(each - missing, ZERO) // lot * lot
                missing = max(missing - each, ZERO)
            if size > 0:
                yield _round(in_ticks * factors[step], side) * market.tick, size


@attrs.define
class BookLiquidity:
    """Paradex: levels on a fixed grid of prices, filled one after the other."""

    shape: Shape
    seed: int
    levels: int = LEVELS
    _grid: dict[str, Decimal] = attrs.field(factory=dict, init=False)
    _prices: dict[str, dict[int, Decimal]] = attrs.field(factory=dict, init=False)
    """Of the levels met, by symbol."""
    _varieties: dict[tuple[str, Side], dict[int, Variety]] = attrs.field(factory=dict, init=False)
    _taken: Taken = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._taken = Taken(self.shape.refill_s)

    def depth(self, market: SimMarket, mid: Decimal, *, retail: bool = False) -> Depth:
        """Return the book; ``retail`` adds what only interactive orders meet."""
        return Depth(
            bids=tuple((p, s) for _, p, s in self._shown(market, "sell", mid, retail=retail)),
            asks=tuple((p, s) for _, p, s in self._shown(market, "buy", mid, retail=retail)),
        )

    def execute(
        self,
        market: SimMarket,
        side: Side,
        size: Decimal,
        limit: Decimal | None,
        mid: Decimal,
        *,
        retail: bool = False,
        consume: bool = True,
    ) -> Execution:
        """Take level after level down to the limit; what is not there is not filled."""
        left = size
        fills: list[Level] = []
        for level, price, shown in self._walk(market, side, mid, retail=retail):
            beyond = limit is not None and (price > limit if side == "buy" else price < limit)
            if left == 0 or beyond:
                break
            part = min(left, shown)
            left -= part
            fills.append((price, part))
            if consume:
                self._taken.take(market.symbol, side, level, part)
        return Execution(tuple(fills))

    def _shown(
        self, market: SimMarket, side: Side, mid: Decimal, *, retail: bool
    ) -> Iterator[tuple[int, Decimal, Decimal]]:
        return islice(self._walk(market, side, mid, retail=retail), self.levels)

    def _walk(
        self, market: SimMarket, side: Side, mid: Decimal, *, retail: bool
    ) -> Iterator[tuple[int, Decimal, Decimal]]:
        shape, symbol, lot = self.shape, market.symbol, market.lot
        grid = self._grid.get(symbol)
        if grid is None:
            # Fixed once: levels must not move when the price does.
            step = mid * Decimal(str(shape.step_bps)) * BPS
            grid = max(market.tick, step // market.tick * market.tick)
            self._grid[symbol], self._prices[symbol] = grid, {}
        away = Decimal(str(shape.half_spread_bps)) * BPS
        sign = 1 if side == "buy" else -1
        best = int(_round(mid * (1 + sign * away) / grid, side))
        each = shape.level_quote / float(mid) * (shape.retail_factor if retail else 1.0)
        now, gone = trio.current_time(), self._taken.left(symbol, side)
        prices, varieties = self._prices[symbol], self._varieties.setdefault((symbol, side), {})
        if shape.tides != 1:
            each *= (varieties.get(0) or self._variety(symbol, side, 0)).at(now)
        each /= float(lot)
        for level in range(best, best + sign * MOST_LEVELS, sign):
            stands = each * (varieties.get(level) or self._variety(symbol, side, level)).at(now)
            if level in gone:
                stands -= gone[level] / float(lot)
            lots = int(stands)
            if lots > 0 and level > 0:
                price = prices.get(level)
                if price is None:
                    price = prices[level] = level * grid
                yield level, price, lots * lot

    def _variety(self, symbol: str, side: Side, level: int) -> Variety:
        # There is no level 0: that one is the side as a whole.
        most, kept_s = (self.shape.uneven, RENEWED_S) if level else (self.shape.tides, TIDE_S)
        variety = Variety(f"{self.seed}/{symbol}/{side}/{level}", most, kept_s)
        self._varieties[symbol, side][level] = variety
        return variety


def _mixed(drawn: int) -> float:
    """Return a number from 0 to 1: sums of names that differ in a digit differ in a pattern."""
    for _ in range(2):
        drawn = ((drawn >> 16) ^ drawn) * 0x45D9F3B & 0xFFFFFFFF
    return ((drawn >> 16) ^ drawn) / 2**32


def _to_tick(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """Round against the one who takes: asks up, bids down."""
    return _round(price / tick, side) * tick


def _round(units: Decimal, side: Side) -> Decimal:
    return units.to_integral_value(AGAINST[side])
