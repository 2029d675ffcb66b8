"""What goes wrong while a pair opens: asserted on the venues' own state."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
VENUES = ["vest", "paradex"]


async def force_entry(run: Any, bps: float = 45.0, seconds: float = 6.0) -> None:
    """Let both feeds settle, then open a gap."""
    await run.until("feed.ready", 4)
    run.gap(bps, seconds)


REFUSALS = [
    ("vest", {"status": 429, "code": 1003}, "a rate limit of Vest, in doubt by default"),
    ("vest", {"code": 3001}, "a price that moved"),
    ("vest", {"code": 3002}, "too little margin"),
    ("paradex", {"status": 429, "code": "RATE_LIMIT_EXCEEDED"}, "a rate limit of Paradex"),
    ("paradex", {"cancel_reason": "NOT_ENOUGH_MARGIN"}, "too little margin"),
    ("paradex", {"status": 400, "code": "INVALID_ORDER_SIZE"}, "a refusal before the queue"),
]


@pytest.mark.parametrize("bps", [45.0, -45.0], ids=["vest dear", "vest cheap"])
@pytest.mark.parametrize(("venue", "args", "_why"), REFUSALS, ids=[r[2] for r in REFUSALS])
@pytest.mark.ordinary(
    "a price that moved-vest dear",
    "too little margin0-vest cheap",
    "a rate limit of Paradex-vest dear",
    "too little margin1-vest cheap",
    "a refusal before the queue-vest dear",
    "a rate limit of Vest, in doubt by default-vest cheap",
)
async def test_one_leg_refused_once_ends_hedged_or_flat(
    play: Any, autojump_clock: Any, venue: str, args: dict[str, Any], _why: str, bps: float
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "refuse", count=1, **args)
            run.gap(bps, 6.0)
            await run.until("pair.opening")
            await _settled(run)

        assert run.code == 0
        run.clean()


@pytest.mark.parametrize("venue", VENUES)
async def test_a_leg_refused_for_ever_is_taken_back_within_its_attempts(
    play: Any, autojump_clock: Any, venue: str
):
    args = {"code": 3002} if venue == "vest" else {"cancel_reason": "NOT_ENOUGH_MARGIN"}
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, "refuse", count=20, reduce_only=False, **args)
            run.gap(45.0, 6.0)
            await run.until("pair.opening")
            await run.until("pair.unwound")

        assert run.code == 0
        assert run.positions() == {}
        run.clean()


@pytest.mark.parametrize("kind", ["lose_answer", "lose_request"])
@pytest.mark.parametrize("venue", VENUES)
async def test_an_answer_that_never_comes_is_asked_about_and_never_sent_twice(
    play: Any, autojump_clock: Any, venue: str, kind: str
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault(venue, kind, count=1)
            run.fault(venue, "mute_private", count=20)
            run.gap(45.0, 8.0)
            await run.until("leg.in_doubt")
            await _settled(run)

        run.clean()
        assert run.code == 0
        entries = [o for o in run.truth[venue]["orders"] if not o["reduce_only"]]
        if kind == "lose_answer":
            assert len(entries) == 1


@pytest.mark.parametrize("fraction", [0.3, 0.6])
async def test_a_partial_fill_is_mended_or_unwound_by_the_difference(
    play: Any, autojump_clock: Any, fraction: float
):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            run.fault("paradex", "partial_fill", count=1, fraction=fraction)
            run.gap(45.0, 6.0)
            await run.until("pair.opening")
            await _settled(run)

        assert run.code == 0
        assert run.open_orders() == []
        assert abs(run.net()) < Decimal("0.00013")


async def test_neither_leg_filling_is_a_miss_that_costs_nothing(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            for venue in VENUES:
                run.fault(venue, "no_fill", count=1)
            run.gap(45.0, 4.0)
            await run.until("pair.missed")

        assert run.positions() == {}
        assert run.code == 0


async def test_a_leg_that_stands_alone_is_taken_back_at_once_with_a_new_session(
    play: Any, autojump_clock: Any
):
    lost = {"status": 401, "code": "INVALID_TOKEN"}
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            # Vest refuses for good; Paradex fills, then refuses to take back without a new token.
            run.fault("vest", "refuse", count=-1, code=3002)
            run.fault("paradex", "refuse", reduce_only=True, **lost)
            run.gap(45.0, 60.0)
            ended = await run.until("pair.unwound")

        assert float(ended["naked_s"]) < 2.0
        assert run.positions() == {}
        assert run.code == 0


@pytest.mark.parametrize("venue", VENUES)
async def test_an_exit_with_one_leg_refused_goes_forward(
    play: Any, autojump_clock: Any, venue: str
):
    args = {"code": 3003} if venue == "vest" else {"status": 429, "code": "RATE_LIMIT_EXCEEDED"}
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await force_entry(run, seconds=3.0)
            await run.until("pair.opened")
            run.fault(venue, "refuse", count=1, reduce_only=True, **args)
            await run.until("pair.closed")

        assert run.positions() == {}
        assert run.code == 0


async def test_a_pair_closed_by_hand_is_noticed_and_booked(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await force_entry(run, seconds=300.0)
            await run.until("pair.opened")
            run.fault("vest", "manual_close", market="BTC-PERP")
            run.fault("paradex", "manual_close", market="BTC-USD-PERP")
            await run.until("trade.closed_outside", 2, within_s=90)

        assert run.positions() == {}
        assert run.code == 0


@pytest.mark.parametrize("venue", VENUES)
async def test_one_leg_closed_by_hand_reduces_the_other(play: Any, autojump_clock: Any, venue: str):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await force_entry(run, seconds=300.0)
            await run.until("pair.opened")
            market = "BTC-PERP" if venue == "vest" else "BTC-USD-PERP"
            run.fault(venue, "manual_close", market=market)
            await run.until("pair.closed", within_s=90)

        assert run.positions() == {}
        assert run.code == 0


async def _settled(run: Any) -> None:
    """Wait until the pair's trade is hedged or over."""
    import trio

    with trio.fail_after(60):
        while True:
            done = [run.said(name) for name in ("pair.opened", "pair.missed", "pair.unwound")]
            over = [*run.said("pair.closed")]
            if any(done) or over:
                break
            await trio.sleep(0.05)
        await trio.sleep(1.0)
