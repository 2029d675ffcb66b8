"""Figures of many trades: distributions of how naked they were, and a line a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from exposurelib.meter import KINDS
from exposurelib.policies import OURS
from exposurelib.result import Result

Runs = Mapping[str, Sequence[Result]]
"""Every policy's trades, in the order of their seeds."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all do not exceed."""
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * share), len(ranked) - 1)] if ranked else 0.0


def distribution(name: str, unit: str, values: Sequence[float], places: int = 1) -> str:
    """Return one distribution as a line."""
    p50, p90, p99 = (percentile(values, share) for share in (0.5, 0.9, 0.99))
    parts = [
        f"{word} {value:.{places}f}"
        for word, value in (
            ("p50", p50),
            ("p90", p90),
            ("p99", p99),
            ("max", max(values, default=0.0)),
        )
    ]
    return f"{name:<34} {', '.join(parts)} {unit}"


def exposure(results: Sequence[Result]) -> list[str]:
    """Return how naked our own trades were: all of them, and those with a failed leg."""
    lines = []
    for word, chosen in (("all trades", results), ("a leg failed", failed(results))):
        lines += [
            f"{len(chosen)} trades, {word}:",
            distribution("  naked size x time", "BTC ms", [r.size_ms for r in chosen], 3),
            distribution("  naked dollars x time", "USD s", [r.naked_usd_s for r in chosen]),
            distribution("  longest naked", "s", [r.longest_s for r in chosen], 2),
            distribution("  largest naked", "USD", [r.largest_usd for r in chosen], 0),
            distribution("  lost", "USD", [-r.net_usd for r in chosen], 3),
        ]
    lit = [r for r in results if not r.usd_s["dark"]]
    longest, bound_s = [r.longest_s for r in lit], max(r.bound_s for r in results)
    lines.append(
        f"{len(lit)} trades that no dark venue held up: naked p50 "
        f"{percentile(longest, 0.5):.2f} s, p99 {percentile(longest, 0.99):.2f} s, "
        f"max {max(longest, default=0.0):.2f} s; the bound is {bound_s:.1f} s"
    )
    worst = sorted(results, key=lambda r: -r.naked_usd_s)[:3]
    said = ", ".join(f"seed {r.seed} {r.naked_usd_s:.0f} USD s" for r in worst)
    return [*lines, f"worst: {said} (scripts/exposure --one SEED plays one again)"]


def failed(results: Sequence[Result]) -> list[Result]:
    """Return the trades of which one planned order filled more than the other."""
    return [result for result in results if result.failed]


HEADER = (
    f"{'policy':<28} {'naked':>7} {'= skew':>7} {'repair':>7} {'doubt':>7} {'dark':>6}"
    f" {'failed':>7} {'lost per':>9} {'worst':>7} {'cost per':>9} {'stuck':>7} {'net bp':>8}\n"
    f"{'':<28} {'USD s per attempt, mean':>39}"
    f" {'%':>6} {'failed $':>9} {'% $':>7} {'attempt $':>9} {'%':>7} {'attempt':>8}"
)
"""The worst percent: what one failed leg in a hundred loses at least."""


def row(name: str, results: Sequence[Result]) -> str:
    """Return one policy as a line of the table."""
    split = [fmean(result.usd_s[kind] for result in results) for kind in KINDS]
    lost, share = lost_per_failed(results), len(failed(results)) / len(results)
    worst = percentile([-result.net_usd for result in failed(results)], 0.99)
    return (
        f"{name:<28} {sum(split):7.1f} {split[0]:7.1f} {split[1]:7.1f} {split[2]:7.1f}"
        f" {split[3]:6.1f} {100 * share:7.1f} {lost:9.4f} {worst:7.2f} {lost * share:9.4f}"
        f" {stuck_percent(results):7.2f} {net_bp(results):8.2f}"
    )


def lost_per_failed(results: Sequence[Result]) -> float:
    """Return the mean loss of trades with a failed leg, against nothing having filled; USD."""
    chosen = failed(results)
    return -fmean(result.net_usd for result in chosen) if chosen else 0.0


def stuck_percent(results: Sequence[Result]) -> float:
    """Return how many trades in a hundred ended with a leg on."""
    return 100 * sum(result.stuck for result in results) / len(results)


def net_bp(results: Sequence[Result]) -> float:
    """Return what an attempt earns, failed ones included, in bp of the planned notional."""
    planned = sum(result.planned_usd for result in results)
    return 1e4 * sum(result.net_usd for result in results) / planned


def clairvoyant(runs: Runs) -> list[Result]:
    """Return the better of going back and going on, trade by trade, known afterwards."""
    pairs = zip(runs["always reverse"], runs["always proceed"], strict=True)
    return [max(pair, key=lambda result: result.net_usd) for pair in pairs]


def where_we_lose(runs: Runs) -> str:
    """Return in which columns another policy is better than ours, and how often it was."""
    ours, found = runs[OURS], []
    for name, results in runs.items():
        if name == OURS:
            continue
        better = [
            word
            for word, measure in (
                ("naked", lambda rs: fmean(r.naked_usd_s for r in rs)),
                ("lost per failed leg", lost_per_failed),
                ("net", lambda rs: -net_bp(rs)),
                ("stuck", stuck_percent),
            )
            if measure(results) < measure(ours)
        ]
        wins = sum(
            theirs.net_usd > mine.net_usd + 1e-9
            for theirs, mine in zip(results, ours, strict=True)
            if mine.failed
        )
        if better:
            found.append(
                f"{name}: less {', '.join(better)}; better in {wins} of {len(failed(ours))}"
            )
    return "ours loses against " + ("; ".join(found) if found else "none of them")
