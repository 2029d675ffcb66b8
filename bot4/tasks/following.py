"""Holds one closing order back until the other is accepted, so that a refusal closes neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import trio

from bot4.domain.order import Order
from bot4.strategy.legs import Leg, LegState
from bot4.tasks.ledger import Ledger

FOLLOWS_S: Final = 1.0
"""How long the second order waits for news of the first. Not answered by then, the first is asked
about, and its fill would be followed by a reducing order. Source: ours."""


@attrs.frozen
class Following:
    """What the second order waits for."""

    ledger: Ledger
    first: Order
    changed: Callable[[], trio.Event]
    """Set at the next change of the pair's trade."""

    async def wait(self) -> str:
        """Block until the first order is accepted or fills; return why not to follow, else "".

        Cancellation: safe.
        """
        venue = self.first.key.venue
        with trio.move_on_after(FOLLOWS_S):
            while True:
                leg, changed = self._leg(), self.changed()
                if leg is not None and (leg.state is LegState.ACKED or leg.filled):
                    return ""
                if leg is None or leg.state.terminal:
                    return f"{venue} did not take the other order"
                await changed.wait()
        return f"{venue} has not answered the other order yet"

    def _leg(self) -> Leg | None:
        trade = self.ledger.get(self.first.trade_id)
        return None if trade is None else trade.leg(self.first.client_order_id)
