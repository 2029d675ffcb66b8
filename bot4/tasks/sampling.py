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

LOOK_EVERY_S: Final = 2.0
SPREAD_EVERY_S: Final = 10.0
"""So often at most a spread that moved is said: a day of a pair is below 3 MB of log."""
CALM_EVERY_S: Final = 60.0
"""So often one that did not move is said: the log shows that the bot looks."""
MOVED: Final = Decimal("0.0002")
"""A spread that differs by so much from the one that was said has moved."""
HELD_EVERY_S: Final = 10.0
QUIET: Final = frozenset({Reason.BELOW_ENTRY, Reason.BELOW_EXIT, Reason.CONFIRMING, Reason.NO_BOOK})
"""Holds that are the ordinary state of things."""
QUANTUM: Final = Decimal("0.00000001")


@attrs.define
class Sampler:
    """One per pair."""

    _looked_at: float = -inf
    _said_at: float = -inf
    _said: Spreads | None = None
    _held_said: dict[Reason, float] = attrs.field(factory=dict)

    def tell(
        self, view: View, decision: Decision | None, rules: Rules, flickers: int
    ) -> Spreads | None:
        """Log what is due and has changed; return the spreads at the pair's size when looked at."""
        if isinstance(decision, Hold) and decision.reason not in QUIET:
            self._tell_hold(view, decision)
        early = view.now_s - self._looked_at < LOOK_EVERY_S
        if early or view.vest is None or view.paradex is None:
            return None
        self._looked_at = view.now_s
        lot = to_e8(view.pair.lot)
        wanted = to_e8((rules.size.notional / from_e8(view.vest.ask)).quantize(QUANTUM))
        try:
            spreads = evaluate(view.vest, view.paradex, max(wanted // lot, 1) * lot, view.rate)
        except ThinBook:
            return None
        if self._due(view.now_s, spreads):
            self._said_at, self._said = view.now_s, spreads
            self._tell_spreads(view, spreads, decision, rules, flickers)
        return spreads

    def _due(self, now_s: float, spreads: Spreads) -> bool:
        silent_s = now_s - self._said_at
        if self._said is None or silent_s >= CALM_EVERY_S:
            return True
        moved = max(
            abs(spreads.long_vest - self._said.long_vest),
            abs(spreads.long_paradex - self._said.long_paradex),
        )
        return silent_s >= SPREAD_EVERY_S and moved >= MOVED

    def _tell_spreads(
        self,
        view: View,
        spreads: Spreads,
        decision: Decision | None,
        rules: Rules,
        flickers: int,
    ) -> None:
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
