"""One account on one simulated venue: collateral, positions, fees, margin, funding, fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from bot4.simulator.orders import ZERO, Side, SimMarket, SimOrder

Mark = Callable[[str], Decimal]
"""Mark price of a symbol, quote units."""


@attrs.frozen
class SimFill:
    """One execution as the venue records it. Money in USDC."""

    id: str
    order_id: str
    handle: str
    symbol: str
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal
    realized_pnl: Decimal
    time_ms: int
    extra: dict[str, Any] = attrs.field(factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return the fill as JSON values; decimals as strings."""
        return attrs.asdict(
            self, value_serializer=lambda _i, _f, v: str(v) if isinstance(v, Decimal) else v
        )

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> SimFill:
        """Build the fill back from what ``dump`` returned."""
        values = dict(row)
        for name in ("price", "size", "fee", "realized_pnl"):
            values[name] = Decimal(values[name])
        return cls(**values)


@attrs.define
class SimPosition:
    """What the account holds in one symbol: ``size`` is signed, positive is long."""

    size: Decimal = ZERO
    entry: Decimal = ZERO
    """Average entry price."""
    entry_funding: Decimal = ZERO
    """Funding index per unit at the last settlement."""
    settled_funding: Decimal = ZERO
    """Funding received since the position was opened; negative when paid."""
    opened_ms: int = 0
    updated_ms: int = 0


@attrs.define
class Ledger:
    """The account's books. Every change goes through ``fill`` or ``settle_funding``."""

    markets: Mapping[str, SimMarket]
    collateral: Decimal = Decimal(10_000)
    positions: dict[str, SimPosition] = attrs.field(factory=dict)
    leverage: dict[str, int] = attrs.field(factory=dict)
    """Leverage set by the client, by symbol; absent means never set."""
    funding_index: dict[str, Decimal] = attrs.field(factory=dict)
    """Running funding per unit, by symbol; positive growth is paid by longs."""
    fills: list[SimFill] = attrs.field(factory=list)
    """Every execution ever booked, those taken back included."""
    busted: dict[str, int] = attrs.field(factory=dict)
    """When a fill was taken back, wall clock milliseconds, by its id."""
    fees: Decimal = ZERO
    realized_pnl: Decimal = ZERO

    @property
    def standing(self) -> list[SimFill]:
        """The fills that were not taken back, oldest first."""
        return [fill for fill in self.fills if fill.id not in self.busted]

    def position(self, symbol: str) -> SimPosition:
        """Return the position, a flat one when there is none."""
        return self.positions.get(symbol) or SimPosition()

    def reducible(self, symbol: str, side: Side) -> Decimal:
        """Return the base units an order of this side could close, zero when it would add."""
        size = self.position(symbol).size
        return max(-size if side == "buy" else size, ZERO)

    def unsettled_funding(self, symbol: str) -> Decimal:
        """Return funding earned since the last settlement, USDC, negative when owed."""
        held = self.position(symbol)
        index = self.funding_index.get(symbol, ZERO)
        return -held.size * (index - held.entry_funding)

    def unrealized(self, symbol: str, mark: Decimal) -> Decimal:
        """Return the unrealised profit of a position at a price, funding included, USDC."""
        held = self.position(symbol)
        return held.size * (mark - held.entry) + self.unsettled_funding(symbol)

    def equity(self, mark: Mark) -> Decimal:
        """Return collateral plus unrealised profit, USDC."""
        return self.collateral + sum((self.unrealized(s, mark(s)) for s in self.positions), ZERO)

    def initial_ratio(self, symbol: str) -> Decimal:
        """Return the share of notional locked for a position: one over the leverage in force."""
        most = self.markets[symbol].initial_margin
        chosen = self.leverage.get(symbol)
        return most if chosen is None else max(most, Decimal(1) / chosen)

    def initial_margin(self, mark: Mark) -> Decimal:
        """Return the margin locked by all positions, USDC."""
        return sum(
            (abs(p.size) * mark(s) * self.initial_ratio(s) for s, p in self.positions.items()), ZERO
        )

    def maintenance_margin(self, mark: Mark) -> Decimal:
        """Return the value below which the venue liquidates, USDC."""
        return sum(
            (
                abs(p.size) * mark(s) * self.markets[s].maintenance_margin
                for s, p in self.positions.items()
            ),
            ZERO,
        )

    def affords(self, symbol: str, side: Side, size: Decimal, price: Decimal, mark: Mark) -> bool:
        """Tell whether the account may take this execution: what reduces is always allowed."""
        before = self.position(symbol).size
        after = before + (size if side == "buy" else -size)
        if abs(after) <= abs(before):
            return True
        market = self.markets[symbol]
        cost = size * price * market.taker_fee + abs(size * (price - mark(symbol)))
        added = (abs(after) - abs(before)) * mark(symbol) * self.initial_ratio(symbol)
        return self.equity(mark) - cost >= self.initial_margin(mark) + added

    def fill(
        self,
        order: SimOrder,
        price: Decimal,
        size: Decimal,
        fee: Decimal,
        *,
        fill_id: str,
        time_ms: int,
        extra: dict[str, Any] | None = None,
    ) -> SimFill:
        """Book one execution of an order on the account and on the order, and return it.

        ``fee`` is USDC taken from the collateral. The order's ``filled``, ``avg_price``,
        ``fees`` and ``realized_pnl`` grow; its status stays the caller's business.
        """
        symbol = order.symbol
        self.settle_funding(symbol)
        held = self.positions.setdefault(symbol, SimPosition(opened_ms=time_ms))
        if held.size == 0:
            held.entry_funding = self.funding_index.get(symbol, ZERO)
        signed = size if order.side == "buy" else -size
        profit = _trade(held, signed, price)
        held.updated_ms = time_ms
        if held.size == 0:
            del self.positions[symbol]
        self.collateral += profit - fee
        self.realized_pnl += profit
        self.fees += fee
        paid = (order.avg_price or ZERO) * order.filled + price * size
        order.filled += size
        order.avg_price = paid / order.filled
        order.fees += fee
        order.realized_pnl += profit - fee
        done = SimFill(
            id=fill_id,
            order_id=order.id,
            handle=order.handle,
            symbol=symbol,
            side=order.side,
            price=price,
            size=size,
            fee=fee,
            realized_pnl=profit,
            time_ms=time_ms,
            extra=extra or {},
        )
        self.fills.append(done)
        return done

    def settle_funding(self, symbol: str) -> Decimal:
        """Move funding accrued on a position into the collateral; return it, USDC."""
        held = self.positions.get(symbol)
        if held is None:
            return ZERO
        paid = self.unsettled_funding(symbol)
        held.entry_funding = self.funding_index.get(symbol, ZERO)
        held.settled_funding += paid
        self.collateral += paid
        return paid

    def take_back(self, fill: SimFill, time_ms: int) -> None:
        """Undo one execution: position, realised profit and fee become what they would be.

        Funding that was settled with it stays settled.
        """
        symbol = fill.symbol
        self.settle_funding(symbol)
        _, earned = _replay(self.standing, symbol)
        self.busted[fill.id] = time_ms
        became, would_have = _replay(self.standing, symbol)
        self.collateral += would_have - earned + fill.fee
        self.realized_pnl += would_have - earned
        self.fees -= fill.fee
        if became.size == 0:
            self.positions.pop(symbol, None)
            return
        opened = SimPosition(entry_funding=self.funding_index.get(symbol, ZERO), opened_ms=time_ms)
        held = self.positions.setdefault(symbol, opened)
        held.size, held.entry, held.updated_ms = became.size, became.entry, time_ms

    def dump(self) -> dict[str, Any]:
        """Return the account as JSON values, without its fills."""
        return {
            "busted": dict(self.busted),
            "collateral": str(self.collateral),
            "fees": str(self.fees),
            "realized_pnl": str(self.realized_pnl),
            "leverage": dict(self.leverage),
            "funding_index": {s: str(v) for s, v in self.funding_index.items()},
            "positions": {
                symbol: {
                    name: str(value) if isinstance(value, Decimal) else value
                    for name, value in attrs.asdict(held).items()
                }
                for symbol, held in self.positions.items()
            },
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what ``dump`` returned."""
        self.busted = {fill: int(at_ms) for fill, at_ms in state.get("busted", {}).items()}
        self.collateral = Decimal(state["collateral"])
        self.fees = Decimal(state["fees"])
        self.realized_pnl = Decimal(state["realized_pnl"])
        self.leverage = dict(state["leverage"])
        self.funding_index = {s: Decimal(v) for s, v in state["funding_index"].items()}
        self.positions = {
            symbol: SimPosition(
                Decimal(held["size"]),
                Decimal(held["entry"]),
                Decimal(held["entry_funding"]),
                Decimal(held["settled_funding"]),
                int(held["opened_ms"]),
                int(held["updated_ms"]),
            )
            for symbol, held in state["positions"].items()
        }


def _replay(fills: list[SimFill], symbol: str) -> tuple[SimPosition, Decimal]:
    """Return the position that executions make, and the profit realised on the way."""
    held, earned = SimPosition(), ZERO
    for fill in fills:
        if fill.symbol == symbol:
            earned += _trade(held, fill.size if fill.side == "buy" else -fill.size, fill.price)
    return held, earned


def _trade(held: SimPosition, signed: Decimal, price: Decimal) -> Decimal:
    """Change a position by a signed size at a price; return the realised profit."""
    if held.size == 0 or (held.size > 0) == (signed > 0):
        total = held.size + signed
        held.entry = (held.entry * held.size + price * signed) / total
        held.size = total
        return ZERO
    closed = min(abs(signed), abs(held.size))
    profit = closed * (price - held.entry) * (1 if held.size > 0 else -1)
    held.size += signed
    if abs(signed) > closed:
        held.entry = price
    return profit
