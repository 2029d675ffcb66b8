"""Flattening by hand: everything cancelled, everything closed, and flat only when proven twice."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

import attrs
import msgspec
import pytest
import trio

from bot4.domain.book import BookUpdate
from bot4.domain.market import MarketKey
from bot4.domain.order import Side
from bot4.domain.units import to_e8
from bot4.errors import VenueRefused
from bot4.ports import InDoubt, NotSent, Refused
from bot4.tasks.flat import summary
from bot4.tasks.flatten import Flattener
from bot4.tasks.gateway import Gateway

D = Decimal
CUT = InDoubt("cut")
BID, ASK = D(83000), D(83001)


def book(bid: Decimal = BID, ask: Decimal = ASK) -> BookUpdate:
    one = to_e8(D(1))
    return BookUpdate("BTC-PERP", True, [(to_e8(bid), one)], [(to_e8(ask), one)], sequence=1)


@pytest.fixture
def venue(make_venue: Any) -> Any:
    return make_venue("vest", book_now=book())


@pytest.fixture
async def flattener(venue: Any, world: Any, nursery: Any, autojump_clock: Any) -> Flattener:
    gateway = Gateway(venue, venue, world)
    await nursery.start(gateway.run)
    numbers = count(1)
    return Flattener(gateway, None, lambda: next(numbers))


@pytest.mark.parametrize(("held", "side"), [("0.0030", Side.SELL), ("-0.0030", Side.BUY)])
async def test_a_position_is_closed_reduce_only_on_its_own_side(
    flattener: Any, venue: Any, autojump_clock: Any, held: str, side: Side
):
    venue.position = D(held)
    flat = await flattener.flatten()

    (order,) = venue.orders()
    assert (order.side, order.size, order.reduce_only) == (side, D("0.0030"), True)
    assert flat.proven
    assert flat.closed == {"BTC-PERP": D("0.0030")}
    assert venue.position == 0
    assert summary(flat) == "vest: flat; 0 orders cancelled, closed 0.003 BTC-PERP"


async def test_no_order_is_larger_than_the_venue_takes(
    flattener: Any, venue: Any, autojump_clock: Any
):
    venue.market = attrs.evolve(venue.market, max_order=D("0.0012"))
    venue.position = D("0.0030")
    flat = await flattener.flatten()

    assert [order.size for order in venue.orders()] == [D("0.0012"), D("0.0012"), D("0.0006")]
    assert flat.proven
    assert flat.closed == {"BTC-PERP": D("0.0030")}


async def test_a_flat_venue_stays_flat_without_an_order(
    flattener: Any, venue: Any, autojump_clock: Any
):
    flat = await flattener.flatten()

    assert flat.proven
    assert venue.sent == []
    assert venue.asked.count("positions") == 2


async def test_resting_orders_are_cancelled_before_anything_is_closed(
    flattener: Any, venue: Any, make_order: Any, way: Any, autojump_clock: Any
):
    venue.ways.append(way(rests=True, fills=D("0.0010"), late=D("0.0005")))
    venue._place(make_order("1"))
    flat = await flattener.flatten()

    assert flat.proven
    assert flat.cancelled == 1
    assert venue.position == 0
    assert venue.orders()[0].size == D("0.0015")


async def test_only_the_markets_asked_for_are_touched(
    flattener: Any, venue: Any, make_order: Any, way: Any, autojump_clock: Any
):
    venue.position = D("0.0030")
    venue.ways.append(way(rests=True, fills=D(0)))
    venue._place(make_order("1"))
    other = attrs.evolve(flattener, symbols=frozenset({"ETH-PERP"}))
    flat = await other.flatten()

    assert flat.proven
    assert venue.sent == []
    assert await other.look() == (0, [])
    assert (await flattener.look())[0] == 1


async def test_limits_widen_until_it_fills(
    flattener: Any, venue: Any, way: Any, autojump_clock: Any
):
    venue.position = D("0.0030")
    venue.ways.extend([way(fills=D(0)), way(fills=D("0.0010")), way(fills=D(0))])
    flat = await flattener.flatten()

    limits = [order.limit for order in venue.orders()]
    assert limits == sorted(limits, reverse=True)
    assert (BID - limits[0]) / BID <= D("0.0006")
    assert len({order.client_order_id for order in venue.orders()}) == 4
    assert flat.proven
    assert flat.closed == {"BTC-PERP": D("0.0030")}


@pytest.mark.parametrize(
    "outcome", [Refused("X", "not now"), NotSent("no route")], ids=["refused", "not sent"]
)
async def test_an_order_that_does_not_leave_or_is_refused_is_tried_again(
    flattener: Any, venue: Any, way: Any, autojump_clock: Any, outcome: Any
):
    venue.position = D("0.0030")
    venue.ways.append(way(outcome, lands=False))
    flat = await flattener.flatten()

    assert flat.proven
    assert venue.position == 0


async def test_a_venue_that_refuses_for_ever_is_not_called_flat(
    flattener: Any, venue: Any, way: Any, autojump_clock: Any
):
    venue.position = D("0.0030")
    venue.usual = way(Refused("X", "not now"), lands=False)
    flat = await flattener.flatten()

    assert not flat.proven
    assert "not now" in flat.why
    assert summary(flat) == (
        "vest: NOT proven flat (BTC-PERP: X not now); closed none, still long 0.003 BTC-PERP"
    )


@pytest.mark.parametrize("lands", [True, False], ids=["landed", "lost"])
async def test_a_closing_order_in_doubt_is_asked_about_before_the_next(
    flattener: Any, venue: Any, way: Any, autojump_clock: Any, lands: bool
):
    venue.position = D("0.0030")
    venue.ways.append(way(CUT, lands=lands))
    flat = await flattener.flatten()

    assert flat.proven
    assert len(venue.sent) == (1 if lands else 2)
    assert "find" in venue.asked
    assert flat.closed == {"BTC-PERP": D("0.0030")}
    if not lands:
        (first, order), (second, _) = venue.sent
        assert second - first > order.window_ms / 1000


async def test_a_closing_order_that_rests_is_not_waited_for_for_ever(
    flattener: Any, venue: Any, way: Any, autojump_clock: Any
):
    venue.position = D("0.0030")
    venue.ways.append(way(rests=True, fills=D("0.0010")))
    with trio.fail_after(60):
        flat = await flattener.flatten()

    assert flat.proven
    assert flat.cancelled == 1
    assert venue.position == 0


@pytest.mark.parametrize("kind", ["login", "markets", "positions", "order"])
async def test_a_venue_that_is_away_says_why_and_what_was_last_read(
    flattener: Any, venue: Any, autojump_clock: Any, kind: str
):
    venue.position = D("0.0030")
    venue.trouble(kind, CUT, 999)
    began = trio.current_time()
    flat = await flattener.flatten()

    assert trio.current_time() - began < 90
    assert not flat.proven
    assert flat.why
    known = "still long 0.003 BTC-PERP"
    unread = "what it holds could not be read"
    assert summary(flat).endswith(unread if kind in ("login", "positions") else known)


@pytest.mark.parametrize("kind", ["clock", "state", "open_orders", "cancel"])
async def test_what_closing_does_not_need_may_fail_for_ever(
    flattener: Any, venue: Any, make_order: Any, way: Any, autojump_clock: Any, kind: str
):
    venue.ways.append(way(rests=True, fills=D("0.0030")))
    venue._place(make_order("1", size=D("0.0060")))
    venue.trouble(kind, CUT, 9999)
    flat = await flattener.flatten()

    assert venue.position == 0
    assert flat.closed == {"BTC-PERP": D("0.0030")}
    assert flat.proven == (kind in ("clock", "state"))


async def test_one_order_that_cannot_be_cancelled_keeps_no_other_open(
    flattener: Any,
    venue: Any,
    make_order: Any,
    way: Any,
    monkeypatch: pytest.MonkeyPatch,
    autojump_clock: Any,
):
    venue.ways.extend([way(rests=True, fills=D(0))] * 3)
    for name in ("1", "2", "3"):
        venue._place(make_order(name))
    venue.position = D("0.0030")

    def refuse(self: Any, name: str) -> None:
        if name == "v1":
            raise VenueRefused("vest", "not this one", code="3001")
        cancel(self, name)

    cancel = type(venue)._cancel
    monkeypatch.setattr(type(venue), "_cancel", refuse)
    flat = await flattener.flatten()

    assert [name for name, known in venue.known.items() if known.open] == ["1"]
    assert venue.position == 0
    assert not flat.proven
    assert "v1" in flat.why
    assert "not this one" in flat.why


@pytest.mark.parametrize("kind", ["positions", "open_orders", "book", "find"])
async def test_a_question_without_an_answer_is_put_again(
    flattener: Any, venue: Any, autojump_clock: Any, kind: str
):
    venue.position = D("0.0030")
    venue.trouble(kind, CUT, 2)
    flat = await flattener.flatten()

    assert flat.proven
    assert venue.position == 0


@pytest.mark.parametrize(
    "bad",
    [book(ASK, BID), msgspec.structs.replace(book(), snapshot=False)],
    ids=["crossed", "no snapshot"],
)
async def test_no_order_is_priced_on_a_book_that_cannot_be_true(
    flattener: Any, venue: Any, autojump_clock: Any, bad: BookUpdate
):
    venue.position, venue.book_now = D("0.0030"), bad
    flat = await flattener.flatten()

    assert not flat.proven
    assert venue.sent == []
    assert flat.left == {"BTC-PERP": D("0.0030")}


async def test_a_position_on_a_market_that_is_not_listed_any_more_is_named(
    flattener: Any, venue: Any, autojump_clock: Any
):
    venue.position = D("0.0030")
    venue.market = attrs.evolve(venue.market, key=MarketKey("vest", "ETH-PERP"))
    venue.lists = []
    flat = await flattener.flatten()

    assert not flat.proven
    assert "ETH-PERP" in flat.why


async def test_a_cancel_in_the_middle_can_be_made_good_by_running_it_again(
    flattener: Any, venue: Any, way: Any, autojump_clock: Any
):
    for after_ms in range(0, 1200, 60):
        venue.position = D("0.0030")
        venue.ways.clear()
        venue.ways.append(way(fills=D("0.0010")))
        with trio.move_on_after(after_ms / 1000):
            await flattener.flatten()
        flat = await flattener.flatten()

        assert flat.proven
        assert venue.position == 0


async def test_an_order_that_lands_late_is_seen_before_anything_is_called_flat(
    flattener: Any, venue: Any, nursery: Any, autojump_clock: Any
):
    async def land() -> None:
        # Sent by a bot just before its death, and held up on its way for most of its window.
        await trio.sleep(4.5)
        venue.position = D("0.0030")

    nursery.start_soon(land)
    flat = await flattener.flatten()

    assert flat.proven
    assert flat.closed == {"BTC-PERP": D("0.0030")}
    assert venue.position == 0


async def test_cancelling_alone_leaves_the_position_and_says_what_is_held(
    flattener: Any, venue: Any, make_order: Any, way: Any, autojump_clock: Any
):
    venue.position = D("0.0030")
    venue.ways.append(way(rests=True, fills=D(0)))
    venue._place(make_order("1"))
    flat = await flattener.flatten(close=False)

    assert flat.proven
    assert flat.cancelled == 1
    assert venue.position == D("0.0030")
    assert summary(flat) == (
        "vest: no order is open; 1 cancelled, closed none, still long 0.003 BTC-PERP"
    )


async def test_cancelling_alone_is_not_proven_by_a_venue_that_does_not_answer(
    flattener: Any, venue: Any, autojump_clock: Any
):
    venue.trouble("open_orders", CUT, times=100)
    flat = await flattener.flatten(close=False)

    assert not flat.proven
    assert flat.why
