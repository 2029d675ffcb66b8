"""When and how Vest liquidates.

Source: Vest trading docs, Liquidation, seen 2025-11: when the account's value falls below the
maintenance margin, in part, until the initial margin is met again; without a penalty. Waiting
orders end as 3008 DELETED_BY_LIQ.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bot4.simulator.forced import LIQUIDATION, close_share
from bot4.simulator.orders import ZERO

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

DELETED_BY_LIQUIDATION: Final = 3008
SPREAD: Final = Decimal("1.02")
"""A little more than the margin lacks, for what closing costs. Source: ours."""


def liquidate_if_needed(venue: VestVenue) -> None:
    """Delete waiting orders, and reduce the largest position by what the margin lacks."""
    ledger = venue.ledger
    value = ledger.equity(venue.mark)
    if value >= ledger.maintenance_margin(venue.mark):
        return
    for order in [o for o in venue.orders.values() if not o.done]:
        venue.reject(order, DELETED_BY_LIQUIDATION)
    symbol = venue.largest()
    notional = abs(ledger.position(symbol).size) * venue.mark(symbol)
    lacks = ledger.initial_margin(venue.mark) - max(value, ZERO)
    share = lacks * SPREAD / ledger.initial_ratio(symbol) / notional
    close_share(venue, symbol, LIQUIDATION, min(share, Decimal(1)))
