"""When and how Paradex cancels orders for lack of margin, and liquidates.

Source: Paradex docs, Margin and Liquidations, seen 2026-11: looked at every 5 s; below the initial
margin, orders that add risk are cancelled; above a margin ratio of 100 %, positions are reduced by
the smallest multiple of 20 % that brings the ratio below 90 %.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bot4.simulator.forced import LIQUIDATION, close_share
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.house import PENALTY

STEP: Final = Decimal("0.2")
TARGET: Final = Decimal("0.9")


def check_margin(engine: ParadexEngine) -> None:
    """Look at the account once, and act on what is found."""
    ledger, mark = engine.ledger, engine.mark
    value = ledger.equity(mark)
    if value < ledger.initial_margin(mark):
        _cancel_what_adds_risk(engine)
    needed = ledger.maintenance_margin(mark)
    if needed <= value:
        return
    share = share_to_liquidate(value, needed)
    for symbol in list(ledger.positions):
        close_share(engine, symbol, LIQUIDATION, share)


def share_to_liquidate(value: Decimal, needed: Decimal) -> Decimal:
    """Return which share of every position goes, from 0.2 to 1.

    Args:
        value: of the account, USDC.
        needed: maintenance margin, USDC, above ``value``.
    """
    share = STEP
    while share < 1:
        left = value - share * PENALTY * needed
        if left > 0 and needed * (1 - share) < TARGET * left:
            break
        share += STEP
    return share


def _cancel_what_adds_risk(engine: ParadexEngine) -> None:
    """Cancel resting orders that could add to a position.

    Those on the other side of what is held go last at the venue; here they stay.
    """
    for order in engine.live_orders():
        held = engine.ledger.reducible(order.symbol, order.side)
        if order.resting and not order.reduce_only and held < order.remaining:
            engine.end_order(order, engine.switches.deleverage_reason, [])
