"""What a pair sees, said now and then: its spreads, and what forbade a gap to be entered."""

from __future__ import annotations

from decimal import Decimal
from math import inf
from typing import Final

import attrs
import structlog

from bot4.domain.units import from_e8, percent, to_e8
from bot4.strategy.decision import Decision, Hold, Reason, View
from bot4.strategy.depth import ThinBook
from bot4.strategy.rules import Rules
from bot4.strategy.spread import Spreads, evaluate

log = structlog.get_logger()

SPREAD_EVERY_S: Final = 2.0
HELD_EVERY_S: Final = 10.0
QUIET: Final = frozenset({Reason.BELOW_ENTRY, Reason.BELOW_EXIT, Reason.CONFIRMING, Reason.NO_BOOK})
"""Holds that are the ordinary state of things."""
QUANTUM: Final = Decimal("0.00000001")


@attrs.define
class Sampler:
    """One per pair."""

    _said_at: float = -inf
    _held_said: dict[Reason, float] = attrs.field(factory=dict)

    def tell(
        self, view: View, decision: Decision | None, rules: Rules, flickers: int
    ) -> Spreads | None:
        """Log what is due; return the spreads at the pair's size where they were looked at."""
        if isinstance(decision, Hold) and decision.reason not in QUIET:
            self._tell_hold(view, decision)
        if view.now_s - self._said_at < SPREAD_EVERY_S or view.vest is None or view.paradex is None:
            return None
        self._said_at = view.now_s
        lot = to_e8(view.pair.lot)
        wanted = to_e8((rules.size.notional / from_e8(view.vest.ask)).quantize(QUANTUM))
        try:
            spreads = evaluate(view.vest, view.paradex, max(wanted // lot, 1) * lot, view.rate)
        except ThinBook:
            return None
        log.info(
            "spread.seen",
            message=f"[SPREAD] {view.pair.name} long vest {percent(spreads.long_vest, 3)}, "
            f"long paradex {percent(spreads.long_paradex, 3)}",
            pair=view.pair.name,
            long_vest_percent=percent(spreads.long_vest, 4),
            long_paradex_percent=percent(spreads.long_paradex, 4),
            target_percent=percent(rules.entry.spread_entry, 4),
            decision=decision.reason.value if isinstance(decision, Hold) else "go",
            flickers=flickers,
        )
        return spreads

    def _tell_hold(self, view: View, hold: Hold) -> None:
        if view.now_s - self._held_said.get(hold.reason, -inf) < HELD_EVERY_S:
            return
        self._held_said[hold.reason] = view.now_s
        log.info(
            "entry.held",
            message=f"[HOLD] {view.pair.name}: {hold.reason.value.replace('_', ' ')}"
            + (f", {hold.detail}" if hold.detail else ""),
            pair=view.pair.name,
            reason=hold.reason.value,
            detail=hold.detail,
        )
