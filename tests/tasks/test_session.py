"""One venue's session: opened however long it takes, renewed, and never trusted when it is old."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import OrderReport, OrderState, Side
from bot4.errors import AuthRefused, ConnectionLost, Unreachable
from bot4.ports import AccountChanged, Acknowledged, InDoubt
from bot4.tasks.account import OrderListener
from bot4.tasks.accounts import Accounts
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.session import (
    ACCOUNT_EVERY_S,
    ACCOUNT_LIMIT_S,
    CLOCK_EVERY_S,
    NAMED_EVERY_S,
    Session,
)

D = Decimal
CUT = InDoubt("cut")
OPENING = ("clock", "login", "markets", "account", "positions", "leverage")


@attrs.define
class Rooms:
    venue: Any
    gate: Gate
    accounts: Accounts
    listener: OrderListener
    session: Session
    ledger: Ledger


@pytest.fixture
def rooms(make_venue: Any, journal: Any, world: Any, lines: Any) -> Rooms:
    venue, gate, accounts = make_venue("vest"), Gate(), Accounts()
    gateway = Gateway(venue, venue, world)
    ledger = Ledger(journal, gate)
    listener = OrderListener(gateway, ledger)
    session = Session(gateway, listener, accounts, gate, ("BTC-PERP",), 10, 1000)
    return Rooms(venue, gate, accounts, listener, session, ledger)


async def test_it_has_started_when_markets_account_and_leverage_are_known(
    rooms: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    await nursery.start(rooms.session.keep)

    assert list(rooms.session.markets) == ["BTC-PERP"]
    assert rooms.accounts.get("vest").account.equity == 1000
    assert rooms.venue.asked.count("leverage") == 1
    assert [line["event"] for line in lines] == ["venue.ready"]
    assert rooms.gate.open


@pytest.mark.parametrize("kind", OPENING)
async def test_a_venue_that_is_away_at_the_start_is_asked_until_it_answers(
    rooms: Any, nursery: Any, autojump_clock: Any, lines: Any, kind: str
):
    rooms.venue.trouble(kind, CUT, 25)
    await nursery.start(rooms.session.keep)

    named = [line for line in lines if line["event"] == "venue.unreachable"]
    assert trio.current_time() > 25
    assert len(named) == 1 + int(trio.current_time() // NAMED_EVERY_S)
    assert lines[-1]["event"] == "venue.ready"


async def test_credentials_that_are_refused_at_the_start_end_it(rooms: Any, autojump_clock: Any):
    rooms.venue.trouble("login", AuthRefused("vest", "no such key"), 2)

    with pytest.raises(AuthRefused):
        await rooms.session.keep()


async def test_a_symbol_that_is_not_listed_shuts_its_market_and_names_others(
    rooms: Any, nursery: Any, autojump_clock: Any
):
    rooms.session.symbols = ("BTC-PERP", "DOGE-PERP")
    await nursery.start(rooms.session.keep)

    gone = MarketKey("vest", "DOGE-PERP")
    assert "does not list DOGE-PERP; it has BTC-PERP" in rooms.gate.shut([gone])
    assert rooms.gate.shut([MarketKey("vest", "BTC-PERP")]) == ""


async def test_a_market_that_does_not_trade_stops_opening(
    rooms: Any, nursery: Any, autojump_clock: Any
):
    rooms.venue.market = attrs.evolve(rooms.venue.market, trading=False)
    await nursery.start(rooms.session.keep)

    assert "vest BTC-PERP" in rooms.gate.reasons


@pytest.mark.parametrize(
    ("leverages", "asked"),
    [((), 1), ((("BTC-PERP", 3),), 1), ((("BTC-PERP", 10),), 0)],
    ids=["unknown", "another", "as wanted"],
)
async def test_the_leverage_is_set_where_it_is_not_what_is_wanted(
    rooms: Any, nursery: Any, autojump_clock: Any, leverages: Any, asked: int
):
    rooms.venue.leverages = leverages
    await nursery.start(rooms.session.keep)

    assert rooms.venue.asked.count("leverage") == asked


async def test_the_leverage_is_left_alone_while_something_is_held(
    rooms: Any, nursery: Any, autojump_clock: Any
):
    rooms.venue.position = D("0.0030")
    await nursery.start(rooms.session.keep)

    assert rooms.venue.asked.count("leverage") == 0


async def test_a_venue_that_takes_no_orders_stops_opening_until_it_does(
    rooms: Any, nursery: Any, autojump_clock: Any
):
    rooms.venue.shut = "maintenance"
    await nursery.start(rooms.session.keep)
    assert "vest state" in rooms.gate.reasons
    rooms.venue.shut = ""
    rooms.venue.trouble("state", CUT)
    await trio.sleep(25)

    assert rooms.gate.open


async def test_the_account_is_read_again_every_few_seconds_and_after_every_event(
    rooms: Any, nursery: Any, autojump_clock: Any
):
    await nursery.start(rooms.session.keep)
    started = rooms.venue.asked.count("account")
    await trio.sleep(ACCOUNT_EVERY_S + 1)
    assert rooms.venue.asked.count("account") == started + 1
    rooms.listener.hear(AccountChanged("vest"), 0.0)
    await trio.sleep(1)

    assert rooms.venue.asked.count("account") == started + 2


async def test_the_clock_is_measured_now_and_then_and_when_it_is_doubted(
    rooms: Any, nursery: Any, autojump_clock: Any
):
    await nursery.start(rooms.session.keep)
    measured = rooms.venue.asked.count("clock")
    rooms.listener._gateway.doubt_clock()
    assert not rooms.listener._gateway.clock_known
    await trio.sleep(1)
    assert rooms.listener._gateway.clock_known
    doubted = rooms.venue.asked.count("clock")
    assert doubted > measured
    await trio.sleep(CLOCK_EVERY_S + ACCOUNT_EVERY_S)

    assert rooms.venue.asked.count("clock") > doubted


async def test_a_clock_that_is_off_stops_opening_until_it_is_set(
    rooms: Any, nursery: Any, autojump_clock: Any
):
    rooms.venue.clock_ahead_ms = -1500
    await nursery.start(rooms.session.keep)
    assert "vest clock" in rooms.gate.reasons
    rooms.venue.clock_ahead_ms = 0
    rooms.listener._gateway.doubt_clock()
    await trio.sleep(1)

    assert rooms.gate.open


async def test_an_account_that_cannot_be_read_for_long_stops_opening_until_it_can(
    rooms: Any, nursery: Any, autojump_clock: Any, lines: Any
):
    await nursery.start(rooms.session.keep)
    rooms.venue.trouble("account", CUT, 400)  # more than it will ask
    await trio.sleep(ACCOUNT_LIMIT_S - 5)
    assert "vest account" not in rooms.gate.reasons
    await trio.sleep(20)
    assert "vest account" in rooms.gate.reasons
    rooms.venue._troubles["account"].clear()
    await trio.sleep(ACCOUNT_EVERY_S + 3)

    assert rooms.gate.open
    assert 5 <= [line["event"] for line in lines].count("venue.unreachable") <= 10


@pytest.mark.parametrize("after_ms", range(0, 400, 40))
async def test_a_session_can_be_cancelled_while_it_opens(
    rooms: Any, autojump_clock: Any, after_ms: int
):
    with trio.move_on_after(after_ms / 1000):
        await rooms.session.keep()

    assert rooms.venue.sent == []


# ------------------------------------------------------------------------- the private stream


async def test_orders_and_fills_go_to_the_ledger(rooms: Any, plan: Any, make_order: Any):
    buy, sell = make_order("1", "vest"), make_order("2", "paradex")
    rooms.ledger.begin(plan, (buy, sell))
    fill = Fill("vest", "f", "1", "v1", "BTC-PERP", Side.BUY, D(83000), D("0.0010"), D(0))
    report = OrderReport("vest", "1", "v1", OrderState.CLOSED, filled=D("0.0020"))

    assert not rooms.listener.hear(fill, 0.0)
    assert not rooms.listener.hear(report, 0.0)
    assert not rooms.listener.hear(Acknowledged(1), 0.0)
    assert rooms.ledger.get(plan.trade_id).position("vest") == D("0.0020")


@pytest.mark.parametrize("word", ["fill", "lost", "changed"])
async def test_what_may_have_changed_the_account_has_it_read_again(
    rooms: Any, autojump_clock: Any, make_order: Any, word: str
):
    if word == "fill":
        fill = Fill("vest", "f", "x", "v", "BTC-PERP", Side.BUY, D(83000), D("0.0010"), D(0))
        rooms.listener.hear(fill, 0.0)
    elif word == "lost":
        rooms.listener.lost()
    else:
        rooms.listener.hear(AccountChanged("vest"), 0.0)
    with trio.fail_after(1):
        await rooms.listener.wait_stale()
    with trio.move_on_after(1) as again:
        await rooms.listener.wait_stale()

    assert again.cancelled_caught


async def test_the_stream_is_dialled_only_when_signed_in(rooms: Any, autojump_clock: Any):
    await rooms.listener.prepare()
    assert rooms.venue.asked == ["login"]

    rooms.listener._gateway._login_due_ms = 0
    rooms.venue.trouble("login", AuthRefused("vest", "expired"))
    with pytest.raises(ConnectionLost, match="signing in was refused"):
        await rooms.listener.prepare()
    assert rooms.venue.lost == 1

    rooms.venue.trouble("login", CUT)
    with pytest.raises(Unreachable):
        await rooms.listener.prepare()
