"""From wanted orders to bytes, and the answers back: named once, handed over together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.domain.order import Purpose, Side
from bot4.errors import JournalFault
from bot4.ports import InDoubt, NotSent, Refused, Retry
from bot4.strategy.legs import LegState
from bot4.tasks.dispatch import LONG, SHORT, Dispatcher, Wanted
from bot4.tasks.gateway import QUEUE
from bot4.tasks.stopwatch import Stopwatch

D = Decimal
SIZE = D("0.0030")


def wanted(bench: Any, venue: str, **changes: Any) -> Wanted:
    usual = {
        "key": bench.pair.on(venue).key,
        "side": Side.BUY if venue == "vest" else Side.SELL,
        "size": SIZE,
        "limit": D(83000),
        "purpose": Purpose.ENTER,
        "attempt": 1,
        "reduce_only": False,
        "leg": LONG if venue == "vest" else SHORT,
    }
    return Wanted(**{**usual, **changes})


def both(bench: Any) -> tuple[Wanted, Wanted]:
    return wanted(bench, "vest"), wanted(bench, "paradex")


async def posted(bench: Any, plan: Any, deadline: float = 10.0) -> Stopwatch:
    """Begin a trade and hand both orders over."""
    signed = bench.dispatcher.sign(plan.trade_id, both(bench))
    bench.ledger.begin(plan, tuple(one.order for one in signed))
    watch = Stopwatch()
    bench.dispatcher.post(signed, deadline, watch)
    return watch


async def test_no_name_is_given_twice(bench: Any, autojump_clock: Any):
    names = [
        one.order.client_order_id
        for _ in range(20)
        for one in bench.dispatcher.sign("t", both(bench))
    ]
    trades = [bench.dispatcher.new_trade_id() for _ in range(20)]

    vest = [name for name in names if "-L" in name]
    assert len(set(vest)) == len(vest) == 20
    assert len(set(trades)) == 20


async def test_a_closing_order_is_named_even_when_the_disk_is_full_and_an_opening_one_is_not(
    bench: Any, autojump_clock: Any, monkeypatch: pytest.MonkeyPatch
):
    rows: list[int] = []
    codec = type(bench.vest)
    handle = codec.next_handle

    def note(self: Any, now_ms: int, row: int, leg: str, attempt: int) -> str:
        rows.append(row)
        return str(handle(self, now_ms, row, leg, attempt))

    monkeypatch.setattr(codec, "next_handle", note)
    bench.journal.numbers_broken = True
    back = wanted(bench, "vest", purpose=Purpose.UNWIND, reduce_only=True)
    bench.dispatcher.sign("t", (back,))
    bench.dispatcher.sign("t", (back,))
    with pytest.raises(JournalFault):
        bench.dispatcher.sign("t", both(bench))

    assert rows[0] < rows[1]
    assert rows[0] > 10**12  # far above every count


async def test_both_orders_are_handed_over_before_either_is_answered(
    bench: Any, plan: Any, autojump_clock: Any
):
    async with trio.open_nursery() as nursery:
        for gateway in bench.gateways.values():
            await nursery.start(gateway.run)
        watch = await posted(bench, plan)
        await trio.testing.wait_all_tasks_blocked()
        assert len(bench.vest.sent) == len(bench.paradex.sent) == 1
        await trio.sleep(1)
        nursery.cancel_scope.cancel()

    assert bench.dispatcher.sent_on == {"vest", "paradex"}
    times = list(watch.orders.values())
    assert {one.first_byte_at for one in times} == {0.0}
    assert {one.answered_at for one in times} == {0.05}


@pytest.mark.parametrize(
    ("outcome", "state", "retry"),
    [
        (Refused("X", "no", Retry.NEVER), LegState.REFUSED, Retry.NEVER),
        (NotSent("no route"), LegState.NEVER, Retry.WAIT),
        (InDoubt("cut"), LegState.DOUBT, Retry.REQUOTE),
    ],
    ids=["refused", "not sent", "in doubt"],
)
async def test_an_outcome_means_one_thing_only(
    bench: Any, plan: Any, way: Any, autojump_clock: Any, outcome: Any, state: Any, retry: Any
):
    bench.paradex.ways.append(way(outcome, lands=False))
    async with trio.open_nursery() as nursery:
        for gateway in bench.gateways.values():
            await nursery.start(gateway.run)
        await posted(bench, plan)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()

    leg = bench.ledger.get(plan.trade_id).legs[1]
    assert leg.state is state
    assert bench.dispatcher.retry_of(leg.order.client_order_id) is retry


async def test_a_queue_that_is_full_is_not_sent_and_the_other_leg_goes(
    bench: Any, plan: Any, autojump_clock: Any
):
    vest = bench.gateways["vest"]
    for _ in range(QUEUE):
        vest.post(None)  # nobody carries
    async with trio.open_nursery() as nursery:
        await nursery.start(bench.gateways["paradex"].run)
        await posted(bench, plan)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()

    long, short = bench.ledger.get(plan.trade_id).legs
    assert long.state is LegState.NEVER
    assert short.state is LegState.FILLED


async def test_an_answer_for_a_trade_that_is_over_changes_nothing(
    bench: Any, plan: Any, way: Any, autojump_clock: Any
):
    bench.vest.delay_s = 5
    bench.paradex.delay_s = 5
    async with trio.open_nursery() as nursery:
        for gateway in bench.gateways.values():
            await nursery.start(gateway.run)
        await posted(bench, plan)
        await trio.sleep(1)
        bench.ledger._trades.clear()
        await trio.sleep(10)
        nursery.cancel_scope.cancel()

    assert bench.ledger.trades == ()
    assert bench.gateways["vest"].on_wire == 0


async def test_opening_orders_wait_for_their_rate_and_closing_ones_do_not(
    bench: Any, autojump_clock: Any
):
    dispatcher = Dispatcher(bench.gateways, bench.ledger, bench.journal, 6)
    opened = [dispatcher.spend(("vest", "paradex"), closing=False) for _ in range(6)]
    closed = [dispatcher.spend(("vest",), closing=True) for _ in range(6)]

    assert opened == [True, True, True, True, False, False]
    assert all(closed)
    await trio.sleep(2)
    assert dispatcher.spend(("vest", "paradex"), closing=False)


async def test_a_pair_over_its_order_rate_is_held_and_said_so(
    bench: Any, autojump_clock: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bench.dispatcher, "spend", lambda _venues, *, closing: closing)
    bench.post_books()
    bench.desk.enter(bench.decision())

    assert bench.ledger.trades == ()
    assert [line["reason"] for line in lines if line["event"] == "entry.held"] == ["order_rate"]


async def test_a_dark_venue_without_session_does_not_hold_up_the_others_leg(
    bench: Any, autojump_clock: Any, way: Any
):
    bench.paradex.ways.append(way(Refused("X", "no", Retry.NEVER), fills=D(0), lands=False))
    bench.vest.ways.extend([way(), way(fills=D(0))])
    async with bench.running():
        for gateway in bench.gateways.values():
            await gateway.sign_in()
        bench.enter()
        await bench.until(lambda: bench.vest.orders(Purpose.UNWIND))
        bench.gateways["paradex"].lose_session()
        bench.paradex.delay_s = 100
        lost_at = trio.current_time()
        await bench.until(lambda: bench.vest.position == 0)
        closed_at = trio.current_time()

    assert closed_at - lost_at < 1.0


async def test_a_lost_session_is_renewed_before_the_order_that_needs_it(
    bench: Any, autojump_clock: Any, way: Any, refused: Any
):
    bench.paradex.ways.append(refused)
    async with bench.running():
        for gateway in bench.gateways.values():
            await gateway.sign_in()
        bench.enter()
        await bench.until(lambda: bench.vest.sent)
        bench.gateways["paradex"].lose_session()
        logins = bench.paradex.asked.count("login")
        await bench.until(lambda: bench.paradex.orders(Purpose.MEND))

    assert bench.paradex.asked.count("login") == logins + 1
    last = len(bench.paradex.asked) - 1 - bench.paradex.asked[::-1].index("login")
    assert "order" in bench.paradex.asked[last:]
