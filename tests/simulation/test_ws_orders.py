"""Orders over Paradex's WebSocket: the same trades, and no order ever sent a second way."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import ParadexConfig, SimulationConfig
from bot4.simulator.paradex.refusal import INVALID_BEARER, RpcRefused
from bot4.simulator.paradex.ws import Session
from bot4.simulator.paradex.ws_orders import OrderMethods
from bot4.wiring.universe import open_universe

CALM = SimulationConfig(profile="calm", seed=3)
WS = ParadexConfig(orders="ws")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Method and client id of every order call that reached the venue over a WebSocket."""
    seen: list[str] = []
    answer = OrderMethods.answer

    async def noting(self: OrderMethods, call: Any) -> None:
        seen.append(f"{call.method} {call.params.get('client_id', '')}".strip())
        await answer(self, call)

    monkeypatch.setattr(OrderMethods, "answer", noting)
    return seen


def ours(run: Any) -> list[dict[str, Any]]:
    return [order for order in run.truth["paradex"]["orders"] if order["handle"].startswith("b4-")]


async def ready(run: Any) -> None:
    await run.until("feed.ready", 5)


async def settle(run: Any) -> None:
    """Wait until the pair is hedged or flat again, and stop."""
    over = ("pair.opened", "pair.unwound", "pair.missed", "pair.closed")
    with trio.fail_after(40):
        while not any(run.said(event) for event in over):  # noqa: ASYNC110 - no event in a log
            await trio.sleep(0.05)


async def test_entries_and_exits_go_over_the_socket(
    play: Any, autojump_clock: Any, calls: list[str]
):
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            run.gap(45.0, 5.0)
            await run.until("pair.closed")

        assert run.code == 0
        run.clean()
        assert len(ours(run)) == 2
        assert calls == [f"order.create {order['handle']}" for order in ours(run)]
        assert {line["feed"] for line in run.said("feed.ready")} >= {"paradex orders"}


async def test_the_dead_man_switch_is_armed_on_every_connection(play: Any, autojump_clock: Any):
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        sessions: list[Session] = []
        run_session = Session.run

        async def noting(self: Session) -> None:
            sessions.append(self)
            await run_session(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Session, "run", noting)
            async with play.bot(universe) as run:
                await ready(run)
                run.fault("paradex", "cut", which="all")
                await run.until("feed.ready", 8)
                await trio.sleep(1.0)

        armed = [one for one in sessions if one._orders.cancels_on_disconnect]
        assert len(armed) == 2
        assert {"account"} == {name for one in armed for name in one.channels}


async def test_a_connection_that_only_takes_orders_is_not_closed_for_being_unused(
    play: Any, autojump_clock: Any
):
    config = (await _config(play)).config
    options = _options(config, close_unused_s=3.0)
    async with open_universe(config, options) as universe, play.bot(universe) as run:
        await ready(run)
        await trio.sleep(20)

        assert run.said("feed.lost") == []


async def _config(play: Any) -> Any:
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        return universe


def _options(config: Any, **switches: Any) -> Any:
    from bot4.simulator.options import Options

    return Options(seed=config.simulation.seed, profile=config.simulation.profile, paradex=switches)


LOSSES = pytest.mark.parametrize(
    "kind", ["lose_request", "lose_answer"], ids=["not filled", "filled"]
)


def judge_doubt(run: Any, doubted: dict[str, Any], calls: list[str], kind: str) -> None:
    """The order in doubt went out once, its end is the venue's, and nothing is left of it."""
    assert run.code == 0
    run.clean()
    assert doubted["venue"] == "paradex"
    handle = doubted["client_order_id"]
    assert calls.count(f"order.create {handle}") == 1
    landed = [order for order in ours(run) if order["handle"] == handle]
    assert len(landed) == (kind == "lose_answer")
    resolved = [line for line in run.said("leg.resolved") if line["client_order_id"] == handle]
    assert len(resolved) == 1
    handles = [order["handle"] for order in ours(run)]
    assert len(handles) == len(set(handles))


@LOSSES
async def test_a_connection_cut_while_an_order_is_on_it_leaves_it_in_doubt_and_sent_once(
    play: Any, autojump_clock: Any, calls: list[str], kind: str
):
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            run.fault("paradex", kind, how="cut", count=1)
            run.fault("paradex", "mute_private", count=20)
            run.gap(45.0, 8.0)
            doubted = await run.until("leg.in_doubt")
            await settle(run)

        judge_doubt(run, doubted, calls, kind)
        assert "connection was lost" in doubted["why"]


@LOSSES
async def test_a_reply_that_never_comes_leaves_the_order_in_doubt_and_the_connection_unused(
    play: Any, autojump_clock: Any, calls: list[str], kind: str
):
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            run.fault("paradex", kind, count=1)
            run.fault("paradex", "mute_private", count=20)
            run.gap(45.0, 8.0)
            doubted = await run.until("leg.in_doubt")
            await settle(run)
            lost = await run.until("feed.lost")
            await run.until("feed.ready", 6)

        judge_doubt(run, doubted, calls, kind)
        assert lost["feed"] == "paradex orders"
        assert "a reply did not come in time" in lost["why"]


async def test_while_the_socket_is_down_orders_go_by_rest(
    play: Any, autojump_clock: Any, calls: list[str]
):
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            # New WebSockets are refused; the public feed keeps its old one.
            run.fault("paradex", "refuse_connect", which="ws", seconds=60)
            run.fault("paradex", "cut", which="private")
            await trio.sleep(1.0)
            run.gap(45.0, 5.0)
            await run.until("pair.opened")
            await run.until("pair.closed")

        assert run.code == 0
        run.clean()
        assert calls == []
        assert len(ours(run)) == 2


async def test_a_rate_limit_is_a_refusal_and_the_leg_is_mended(
    play: Any, autojump_clock: Any, calls: list[str]
):
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            refusal = {"status": 429, "code": "RATE_LIMIT_EXCEEDED"}
            run.fault("paradex", "refuse", count=1, **refusal)
            run.gap(45.0, 6.0)
            refused = await run.until("leg.refused")
            await settle(run)

        assert run.code == 0
        run.clean()
        assert refused["venue"] == "paradex"
        assert run.said("leg.in_doubt") == []
        assert len(calls) >= 2
        assert len(calls) == len(set(calls))


@pytest.mark.parametrize("reason", ["NOT_ENOUGH_MARGIN", "INVALID_ORDER_SIZE"])
async def test_a_refusal_ends_hedged_or_flat(play: Any, autojump_clock: Any, reason: str):
    refusal = {"cancel_reason": reason} if reason == "NOT_ENOUGH_MARGIN" else {"code": reason}
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            run.fault("paradex", "refuse", count=1, **refusal)
            run.gap(45.0, 6.0)
            await run.until("leg.refused")
            await settle(run)

        assert run.code == 0
        run.clean()
        assert run.said("leg.in_doubt") == []


async def test_a_refused_token_opens_a_new_connection_with_a_new_one(
    play: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    refused: list[Session] = []
    handle = OrderMethods._handle

    def once(self: OrderMethods, call: Any, facts: Any) -> Any:
        if not refused and call.method == "order.create":
            refused.append(self._session)

            def refuse() -> Any:
                raise RpcRefused(INVALID_BEARER, "invalid bearer token")

            monkeypatch.setattr(self._session, "logged_in", refuse, raising=False)
        return handle(self, call, facts)

    monkeypatch.setattr(OrderMethods, "_handle", once)
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            run.gap(45.0, 6.0)
            await run.until("leg.refused")
            await settle(run)
            await run.until("feed.ready", 6)

        assert run.code == 0
        run.clean()
        assert len(refused) == 1
        assert "token was refused" in run.said("feed.lost")[0]["why"]
        assert run.said("leg.in_doubt") == []


async def test_retail_orders_keep_to_rest_and_their_unwinds_use_the_socket(
    play: Any, autojump_clock: Any, calls: list[str]
):
    retail = attrs.evolve(WS, profile="retail")
    async with play.universe(simulation=CALM, paradex=retail) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            run.gap(45.0, 8.0)
            await run.until("pair.opened")
            await run.until("pair.closed")

        assert run.code == 0
        run.clean()
        assert calls == []
        assert ours(run)


@pytest.mark.parametrize("after_ms", range(0, 600, 100))
async def test_a_stop_at_any_moment_leaves_flat_or_hedged(
    play: Any, autojump_clock: Any, after_ms: int
):
    async with play.universe(simulation=CALM, paradex=WS) as universe:
        async with play.bot(universe) as run:
            await ready(run)
            run.gap(45.0, 4.0)
            await run.until("pair.opening")
            await trio.sleep(after_ms / 1000)
            run.stop()

        assert run.code == 0
        run.clean()
