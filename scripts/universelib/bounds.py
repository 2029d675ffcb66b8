"""Bounds on time and price that hold when nobody was killed; on a quiet feed they are narrow."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from bot4.config.schema import ExecutionConfig
from bot4.strategy.bound import naked_bound
from universelib.rounds import DUST
from universelib.story import Story

_USUAL: Final = ExecutionConfig()
NAKED_S: Final = naked_bound(
    _USUAL.mend_attempts, len(_USUAL.unwind_rungs_bps), _USUAL.window_ms, _USUAL.settle_ms
).doubt_s
"""An answer that never comes, its proof and the way back: what the bot prints at the start."""
TOGETHER_MS: Final = 5
"""Between the two orders of an entry."""
FAR: Final = Decimal("0.022")
"""Of the market: the last step below it, and the gap between the venues."""
MENDED: Final = Decimal("0.105")
"""Percent below its target that a mended pair may have: the configured floor, and rounding."""


def broken(story: Story) -> Iterator[str]:
    """Yield every bound that was crossed."""
    scenario = story.scenario
    if not (scenario.dark or scenario.stuck or story.flattens):
        naked_s = longest_naked_s(story.truth)
        if naked_s > NAKED_S:
            yield f"I4: naked for {naked_s:.1f} s, the bound is {NAKED_S:g} s"
    yield from _prices(story.truth)
    yield from _opening(story)
    for line in story.log.events:
        if line["event"] == "pair.opened" and line.get("mended") and line.get("spread_percent"):
            spread, target = (
                Decimal(str(line[name]).rstrip("%"))
                for name in ("spread_percent", "target_percent")
            )
            if spread < target - MENDED:
                yield f"I8: mended at {spread}% of {target}%"


def longest_naked_s(truth: dict[str, Any]) -> float:
    """Return the longest time for which the two venues together held anything, from their fills."""
    fills = [
        (int(fill["time_ms"]), Decimal(fill["size"]) * (1 if fill["side"].lower() == "buy" else -1))
        for state in truth.values()
        for fill in state["fills"]
    ]
    end_ms = max((int(state["time_ms"]) for state in truth.values()), default=0)
    net, since, longest = Decimal(0), 0, 0
    for at_ms, size in [*sorted(fills, key=lambda fill: fill[0]), (end_ms, Decimal(0))]:
        if abs(net) >= DUST:
            longest = max(longest, at_ms - since)
        before, net = net, net + size
        if abs(before) < DUST <= abs(net):
            since = at_ms
    return longest / 1000


def _prices(truth: dict[str, Any]) -> Iterator[str]:
    for venue, state in truth.items():
        prices = [Decimal(fill["price"]) for fill in state["fills"]]
        if not prices:
            continue
        market = sum(prices, Decimal(0)) / len(prices)
        for order in state["orders"]:
            limit = None if order.get("foreign") else order["limit"]
            if limit is None or order["kind"] in ("LIQUIDATION", "MANUAL"):
                continue
            away = abs(Decimal(limit) / market - 1)
            if away > FAR:
                yield f"{venue} got a limit {away * 100:.1f}% away from the market"


def _opening(story: Story) -> Iterator[str]:
    """Both orders of an entry leave together, and a bot that knows of nothing opens nothing."""
    entered: dict[str, list[float]] = {}
    for line in story.log.events:
        if line["event"] == "leg.sent" and line["purpose"] == "enter":
            entered.setdefault(line["trade_id"], []).append(line["at"])
            if story.scenario.forgets and line["process"] > 1:
                yield "I13: opened beside a position that nobody explains"
    for trade_id, times in entered.items():
        if (max(times) - min(times)) * 1000 > TOGETHER_MS:
            yield f"{trade_id}: the second order left {max(times) - min(times):.3f} s later"
