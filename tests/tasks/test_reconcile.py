"""Positions compared: the venues are right about sizes, and what nobody explains stops opening."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, VEST
from bot4.domain.order import Side
from bot4.errors import Unreachable
from bot4.ports import InDoubt
from bot4.strategy.saga import State
from bot4.tasks.account import OrderListener
from bot4.tasks.accounts import Accounts
from bot4.tasks.gate import RECONCILE, Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.reconcile import Reconciler
from bot4.tasks.session import Session

D = Decimal
SIZE = D("0.0030")
CUT = InDoubt("cut")


class Rooms:
    """Two venues, the ledger and whoever compares them."""

    def __init__(self, journal: Any, world: Any, make_venue: Any) -> None:
        self.gate, self.accounts = Gate(), Accounts()
        self.ledger = Ledger(journal, self.gate)
        self.vest, self.paradex = make_venue(VEST), make_venue(PARADEX)
        venues = {VEST: self.vest, PARADEX: self.paradex}
        self.gateways = {name: Gateway(venue, venue, world) for name, venue in venues.items()}
        self.sessions = {
            name: Session(
                gateway,
                OrderListener(gateway, self.ledger),
                self.accounts,
                self.gate,
                (venues[name].market.key.symbol,),
                3,
                1000,
            )
            for name, gateway in self.gateways.items()
        }
        keys = (self.vest.market.key, self.paradex.market.key)
        self.reconciler = Reconciler(self.sessions, self.accounts, self.ledger, self.gate, keys)

    def hedge(self, plan: Any, make_order: Callable[..., Any]) -> None:
        """Both legs on, as the venues and the ledger know."""
        orders = make_order("1", VEST), make_order("2", PARADEX)
        self.ledger.begin(plan, orders)
        for order in orders:
            name = order.client_order_id
            self.ledger.hear(
                Fill(
                    order.key.venue,
                    name,
                    name,
                    f"v{name}",
                    order.key.symbol,
                    order.side,
                    order.limit,
                    order.size,
                    D(0),
                )
            )
        self.vest.position, self.paradex.position = SIZE, -SIZE

    async def read(self) -> None:
        """What the sessions do every few seconds."""
        for session in self.sessions.values():
            await session.read_account()

    async def compare(self, seconds: float) -> None:
        with trio.move_on_after(seconds):
            await self.reconciler.keep()


@pytest.fixture
def rooms(journal: Any, world: Any, make_venue: Any, lines: Any) -> Rooms:
    return Rooms(journal, world, make_venue)


async def test_what_agrees_is_said_to_agree_and_opening_is_allowed(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    rooms.hedge(plan, make_order)
    rooms.gate.block(RECONCILE, "x", "y", quiet=True)

    await rooms.compare(2)

    assert rooms.gate.open


async def test_a_position_nobody_explains_stops_opening(
    rooms: Any, autojump_clock: Any, lines: Any
):
    rooms.vest.position = SIZE
    await rooms.compare(10)

    assert "exposure" in rooms.gate.reasons
    (found,) = [line for line in lines if line["event"] == "exposure.found"]
    assert "flatten" in found["do"]
    assert (found["held"], found["explained"]) == ("0.003", "0")


async def test_opening_resumes_when_the_position_nobody_explained_is_gone(
    rooms: Any, autojump_clock: Any
):
    rooms.vest.position = SIZE
    await rooms.compare(10)
    rooms.vest.position = D(0)
    await rooms.compare(10)

    assert rooms.gate.open


async def test_what_a_venue_no_longer_holds_is_taken_off_its_trade(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any, lines: Any
):
    rooms.hedge(plan, make_order)
    rooms.vest.position = D("0.0010")
    await rooms.compare(10)

    trade = rooms.ledger.get(plan.trade_id)
    assert trade.position("vest") == D("0.0010")
    assert trade.state is State.UNWINDING
    assert [line["event"] for line in lines if line["level"] == "warning"][-1:] == [
        "trade.closed_outside"
    ]


async def test_what_is_held_beyond_the_trades_is_nobodys(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    rooms.hedge(plan, make_order)
    rooms.vest.position = D("0.0040")
    rooms.ledger.hear(Fill("vest", "9", "", "9", "BTC-PERP", Side.BUY, D(83000), D("0.0010"), D(0)))
    rooms.gate.block("reconcile", "positions are being compared", "wait", quiet=True)
    await rooms.compare(10)

    # Compared, so that the pair may close; the rest stops opening only.
    assert set(rooms.gate.reasons) == {"exposure"}
    assert rooms.ledger.get(plan.trade_id).position("vest") == SIZE


async def test_a_position_on_the_other_side_of_zero_is_nobodys_and_our_leg_is_gone(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any, lines: Any
):
    """No order of ours could reduce it: the venue would refuse each as not reducing."""
    rooms.hedge(plan, make_order)
    rooms.vest.position = D("-0.0001")
    await rooms.compare(10)

    trade = rooms.ledger.get(plan.trade_id)
    assert trade.position("vest") == 0
    assert trade.state is State.UNWINDING
    (found,) = [line for line in lines if line["event"] == "exposure.found"]
    assert (found["held"], found["explained"]) == ("-0.0001", "0")
    assert "exposure" in rooms.gate.reasons


async def test_a_difference_that_does_not_last_changes_nothing(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    """A venue's position lags behind its fills for a moment."""
    rooms.hedge(plan, make_order)
    rooms.vest.position = D(0)
    await rooms.read()
    await rooms.compare(2)
    rooms.vest.position = SIZE
    await rooms.read()
    await rooms.compare(10)

    assert rooms.ledger.get(plan.trade_id).state is State.HEDGED
    assert rooms.gate.open


async def test_both_legs_closed_by_hand_are_taken_off_together(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    """One leg is seen to be gone a little before the other: no leg may be reduced for that."""
    rooms.hedge(plan, make_order)
    rooms.vest.position = D(0)
    await rooms.read()
    await rooms.compare(2.5)
    rooms.paradex.position = D(0)
    await rooms.read()
    await rooms.compare(2.5)
    assert rooms.ledger.get(plan.trade_id).state is State.HEDGED
    await rooms.compare(10)

    assert rooms.ledger.get(plan.trade_id).state is State.FLAT


async def test_nothing_is_compared_while_an_order_is_on_its_way(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    rooms.ledger.begin(plan, (make_order("1", VEST), make_order("2", PARADEX)))
    rooms.vest.position = SIZE
    await rooms.compare(30)

    assert rooms.gate.open
    assert rooms.vest.asked == []


async def test_an_answer_that_is_still_awaited_holds_up_nothing_when_its_order_has_ended(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    """The stream told of the end; the request may hang for as long as its limit is."""
    rooms.hedge(plan, make_order)
    rooms.gateways[VEST].on_wire = 1
    rooms.vest.position = D("0.0010")
    await rooms.compare(10)

    assert rooms.ledger.get(plan.trade_id).position("vest") == D("0.0010")


async def test_a_venue_that_cannot_be_read_is_no_difference(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    rooms.hedge(plan, make_order)
    rooms.gate.block(RECONCILE, "x", "y", quiet=True)
    rooms.paradex.trouble("positions", CUT, 3)
    await rooms.compare(1)
    assert RECONCILE in rooms.gate.reasons
    await rooms.compare(5)

    assert rooms.gate.open
    assert rooms.ledger.get(plan.trade_id).state is State.HEDGED


async def test_a_start_cancels_what_rests_and_then_compares(
    rooms: Any, make_order: Any, way: Any, autojump_clock: Any, lines: Any
):
    rooms.vest.ways.append(way(rests=True, fills=D(0)))
    rooms.vest._place(make_order("1"))
    await rooms.reconciler.settle_start()

    assert await rooms.gateways[VEST].open_orders() == []
    assert [line["event"] for line in lines] == ["exposure.found"]
    assert RECONCILE in rooms.gate.reasons


@pytest.mark.parametrize("failures", [1, 4])
async def test_a_start_does_not_take_no_answer_for_no_orders(
    rooms: Any, make_order: Any, way: Any, autojump_clock: Any, lines: Any, failures: int
):
    rooms.vest.ways.append(way(rests=True, fills=D(0)))
    rooms.vest._place(make_order("1"))
    rooms.vest.trouble("open_orders", Unreachable("vest", "down"), failures)
    await rooms.reconciler.settle_start()

    assert await rooms.gateways[VEST].open_orders() == []
    named = [line["event"] for line in lines].count("venue.unreachable")
    assert named == failures


async def test_a_reading_from_before_the_last_change_says_nothing(
    rooms: Any, plan: Any, make_order: Any, autojump_clock: Any
):
    """Answers that were asked for before the fills, and come after them: nothing was held then."""
    old = {}
    for venue, session in rooms.sessions.items():
        await session.read_account()
        old[venue] = rooms.accounts.get(venue)
    await trio.sleep(20)
    rooms.hedge(plan, make_order)

    for at in (0.0, 5.0, 10.0):
        for venue, reading in old.items():
            rooms.accounts.post(venue, reading.account, reading.positions, at)
        rooms.reconciler.compare()

    [trade] = rooms.ledger.trades
    assert trade.corrections == ()
    assert rooms.ledger.held(rooms.vest.market.key) == SIZE
