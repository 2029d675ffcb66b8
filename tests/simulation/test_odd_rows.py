"""Rows and events that cannot be read: told once, and everything else goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig
from bot4.simulator.options import Options
from bot4.wiring.universe import Universe, open_universe, plain_config

CALM = SimulationConfig(profile="calm", seed=3)
SHAPES = ("tpsl", "unknown_status", "unknown_type", "null_nonce", "null_field", "looks_like_ours")
FIELDS = {"vest": ("size", "symbol"), "paradex": ("size", "id")}
"""An order at Vest whose id is null cannot be cancelled by anybody."""
FOREIGN = [
    (venue, shape, field)
    for venue in ("vest", "paradex")
    for shape in SHAPES
    for field in (FIELDS[venue] if shape == "null_field" else ("",))
]


@asynccontextmanager
async def switched(path: Path, **switches: Any) -> AsyncIterator[Universe]:
    """Open a universe whose venues are set otherwise: ``paradex={...}, vest={...}``."""
    config = attrs.evolve(plain_config(path / "state", 3), simulation=CALM)
    options = Options(seed=3, profile="calm", bases=("BTC",), books_per_s=10.0, **switches)
    async with open_universe(config, options) as opened:
        yield opened


def names(run: Any) -> list[tuple[str, str]]:
    return [(line["kind"], line["row_id"]) for line in run.said("row.unread")]


async def one_trade(run: Any) -> None:
    run.gap(45.0, 6.0)
    with trio.move_on_after(80):
        await run.until("pair.closed", within_s=90)
    assert run.said("pair.closed")


def nothing_stood_still(run: Any) -> None:
    """No stream was lost, no API taken for new, and each odd row was told once."""
    assert run.said("feed.lost") == []
    reasons = [line["reason"] for line in run.said("opening.stopped")]
    assert not {"vest api", "paradex api"} & set(reasons), reasons
    assert len(names(run)) == len(set(names(run)))


@pytest.mark.parametrize(("venue", "shape", "field"), FOREIGN)
@pytest.mark.ordinary(
    "vest-tpsl-",
    "vest-null_nonce-",
    "paradex-looks_like_ours-",
    "paradex-unknown_type-",
    "paradex-null_field-size",
)
async def test_an_order_of_somebody_stops_nothing(
    play: Any, autojump_clock: Any, venue: str, shape: str, field: str
):
    more = {"field": field} if field else {}
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": venue, "kind": "foreign_order", "shape": shape, **more})
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "foreign_order", shape=shape, **more)
            await one_trade(run)

        nothing_stood_still(run)
        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("private_sbe", [False, True])
@pytest.mark.parametrize("shape", ["zero_price", "no_side", "no_fee", "other_currency"])
@pytest.mark.ordinary("no_fee-True", "no_side-False", "zero_price-True", "other_currency-False")
async def test_an_odd_fill_at_paradex_ends_hedged_and_is_booked(
    play: Any, autojump_clock: Any, tmp_path: Path, shape: str, private_sbe: bool
):
    async with switched(tmp_path, paradex={"private_sbe": private_sbe}) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("paradex", "odd_fill", shape=shape)
            await one_trade(run)

        nothing_stood_still(run)
        (closed,) = run.said("pair.closed")
        assert any("fee" in one and "paradex" in one for one in closed.get("estimated", ()))
        assert Decimal(closed["fees_usdc"]) > Decimal("0.3")
        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("shape", ["zero_price", "no_side", "no_fee"])
async def test_an_odd_fill_at_vest_ends_hedged(play: Any, autojump_clock: Any, shape: str):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("vest", "odd_fill", shape=shape)
            await one_trade(run)

        nothing_stood_still(run)
        (closed,) = run.said("pair.closed")
        doubted = closed.get("estimated") or closed.get("unknown")
        assert bool(doubted) is (shape != "no_side")  # Vest says a fill's side with its order too
        assert run.code == 0
        run.clean()


async def test_a_liquidation_without_a_nonce_loses_no_stream(
    play: Any, autojump_clock: Any, tmp_path: Path
):
    async with switched(tmp_path, vest={"house_nonce": False}) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.gap(45.0, 20.0)
            await run.until("pair.opened")
            run.fault("vest", "liquidate", market="BTC-PERP", share="0.5")
            await trio.sleep(12)

        nothing_stood_still(run)
        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("status", ["RESYNC", "LIQUIDATION"])
@pytest.mark.ordinary("LIQUIDATION")
async def test_an_account_in_trouble_opens_nothing_until_it_is_well(
    play: Any, autojump_clock: Any, status: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("paradex", "account_status", status=status, seconds=30)
            await trio.sleep(12)
            run.gap(45.0, 10.0)
            await trio.sleep(12)
            opened, stopped = run.said("pair.opening"), run.said("opening.stopped")
            await trio.sleep(20)
            await one_trade(run)

        assert opened == []
        assert [line["reason"] for line in stopped] == ["paradex account status"]
        assert status in stopped[0]["why"]
        assert run.code == 0
