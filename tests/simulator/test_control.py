from __future__ import annotations

from decimal import Decimal

import pytest
import trio


async def test_the_truth_has_everything_about_both_venues(autojump_clock, client):
    await client.settled(await client.place())

    truth = (await client.request("control", "GET", "/truth")).json

    assert set(truth) == {"vest", "paradex"}
    [order] = truth["vest"]["orders"]
    assert (order["side"], order["size"], order["filled"]) == ("buy", "0.01", "0.01")
    assert (order["status"], order["nonce"], order["limit"]) == ("FILLED", client.nonce, "84000")
    assert truth["vest"]["positions"] == {"BTC-PERP": "0.01"}
    [fill] = truth["vest"]["fills"]
    assert fill["order_id"] == order["id"]
    assert Decimal(truth["vest"]["balance"]) == 10_000 - Decimal(truth["vest"]["fees"])
    assert truth["paradex"]["orders"] == []


async def test_the_market_is_what_the_public_sees(autojump_clock, client):
    market = (await client.request("control", "GET", "/market")).json
    depth = (await client.vest("GET", "/depth?symbol=BTC-PERP")).json

    vest, paradex = market["vest"]["BTC-PERP"], market["paradex"]["BTC-USD-PERP"]
    assert (vest["tick"], paradex["lot"]) == ("0.01", "0.00001")
    assert Decimal(vest["bids"][0][0]) < Decimal(vest["asks"][0][0])
    assert abs(Decimal(vest["bids"][0][0]) / Decimal(depth["bids"][0][0]) - 1) < Decimal("0.001")
    assert set(paradex) == set(vest)


async def test_the_links_tell_who_hears_what(autojump_clock, client):
    assert (await client.request("control", "GET", "/links")).json == {"vest": [], "paradex": []}

    async with client.vest_socket("tickers", "BTC-PERP@depth"):
        links = (await client.request("control", "GET", "/links")).json

    assert links == {"vest": [["BTC-PERP@depth", "tickers"]], "paradex": []}


async def test_health_is_answered(autojump_clock, client):
    assert (await client.request("control", "GET", "/health")).json == {"status": "ok"}
    assert (await client.request("control", "GET", "/else")).status == 404


async def test_faults_are_added_one_or_many_and_cleared(autojump_clock, client):
    one = {"venue": "vest", "kind": "refuse", "code": 1003}
    assert (await client.request("control", "POST", "/fault", one)).status == 200
    assert (await client.request("control", "POST", "/fault", [one, one])).status == 200
    for status in (429, 429, 429, 200):
        assert (await client.vest("POST", "/orders", client.order())).status == status
    await client.request("control", "POST", "/fault", one)
    await client.request("control", "POST", "/clear")
    assert (await client.vest("POST", "/orders", client.order())).status == 200


async def test_a_bad_fault_is_named(autojump_clock, client):
    for body in (
        {"venue": "vest", "kind": "nonsense"},
        {"kind": "gap_jump", "base": "NONE"},
        {"venue": "vest", "kind": "manual_close", "market": "NONE"},
        {"venue": "vest", "kind": "refuse", "count": "many"},
        5,
        b"{",
    ):
        reply = await client.request("control", "POST", "/fault", body)
        assert reply.status == 400
        assert reply.json["error"]


async def test_a_gap_jump_needs_no_venue(autojump_clock, client):
    await client.request("control", "POST", "/fault", {"kind": "gap_jump", "bps": 30, "seconds": 5})
    await trio.sleep(1)

    assert client.box.model.gap_bps("BTC") > 29


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", "Basic opens-the-control-endpoint"]
)
async def test_nobody_without_the_token_is_answered(autojump_clock, client, given):
    fault = {"venue": "vest", "kind": "refuse", "code": 1003}

    told = [
        await client.request("control", "GET", "/truth", Authorization=given),
        await client.request("control", "GET", "/health", Authorization=given),
        await client.request("control", "POST", "/fault", fault, Authorization=given),
        await client.request("control", "GET", "/else", Authorization=given),
    ]

    assert [reply.status for reply in told] == [401] * 4
    assert all(set(reply.json) == {"error"} for reply in told)
    assert (await client.vest("POST", "/orders", client.order())).status == 200
