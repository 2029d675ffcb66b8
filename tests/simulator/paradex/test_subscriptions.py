"""Scoped summaries, the JSON snapshot channel, and events that have no template."""

from __future__ import annotations

from decimal import Decimal

import trio
import trio.lowlevel

ETH, BTC = "ETH-USD-PERP", "BTC-USD-PERP"
SBE = "?sbeSchemaId=1&sbeSchemaVersion=3"


async def symbols(rig, ws, count):
    return {(await rig.event(ws, "markets_summary"))["symbol"] for _ in range(count)}


async def test_a_scoped_summary_is_changed_in_place(autojump_clock, rig):
    async with rig.ws() as ws:
        await rig.call(ws, "subscribe", channel="markets_summary", markets=[ETH])
        before = await symbols(rig, ws, 3)
        reply = await rig.call(
            ws, "modify_subscription", channel="markets_summary", add=[BTC], remove=[ETH]
        )
        rig.inbox.clear()
        after = await symbols(rig, ws, 3)

    assert before == {ETH}
    assert reply["result"] == {"channel": "markets_summary", "add": [BTC], "remove": [ETH]}
    assert after == {BTC}


async def test_only_a_live_scoped_subscription_can_be_modified(autojump_clock, rig):
    async with rig.ws() as ws:
        nothing = await rig.call(ws, "modify_subscription", channel="markets_summary", add=[ETH])
        await rig.call(ws, "subscribe", channel="markets_summary")
        whole = await rig.call(ws, "modify_subscription", channel="markets_summary", add=[ETH])
        strange = await rig.call(ws, "subscribe", channel=f"bbo.{ETH}", markets=[ETH])
        unknown = await rig.call(ws, "subscribe", channel="markets_summary", markets=["X"])

    assert nothing["error"]["code"] == whole["error"]["code"] == -32600
    assert strange["error"]["code"] == unknown["error"]["code"] == -32602


async def test_the_snapshot_channel_sends_the_whole_book_each_time(autojump_clock, rig):
    channel = f"order_book.{ETH}.snapshot@15@100ms"
    async with rig.ws() as ws:
        await rig.call(ws, "subscribe", channel=channel)
        first = await rig.event(ws, channel)
        rig.model.prices["ETH"] = Decimal(2910)
        second = await rig.event(ws, channel)

    assert (first["update_type"], second["update_type"]) == ("s", "s")
    assert [level["price"] for level in second["inserts"]] == [
        "2909.5",
        "2908.5",
        "2910.5",
        "2911.5",
    ]
    assert second["best_bid_api"] == {"side": "BUY", "price": "2909.5", "size": "1"}
    assert second["best_ask_interactive"]["price"] == "2910.5"


async def test_events_without_a_template_are_json_on_every_session(autojump_clock, logged_in):
    async with logged_in.ws(SBE) as ws:
        await logged_in.call(ws, "auth", bearer=logged_in.token)
        await logged_in.call(ws, "subscribe", channel="balance_events")
        await logged_in.place()
        event = await logged_in.event(ws, "balance_events")

    fill = logged_in.venue.ledger.fills[0]
    before, after = (
        Decimal(event[f"settlement_asset_balance_{when}"]) for when in ("before", "after")
    )
    assert event["fill_id"] == fill.id
    assert (before, after) == (Decimal(10000), 10000 - fill.fee)
    await trio.lowlevel.checkpoint()


async def test_our_own_trades_are_on_the_public_tape_too(autojump_clock, logged_in):
    async with logged_in.ws() as ws:
        await logged_in.call(ws, "subscribe", channel=f"trades.{ETH}")
        await logged_in.place()
        await trio.sleep(1)
        seen = []
        while logged_in.venue.ledger.fills[0].id not in seen:
            seen.append((await logged_in.event(ws, f"trades.{ETH}"))["id"])

    listed = (await logged_in.rest("GET", f"/v1/trades?market={ETH}")).body["results"]
    assert seen == [trade["id"] for trade in reversed(listed)][-len(seen) :]
