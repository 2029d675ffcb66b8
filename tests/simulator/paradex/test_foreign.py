"""Orders at Paradex that no client of ours sent, fills that look odd, and an account in trouble."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

ETH = "ETH-USD-PERP"
SBE = "?sbeSchemaId=1&sbeSchemaVersion=2"
SHAPES = ("tpsl", "unknown_status", "unknown_type", "null_nonce", "null_field", "looks_like_ours")
UNKNOWN = 254
"""What the binary schema says for a value it has no name for."""


def add(rig, kind, **args):
    rig.faults.add({"venue": "paradex", "kind": kind, **args})


async def private(rig, ws, *channels):
    assert "result" in await rig.call(ws, "auth", bearer=rig.token)
    for channel in channels:
        assert "result" in await rig.call(ws, "subscribe", channel=channel)


async def live(rig):
    return (await rig.rest("GET", "/v1/orders")).body["results"]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_foreign_order_rests_until_it_is_cancelled(autojump_clock, logged_in, shape):
    async with logged_in.ws() as ws:
        await private(logged_in, ws, "orders.ALL")
        add(logged_in, "foreign_order", shape=shape)
        event = await logged_in.event(ws, "orders.ALL")
    await trio.sleep(60)

    rows = await live(logged_in)
    history = (await logged_in.rest("GET", "/v1/orders-history")).body["results"]
    cancels = [await logged_in.rest("DELETE", f"/v1/orders/{row['id']}") for row in rows]
    await trio.sleep(2)

    shown = [(row["type"], row["status"], row["size"]) for row in rows]
    expected = {
        "tpsl": [
            ("TAKE_PROFIT_MARKET", "UNTRIGGERED", "0"),
            ("STOP_LOSS_MARKET", "UNTRIGGERED", "0"),
        ],
        "unknown_status": [("LIMIT", "ARMED", "0.01")],
        "unknown_type": [("TRAILING_STOP", "OPEN", "0.01")],
    }.get(shape, [("LIMIT", "OPEN", "0.01")])
    assert shown == expected
    assert {row["id"] for row in history} == {row["id"] for row in rows}
    assert event["id"] == rows[0]["id"]
    assert all((row["client_id"] is None) is (shape == "null_nonce") for row in rows)
    assert all((row["price"] is None) is (shape == "null_field") for row in rows)
    assert [cancel.status for cancel in cancels] == [204] * len(rows)
    assert await live(logged_in) == []
    assert logged_in.venue.ledger.fills == []


async def test_a_pair_on_a_short_position_is_of_the_whole_and_would_close_it(
    autojump_clock, logged_in
):
    await logged_in.landed(await logged_in.place(side="SELL", price="2899"))

    add(logged_in, "foreign_order", shape="tpsl")

    profit, stop = await live(logged_in)
    assert (profit["side"], profit["flags"][0]) == ("BUY", "REDUCE_ONLY")
    assert Decimal(profit["trigger_price"]) < 2900 < Decimal(stop["trigger_price"])


async def test_a_foreign_client_id_continues_the_newest_of_ours(autojump_clock, logged_in):
    await logged_in.landed(await logged_in.place(client_id="b4-abc-12-v1"))

    add(logged_in, "foreign_order")

    [row] = await live(logged_in)
    assert row["client_id"] == "b4-abc-12-v17"


async def test_a_cancel_can_be_refused_for_ever(autojump_clock, logged_in):
    add(logged_in, "foreign_order", cancel="refused")
    [row] = await live(logged_in)

    one = await logged_in.rest("DELETE", f"/v1/orders/{row['id']}")
    every = await logged_in.rest("DELETE", "/v1/orders")
    async with logged_in.ws() as ws:
        await private(logged_in, ws)
        spoken = await logged_in.call(ws, "order.cancel", id=row["id"])
    await trio.sleep(5)

    assert (one.status, one.body["error"]) == (400, "REQUEST_NOT_ALLOWED")
    assert every.status == 200
    assert (spoken["error"]["code"], spoken["error"]["data"]) == (100, "REQUEST_NOT_ALLOWED")
    assert [left["id"] for left in await live(logged_in)] == [row["id"]]


@pytest.mark.parametrize("switches", [{"private_sbe": True}])
@pytest.mark.parametrize(
    ("shape", "status", "kind"),
    [("unknown_status", UNKNOWN, 1), ("unknown_type", 3, UNKNOWN), ("tpsl", 2, 6)],
)
async def test_what_the_schema_has_no_word_for_is_254(
    autojump_clock, logged_in, switches, header_of, shape, status, kind
):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws, "orders.ALL")
        add(logged_in, "foreign_order", shape=shape)
        frame = await logged_in.event(ws)

    template, _, _, cursor = header_of(frame)
    cursor.take(16)
    assert template == 20
    assert (cursor.number(1), cursor.number(1), cursor.number(1)) == (
        status,
        2 if shape == "tpsl" else 1,
        kind,
    )


@pytest.mark.parametrize("switches", [{"private_sbe": True}])
@pytest.mark.parametrize(
    "field", ["price", "client_id", "side", "created_at", "flags", "seq_no", "account", "type"]
)
async def test_a_binary_frame_is_made_of_a_field_that_is_null(
    autojump_clock, logged_in, switches, header_of, field
):
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws, "orders.ALL")
        add(logged_in, "foreign_order", shape="null_field", field=field)
        template, version, _, _ = header_of(await logged_in.event(ws))

    assert (template, version) == (20, 2)


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("zero_price", {"price": "0"}),
        ("no_side", {"side": None}),
        ("no_fee", {"fee": None}),
        ("other_currency", {"fee_currency": "DIME"}),
        ("unknown_type", {"fill_type": "AUTO_DELEVERAGE"}),
    ],
)
@pytest.mark.parametrize("switches", [{"private_sbe": False}, {"private_sbe": True}])
async def test_a_fill_can_look_odd_in_lists_and_in_events(
    autojump_clock, logged_in, switches, header_of, shape, fields
):
    add(logged_in, "odd_fill", shape=shape)
    async with logged_in.ws(SBE) as ws:
        await private(logged_in, ws, "fills.ALL")
        await logged_in.place()
        if switches["private_sbe"]:
            assert header_of(await logged_in.event(ws))[0] == 21
        else:
            event = await logged_in.event(ws, "fills.ALL")
            assert {name: event[name] for name in fields} == fields
    await logged_in.landed(await logged_in.place())

    plain, odd = (await logged_in.rest("GET", "/v1/fills")).body["results"]
    assert {name: odd[name] for name in fields} == fields
    assert {name: plain[name] for name in fields} != fields
    assert logged_in.venue.ledger.position(ETH).size == Decimal("0.2")


@pytest.mark.parametrize("status", ["RESYNC", "LIQUIDATION"])
async def test_the_account_can_be_in_trouble_for_a_while(autojump_clock, logged_in, status):
    async with logged_in.ws() as ws:
        await private(logged_in, ws, "account")
        add(logged_in, "account_status", status=status, seconds=5)
        begun = await logged_in.event(ws, "account")
        asked = (await logged_in.rest("GET", "/v1/account")).body
        ended = await logged_in.event(ws, "account")
    later = (await logged_in.rest("GET", "/v1/account")).body

    assert [one["status"] for one in (begun, asked, ended, later)] == [
        status,
        status,
        "ACTIVE",
        "ACTIVE",
    ]


async def test_an_interactive_account_is_treated_as_pro_while_the_fault_lasts(autojump_clock, rig):
    await rig.log_in("?token_usage=interactive")
    add(rig, "retail_lost", seconds=5)

    lost = await rig.landed(await rig.place())
    await trio.sleep(6)
    back = await rig.landed(await rig.place())

    fills = (await rig.rest("GET", "/v1/fills")).body["results"]
    assert ("INTERACTIVE" in lost["flags"], "INTERACTIVE" in back["flags"]) == (False, True)
    assert [(fill["flags"], fill["fee"] == "0") for fill in fills] == [
        (["interactive"], True),
        ([], False),
    ]


async def test_a_blocked_address_is_told_so_everywhere(autojump_clock, logged_in):
    add(logged_in, "blocked", seconds=5)

    public = await logged_in.rest("GET", "/v1/system/time")
    order = await logged_in.place()
    async with logged_in.ws() as ws:
        login = await logged_in.call(ws, "auth", bearer=logged_in.token)
    await trio.sleep(6)
    again = await logged_in.rest("GET", "/v1/account")

    assert [(one.status, one.body["error"]) for one in (public, order)] == [
        (403, "GEO_IP_BLOCK")
    ] * 2
    assert login["error"]["code"] == 40112
    assert again.status == 200
    assert logged_in.venue.orders == {}


@pytest.mark.parametrize(
    "args",
    [
        {"shape": "none"},
        {"market": "NONE"},
        {"side": "up"},
        {"size": "0"},
        {"shape": "null_field", "field": "nothing"},
    ],
)
async def test_a_foreign_order_that_cannot_be_is_named(autojump_clock, logged_in, args):
    with pytest.raises(ValueError, match=r"foreign order|side|size|field"):
        add(logged_in, "foreign_order", **args)

    assert logged_in.venue.orders == {}
