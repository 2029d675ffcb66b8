"""A universe as figures, and many of them as lines to read."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from statistics import mean
from typing import Any, Final

import attrs

from universelib.check import Ending, silent
from universelib.rounds import Round
from universelib.script import LATENCIES, Script

WINDOW_S: Final = 2.0
BUMP_S: Final = 0.3
SETTLE_S: Final = 1.0
ASK_S: Final = 1.0
ROUND_S: Final = 0.48
"""From an order's receipt to its fill's event, at the slower venue as seen of it."""
STEPS: Final = 7
"""Attempts to complete, and rungs of taking back."""
RUNGS: Final = 4
NOTIONAL: Final = 300.0
ENDS: Final = ("pair.closed", "pair.unwound")
FOUND: Final = ("trade.recovered", "trade.reopened", "trade.closed_outside")
"""A trade that turned out to hold something else than was known: as long as a doubt."""


@attrs.define
class Result:
    """One universe, as figures."""

    seed: int
    violations: list[str]
    seconds: float
    """Simulated."""
    trades: int
    faults: int
    deaths: int
    opened: int
    naked_s: list[float]
    naked_usd_s: list[float]
    net_usdc: float
    trace: str
    """A hash over every log line: the same seed gives the same."""
    latency: str = "usual"
    naked: list[tuple[bool, float, float]] = attrs.field(factory=list)
    """Of each trade that ended: whether a venue was dark to it, seconds, and ``bound_s``."""
    slips_bps: list[float] = attrs.field(factory=list)
    """Realised less detected entry spread of each pair that opened."""
    eligible: int = 0
    captured: int = 0
    by_hand: int = 0
    rounds: list[Round] = attrs.field(factory=list)
    cells: Counter[str] = attrs.field(factory=Counter)
    said: list[str] = attrs.field(factory=list)
    """Every log line, when asked for."""
    cpu_s: float = 0.0
    """What it cost, core-seconds."""


def result_of(
    seed: int, end: Ending, broken: list[str], trace: str, script: Script, cells: Counter[str]
) -> Result:
    """Return the figures of a universe that has ended."""
    closed = [line for line in end.events if line["event"] in ENDS]
    booked = [*closed, *(line for line in end.events if line["event"] == "pair.missed")]
    opened = [line for line in end.events if line["event"] == "pair.opened"]
    return Result(
        seed=seed,
        violations=broken,
        seconds=end.lasted_s,
        trades=len(booked),
        faults=end.struck,
        deaths=len(script.deaths),
        opened=len(opened),
        naked_s=[float(line["naked_s"]) for line in closed],
        naked_usd_s=[float(line["naked_usd_s"]) for line in closed],
        net_usdc=sum(float(line["net_usdc"]) for line in booked),
        trace=trace,
        latency=script.latency,
        naked=[_naked_of(end, line, script.latency) for line in closed],
        slips_bps=[
            float(_percent(line["spread_percent"]) - _percent(line["detected_percent"])) * 100
            for line in opened
            if line.get("spread_percent")
        ],
        eligible=end.eligible,
        captured=end.captured,
        by_hand=end.by_hand,
        rounds=end.rounds,
        cells=cells,
    )


def bound_s(latency: str, doubts: int = 0) -> float:
    """Return how long a trade may be naked, given how many of its orders came into doubt.

    There is no bound while a venue is dark, does not answer questions, or refuses every way out.
    """
    round_s = ROUND_S * LATENCIES[latency]
    if not doubts:
        return (1 + STEPS) * round_s
    return doubts * (WINDOW_S + BUMP_S + SETTLE_S + 2 * ASK_S) + RUNGS * round_s


def lines(results: list[Result], wall_s: float) -> list[str]:
    """Return the figures of a batch, the most telling line last."""
    said = [_naked(results, latency) for latency in LATENCIES]
    usd_s = sorted(value for result in results for value in result.naked_usd_s)
    worst = sorted(results, key=lambda result: -_furthest(result))[:5]
    furthest = [f"{_furthest(one):.2f} in seed {one.seed}" for one in worst]
    said.append(f"furthest beyond the bound, no venue dark: {', '.join(furthest)}")
    if usd_s:
        said.append(f"naked exposure: {_spread(usd_s, 'USD s')}")
    attempts = sum(result.trades for result in results)
    slips = [slip for result in results for slip in result.slips_bps]
    eligible = sum(result.eligible for result in results)
    captured = sum(result.captured for result in results)
    net = sum(result.net_usdc for result in results)
    if attempts and slips:
        said.append(
            f"on the demo market, whose money means nothing: "
            f"net {net / attempts / NOTIONAL * 1e4:.2f} bp per attempt, "
            f"realised less detected spread {mean(slips):+.2f} bp, "
            f"captured {captured} of {eligible} eligible spreads "
            f"({100 * captured / max(eligible, 1):.0f} %), {100 * _opened(results):.0f} % hedged, "
            f"{sum(result.by_hand for result in results)} flattened by hand as the bot asked"
        )
    hours = sum(result.seconds for result in results) / 3600
    said.append(
        f"{len(results)} universes, {hours:.2f} simulated hours, "
        f"{hours / max(sum(result.cpu_s for result in results), 1e-9):.4f} hours per core-second, "
        f"{attempts} trades, "
        f"{sum(result.opened for result in results)} hedged, "
        f"{sum(result.faults for result in results)} faults, "
        f"{sum(result.deaths for result in results)} deaths, "
        f"net {net:.2f} USDC, {wall_s:.0f} s, "
        f"{sum(len(result.violations) for result in results)} violations"
    )
    return [line for line in said if line]


def _naked(results: list[Result], latency: str) -> str:
    chosen = [one for result in results if result.latency == latency for one in result.naked]
    if not chosen:
        return ""
    shares = sorted(value / bound for dark, value, bound in chosen if not dark)
    dark = sorted(value for dark, value, _ in chosen if dark)
    text = f"naked, {latency}: "
    if shares:
        text += f"{_spread(shares, 'x bound')} of {len(shares)} trades"
    return text + (
        f"; a venue dark or refusing: {_spread(dark, 's')} of {len(dark)}" if dark else ""
    )


def _furthest(result: Result) -> float:
    return max((value / bound for dark, value, bound in result.naked if not dark), default=0.0)


def _spread(values: list[float], unit: str) -> str:
    p50, p99 = values[len(values) // 2], values[int(len(values) * 0.99)]
    return f"p50 {p50:.2f} {unit}, p99 {p99:.2f} {unit}, max {values[-1]:.2f} {unit}"


def _opened(results: list[Result]) -> float:
    tried = sum(result.trades for result in results)
    return sum(result.opened for result in results) / max(tried, 1)


def _naked_of(end: Ending, ended: dict[str, Any], latency: str) -> tuple[bool, float, float]:
    mine = [line for line in end.events if line.get("trade_id") == ended["trade_id"]]
    began, over = float(mine[0]["at"]), float(ended["at"])
    dark = any(since < over and until > began for _, since, until in end.dark)
    sent = [line for line in mine if line["event"] == "leg.sent"]
    purposes = Counter(line["purpose"] for line in sent)
    dark = dark or purposes["mend"] > STEPS - RUNGS or purposes["unwind"] > RUNGS
    dark = dark or silent(end.events, began, over)
    doubts = {line["client_order_id"] for line in mine if line["event"] == "leg.in_doubt"}
    found = sum(line["event"] in FOUND for line in mine)
    return dark, float(ended["naked_s"]), bound_s(latency, len(doubts) + found)


def _percent(text: Any) -> Decimal:
    return Decimal(str(text).rstrip("%"))
