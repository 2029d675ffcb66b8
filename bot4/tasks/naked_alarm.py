"""Stops opening, loudly, when a leg is alone for longer than was stated before trading."""

from __future__ import annotations

from math import inf

import attrs
import structlog
import trio

from bot4.domain.units import plain
from bot4.invocation import command
from bot4.strategy.saga import State, Trade
from bot4.tasks.desk import Desk

log = structlog.get_logger()


@attrs.define
class NakedAlarm:
    """Watches one pair's trade."""

    desk: Desk
    _raised_for: str = ""

    def check(self, trade: Trade) -> float:
        """Raise the alarm when it is due; return the Trio time at which it will be, inf if not."""
        since = self.desk.watch_of(trade).naked_since
        if since is None or trade.state in (State.HEDGED, State.STRANDED):
            return inf
        bound_s = self.desk.naked_bound.doubt_s
        due = since + bound_s
        if trio.current_time() < due:
            return due
        if self._raised_for != trade.plan.trade_id:
            self._raised_for = trade.plan.trade_id
            self._raise(trade, bound_s)
        return inf

    def end(self, trade: Trade) -> None:
        """The trade is over."""
        if self._raised_for == trade.plan.trade_id:
            self.desk.gate.clear("naked")

    def _raise(self, trade: Trade, bound_s: float) -> None:
        pair = trade.plan.pair
        why = f"{pair} is naked for more than {bound_s:.1f} s"
        log.error(
            "exposure.left",
            message=f"[DANGER] {why}: net {plain(trade.net)}, {trade.state}; still at work",
            trade_id=trade.plan.trade_id,
            pair=pair,
            net=plain(trade.net),
            why=why,
            do="look at both venues' pages; "
            f"if it lasts, stop the bot and run {command('flatten')}",
        )
        self.desk.gate.block("naked", why, "it ends with the trade; then look why")
