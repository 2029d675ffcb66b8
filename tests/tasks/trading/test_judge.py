"""A pair's eyes: what is put before the strategy is what is seen, held and allowed."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import RiskConfig
from bot4.domain.market import Pair
from bot4.domain.position import Account
from bot4.domain.quote import QuoteRate
from bot4.strategy.complete_or_unwind import Complete, Unwind
from bot4.strategy.decision import Enter, Exit, Hold, Reason, Why
from bot4.strategy.events import Overdue
from bot4.strategy.legs import LegState
from bot4.strategy.risk import Attempt, Caps
from bot4.strategy.saga import State, excess
from bot4.tasks.holdings import filled_price, room_of, uses
from bot4.wiring.rules import day_of
from bot4.wiring.universe import plain_config

D = Decimal
SIZE = D("0.0030")
DAY_MS = 86_400_000


async def seen(bench: Any, seconds: float = 2.0) -> Any:
    """Look at a steady picture for a while; return the last decision that was not a hold."""
    found = None
    for _ in range(round(seconds * 10)):
        bench.post_books()
        if bench.judge.look():
            found = bench.judge.take() or found
        await trio.sleep(0.1)
    return found or bench.judge.decision


async def until_decided(bench: Any) -> None:
    """Look at a steady picture until there is something to do, and leave it undone."""
    bench.post_books()
    while not bench.judge.look():
        await trio.sleep(0.1)
        bench.post_books()


async def test_a_gap_that_lasts_is_entered(bench: Any, autojump_clock: Any):
    decision = await seen(bench)

    assert isinstance(decision, Enter)
    assert decision.long == "vest"
    assert decision.short_limit / decision.long_limit - 1 >= D("0.0018")


async def test_a_decision_is_given_once(bench: Any, autojump_clock: Any):
    bench.judge.decision = bench.decision()

    assert isinstance(bench.judge.take(), Enter)
    assert bench.judge.take() is None


async def test_a_frame_that_comes_before_the_decision_is_taken_does_not_lose_it(
    bench: Any, autojump_clock: Any
):
    await until_decided(bench)
    bench.post_books()
    bench.judge.look()

    assert isinstance(bench.judge.take(), Enter)


async def test_a_gap_that_was_entered_is_confirmed_anew(bench: Any, autojump_clock: Any):
    await until_decided(bench)
    assert isinstance(bench.judge.take(), Enter)
    bench.post_books()
    bench.judge.look()

    assert bench.judge.take() == Hold(Reason.CONFIRMING, "600 ms left: it has to last")


async def test_a_gap_that_closed_before_the_decision_was_taken_is_not_entered(
    bench: Any, autojump_clock: Any
):
    await until_decided(bench)
    bench.touch["paradex"] = bench.touch["vest"]
    bench.post_books()
    bench.judge.look()

    assert bench.judge.take() == Hold(Reason.BELOW_ENTRY)


async def test_a_pair_whose_room_another_has_just_taken_is_not_entered(
    bench: Any, autojump_clock: Any
):
    await until_decided(bench)
    bench.judge.limits = attrs.evolve(bench.judge.limits, caps=Caps(max_notional_total=D(290)))

    assert bench.judge.take() == Hold(Reason.CAP, "another pair has just taken the room on vest")


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_without_both_books_nothing_is_decided(bench: Any, autojump_clock: Any, venue: str):
    bench.blind.add(venue)
    decision = await seen(bench)

    assert decision == Hold(Reason.NO_BOOK, decision.detail)


@pytest.mark.parametrize("venue", ["vest", "paradex"])
async def test_a_book_that_grows_old_is_not_decided_on(bench: Any, autojump_clock: Any, venue: str):
    bench.post_books()
    bench.blind.add(venue)
    await trio.sleep(4)
    decision = await seen(bench, 0.2)

    assert isinstance(decision, Hold)
    assert decision.reason in (Reason.PARADEX_STALE, Reason.VEST_STALE, Reason.VEST_SILENT)


async def test_a_reason_at_the_gate_holds_the_entry_and_is_said_now_and_then(
    bench: Any, autojump_clock: Any, lines: Any
):
    bench.gate.block("exposure", "a stranger holds 1 BTC", "flatten")
    decision = await seen(bench, 25)

    assert decision == Hold(Reason.UNEXPLAINED, "a stranger holds 1 BTC")
    held = [line for line in lines if line["event"] == "entry.held"]
    assert len(held) == 3
    assert "stranger" in held[0]["message"]


async def test_a_day_that_lost_too_much_opens_nothing_until_the_next(
    bench: Any, autojump_clock: Any
):
    results, now_ms = bench.ledger.results, bench.world.wall_ms()

    def book(name: str, net: str, closed_ms: int) -> None:
        account = {"pair": "ETH", "outcome": "closed", "net_usdc": net, "closed_ms": closed_ms}
        results.book(name, account)

    book("1", "5", now_ms - 2 * DAY_MS)
    book("2", "-60", now_ms)
    assert (await seen(bench)).reason is Reason.DAILY_LOSS

    book("3", "40", now_ms)
    assert isinstance(await seen(bench), Enter)

    # What another pair would lose if it was closed now counts too, until it is booked.
    results.mark("ETH", D(-31))
    assert (await seen(bench)).reason is Reason.DAILY_LOSS
    book("4", "-1", now_ms)
    assert isinstance(await seen(bench), Enter)

    book("2", "-60", now_ms - DAY_MS)
    assert results.lost(now_ms) == 0


async def test_the_day_of_the_loss_begins_where_the_settings_say(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        noon_ms = 1_795_003_200_000 - 1_795_003_200_000 % DAY_MS + DAY_MS // 2
        config = plain_config(Path(), 1)
        local = day_of(attrs.evolve(config, risk=RiskConfig(day="local")))
        utc = day_of(config)
        assert utc(noon_ms) == utc(noon_ms - DAY_MS // 4)
        assert local(noon_ms) == local(noon_ms - DAY_MS // 4) + 1
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_a_held_pair_is_marked_at_the_books_it_could_be_closed_at(
    bench: Any, autojump_clock: Any
):
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.ledger.trades[0].state is State.HEDGED)
        bench.touch["paradex"] = (D(86000), D(86001))
        await trio.sleep(3)
        bench.judge.look()
        lost = bench.ledger.results.lost(bench.world.wall_ms())

    # Short 0.003 at 83195 or so, to be bought back at 86001; half of it is 8.4 USDC, and fees.
    assert D(8) < lost < D(9)


async def test_a_failed_attempt_is_followed_by_a_pause(bench: Any, autojump_clock: Any):
    bench.judge.attempted(Attempt(trio.current_time(), failed=True))
    assert (await seen(bench)).reason is Reason.COOLDOWN
    await trio.sleep(30)

    assert isinstance(await seen(bench), Enter)


async def test_a_small_account_is_not_stretched(bench: Any, autojump_clock: Any):
    bench.accounts.post("vest", Account("vest", D(20), D(20), D(0)), (), 0.0)
    decision = await seen(bench)

    assert isinstance(decision, Enter)
    assert decision.size * 83000 <= 60


async def test_a_pair_in_between_is_not_judged_and_a_naked_one_wakes_its_task(
    bench: Any, autojump_clock: Any, refused: Any
):
    bench.paradex.ways.append(refused)
    bench.enter()
    assert not bench.judge.look()
    assert bench.judge.decision is None
    async with trio.open_nursery() as nursery:
        for gateway in bench.gateways.values():
            await nursery.start(gateway.run)
        await bench.until(lambda: bench.desk.trade.state is State.MENDING)
        assert bench.judge.look()
        nursery.cancel_scope.cancel()


async def test_a_held_pair_is_left_when_the_gap_is_gone(bench: Any, autojump_clock: Any):
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
        trade = bench.desk.trade
        assert isinstance(bench.judge.forced(trade, Why.STOP), Exit)
        assert bench.judge.realised_entry(trade) == (
            filled_price(trade, "paradex") / filled_price(trade, "vest") - 1
        )


async def test_without_a_price_the_realised_spread_is_unknown(
    bench: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    trade = bench.ledger.begin(plan, (make_order("1", "vest"), make_order("2", "paradex")))
    assert bench.judge.realised_entry(trade) is None

    legs = tuple(attrs.evolve(leg, reported=SIZE) for leg in trade.legs)
    assert filled_price(attrs.evolve(trade, legs=legs), "vest") is None


@pytest.mark.parametrize(
    ("bid", "choice"), [("83190", Complete), ("83020", Unwind)], ids=["gap lives", "gap gone"]
)
async def test_what_is_cheaper_now_is_chosen(
    bench: Any, plan: Any, make_order: Any, autojump_clock: Any, bid: str, choice: type
):
    bench.touch["paradex"] = (D(bid), D(bid) + D("0.1"))
    bench.post_books()
    trade = bench.ledger.begin(plan, (make_order("1", "vest"), make_order("2", "paradex")))
    legs = (attrs.evolve(trade.legs[0], reported=SIZE, average_price=D(83001)), trade.legs[1])
    trade = attrs.evolve(trade, legs=legs, first_fill_s=trio.current_time())
    found = bench.judge.choose(trade, excess(trade), 5, may_complete=True)

    assert isinstance(found, choice)
    assert isinstance(bench.judge.choose(trade, excess(trade), 5, may_complete=False), Unwind)


async def test_nothing_is_completed_on_an_old_picture(
    bench: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    bench.post_books()
    await trio.sleep(1.2)
    trade = bench.ledger.begin(plan, (make_order("1", "vest"), make_order("2", "paradex")))
    legs = (attrs.evolve(trade.legs[0], reported=SIZE, average_price=D(83001)), trade.legs[1])
    trade = attrs.evolve(trade, legs=legs, first_fill_s=trio.current_time())

    assert isinstance(bench.judge.choose(trade, excess(trade), 5, may_complete=True), Unwind)


async def test_dust_is_what_no_venue_would_trade(bench: Any, autojump_clock):
    # Paradex trades ten dollars, 0.00013 BTC; Vest a lot of 0.0001.
    assert bench.judge.dust(D(83000)) == D("0.00013")
    assert bench.judge.dust(D(10_000_000)) == D("0.0001")
    assert bench.judge.whole_lots("vest", D("0.00099")) == D("0.0009")


async def test_a_spread_is_said_when_it_moved_and_now_and_then(
    bench: Any, autojump_clock: Any, lines: Any
):
    def said() -> list[str]:
        return [line["long_vest_percent"] for line in lines if line["event"] == "spread.seen"]

    await seen(bench, 50)
    assert said() == ["0.2398%"]

    bid, ask = bench.touch["paradex"]
    bench.touch["paradex"] = bid + 40, ask + 40
    await seen(bench, 2)
    assert said() == ["0.2398%", "0.2879%"]

    for wave in range(100):
        bench.touch["paradex"] = bid + 40 * (wave % 2), ask + 40 * (wave % 2)
        await seen(bench, 2.1)
    assert 15 < len(said()) < 25


async def test_spreads_of_thin_books_are_not_said(bench: Any, autojump_clock: Any, lines: Any):

    lines.clear()
    bench.judge.rules = attrs.evolve(
        bench.judge.rules, size=attrs.evolve(bench.judge.rules.size, notional=D(10) ** 9)
    )
    await seen(bench, 5)
    assert [line for line in lines if line["event"] == "spread.seen"] == []


async def test_orders_in_doubt_take_their_room_in_full(
    bench: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    for venue in bench.venues.values():
        venue.market = attrs.evolve(venue.market, max_position=D("0.0050"))
    bench.judge.pair = Pair("BTC", *(venue.market for venue in bench.venues.values()))
    bench.ledger.begin(plan, (make_order("1", "vest"), make_order("2", "paradex")))
    for name in ("1", "2"):
        bench.ledger.happen(plan.trade_id, Overdue(name))

    [trade] = bench.ledger.trades
    assert {leg.state for leg in trade.legs} == {LegState.DOUBT}
    assert [use.notional for use in uses([trade])] == [SIZE * 83000] * 2
    left = room_of(bench.judge.pair, [trade], Caps(), {})
    assert left.vest == left.paradex == 1500 - SIZE * 83000
    for venue in bench.venues:
        assert left.takes(venue, D("0.0020"))
        assert not left.takes(venue, D("0.0021"))


async def test_the_realised_entry_is_counted_at_the_quote_rate(
    bench: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    trade = bench.ledger.begin(plan, (make_order("1", "vest"), make_order("2", "paradex")))
    legs = tuple(
        attrs.evolve(leg, reported=SIZE, average_price=D(price))
        for leg, price in zip(trade.legs, (83000, 83200), strict=True)
    )
    bench.judge.quote = lambda: QuoteRate(D("0.998"), D("0.998"), D("0.998"), 0.0)

    realised = bench.judge.realised_entry(attrs.evolve(trade, legs=legs))

    assert realised == D(83200) / D("0.998") / D(83000) - 1
