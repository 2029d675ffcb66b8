"""Funding: what both venues settle is in the account of the trade, to the cent."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import ExecutionConfig, OnStop, RiskConfig, SimulationConfig
from bot4.simulator.market import MarketModel
from bot4.venues.paradex import messages
from bot4.wiring.universe import plain_config

D = Decimal
CALM = SimulationConfig(profile="calm", seed=3)
FLATTEN = ExecutionConfig(on_stop=OnStop.FLATTEN)
CENT = D("0.01")
RATES = {"vest": D("1.8"), "paradex": D("-0.7")}
"""A share of notional an hour, far more than any venue takes: some seconds come to cents."""


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MarketModel, "hourly_funding", lambda _, venue, _base: RATES[venue])


def balances(run: Any) -> Decimal:
    return sum((D(state["balance"]) for state in run.truth.values()), D(0))


def venues_say(run: Any) -> tuple[Decimal, Decimal, Decimal]:
    """Gross, fees and funding from the venues' own fills."""
    gross = fees = funding = D(0)
    for state in run.truth.values():
        for fill in state["fills"]:
            sign = -1 if fill["side"].lower() == "buy" else 1
            gross += sign * D(fill["size"]) * D(fill["price"])
            fees += D(fill["fee"])
            funding += D(fill["realized_funding"])
    return gross, fees, funding


async def traded(run: Any, meanwhile: Callable[[], None] = lambda: None) -> Decimal:
    """Open a pair and close it; return what the accounts were worth before."""
    await run.until("feed.ready", 4)
    before = balances(run)
    run.gap()
    await run.until("pair.opened")
    meanwhile()
    run.gap(bps=0, seconds=30.0)
    await run.until("pair.closed")
    return before


async def test_what_both_venues_settled_is_in_the_net_to_the_cent(
    play: Any, autojump_clock: Any, dear: None
):
    async with play.universe(simulation=CALM, execution=FLATTEN, books_per_s=None) as universe:
        async with play.bot(universe) as run:
            before = await traded(run)

        (line,) = run.said("pair.closed")
        gross, fees, funding = venues_say(run)
        assert abs(funding) > 5 * CENT, "the test would prove nothing"
        assert abs(D(line["gross_usdc"]) - gross) < D("0.00001")
        assert abs(D(line["fees_usdc"]) - fees) < D("0.00001")
        assert abs(D(line["funding_usdc"]) - funding) < D("0.00001")
        assert abs(D(line["net_usdc"]) - (balances(run) - before)) < D("0.00001")
        assert ", funding=" in line["message"]


async def test_fills_that_do_not_say_their_funding_find_it_in_the_list_of_payments(
    play: Any, autojump_clock: Any, dear: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(messages, "read_aside", lambda _row, _name: None)
    async with play.universe(simulation=CALM, execution=FLATTEN, books_per_s=None) as universe:
        async with play.bot(universe) as run:
            before = await traded(run)

        (line,) = run.said("pair.closed")
        _, _, funding = venues_say(run)
        assert abs(D(line["funding_usdc"]) - funding) < D("0.00001")
        assert abs(D(line["net_usdc"]) - (balances(run) - before)) < D("0.00001")


async def test_funding_that_a_venue_does_not_say_is_not_known_and_nothing_waits_for_it(
    play: Any, autojump_clock: Any, dear: None
):
    async with play.universe(simulation=CALM, execution=FLATTEN, books_per_s=None) as universe:
        async with play.bot(universe) as run:
            fault = {"status": 503, "request": "query", "path": "/orders", "count": 50}
            await traded(run, lambda: run.fault("vest", "http_error", **fault))

        (line,) = run.said("pair.closed")
        gross, fees, _ = venues_say(run)
        assert line["funding_usdc"] is None
        assert abs(D(line["net_usdc"]) - (gross - fees)) < D("0.00001")
        json.dumps(line)


async def test_the_days_loss_counts_the_funding_that_an_open_pair_has_paid(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    """Prices stand still; a minute of this funding is more than the day may lose."""
    taken = {venue: -rate for venue, rate in RATES.items()}
    monkeypatch.setattr(MarketModel, "hourly_funding", lambda _, venue, _base: taken[venue])
    btc = plain_config(Path(), 1).pairs[0]
    eth = attrs.evolve(btc, name="ETH", vest="ETH-PERP", paradex="ETH-USD-PERP")
    risk = RiskConfig(daily_loss=D(4))
    async with play.universe(simulation=CALM, pairs=(btc, eth), risk=risk) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(base="BTC", seconds=600.0)
            await run.until("pair.opened")
            await trio.sleep(60)
            run.gap(base="ETH", seconds=5.0)
            await trio.sleep(5)

        assert [line["pair"] for line in run.said("pair.opened")] == ["BTC"]
        assert "daily_loss" in [line["reason"] for line in run.said("entry.held")]
