"""A venue that shuts, and markets that change under a running bot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
import structlog
import trio

from bot4.domain.market import Market, MarketKey
from bot4.errors import Unreachable
from bot4.tasks.gate import Gate
from bot4.tasks.refused_markets import RefusedMarkets, RefusedSizes
from bot4.tasks.upkeep import MARKETS_EVERY_S, Upkeep

D = Decimal
BTC = Market(
    key=MarketKey("paradex", "BTC-USD-PERP"),
    base="BTC",
    tick=D("0.1"),
    lot=D("0.00001"),
    min_size=D("0.00001"),
    min_notional=D(10),
    taker_fee=D("0.00045"),
    max_leverage=D(50),
    price_band=D("0.05"),
)
SYMBOL = BTC.key.symbol


@attrs.define
class FakeGateway:
    venue: str = "paradex"
    shut: str = ""
    listed: list[Market] = attrs.field(factory=lambda: [BTC])
    away: bool = False
    asked: list[tuple[str, float]] = attrs.field(factory=list)
    refused_markets: RefusedMarkets = attrs.field(factory=lambda: RefusedMarkets("paradex", Gate()))
    refused_sizes: RefusedSizes = attrs.field(factory=lambda: RefusedSizes("paradex", Gate()))

    async def state(self) -> str:
        await trio.lowlevel.checkpoint()
        self.asked.append(("state", trio.current_time()))
        if self.away:
            raise Unreachable(self.venue, "no answer")
        return self.shut

    async def markets(self) -> list[Market]:
        await trio.lowlevel.checkpoint()
        self.asked.append(("markets", trio.current_time()))
        return self.listed


@pytest.fixture
def said() -> Any:
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def upkeep(gateway: FakeGateway, said: Any, autojump_clock: Any) -> Upkeep:
    return Upkeep(gateway, Gate(), {SYMBOL: BTC}, markets_at=0.0)  # type: ignore[arg-type]


async def live(upkeep: Upkeep, seconds: float) -> None:
    until = trio.current_time() + seconds
    while trio.current_time() < until:  # noqa: ASYNC110 - a clock is all there is
        await upkeep.run_due()
        await trio.sleep(5.0)


async def test_the_state_is_asked_every_ten_seconds_and_the_markets_every_hour(
    upkeep: Upkeep, gateway: FakeGateway, autojump_clock: Any
):
    await live(upkeep, 7300)

    states = [at for what, at in gateway.asked if what == "state"]
    markets = [at for what, at in gateway.asked if what == "markets"]
    assert len(states) == 730
    assert markets == [3600.0, 7200.0]
    assert upkeep.gate.open


async def test_a_venue_that_shuts_stops_opening_and_is_told_once(
    upkeep: Upkeep, gateway: FakeGateway, said: Any, autojump_clock: Any
):
    gateway.shut = "it only takes cancels"
    await live(upkeep, 120)
    gateway.shut = "it only takes orders that rest"
    await live(upkeep, 120)

    assert upkeep.gate.reasons == {"paradex state": "paradex: it only takes orders that rest"}
    assert [line["event"] for line in said] == ["opening.stopped"]

    gateway.shut = ""
    await live(upkeep, 20)
    assert upkeep.gate.open
    assert [line["event"] for line in said] == ["opening.stopped", "opening.resumed"]


async def test_a_question_without_an_answer_is_no_news_and_due_again(
    upkeep: Upkeep, gateway: FakeGateway, autojump_clock: Any
):
    gateway.shut = "it is under maintenance"
    await upkeep.run_due()
    gateway.away = True
    await trio.sleep(10)

    for _ in range(2):
        with pytest.raises(Unreachable):
            await upkeep.run_due()

    assert not upkeep.gate.open


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ([], "paradex BTC-USD-PERP is no longer listed"),
        ([attrs.evolve(BTC, trading=False)], "paradex BTC-USD-PERP is not trading"),
    ],
)
async def test_a_market_that_stops_trading_stops_opening_and_is_soon_read_again(
    upkeep: Upkeep, gateway: FakeGateway, said: Any, listed: Any, why: str, autojump_clock: Any
):
    gateway.listed = listed
    await live(upkeep, MARKETS_EVERY_S + 35)

    assert upkeep.gate.reasons == {"paradex BTC-USD-PERP": why}
    assert len([line for line in said if line["event"] == "opening.stopped"]) == 1
    assert len([1 for what, _ in gateway.asked if what == "markets"]) == 4

    gateway.listed = [BTC]
    await live(upkeep, 15)
    assert upkeep.gate.open


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tick": D("0.5")}, "tick 0.1 to 0.5"),
        ({"lot": D("0.001")}, "lot 0.00001 to 0.001"),
        ({"min_notional": D(100)}, "min_notional 10 to 100"),
    ],
)
async def test_changed_steps_stop_opening_and_are_not_taken_over(
    upkeep: Upkeep, gateway: FakeGateway, change: Any, words: str, autojump_clock: Any
):
    gateway.listed = [attrs.evolve(BTC, **change)]
    await live(upkeep, MARKETS_EVERY_S + 10)

    (why,) = upkeep.gate.reasons.values()
    assert words in why
    assert upkeep.markets[SYMBOL] == BTC


async def test_changed_fees_are_taken_over_and_told(
    upkeep: Upkeep, gateway: FakeGateway, said: Any, autojump_clock: Any
):
    gateway.listed = [attrs.evolve(BTC, taker_fee=D("0.0003"), max_leverage=D(20))]
    await live(upkeep, MARKETS_EVERY_S + 10)

    assert upkeep.gate.open
    assert upkeep.markets[SYMBOL].taker_fee == D("0.0003")
    assert upkeep.markets[SYMBOL].max_leverage == D(20)
    (line,) = said
    assert line["event"] == "market.changed"
    assert "0.0300% now, was 0.0450%" in line["message"]
