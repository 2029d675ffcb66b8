"""The desk: durable before it leaves, and no price or size but those that were allowed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.domain.order import OrderReport, OrderState, Purpose, Side
from bot4.domain.units import from_e8
from bot4.ports import Refused, Retry
from bot4.strategy.events import Compensate, Reported, Unwound
from bot4.strategy.saga import State, excess

D = Decimal
SIZE = D("0.0030")
FINAL = Refused("CLOSED", "not for you", Retry.NEVER)


def bps(price: Decimal, touch: Decimal) -> Decimal:
    """How far a limit is from a touch, in basis points."""
    return abs(price / touch - 1) * 10_000


async def test_both_intents_are_durable_in_one_commit_before_the_first_byte(
    bench: Any, autojump_clock: Any
):
    seen = []

    def look(kind: str, _act: Any) -> None:
        if kind == "order":
            seen.append((list(bench.journal.commits), list(bench.journal.durable)))

    for venue in bench.venues.values():
        venue.before = look
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)

    assert len(seen) == 2
    for commits, durable in seen:
        assert commits[:1] == [["Planned", "Intended"]]
        assert durable[:2] == [True, True]


async def test_every_order_is_written_durably_before_it_leaves(
    bench: Any, autojump_clock: Any, way: Any, refused: Any
):
    bench.paradex.ways.extend([refused, refused, way(fills=D("0.0010"))])
    bench.paradex.usual = refused
    bad: list[str] = []

    def look(kind: str, act: Any) -> None:
        if kind != "order":
            return
        names = {
            order["client_order_id"]
            for entry, durable in zip(bench.journal.rows, bench.journal.durable, strict=True)
            if entry.kind == "Intended" and durable
            for order in entry.body["orders"]
        }
        bad.extend(name for name in leaving(act) if name not in names)

    def leaving(act: Any) -> list[str]:
        return [cell.cell_contents.client_order_id for cell in act.__closure__ if is_order(cell)]

    def is_order(cell: Any) -> bool:
        return hasattr(cell.cell_contents, "client_order_id")

    for venue in bench.venues.values():
        venue.before = look
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.vest.orders(Purpose.UNWIND))
        await bench.until(lambda: bench.net == 0)

    assert bad == []


async def test_an_entry_that_cannot_be_written_never_leaves_and_stops_opening(
    bench: Any, autojump_clock: Any, lines: Any
):
    bench.journal.broken = True
    async with bench.running():
        bench.post_books()
        bench.desk.enter(bench.decision())
        await trio.sleep(1)

    assert bench.vest.sent == bench.paradex.sent == []
    assert bench.ledger.trades == ()
    assert "journal" in bench.gate.reasons
    assert [line["do"] for line in lines if line["event"] == "journal.failed"]


async def test_an_entry_without_a_number_never_leaves_and_stops_opening(
    bench: Any, autojump_clock: Any
):
    bench.journal.numbers_broken = True
    async with bench.running():
        bench.post_books()
        bench.desk.enter(bench.decision())
        await trio.sleep(1)

    assert bench.vest.sent == bench.paradex.sent == []
    assert "journal" in bench.gate.reasons


async def test_an_entry_whose_commit_was_slow_stays_home(
    bench: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    begin, slow = bench.ledger.begin, 0.7

    def slowly(plan: Any, orders: Any) -> Any:
        autojump_clock.jump(slow)
        return begin(plan, orders)

    monkeypatch.setattr(bench.ledger, "begin", slowly)
    async with bench.running():
        bench.post_books()
        bench.desk.enter(bench.decision())
        account = await bench.over()

    assert bench.vest.sent == bench.paradex.sent == []
    assert account["outcome"] == "missed"


async def test_the_orders_carry_the_limits_that_were_decided(bench: Any, autojump_clock: Any):
    decision = bench.decision()
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)

    ((_, long),), ((_, short),) = bench.vest.sent, bench.paradex.sent
    assert (long.side, long.limit, long.size) == (Side.BUY, decision.long_limit, decision.size)
    assert (short.side, short.limit, short.size) == (
        Side.SELL,
        decision.short_limit,
        decision.size,
    )


# ------------------------------------------------------------------------------- compensation


async def test_a_missing_leg_is_not_completed_at_a_price_below_the_floor(
    bench: Any, autojump_clock: Any, refused: Any
):
    """The gap is gone when the refusal comes: the filled leg is taken back instead."""
    bench.paradex.ways.append(refused)
    async with bench.running():
        bench.enter()
        bench.touch["paradex"] = (D(83010), D("83010.1"))
        await bench.over()

    assert bench.paradex.orders(Purpose.MEND) == []
    assert bench.vest.position == bench.paradex.position == 0


async def test_a_completed_pair_is_worth_its_floor_at_its_worst(
    bench: Any, autojump_clock: Any, refused: Any
):
    bench.paradex.ways.append(refused)
    async with bench.running():
        bench.enter()
        bench.touch["paradex"] = (D(83150), D("83150.1"))
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)

    (mend,) = bench.paradex.orders(Purpose.MEND)
    assert not mend.reduce_only
    assert mend.limit / bench.vest.sent[0][1].limit - 1 >= bench.judge.mend.floor


async def test_taking_back_is_priced_from_the_touch_and_widens_step_by_step(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.paradex.ways.append(way(FINAL, fills=D(0), lands=False))
    bench.vest.ways.extend([way(), *[way(fills=D(0))] * 5])
    async with bench.running():
        bench.enter()
        await bench.over()

    touch = bench.touch["vest"][0]
    far = [bps(order.limit, touch) for order in bench.vest.orders(Purpose.UNWIND)]
    assert all(order.side is Side.SELL for order in bench.vest.orders(Purpose.UNWIND))
    for found, rung in zip(far, (5, 15, 50, 150, 150, 150), strict=True):
        assert found <= rung
    assert far[0] < far[1] < far[2] < far[3]


async def test_closing_a_pair_that_was_mended_widens_from_the_first_step_again(
    bench: Any, autojump_clock: Any, refused: Any, way: Any
):
    bench.paradex.ways.append(refused)
    bench.vest.ways.extend([way(), way(fills=D(0)), way(fills=D(0))])
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
        assert bench.paradex.orders(Purpose.MEND)
        bench.touch["paradex"] = (D(83000), D("83000.1"))
        await bench.until(lambda: bench.task.look() or not bench.ledger.trades)

    touch = bench.touch["vest"][0]
    far = [bps(order.limit, touch) for order in bench.vest.orders(Purpose.UNWIND)]
    assert far[0] <= 5 < far[1] <= 15


async def test_taking_back_follows_the_market(bench: Any, autojump_clock: Any, way: Any):
    bench.paradex.ways.append(way(FINAL, fills=D(0), lands=False))
    bench.vest.ways.extend([way(), *[way(fills=D(0))] * 5])
    touches = []

    def look(kind: str, _act: Any) -> None:
        if kind == "order":
            touches.append(bench.judge.books.get(bench.pair.vest.key).book.bid)

    bench.vest.before = look
    async with bench.running():
        bench.enter()
        while not bench.ledger.results.newest:
            await trio.sleep(0.01)
            bench.touch["vest"] = tuple(price + 3 for price in bench.touch["vest"])

    orders = bench.vest.orders(Purpose.UNWIND)
    assert len(orders) == 6
    for order, touch, rung in zip(orders, touches[1:], (5, 15, 50, 150, 150, 150), strict=True):
        assert bps(order.limit, from_e8(touch)) <= rung + 8


async def test_taking_back_goes_on_from_the_last_book_when_the_feed_is_gone(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.paradex.ways.append(way(FINAL, fills=D(0), lands=False))
    async with bench.running():
        bench.enter()
        for key in (bench.pair.vest.key, bench.pair.paradex.key):
            bench.judge.look()
            bench.books.wipe(key)
        bench.blind |= {"vest", "paradex"}
        bench.stop.raise_sign("test")
        await bench.until(lambda: not bench.ledger.trades)

    assert bench.vest.position == 0


async def test_no_reducing_price_is_made_up_before_the_first_book(bench: Any, autojump_clock: Any):
    assert bench.judge.unwind_limit("vest", Side.SELL, 5) is None

    bench.post_books()

    assert bench.judge.unwind_limit("vest", Side.SELL, 5) is not None


@pytest.mark.parametrize("how", ["answer", "report"])
async def test_a_final_refusal_is_not_tried_again_wherever_it_was_said(
    bench: Any, autojump_clock: Any, way: Any, how: str
):
    if how == "answer":
        bench.paradex.ways.append(way(FINAL, fills=D(0), lands=False))
    else:
        bench.paradex.told["closed by the venue"] = Retry.NEVER
        bench.paradex.ways.append(way(fills=D(0)))
    async with bench.running():
        bench.enter()
        await bench.over()

    assert bench.paradex.orders(Purpose.MEND) == []
    assert bench.vest.position == 0


async def test_a_leg_goes_on_being_taken_back_when_the_disk_is_full(
    bench: Any, autojump_clock: Any, refused: Any
):
    """The journal breaks with one leg on: nothing is completed, the leg is closed all the same."""
    bench.paradex.ways.append(refused)
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.vest.sent)
        bench.journal.broken = bench.journal.numbers_broken = True
        await bench.until(lambda: not bench.ledger.trades)

    assert bench.vest.position == bench.paradex.position == 0
    assert bench.paradex.orders(Purpose.MEND) == []
    assert "journal" in bench.gate.reasons
    names = [order.client_order_id for order in bench.vest.orders()]
    assert len(set(names)) == len(names)


async def test_a_hedged_pair_is_closed_when_the_disk_is_full(bench: Any, autojump_clock: Any):
    async with bench.running():
        bench.enter()
        await bench.until(lambda: bench.desk.trade.state is State.HEDGED)
        bench.journal.broken = bench.journal.numbers_broken = True
        bench.touch["paradex"] = (D(83000), D("83000.1"))
        await bench.until(lambda: bench.task.look() or not bench.ledger.trades)

    assert bench.vest.position == bench.paradex.position == 0


async def test_a_naked_leg_without_any_picture_waits_and_goes_on_when_there_is_one(
    bench: Any, autojump_clock: Any, refused: Any
):
    bench.paradex.ways.append(refused)
    async with bench.running():
        bench.enter()
        bench.blind |= {"vest", "paradex"}
        for key in (bench.pair.vest.key, bench.pair.paradex.key):
            bench.books.wipe(key)
        await trio.sleep(1)
        assert bench.vest.position == SIZE
        bench.blind.clear()
        await bench.until(lambda: bench.net == 0)


async def test_a_naked_leg_whose_feed_stays_dark_is_taken_back_at_the_last_price_known(
    bench: Any, autojump_clock: Any, way: Any, lines: Any
):
    bench.paradex.ways.append(way(FINAL, fills=D(0), lands=False))
    async with bench.running():
        bench.post_books()
        bench.judge.look()
        bench.enter()
        bench.blind.add("vest")
        bench.books.wipe(bench.pair.vest.key)
        await trio.sleep(1)
        assert bench.vest.position == SIZE
        await bench.until(lambda: not bench.ledger.trades, within_s=5)

    assert bench.vest.position == 0
    said = [line["why"] for line in lines if "Not completing" in line.get("message", "")]
    assert said == ["the filled leg cannot be taken back, nor the other completed"]


async def test_a_recovered_leg_is_taken_back_once_a_first_book_is_there(
    bench: Any, autojump_clock: Any, plan: Any, make_order: Any
):
    buy, sell = make_order("1", "vest"), make_order("2", "paradex")
    bench.ledger.begin(plan, (buy, sell))
    bench.vest.position = SIZE
    bench.blind |= {"vest", "paradex"}
    bench.ledger.happen(plan.trade_id, Reported("1", closed("1", "vest", SIZE)))
    bench.ledger.happen(plan.trade_id, Reported("2", closed("2", "paradex", D(0))))
    bench.ledger.happen(plan.trade_id, Unwound())
    async with bench.running():
        await trio.sleep(5)
        assert bench.vest.sent == []
        bench.blind.clear()
        await bench.over()

    assert bench.vest.position == 0


def closed(name: str, venue: str, filled: Decimal) -> OrderReport:
    return OrderReport(venue, name, f"v{name}", OrderState.CLOSED, filled=filled)


async def test_what_is_taken_back_across_a_newer_trade_is_not_reduce_only(
    bench: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    """The older one's leg and the newer one's cancel out: the venue holds nothing to reduce."""
    newer = attrs.evolve(plan, trade_id="abc123-2")
    bench.post_books()
    old = bench.ledger.begin(plan, (make_order("1", "vest"),))
    across = make_order("2", "vest", trade_id="abc123-2", side=Side.SELL)
    bench.ledger.begin(newer, (across,))
    for name in ("1", "2"):
        report = OrderReport("vest", name, f"v{name}", OrderState.CLOSED, filled=SIZE)
        bench.ledger.hear(report)
    old = bench.ledger.get(plan.trade_id)
    assert bench.ledger.held(old.plan.long) == 0

    bench.desk.mender.compensate(old, Compensate(excess(old), may_complete=False))
    alone = bench.ledger.get(plan.trade_id).legs[-1].order
    assert (alone.purpose, alone.reduce_only) == (Purpose.UNWIND, False)


async def test_what_is_taken_back_alone_is_reduce_only(
    bench: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    bench.post_books()
    bench.ledger.begin(plan, (make_order("1", "vest"),))
    bench.ledger.hear(OrderReport("vest", "1", "v1", OrderState.CLOSED, filled=SIZE))
    trade = bench.ledger.get(plan.trade_id)

    bench.desk.mender.compensate(trade, Compensate(excess(trade), may_complete=False))
    assert bench.ledger.get(plan.trade_id).legs[-1].order.reduce_only
