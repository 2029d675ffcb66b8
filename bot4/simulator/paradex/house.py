"""Orders that no client sent: a liquidation, or a hand on the web page.

Source: Paradex docs, Liquidations, seen 2026-11: what is liquidated moves to the insurance fund
at the mark, and 70 % of the maintenance margin set free is the penalty.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bot4.simulator.forced import LIQUIDATION, SETTLE
from bot4.simulator.orders import ZERO, Level, Side, SimOrder
from bot4.simulator.paradex.drafts import STP_DEFAULT
from bot4.simulator.paradex.engine import ParadexEngine

PENALTY: Final = Decimal("0.7")
SETTLE_FEE: Final = Decimal("0.00015")
"""Share of notional, when a market is delisted. Source: Paradex docs, Fees, seen 2026-11."""
HOUSE_SLIPPAGE: Final = Decimal("0.01")
"""Price beyond the book at which what it lacks is filled for an order by hand. Source: ours."""


def execute_for_house(
    engine: ParadexEngine, symbol: str, side: Side, size: Decimal, kind: str
) -> None:
    """Execute a whole order of the house, and tell the client as of any order."""
    by_hand = kind == "MANUAL"
    now_ms = engine.wall_ms()
    order = SimOrder(
        id=engine.order_id(),
        handle="",
        symbol=symbol,
        side=side,
        size=size,
        limit=None,
        kind="MARKET",
        time_in_force="IOC",
        reduce_only=True,
        sent_ms=now_ms,
        received_ms=now_ms,
        extra={
            "flags": ["REDUCE_ONLY", "INTERACTIVE"] if by_hand else ["REDUCE_ONLY"],
            "stp": STP_DEFAULT,
            "interactive": by_hand,
            "fill_type": "FILL" if by_hand else kind,
        },
    )
    engine.orders[order.id] = order
    if by_hand:
        fills = engine.book_levels(order, _through_book(engine, order), maker=False)
    else:
        market = engine.markets[symbol]
        price = engine.mark(symbol) // market.tick * market.tick
        penalty = _cost(engine, symbol, kind)
        fills = engine.book_levels(
            order, ((price, size),), maker=False, fee=lambda at, much: at * much * penalty
        )
        if kind == LIQUIDATION:
            engine.liquidations.append({"created_at": now_ms, "id": hex(int(order.id))})
    engine.end_order(order, "", fills)


def _cost(engine: ParadexEngine, symbol: str, kind: str) -> Decimal:
    """Return the share of notional that the venue keeps of what it takes."""
    if kind == SETTLE:
        return SETTLE_FEE
    return PENALTY * engine.markets[symbol].maintenance_margin if kind == LIQUIDATION else ZERO


def _through_book(engine: ParadexEngine, order: SimOrder) -> tuple[Level, ...]:
    symbol, side, size = order.symbol, order.side, order.size
    market, mark = engine.markets[symbol], engine.mark(symbol)
    taken = engine.setup.liquidity.execute(market, side, size, None, mark)
    if taken.size == size:
        return taken.fills
    beyond = mark * (1 + (HOUSE_SLIPPAGE if side == "buy" else -HOUSE_SLIPPAGE))
    return (*taken.fills, (beyond // market.tick * market.tick, size - taken.size))
