"""What Vest charges for risk: on the part of a fill that adds to the position.

It is inside ``fees``, in the price of the fill, or half in each, by switch.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from bot4.domain.units import BPS
from bot4.simulator.orders import Execution, Side
from bot4.simulator.vest.switches import VestSwitches

ZERO: Final = Decimal(0)
_SHARE_IN_FEES: Final = {"fees": Decimal(1), "both": Decimal("0.5"), "price": ZERO}


def premium(switches: VestSwitches, added: Decimal) -> tuple[Decimal, Decimal]:
    """Return the premium on notional that adds risk, USDC: (inside fees, inside the price).

    Its rate grows with the size.
    """
    rate = switches.premium_bps * BPS * (1 + added / switches.premium_doubles_at)
    in_fees = added * rate * _SHARE_IN_FEES[switches.premium_in]
    return in_fees, added * rate - in_fees


def worsened(execution: Execution, side: Side, charge: Decimal, tick: Decimal) -> Execution:
    """Return an execution whose prices carry a charge (USDC), rounded to ticks against us."""
    if not charge or not execution.fills:
        return execution
    sign, rounding = (1, ROUND_CEILING) if side == "buy" else (-1, ROUND_FLOOR)
    each = sign * charge / execution.size
    return Execution(
        tuple(
            (((price + each) / tick).to_integral_value(rounding) * tick, size)
            for price, size in execution.fills
        )
    )
