"""The doctor in a universe: every step said, nothing left behind whatever goes wrong."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from bot4.config.schema import SimulationConfig
from bot4.domain.market import VENUES
from bot4.wiring.doctor import Step, examine_all

CALM = SimulationConfig(profile="calm", seed=3)


async def examine(universe: Any, *, probe: bool = True, venues: Any = VENUES) -> tuple[Any, Any]:
    steps: list[Step] = []
    code = await examine_all(
        universe.config, universe.secrets, universe.world, venues, steps.append, probe_orders=probe
    )
    return code, {(step.venue, step.name): step for step in steps}


def open_orders(universe: Any) -> list[Any]:
    return [order for state in universe.box.truth().values() for order in state["open_orders"]]


def positions(universe: Any) -> list[Any]:
    return [size for state in universe.box.truth().values() for size in state["positions"].values()]


async def test_everything_works_and_is_said(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM, more=("ETH", "SOL")) as universe:
        code, steps = await examine(universe)

        assert code == 0
        assert [step.name for step in steps.values() if not step.ok] == []
        assert len(steps) == 19
        pairs = "BTC-PERP <-> BTC-USD-PERP, ETH-PERP <-> ETH-USD-PERP, SOL-PERP <-> SOL-USD-PERP"
        assert steps["both", "pairs"].said == f"3 on both: {pairs}"
        for venue in VENUES:
            assert "10000 USDC; equity 10000 USDC" in steps[venue, "account"].said
        assert "BTC-PERP: tick 0.01, lot 0.0001" in steps["vest", "markets"].said
        assert "taker fee 0.0450%" in steps["paradex", "markets"].said
        for venue in VENUES:
            assert "rested, and was cancelled" in steps[venue, "far order"].said
        assert open_orders(universe) == []
        assert not any(positions(universe))


async def test_over_the_socket_every_call_is_tried(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        paradex = attrs.evolve(universe.config.paradex, orders="ws")
        config = attrs.evolve(universe.config, paradex=paradex)

        code, steps = await examine(attrs.evolve(universe, config=config), venues=("paradex",))

        assert code == 0
        assert "cancel on disconnect is armed" in steps["paradex", "order stream"].said
        (paradex_truth,) = [t for v, t in universe.box.truth().items() if v == "paradex"]
        assert len(paradex_truth["orders"]) == 1
        assert open_orders(universe) == []


async def test_without_being_told_no_order_is_sent(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        code, steps = await examine(universe, probe=False)

        assert code == 0
        assert ("vest", "far order") not in steps
        assert all(state["orders"] == [] for state in universe.box.truth().values())


async def test_one_venue_may_be_asked_alone(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        _, steps = await examine(universe, venues=("vest",))

        assert {venue for venue, _ in steps} == {"vest"}


async def test_a_venue_out_of_reach_fails_and_the_other_is_examined(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": "vest", "kind": "refuse_connect", "seconds": 500})

        code, steps = await examine(universe)

        assert code == 3
        assert not steps["vest", "reach"].ok
        assert steps["vest", "reach"].do
        assert steps["paradex", "far order"].ok


async def test_a_market_that_is_not_listed_is_named(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        (pair,) = universe.config.pairs
        config = attrs.evolve(universe.config, pairs=(attrs.evolve(pair, vest="BTT-PERP"),))

        code, steps = await examine(attrs.evolve(universe, config=config), venues=("vest",))

        assert code == 3
        assert "BTT-PERP not listed" in steps["vest", "markets"].said
        assert "BTC-PERP" in steps["vest", "markets"].do
        assert ("vest", "far order") not in steps


async def test_wrong_keys_fail_the_sign_in_and_nothing_after_it_is_tried(
    play: Any, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe:
        wrong = attrs.evolve(
            universe.secrets, paradex_private_key=universe.secrets.vest_signing_key.__class__("0x7")
        )

        code, steps = await examine(attrs.evolve(universe, secrets=wrong), venues=("paradex",))

        assert code == 3
        assert not steps["paradex", "sign in"].ok
        assert ".env" in steps["paradex", "sign in"].do
        assert ("paradex", "account") not in steps


async def test_a_pair_of_two_coins_is_named(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM, more=("ETH", "SOL")) as universe:
        (pair,) = universe.config.pairs
        config = attrs.evolve(universe.config, pairs=(attrs.evolve(pair, vest="ETH-PERP"),))

        code, steps = await examine(attrs.evolve(universe, config=config), probe=False)

        assert code == 3
        said = "BTC: vest:ETH-PERP is ETH and paradex:BTC-USD-PERP is BTC"
        assert steps["both", "pairs"].said == said
        assert "bot4.yaml" in steps["both", "pairs"].do


@pytest.mark.parametrize("venue", VENUES)
async def test_a_refused_order_is_said_as_the_venue_says_it(
    play: Any, autojump_clock: Any, venue: str
):
    refusal = {"vest": {"code": 3002}, "paradex": {"code": "INVALID_ORDER_SIZE"}}[venue]
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add({"venue": venue, "kind": "refuse", **refusal})

        code, steps = await examine(universe, venues=(venue,))

        assert code == 3
        assert str(refusal["code"]) in steps[venue, "far order"].said
        assert open_orders(universe) == []


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("kind", ["lose_answer", "http_error"])
async def test_an_order_in_doubt_is_found_and_cancelled(
    play: Any, autojump_clock: Any, venue: str, kind: str
):
    async with play.universe(simulation=CALM) as universe:
        fault = {"venue": venue, "kind": kind, "with_effect": True, "request": "order"}
        universe.box.faults.add(fault)

        _, steps = await examine(universe, venues=(venue,))

        assert "rested, and was cancelled" in steps[venue, "far order"].said
        assert open_orders(universe) == []


@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_that_cannot_be_cancelled_is_named_loudly(
    play: Any, autojump_clock: Any, venue: str
):
    async with play.universe(simulation=CALM) as universe:
        universe.box.faults.add(
            {"venue": venue, "kind": "http_error", "request": "cancel", "count": -1}
        )

        code, steps = await examine(universe, venues=(venue,))

        assert code == 3
        assert "may still be open" in steps[venue, "far order"].said
        assert "flatten" in steps[venue, "far order"].do
        assert len(open_orders(universe)) == 1


async def test_no_word_of_the_doctor_carries_a_key(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        _, steps = await examine(universe)

        said = " ".join(f"{step.said} {step.do}" for step in steps.values())
        for field in attrs.fields(type(universe.secrets)):
            secret = getattr(universe.secrets, field.name)
            assert secret is None or secret.reveal() not in said
