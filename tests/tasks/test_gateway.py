"""The counter at one venue: an order leaves once or not at all, and no order disturbs another."""

from __future__ import annotations

from math import inf
from typing import Any

import attrs
import pytest
import trio

from bot4.domain.order import Purpose
from bot4.errors import ApiChanged, AuthRefused, ProtocolViolation, Unreachable, VenueRefused
from bot4.ports import Accepted, Answer, InDoubt, NotSent, Refused, Retry
from bot4.strategy.receiving import ENOUGH
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import QUEUE, Gateway
from bot4.tasks.health import SICK, Health
from bot4.tasks.parcel import Parcel

CUT = InDoubt("cut", 1.0)


@attrs.define
class Outcomes:
    """What the sender heard of each parcel."""

    sent: list[str] = attrs.field(factory=list)
    answered: dict[str, Any] = attrs.field(factory=dict)

    def parcel(self, venue: Any, order: Any, **changes: Any) -> Parcel:
        signed, errand = venue.sign(order, 0, 2000)
        name = order.client_order_id
        usual = Parcel(
            signed,
            errand,
            wait=None,
            opens=not order.reduce_only,
            deadline=10.0,
            slept=0,
            sent=lambda: self.sent.append(name),
            answered=lambda outcome, _at: self.answered.__setitem__(name, outcome),
        )
        return attrs.evolve(usual, **changes)


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture
def venue(make_venue: Any) -> Any:
    return make_venue("vest")


@pytest.fixture
async def gateway(venue: Any, world: Any, nursery: Any, autojump_clock: Any) -> Gateway:
    gateway = Gateway(venue, venue, world)
    await nursery.start(gateway.run)
    return gateway


async def settled(gateway: Gateway) -> None:
    with trio.fail_after(60):
        while gateway.on_wire:  # noqa: ASYNC110 - it tells nobody when it is done
            await trio.sleep(0.01)


async def test_an_accepted_order_leaves_once(
    gateway: Any, venue: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    gateway.post(outcomes.parcel(venue, make_order("1")))
    assert gateway.on_wire == 1
    await settled(gateway)

    assert outcomes.answered == {"1": Accepted("v1")}
    assert outcomes.sent == ["1"]
    assert len(venue.sent) == 1


@pytest.mark.parametrize("outcome", [CUT, NotSent("no route")], ids=["in doubt", "not sent"])
async def test_an_order_is_never_sent_again_by_itself(
    gateway: Any, venue: Any, make_order: Any, outcomes: Any, autojump_clock: Any, outcome: Any
):
    venue.trouble("order", outcome, 3)
    gateway.post(outcomes.parcel(venue, make_order("1")))
    await settled(gateway)
    await trio.sleep(60)

    assert len(venue.sent) == 1
    assert outcomes.answered == {"1": outcome}


async def test_an_order_in_doubt_does_not_keep_others_from_leaving(
    gateway: Any, venue: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    venue.trouble("order", CUT)
    gateway.post(outcomes.parcel(venue, make_order("1")))
    gateway.post(outcomes.parcel(venue, make_order("2")))
    await settled(gateway)
    gateway.post(outcomes.parcel(venue, make_order("3")))
    await settled(gateway)

    assert sorted(type(one).__name__ for one in outcomes.answered.values()) == [
        "Accepted",
        "Accepted",
        "InDoubt",
    ]
    assert outcomes.answered["3"] == Accepted("v3")


async def test_two_orders_are_on_the_wire_at_once(
    gateway: Any, venue: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    gateway.post(outcomes.parcel(venue, make_order("1")))
    gateway.post(outcomes.parcel(venue, make_order("2")))
    await settled(gateway)

    (first, _), (second, _) = venue.sent
    assert first == second


async def test_an_opening_order_stays_home_after_the_stop_and_a_closing_one_goes(
    venue: Any, world: Any, nursery: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    gateway = Gateway(venue, venue, world, stays_home=lambda: "stopping")
    await nursery.start(gateway.run)
    closing = make_order("2", purpose=Purpose.UNWIND, reduce_only=True)
    gateway.post(outcomes.parcel(venue, make_order("1")))
    gateway.post(outcomes.parcel(venue, closing))
    await settled(gateway)

    assert outcomes.answered["1"] == NotSent("stopping")
    assert outcomes.sent == ["2"]
    assert [order.client_order_id for order in venue.orders()] == ["2"]


async def test_an_opening_order_that_is_late_stays_home_and_a_closing_one_goes(
    gateway: Any, venue: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    await trio.sleep(11)
    closing = make_order("2", purpose=Purpose.UNWIND, reduce_only=True)
    gateway.post(outcomes.parcel(venue, make_order("1")))
    gateway.post(outcomes.parcel(venue, closing))
    await settled(gateway)

    assert isinstance(outcomes.answered["1"], NotSent)
    assert [order.client_order_id for order in venue.orders()] == ["2"]


async def test_a_full_queue_says_so_and_sends_nothing(
    venue: Any, world: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    gateway = Gateway(venue, venue, world)  # nobody carries
    for number in range(QUEUE):
        gateway.post(outcomes.parcel(venue, make_order(str(number))))

    with pytest.raises(trio.WouldBlock):
        gateway.post(outcomes.parcel(venue, make_order("one too many")))

    assert gateway.on_wire == QUEUE


async def test_an_order_on_the_wire_is_not_cut_off_by_a_cancel(
    venue: Any, world: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    gateway = Gateway(venue, venue, world)
    async with trio.open_nursery() as carrying:
        await carrying.start(gateway.run)
        gateway.post(outcomes.parcel(venue, make_order("1")))
        await trio.sleep(0.01)
        carrying.cancel_scope.cancel()

    assert outcomes.answered == {"1": Accepted("v1")}
    assert gateway.on_wire == 0


async def test_a_refusal_for_the_session_has_it_renewed(
    gateway: Any, venue: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    await gateway.sign_in()
    signed, errand = venue.sign(make_order("1"), 0, 2000)
    refused = attrs.evolve(errand, read=lambda _answer: Refused("AUTH", "expired"))
    parcel = attrs.evolve(outcomes.parcel(venue, make_order("1")), errand=refused)

    async def unauthorised(_request: Any, *, timeout_s: float) -> Answer:
        return Answer(401, {}, b"", 0.0, 0.0)

    gateway._door, door = type("Door", (), {"send": staticmethod(unauthorised)})(), gateway._door
    gateway.post(parcel)
    await settled(gateway)
    gateway._door = door
    await gateway.sign_in()

    assert isinstance(outcomes.answered["1"], Refused)
    assert venue.lost == 1
    assert venue.asked.count("login") == 2
    assert signed.window_ms == 2000


# ------------------------------------------------------------------------------------- asking


@pytest.mark.parametrize("outcome", [CUT, NotSent("no route")], ids=["in doubt", "not sent"])
async def test_no_answer_is_no_news(gateway: Any, venue: Any, autojump_clock: Any, outcome: Any):
    venue.trouble("find", outcome)

    with pytest.raises(Unreachable):
        await gateway.ask(venue.find(None, 0))


@pytest.mark.parametrize(
    "error", [VenueRefused("vest", "busy"), ProtocolViolation("vest", "<html>")], ids=repr
)
async def test_what_the_answer_says_is_passed_on(
    gateway: Any, venue: Any, make_order: Any, autojump_clock: Any, error: Exception
):
    venue.trouble("find", error)

    with pytest.raises(type(error)):
        await gateway.find(make_order("1"))


async def test_a_lost_session_is_renewed_once_and_the_question_put_again(
    gateway: Any, venue: Any, autojump_clock: Any
):
    venue.trouble("account", AuthRefused("vest", "expired"))
    await gateway.account()

    assert venue.asked.count("login") == 2
    assert venue.lost == 1

    venue.trouble("account", AuthRefused("vest", "expired"), 2)
    with pytest.raises(AuthRefused):
        await gateway.account()


async def test_a_venue_that_refuses_every_session_is_not_asked_for_one_with_every_question(
    gateway: Any, venue: Any, autojump_clock: Any
):
    venue.trouble("account", AuthRefused("vest", "expired"), 10_000)
    for _ in range(120):
        with pytest.raises(AuthRefused):
            await gateway.ask_signed_in(venue.account)
        await trio.sleep(0.5)
    assert 6 <= venue.asked.count("login") <= 12

    venue._troubles.clear()
    await trio.sleep(10)
    await gateway.ask_signed_in(venue.account)
    venue.trouble("account", AuthRefused("vest", "expired"))
    logins = venue.asked.count("login")
    await gateway.ask_signed_in(venue.account)
    assert venue.asked.count("login") == logins + 1


async def test_signing_in_is_done_once_however_many_ask(
    venue: Any, world: Any, nursery: Any, autojump_clock: Any
):
    hidden: list[str] = []
    gateway = Gateway(venue, venue, world, hide=hidden.append)
    async with trio.open_nursery() as asking:
        for _ in range(5):
            asking.start_soon(gateway.positions)

    assert venue.asked.count("login") == 1
    assert hidden == ["token"]


async def test_signing_in_is_repeated_when_it_is_due(
    gateway: Any, venue: Any, world: Any, autojump_clock: Any
):
    venue.due_ms = world.wall_ms() + 5000
    await gateway.sign_in()
    await trio.sleep(6)
    venue.due_ms = world.wall_ms() + 5000
    await gateway.sign_in()
    await gateway.sign_in()

    assert venue.asked.count("login") == 2


async def test_a_cancelled_sign_in_lets_the_next_one_try(
    gateway: Any, venue: Any, autojump_clock: Any
):
    with trio.move_on_after(0.01):
        await gateway.sign_in()
    await gateway.sign_in()

    assert venue.asked[-1] == "login"


async def test_the_clock_is_the_venues_as_measured_in_the_middle(
    gateway: Any, venue: Any, world: Any, make_order: Any, autojump_clock: Any
):
    venue.clock_ahead_ms = 400
    await gateway.sync_clock()

    # The fake venue looks at its clock when the question arrives, half of 50 ms late.
    assert 400 <= gateway.offset_ms <= 425
    assert gateway.clock_error_ms == 25
    assert gateway.now_ms() == world.wall_ms() + gateway.offset_ms


async def test_not_found_is_told_with_the_venues_clock_when_it_was_asked(
    gateway: Any, venue: Any, world: Any, make_order: Any, autojump_clock: Any
):
    await gateway.sync_clock()
    await gateway.sign_in()
    venue.clock_ahead_ms = -4000
    asked_ms = world.wall_ms()
    found, heard_ms = await gateway.find(make_order("1"))

    # Its clock went back since it was measured: an old offset would prove too much, 4 s too early.
    assert found is None
    assert asked_ms - 4050 <= heard_ms <= asked_ms - 4000


async def test_not_found_without_the_venues_clock_proves_nothing(
    gateway: Any, venue: Any, make_order: Any, autojump_clock: Any
):
    venue.trouble("clock", Unreachable("vest", "timed out"))
    with pytest.raises(Unreachable):
        await gateway.find(make_order("1"))


async def test_a_refusal_for_the_time_has_the_clock_measured_before_the_next_order(
    gateway: Any, venue: Any, autojump_clock: Any
):
    await gateway.sign_in()
    assert gateway.ready
    venue.clock_ahead_ms = 4000
    gateway.take_refusal(Retry.REQUOTE, "BTC-PERP", "")
    assert gateway.ready
    gateway.take_refusal(Retry.RESIGN, "BTC-PERP", "")
    assert not gateway.ready
    await gateway.get_ready()

    assert gateway.ready
    assert 4000 <= gateway.offset_ms <= 4025


async def test_a_clock_that_cannot_be_read_stays_doubted_and_holds_no_question_up(
    gateway: Any, venue: Any, autojump_clock: Any
):
    gateway.doubt_clock()
    venue.trouble("clock", Unreachable("vest", "timed out"))
    assert await gateway.positions() == []

    assert not gateway.clock_known


async def test_a_question_refused_for_its_time_is_asked_again_with_the_new_time(
    gateway: Any, venue: Any, autojump_clock: Any
):
    venue.clock_ahead_ms = 4000
    venue.told["1132"] = Retry.RESIGN
    venue.trouble("positions", VenueRefused("vest", "too old", code="1132"))
    assert await gateway.positions() == []

    assert venue.asked.count("positions") == 2
    assert gateway.offset_ms >= 4000


@pytest.mark.parametrize("at_once", [True, False], ids=["in one request", "one by one"])
async def test_everything_open_is_cancelled(
    gateway: Any,
    venue: Any,
    make_order: Any,
    outcomes: Any,
    way: Any,
    autojump_clock: Any,
    at_once: bool,
):
    venue.cancels_all = at_once
    assert await gateway.cancel_everything() == 0
    for number in range(3):
        venue.ways.append(way(rests=True, fills=0))
        gateway.post(outcomes.parcel(venue, make_order(str(number))))
    await settled(gateway)

    assert await gateway.cancel_everything() == 3
    assert await gateway.open_orders() == []
    assert venue.asked.count("cancel_all") == (1 if at_once else 0)


async def test_silence_and_chaos_count_against_the_venue_and_refusals_do_not(
    venue: Any,
    world: Any,
    make_order: Any,
    outcomes: Any,
    nursery: Any,
    autojump_clock: Any,
    lines: Any,
):
    gate = Gate()
    gateway = Gateway(venue, venue, world, health=Health("vest", gate))
    await nursery.start(gateway.run)
    venue.trouble("find", VenueRefused("vest", "busy"), SICK)
    for _ in range(SICK):
        with pytest.raises(VenueRefused):
            await gateway.find(make_order("1"))
    assert gate.open

    venue.trouble("find", ProtocolViolation("vest", "<html>"), 2)
    venue.trouble("order", CUT)
    venue.trouble("order", NotSent("no route"), SICK)
    for _ in range(2):
        with pytest.raises(ProtocolViolation):
            await gateway.find(make_order("1"))
    for number in range(SICK):
        gateway.post(outcomes.parcel(venue, make_order(str(number))))
    await settled(gateway)

    assert "vest health" in gate.reasons


async def test_the_window_follows_how_long_orders_take(
    gateway: Any, venue: Any, make_order: Any, outcomes: Any, autojump_clock: Any
):
    venue.delay_s = 0.9
    for number in range(ENOUGH):
        order = make_order(str(number), signed_ms=gateway.now_ms())
        parcel = outcomes.parcel(venue, order, deadline=inf)
        gateway.post(attrs.evolve(parcel, order=order))
        await trio.sleep(1)
    assert gateway.window.ms == 1225

    gateway.take_refusal(Retry.RESIGN, "BTC-PERP", "")
    assert gateway.window.ms == 2450


async def test_an_answer_of_a_new_kind_stops_opening_until_a_new_start(
    venue: Any, world: Any, gateway: Gateway, lines: list[dict[str, Any]]
):
    gate = Gate()
    gateway = Gateway(venue, venue, world, health=Health("vest", gate, lambda: "v2 ws 1.0"))

    def read(_answer: Answer) -> None:
        raise ApiChanged("vest", "orders: an unknown order status")

    for _ in range(2):
        with pytest.raises(ApiChanged):
            await gateway.ask(attrs.evolve(venue.clock(), read=read))
    for _ in range(20):
        await gateway.ask(venue.clock())

    why = "vest does not speak api v2 ws 1.0 any more: orders: an unknown order status"
    assert gate.reasons == {"vest api": why}
    assert [line["event"] for line in lines] == ["opening.stopped"]
