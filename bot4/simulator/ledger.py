"""One account on one simulated venue: collateral, positions, fees, margin, funding, fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from bot4.simulator.margin import Exposure, exposure
from bot4.simulator.orders import ZERO, Side, SimMarket, SimOrder
from bot4.simulator.positions import SimPosition, replay, trade

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
class Ledger:
    """The account's books. Every change goes through ``fill`` or ``settle_funding``."""

    markets: Mapping[str, SimMarket]
    orders: Mapping[str, SimOrder] = attrs.field(factory=dict, kw_only=True, eq=False)
    """All orders of the account, by id: those that rest require margin."""
    provides_fees: bool = attrs.field(default=False, kw_only=True)
    """Whether what positions will pay to close is required too, as at Paradex."""
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

    def maintenance_ratio(self, symbol: str) -> Decimal:
        """Return the share of a position's notional below which the venue liquidates."""
        market = self.markets[symbol]
        return market.maintenance_margin + (market.taker_fee if self.provides_fees else ZERO)

    def initial_margin(self, mark: Mark) -> Decimal:
        """Return what all positions and open orders require, USDC."""
        waiting = (order.symbol for order in self.orders.values() if order.resting)
        symbols = dict.fromkeys((*self.positions, *waiting))
        return sum((self._required(s, mark, self._exposure(s, mark)) for s in symbols), ZERO)

    def position_margin(self, mark: Mark) -> Decimal:
        """Return what all positions require without the open orders, USDC."""
        held = self.positions.items()
        return sum((self._required(s, mark, Exposure(p.size)) for s, p in held), ZERO)

    def maintenance_margin(self, mark: Mark) -> Decimal:
        """Return the value below which the venue liquidates, USDC."""
        held = self.positions.items()
        return sum((abs(p.size) * mark(s) * self.maintenance_ratio(s) for s, p in held), ZERO)

    def affords(
        self,
        symbol: str,
        side: Side,
        size: Decimal,
        price: Decimal,
        mark: Mark,
        *,
        replaced: str = "",
    ) -> bool:
        """Tell whether the account may have this order: what asks for no more always may.

        Args:
            symbol: the market.
            side: of the order.
            size: base units.
            price: the worst it may get, quote units.
            mark: the price of a market.
            replaced: the id of the order that this one is a change of.
        """
        before = self._required(symbol, mark, self._exposure(symbol, mark))
        wanted = self._exposure(symbol, mark, without=replaced)
        wanted.side(side).add(side, size, price, mark(symbol))
        after = self._required(symbol, mark, wanted)
        if after <= before:
            return True
        return self.equity(mark) >= self.initial_margin(mark) - before + after

    def _exposure(self, symbol: str, mark: Mark, without: str = "") -> Exposure:
        mine = (order for order in self.orders.values() if order.symbol == symbol)
        return exposure(self.position(symbol).size, mine, mark(symbol), without=without)

    def _required(self, symbol: str, mark: Mark, shown: Exposure) -> Decimal:
        """Return what one market requires, USDC: margin, fees to come, and losses at opening."""
        charged = shown.most - (ZERO if self.provides_fees else abs(shown.held))
        fees = max(charged, ZERO) * self.markets[symbol].taker_fee
        return mark(symbol) * (shown.most * self.initial_ratio(symbol) + fees) + shown.loss

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
        profit = trade(held, signed, price)
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
        _, earned = replay(self.standing, symbol)
        self.busted[fill.id] = time_ms
        became, would_have = replay(self.standing, symbol)
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
