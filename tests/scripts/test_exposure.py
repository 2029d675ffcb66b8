"""What scripts/exposure measures: the bot's own rooms, on fewer trades than it takes to be sure."""

from __future__ import annotations

import pytest
from exposurelib import table, troubles
from exposurelib.__main__ import LEAST_BPS, main, under_all
from exposurelib.naive import judge
from exposurelib.policies import OURS, POLICIES
from exposurelib.trade import play

from bot4.simulator.profiles import CALIBRATED, DEMO, hurried

pytestmark = pytest.mark.proof

MARKET = hurried(CALIBRATED, LEAST_BPS)
SEEDS = range(1, 17)
NAMES = (
    OURS,
    "always reverse",
    "always proceed",
    "proceed once at market",
    "serial, vest first",
    "do nothing",
)
PARALLEL = tuple(name for name in NAMES if POLICIES[name].first is None)


@pytest.fixture(scope="module")
def runs():
    """By policy, the same seeds."""
    found = {name: [] for name in NAMES}
    for seed in SEEDS:
        results = under_all(seed, names=NAMES, profile="calibrated", line="rack")
        for name, result in (results or {}).items():
            found[name].append(result)
    return found


def test_a_market_is_accepted_when_a_naive_bot_keeps_little_of_what_it_sees():
    verdict = judge(hurried(CALIBRATED, 0.0), range(12), 120.0)

    assert verdict.shots > 150
    assert 0.0008 <= verdict.seen <= 0.0014
    assert 0.0 <= verdict.realised <= 0.0004
    assert verdict.accepted
    assert verdict.line().endswith("accepted")


def test_a_market_that_lets_a_naive_bot_keep_it_all_is_refused():
    verdict = judge(DEMO, range(2), 300.0)

    assert verdict.realised > 0.0010
    assert not verdict.accepted
    assert verdict.line().endswith("REFUSED")


@pytest.mark.parametrize("profile", ["demo", "calm"])
def test_demo_is_refused(profile, capsys):
    assert main(["--profile", profile, "--trades", "1"]) == 2

    assert f"profile {profile}: its money means nothing" in capsys.readouterr().err


def test_every_trade_has_a_fault():
    drawn = [troubles.draw(seed) for seed in range(300)]

    assert all(one.orders or one.later for one in drawn)
    kinds = {spec["kind"] for one in drawn for spec in (*one.orders, *dict(one.later).values())}
    assert len(kinds) > 15


def test_the_same_seed_is_the_same_trade():
    assert play(3, OURS, MARKET) == play(3, OURS, MARKET)


def test_every_policy_gets_the_same_first_orders(runs):
    for name in PARALLEL:
        assert [r.first for r in runs[name]] == [r.first for r in runs[OURS]], name
        assert [r.failed for r in runs[name]] == [r.failed for r in runs[OURS]], name
    assert len(runs[OURS]) > 12
    assert len(table.failed(runs[OURS])) > 4


def test_ours_leaves_no_leg_on(runs):
    assert not any(result.stuck or result.unfinished for result in runs[OURS])
    assert table.stuck_percent(runs["always reverse"]) == 0


def test_doing_nothing_leaves_every_failed_leg_on_and_is_the_most_naked(runs):
    nothing = runs["do nothing"]

    assert [result.stuck for result in nothing] == [result.asked for result in nothing]
    assert table.stuck_percent(nothing) > table.stuck_percent(runs["proceed once at market"]) > 0
    naked = {name: sum(result.naked_usd_s for result in runs[name]) for name in NAMES}
    assert max(naked, key=naked.__getitem__) == "do nothing"
    assert naked["do nothing"] > 3 * naked[OURS]


def test_ours_loses_less_per_failed_leg_than_always_going_back(runs):
    assert table.lost_per_failed(runs[OURS]) < table.lost_per_failed(runs["always reverse"])
    best = table.lost_per_failed(table.clairvoyant(runs))
    assert best <= min(table.lost_per_failed(runs[name]) for name in NAMES[1:3])


def test_what_is_naked_is_told_apart_by_its_cause(runs):
    for results in runs.values():
        for result in results:
            assert result.naked_usd_s == pytest.approx(sum(result.usd_s.values()))
            assert (result.naked_usd_s > 0) == (result.longest_s > 0)
            assert result.naked_usd_s <= result.largest_usd * result.longest_s * 12 + 1e-6
    ours = runs[OURS]
    for kind in ("skew", "repair", "doubt"):
        assert any(result.usd_s[kind] > 0 for result in ours), kind


def test_the_table_has_a_line_a_policy_and_says_where_ours_loses(runs):
    for name, results in runs.items():
        line = table.row(name, results)
        assert line.startswith(name)
        assert f"{table.net_bp(results):8.2f}" in line
    assert table.where_we_lose(runs).startswith("ours loses against ")
    lines = table.exposure(runs[OURS])
    assert any("p50" in line and "p99" in line and "USD s" in line for line in lines)
    assert lines[-1].startswith("worst: seed ")


def test_percentiles_are_of_the_sorted_values():
    values = [float(n) for n in range(100, 0, -1)]

    assert [table.percentile(values, share) for share in (0.5, 0.9, 0.99)] == [51, 91, 100]
    assert table.percentile([], 0.5) == 0
