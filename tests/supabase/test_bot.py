"""The whole bot in a universe, with the real Supabase behind it: fast clock, real sockets."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from localsupabase.gateway import SECRET_KEY
from timeouts import PLAYED_S

from bot4.app import run_bot
from bot4.config.schema import (
    AgesConfig,
    ExecutionConfig,
    MirrorConfig,
    MirrorSecrets,
    RiskConfig,
    SimulationConfig,
)
from bot4.errors import StartRefused
from bot4.secret import Secret
from bot4.signals import Signals
from bot4.wiring.house import open_house
from bot4.wiring.universe import Universe, open_universe, plain_config

D = Decimal
CALM = SimulationConfig(profile="calm", seed=3)
# A second of the universe is a short one for the machine: nothing here is about speed.
PATIENT = {
    "simulation": CALM,
    "execution": ExecutionConfig(deadline_ms=5000, answer_by_ms=10_000, window_ms=5000),
    "risk": RiskConfig(cooldown_s=D(1)),
    "ages": AgesConfig(10_000, 30_000, 30_000, 10_000, 30_000),
}


@attrs.define
class Run:
    """One run of the bot."""

    universe: Universe
    events: list[dict[str, Any]]
    signals: Signals
    begun: int
    """Lines of earlier runs."""
    code: int | None = None

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.events[self.begun :] if line["event"] == event]

    async def until(self, event: str, count: int = 1) -> dict[str, Any]:
        with trio.fail_after(PLAYED_S):
            while len(self.said(event)) < count:  # noqa: ASYNC110 - a log has no event
                await trio.sleep(0.05)
        return self.said(event)[count - 1]

    async def open_pair(self) -> dict[str, Any]:
        """Make gaps until the bot has taken one."""
        await self.until("feed.ready", 4)
        with trio.fail_after(PLAYED_S):
            while not self.said("pair.opened"):
                fault = {"venue": "vest", "kind": "gap_jump", "bps": 45.0, "seconds": 4.0}
                self.universe.box.faults.add(fault)
                with trio.move_on_after(8):
                    await self.until("pair.opened")
        return self.said("pair.opened")[0]

    def stop(self) -> None:
        self.signals.deliver(signal.SIGINT)


@pytest.fixture
def play(gateway, events, fast_clock, tmp_path: Path, monkeypatch) -> Any:
    """``play.universe()`` and ``play.bot(universe, machine)``."""
    monkeypatch.setenv("SSL_CERT_FILE", str(gateway.ca_file))

    class Player:
        @staticmethod
        @asynccontextmanager
        async def universe(**changes: Any):
            config = attrs.evolve(plain_config(tmp_path / "unused", 3), **PATIENT, **changes)
            async with open_universe(config) as opened:
                yield opened

        @staticmethod
        @asynccontextmanager
        async def bot(universe: Universe, machine: str = "one", *, mirror: bool = True):
            run = Run(universe, events, Signals(clock=trio.current_time), len(events))
            secrets = MirrorSecrets(gateway.url, Secret(SECRET_KEY)) if mirror else None
            config = attrs.evolve(universe.config, state_dir=tmp_path / machine)
            opened = attrs.evolve(universe.secrets, mirror=secrets)
            here = universe.world if machine == "one" else universe.new_world(2, machine=machine)
            ended = trio.Event()

            async def live() -> None:
                async with open_house(config, opened, here) as house:
                    run.code = await run_bot(house, run.signals)
                ended.set()

            async with trio.open_nursery() as living:
                living.start_soon(live)
                yield run
                if not run.signals.stopping:
                    run.stop()
                with trio.fail_after(PLAYED_S):
                    await ended.wait()

    return Player


def cash(universe: Universe) -> Decimal:
    """What every fill at both venues moved, fees and funding included."""
    total = D(0)
    for state in universe.box.truth().values():
        for fill in state["fills"]:
            sign = -1 if fill["side"].lower() == "buy" else 1
            total += sign * D(fill["size"]) * D(fill["price"]) - D(fill["fee"])
            total += D(fill["realized_funding"])
    return total


def agrees(rows, moved: Decimal) -> bool:
    """Whether our accounts add up to the venues' money; each has six places a sum."""
    trades = rows("trades")
    return abs(sum(D(row["net_usdc"]) for row in trades) - moved) <= D("0.00001") * len(trades)


async def test_every_fill_of_both_venues_is_in_supabase_and_the_money_agrees(
    play, fast_clock, rows: Callable[[str], list[dict[str, Any]]]
):
    async with play.universe() as universe:
        async with play.bot(universe) as run:
            await run.open_pair()
            await run.until("pair.closed")
        assert run.code == 0
        truth = universe.box.truth()
        theirs = sorted(
            (venue, D(fill["price"]), D(fill["size"]), round(D(fill["fee"]), 6))
            for venue, state in truth.items()
            for fill in state["fills"]
        )
        filled = sorted(
            (venue, D(order["filled"]), order["filled"] == order["size"])
            for venue, state in truth.items()
            for order in state["orders"]
            if D(order["filled"])
        )
        held = [size for state in truth.values() for size in state["positions"].values()]
        moved = cash(universe)

    ours = sorted(
        (f["venue"], D(f["price"]), D(f["size"]), round(D(f["fee"]), 6)) for f in rows("fills")
    )
    assert ours == theirs
    assert len(ours) >= 4, "nothing was traded"
    orders = [row for row in rows("orders") if D(row["filled"])]
    assert filled == sorted(
        (row["venue"], D(row["filled"]), row["status"] == "filled") for row in orders
    )
    assert not any(map(D, held))
    assert {trade["status"] for trade in rows("trades")} == {"closed"}
    assert agrees(rows, moved)
    assert rows("instances")[0]["released_at"]


@pytest.mark.parametrize("how", ["manual_close", "liquidate"])
@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_what_others_closed_is_in_supabase_with_the_trade_that_it_closed(
    play, fast_clock, rows, venue, how
):
    async with play.universe() as universe:
        async with play.bot(universe) as run:
            opened = await run.open_pair()
            universe.box.faults.add({"venue": venue, "kind": how})
            await run.until("pair.closed")
        assert run.code == 0
        theirs = sorted(
            (name, D(fill["price"]), D(fill["size"]), round(D(fill["fee"]), 6))
            for name, state in universe.box.truth().items()
            for fill in state["fills"]
        )

    told = [(f["venue"], D(f["price"]), D(f["size"]), round(D(f["fee"]), 6)) for f in rows("fills")]
    assert sorted(told) == theirs
    trade = next(row for row in rows("trades") if row["trade_id"] == opened["trade_id"])
    (leg,) = (
        row for row in rows("legs") if (row["trade_key"], row["venue"]) == (trade["id"], venue)
    )
    assert D(leg["closed_size"]) == D(leg["opened_size"])
    orders = {row["id"]: row for row in rows("orders")}
    others = [fill for fill in rows("fills") if "not ours" in orders[fill["order_key"]]["reason"]]
    assert {(row["venue"], row["trade_key"]) for row in others} == {(venue, trade["id"])}


async def test_an_open_position_comes_back_on_a_new_machine_and_is_closed_there(
    play, fast_clock, rows
):
    async with play.universe() as universe:
        async with play.bot(universe, "old") as run:
            opened = await run.open_pair()
            run.stop()
        assert [row["status"] for row in rows("positions")].count("open") == 1

        async with play.bot(universe, "new") as run:
            restored = await run.until("mirror.restored")
            assert run.said("pair.opening") == []
            await run.until("pair.closed")
            # A crowded machine may be too late with it when the bot leaves: the next start's work.
            with trio.fail_after(PLAYED_S):
                while {  # noqa: ASYNC110 - a database has no event
                    row["status"] for row in rows("positions")
                } != {"closed"}:
                    await trio.sleep(0.5)
        assert run.said("exposure.found") == []
        assert all(
            not D(size)
            for state in universe.box.truth().values()
            for size in state["positions"].values()
        )
        moved = cash(universe)

    assert restored["trades"] == [opened["trade_id"]]
    assert {row["status"] for row in rows("positions")} == {"closed"}
    assert agrees(rows, moved)


async def test_the_venues_decide_when_supabase_believes_in_a_position_that_is_gone(
    play, fast_clock, rows
):
    async with play.universe() as universe:
        async with play.bot(universe, "old") as run:
            await run.open_pair()
            run.stop()
        # While nobody looks, the pair is closed by a bot that knows nothing of Supabase.
        folder = universe.config.state_dir.parent
        shutil.copytree(folder / "old", folder / "hand")
        async with play.bot(universe, "hand", mirror=False) as run:
            await run.until("pair.closed")

        async with play.bot(universe, "new") as run:
            await run.until("mirror.restored")
            await run.until("trade.closed_outside")
            await run.until("pair.closed")
        assert run.code == 0

    assert {row["status"] for row in rows("positions")} == {"closed"}


async def test_a_second_bot_on_another_machine_stops_before_its_first_order(play, fast_clock):
    short = MirrorConfig(lease_ttl_s=30)
    async with play.universe(mirror=short) as universe, play.bot(universe, "one") as run:
        await run.until("feed.ready", 4)
        orders = {venue: len(state["orders"]) for venue, state in universe.box.truth().items()}
        with pytest.RaisesGroup(StartRefused, allow_unwrapped=True, flatten_subgroups=True):
            async with play.bot(universe, "two"):
                pass

        assert len(run.said("lease.waiting")) == 1
        assert orders == {
            venue: len(state["orders"]) for venue, state in universe.box.truth().items()
        }


async def test_trading_does_not_notice_that_supabase_is_down_and_all_arrives_later(
    play, fast_clock, gateway, rows, until
):
    async with play.universe(mirror=MirrorConfig(every_s=D("0.5"))) as universe:
        await gateway.cut()
        async with play.bot(universe) as run:
            await run.open_pair()
            await run.until("pair.closed")
            assert run.said("opening.stopped") == []
        assert run.code == 0
        assert run.said("mirror.away")
        assert rows("trades") == []

        gateway.down = False
        async with play.bot(universe) as run:
            await until(lambda: rows("trades"), PLAYED_S)

        theirs = sum(len(state["fills"]) for state in universe.box.truth().values())
        moved = cash(universe)

    assert {row["status"] for row in rows("trades")} == {"closed"}
    assert len(rows("fills")) == theirs >= 4
    assert agrees(rows, moved)


@pytest.mark.proof
async def test_a_holder_that_cannot_renew_closes_what_it_has_and_opens_nothing(
    play, fast_clock, gateway, rows
):
    async with play.universe(mirror=MirrorConfig(lease_ttl_s=60)) as universe:
        async with play.bot(universe) as run:
            await run.open_pair()
            # Held on purpose while the lease runs out.
            hold = {"venue": "vest", "kind": "gap_jump", "bps": 45.0, "seconds": 3600.0}
            universe.box.faults.add(hold)
            await gateway.cut()
            stopped = await run.until("opening.stopped")
            assert "Supabase has not confirmed our lease for 60 s" in stopped["why"]
            assert run.said("pair.closed") == []

            universe.box.faults.add({**hold, "bps": 0.0, "seconds": 1.0})
            await run.until("pair.closed")
            opened = len(run.said("pair.opening"))
            universe.box.faults.add({**hold, "seconds": 20.0})
            await trio.sleep(20)
            assert len(run.said("pair.opening")) == opened
            positions = [state["positions"] for state in universe.box.truth().values()]
            assert not any(D(size) for held in positions for size in held.values())

            gateway.down = False
            await run.until("opening.resumed")
        assert run.code == 0


async def test_without_keys_the_bot_says_once_that_there_is_no_copy(play, fast_clock, gateway):
    async with play.universe() as universe, play.bot(universe, mirror=False) as run:
        await run.until("feed.ready", 4)

    assert len(run.said("mirror.off")) == 1
    assert gateway.seen == []
