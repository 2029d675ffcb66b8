"""What both simulated venues share about markets, orders and executions: plain records."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal

import attrs

Side = Literal["buy", "sell"]
Level = tuple[Decimal, Decimal]
"""Price in quote currency, size in base units."""

ZERO: Final = Decimal(0)


@attrs.frozen
class MarketLimits:
    """How much one account may have in a market, base units. Only Paradex says so."""

    order: Decimal = Decimal(1000)
    """Largest order."""
    position: Decimal = Decimal(5000)
    """Largest position, open orders of its side included."""
    open_orders: int = 100
    """Most live orders."""

    def narrowed(self, limits: Mapping[str, Any]) -> MarketLimits:
        """Return these with others in place of those that are named and not None."""
        given = {name: value for name, value in limits.items() if value is not None}
        values: dict[str, Any] = {name: Decimal(str(value)) for name, value in given.items()}
        if "open_orders" in values:
            values["open_orders"] = int(values["open_orders"])
        return attrs.evolve(self, **values)


@attrs.frozen
class SimMarket:
    """One instrument on one simulated venue. Prices in quote units, sizes in base units."""

    symbol: str
    base: str
    tick: Decimal
    lot: Decimal
    min_notional: Decimal
    initial_margin: Decimal
    """Initial margin as a share of notional; the largest leverage is one over it."""
    maintenance_margin: Decimal
    """Maintenance margin as a share of notional."""
    taker_fee: Decimal
    """Share of notional charged on a fill."""
    limits: MarketLimits = MarketLimits()

    def on_tick(self, price: Decimal) -> bool:
        """Tell whether the price is a whole number of ticks."""
        return price % self.tick == 0

    def on_lot(self, size: Decimal) -> bool:
        """Tell whether the size is a whole number of lots."""
        return size % self.lot == 0


@attrs.frozen
class Depth:
    """A picture of a book: bids and asks, best first, sizes above zero, never crossed."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@attrs.frozen
class Execution:
    """What the market gave for an order, best price first; empty when it gave nothing."""

    fills: tuple[Level, ...] = ()

    @property
    def size(self) -> Decimal:
        """Base units executed."""
        return sum((size for _, size in self.fills), ZERO)

    @property
    def notional(self) -> Decimal:
        """Quote units executed."""
        return sum((price * size for price, size in self.fills), ZERO)

    @property
    def average(self) -> Decimal:
        """Average price, zero when nothing was executed."""
        return self.notional / self.size if self.fills else ZERO


@attrs.define
class SimOrder:
    """One order as a venue remembers it.

    ``status`` and ``reason`` are in the venue's own words. ``done`` means nothing more can
    happen to it; ``resting`` means it landed and waits in the book or for its trigger. An order
    that is neither is still on its way to the engine and lands again after a restart.
    """

    id: str
    handle: str
    """The client's own handle: client_id at Paradex, the nonce as text at Vest."""
    symbol: str
    side: Side
    size: Decimal
    limit: Decimal | None
    """Worst price; None for a market order without one."""
    kind: str
    """Order type in the venue's words: MARKET, LIMIT, LIQUIDATION..."""
    time_in_force: str
    reduce_only: bool
    sent_ms: int
    """The time the client signed, wall clock."""
    received_ms: int
    """The time the venue received it, wall clock."""
    status: str = "NEW"
    filled: Decimal = ZERO
    avg_price: Decimal | None = None
    fees: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    reason: str = ""
    updated_ms: int = 0
    resting: bool = False
    done: bool = False
    extra: dict[str, Any] = attrs.field(factory=dict)
    """What a face wants to remember besides: JSON values only."""

    @property
    def remaining(self) -> Decimal:
        """Base units not executed yet."""
        return self.size - self.filled

    def dump(self) -> dict[str, Any]:
        """Return the order as JSON values; decimals as strings."""
        return {field.name: _plain(getattr(self, field.name)) for field in attrs.fields(type(self))}

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> SimOrder:
        """Build the order back from what ``dump`` returned."""
        values = dict(row)
        for name in ("size", "filled", "fees", "realized_pnl"):
            values[name] = Decimal(values[name])
        for name in ("limit", "avg_price"):
            values[name] = None if values[name] is None else Decimal(values[name])
        return cls(**values)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
