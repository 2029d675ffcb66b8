"""The fault menu as the Paradex face carries it out."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

ETH = "ETH-USD-PERP"
DELTAS = f"order_book.{ETH}.deltas"
SBE = "?sbeSchemaId=1&sbeSchemaVersion=1"


def add(rig, kind, **args):
    rig.faults.add({"venue": "paradex", "kind": kind, **args})


async def books(rig, ws, book_of, count):
    found = []
    while len(found) < count:
        frame = await rig.event(ws)
        if isinstance(frame, bytes):
            found.append(book_of(frame))
    return found


async def test_a_refusal_by_code_leaves_no_order(autojump_clock, logged_in):
    add(logged_in, "refuse", status=429, code="RATE_LIMIT_EXCEEDED", message="slow down")

    refused = await logged_in.place()
    taken = await logged_in.place()

    assert (refused.status, refused.body["error"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert "retry-after" in refused.headers
    assert taken.status == 201
    assert len(logged_in.venue.orders) == 1


async def test_a_refusal_by_risk_comes_after_new(autojump_clock, logged_in):
    add(logged_in, "refuse", cancel_reason="NOT_ENOUGH_MARGIN")

    answer = await logged_in.place()
    order = await logged_in.landed(answer)

    assert answer.body["status"] == "NEW"
    assert (order["status"], order["cancel_reason"]) == ("CLOSED", "NOT_ENOUGH_MARGIN")
    assert order["remaining_size"] == "0.1"


@pytest.mark.parametrize(
    ("request_kind", "path"),
    [("query", "/v1/orders"), ("account", "/v1/account"), ("public", "/v1/system/time")],
)
async def test_other_requests_can_be_refused_too(autojump_clock, logged_in, request_kind, path):
    add(logged_in, "refuse", request=request_kind, status=500, code="INTERNAL_ERROR")

    first = await logged_in.rest("GET", path)
    second = await logged_in.rest("GET", path)

    assert (first.status, first.body["error"]) == (500, "INTERNAL_ERROR")
    assert second.status == 200


async def test_a_lost_request_never_arrives(autojump_clock, logged_in):
    add(logged_in, "lose_request")

    with trio.move_on_after(10) as waiting:
        await logged_in.place()

    assert waiting.cancelled_caught
    assert logged_in.venue.orders == {}


async def test_a_lost_answer_is_an_order_that_exists(autojump_clock, logged_in):
    add(logged_in, "lose_answer", how="cut")

    with pytest.raises(EOFError):
        await logged_in.place()
    await trio.sleep(1)

    assert [order.status for order in logged_in.venue.orders.values()] == ["CLOSED"]
    assert logged_in.venue.ledger.position(ETH).size == Decimal("0.1")


@pytest.mark.parametrize(("with_effect", "orders"), [(True, 1), (False, 0)])
async def test_a_503_page_may_or_may_not_have_had_an_effect(
    autojump_clock, logged_in, with_effect, orders
):
    add(logged_in, "http_error", status=503, with_effect=with_effect, html=True)

    answer = await logged_in.place()

    assert answer.status == 503
    assert answer.body.startswith(b"<!DOCTYPE html>")
    assert len(logged_in.venue.orders) == orders


async def test_a_late_landing_is_late(autojump_clock, logged_in):
    add(logged_in, "delay_landing", ms=5000)

    answer = await logged_in.place()
    await trio.sleep(4)
    before = (await logged_in.rest("GET", f"/v1/orders/{answer.body['id']}")).body["status"]
    await trio.sleep(2)

    assert before == "NEW"
    assert logged_in.venue.orders[answer.body["id"]].status == "CLOSED"


@pytest.mark.parametrize(
    ("kind", "args", "left"),
    [("no_fill", {}, "0.1"), ("partial_fill", {"fraction": "0.5"}, "0.05")],
)
async def test_an_ioc_may_fill_in_part_or_not_at_all(autojump_clock, logged_in, kind, args, left):
    add(logged_in, kind, **args)

    order = await logged_in.landed(await logged_in.place())

    assert (order["cancel_reason"], order["remaining_size"]) == ("IOC_REMAINDER", left)


async def test_muted_private_events_are_lost_but_the_venue_knows(autojump_clock, logged_in):
    add(logged_in, "mute_private", count=-1)
    async with logged_in.ws(SBE) as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "subscribe", channel="orders.ALL")
        answer = await logged_in.place()
        with trio.move_on_after(3) as waiting:
            await logged_in.event(ws, "orders.ALL")

    assert waiting.cancelled_caught
    assert logged_in.venue.orders[answer.body["id"]].status == "CLOSED"


async def test_a_gap_skips_one_sequence_number(autojump_clock, rig, book_of):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        (first,) = await books(rig, ws, book_of, 1)
        add(rig, "gap")
        after, then = await books(rig, ws, book_of, 2)

    assert after["seq_no"] == first["seq_no"] + 2
    assert then["seq_no"] == after["seq_no"] + 1


async def test_a_crossed_book_lasts_one_frame(autojump_clock, rig, book_of):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        await books(rig, ws, book_of, 1)
        add(rig, "crossed")
        crossed, healed = await books(rig, ws, book_of, 2)

    assert crossed["bids"][0][0] > Decimal("2900.5")
    assert healed["bids"] == [(crossed["bids"][0][0], 0)]


async def test_garbage_comes_between_good_frames(autojump_clock, rig, book_of):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        (first,) = await books(rig, ws, book_of, 1)
        add(rig, "garbage")
        junk = await rig.event(ws)
        (good,) = await books(rig, ws, book_of, 1)

    assert len(junk) == 40
    assert good["seq_no"] == first["seq_no"] + 1


async def test_a_silent_stream_goes_on_where_it_stopped(autojump_clock, rig, book_of):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        (first,) = await books(rig, ws, book_of, 1)
        add(rig, "silence", seconds=5)
        rig.model.prices["ETH"] = Decimal(2920)
        started = trio.current_time()
        (second,) = await books(rig, ws, book_of, 1)

    assert 4.9 <= trio.current_time() - started <= 5.3
    assert second["seq_no"] == first["seq_no"] + 1
    assert (Decimal("2919.5"), Decimal(1)) in second["bids"]


async def test_a_human_closes_the_position_through_the_page(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(size="0.5"))
    async with logged_in.ws(SBE) as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "subscribe", channel="fills.ALL")
        add(logged_in, "manual_close", market=ETH)
        fill = await logged_in.event(ws, "fills.ALL")

    assert (fill["side"], fill["size"], fill["client_id"]) == ("SELL", "0.5", "")
    assert logged_in.venue.ledger.positions == {}


async def test_a_falling_market_liquidates(autojump_clock, logged_in):
    logged_in.liquidity.asks = [(Decimal("0.5"), Decimal(1000))]
    await logged_in.landed(await logged_in.place(size="150"))

    logged_in.model.prices["ETH"] = Decimal(2850)
    await trio.sleep(6)  # The account is looked at every five seconds.

    page = (await logged_in.rest("GET", "/v1/fills")).body["results"]
    assert page[0]["fill_type"] == "LIQUIDATION"
    assert logged_in.venue.ledger.position(ETH).size < 150


async def test_a_halted_market_takes_no_orders_and_fills_none_that_rest(autojump_clock, logged_in):
    resting = await logged_in.place(instruction="GTC", price="2890")
    await trio.sleep(1)
    add(logged_in, "halt", symbol=ETH, seconds=10)
    logged_in.model.prices["ETH"] = Decimal(2880)

    refused = await logged_in.place()
    other = await logged_in.place(market="BTC-USD-PERP", size="0.001", price="83010")
    await trio.sleep(5)
    during = (await logged_in.rest("GET", f"/v1/orders/{resting.body['id']}")).body["status"]
    await trio.sleep(6)

    assert refused.body["error"] == "MARKET_NOT_OPEN"
    assert other.status == 201
    assert during == "OPEN"
    assert (await logged_in.landed(resting))["remaining_size"] == "0"


async def test_an_order_that_lands_in_a_halt_is_closed(autojump_clock, logged_in):
    answer = await logged_in.place()
    add(logged_in, "halt")

    order = await logged_in.landed(answer)

    assert (order["status"], order["cancel_reason"]) == ("CLOSED", "MARKET_NOT_OPEN")
    assert order["remaining_size"] == "0.1"
