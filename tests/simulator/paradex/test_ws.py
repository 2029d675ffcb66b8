"""WebSocket over memory streams: sessions, the binary book, private events, orders."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import trio
import trio_websocket

ETH = "ETH-USD-PERP"
DELTAS = f"order_book.{ETH}.deltas"
SBE = "?sbeSchemaId=1&sbeSchemaVersion=1"


async def drain(ws):
    """Read until the connection is over."""
    while True:
        await ws.get_message()


async def next_book(rig, ws, book_of):
    """The next order book frame, others left out."""
    while True:
        frame = await rig.event(ws)
        if isinstance(frame, bytes):
            return book_of(frame)


async def test_a_binary_book_is_a_snapshot_and_then_contiguous_changes(
    autojump_clock, rig, book_of
):
    async with rig.ws(SBE) as ws:
        reply = await rig.call(ws, "subscribe", channel=DELTAS)
        first = await next_book(rig, ws, book_of)
        rig.liquidity.asks[0] = (Decimal("0.5"), Decimal(3))
        changed = await next_book(rig, ws, book_of)
        quiet = await next_book(rig, ws, book_of)

    assert reply["result"] == {"channel": DELTAS}
    assert (first["whole"], first["version"], first["market"]) == (True, 1, ETH)
    assert first["bids"] == [(Decimal("2899.5"), Decimal(1)), (Decimal("2898.5"), Decimal(2))]
    assert first["asks"] == [(Decimal("2900.5"), Decimal(1)), (Decimal("2901.5"), Decimal(2))]
    assert changed["whole"] is False
    assert (changed["bids"], changed["asks"]) == ([], [(Decimal("2900.5"), Decimal(3))])
    assert (quiet["bids"], quiet["asks"]) == ([], [])
    assert [changed["seq_no"], quiet["seq_no"]] == [first["seq_no"] + 1, first["seq_no"] + 2]


async def test_changes_add_up_to_the_book_while_the_price_moves(autojump_clock, rig, book_of):
    book = {"bids": {}, "asks": {}}
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        for step in range(20):
            frame = await next_book(rig, ws, book_of)
            for side in ("bids", "asks"):
                if frame["whole"]:
                    book[side] = {}
                for price, size in frame[side]:
                    book[side].pop(price, None)
                    if size:
                        book[side][price] = size
            rig.model.prices["ETH"] = Decimal(2900) + step % 3

    shown = rig.venue.published(ETH)
    before = rig.model.prices["ETH"] - 1
    assert len(book["bids"]) == len(shown.bids)
    assert max(book["bids"]) == before - Decimal("0.5")
    assert min(book["asks"]) == before + Decimal("0.5")


async def test_the_book_comes_about_ten_times_a_second(autojump_clock, rig, book_of):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        started = trio.current_time()
        for _ in range(21):
            await next_book(rig, ws, book_of)

        assert 1.9 <= trio.current_time() - started <= 2.1


async def test_the_rest_book_shares_the_sequence_of_the_stream(autojump_clock, rig, book_of):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        frame = await next_book(rig, ws, book_of)
        book = (await rig.rest("GET", f"/v1/orderbook/{ETH}")).body

    assert 0 <= book["seq_no"] - frame["seq_no"] <= 1


async def test_a_json_session_gets_the_same_book_as_text(autojump_clock, rig):
    channel = f"{DELTAS}@15@50ms"
    async with rig.ws() as ws:
        await rig.call(ws, "subscribe", channel=channel)
        first = await rig.event(ws, channel)
        rig.model.prices["ETH"] = Decimal(2901)
        second = await rig.event(ws, channel)

    assert (first["update_type"], second["update_type"]) == ("s", "d")
    assert {"side": "BUY", "price": "2899.5", "size": "1"} in first["inserts"]
    assert second["seq_no"] == first["seq_no"] + 1
    assert {"side": "BUY", "price": "2898.5", "size": "0"} in second["deletes"]
    assert {"side": "BUY", "price": "2899.5", "size": "2"} in second["updates"]


@pytest.mark.parametrize(
    "query", ["?sbeSchemaId=1&sbeSchemaVersion=4", "?sbeSchemaId=2", "?sbeSchemaId=x"]
)
async def test_an_unknown_schema_is_refused_at_the_handshake(autojump_clock, rig, query):
    with pytest.RaisesGroup(trio_websocket.ConnectionRejected, flatten_subgroups=True) as caught:
        async with rig.ws(query):
            pass

    assert caught.value.exceptions[0].status_code == 400


@pytest.mark.parametrize("switches", [{"require_sbe": True}])
async def test_a_switch_refuses_sessions_without_sbe(autojump_clock, rig):
    with pytest.RaisesGroup(trio_websocket.ConnectionRejected, flatten_subgroups=True):
        async with rig.ws():
            pass
    async with rig.ws(SBE) as ws:
        assert "result" in await rig.call(ws, "subscribe", channel=DELTAS)


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ("order_book.DOGE-USD-PERP.deltas", "invalid channel"),
        (f"{DELTAS}@15@50ms", "no parameters expected for deltas topic."),
        ("nonsense", "invalid channel"),
        (None, "invalid channel"),
        (f"order_book.{ETH}.snapshot", "invalid channel parameters"),
    ],
)
async def test_channels_that_do_not_exist_are_refused(autojump_clock, rig, channel, why):
    async with rig.ws(SBE) as ws:
        reply = await rig.call(ws, "subscribe", channel=channel)

    assert reply["error"]["code"] == -32600
    assert reply["error"]["data"] == why


async def test_a_binary_session_carries_one_book_for_each_market(autojump_clock, rig):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        again = await rig.call(ws, "subscribe", channel=DELTAS)
        second = await rig.call(ws, "subscribe", channel=f"order_book.{ETH}.snapshot@15@100ms")
        other = await rig.call(ws, "subscribe", channel="order_book.BTC-USD-PERP.deltas")

    assert again["error"]["data"] == "already subscribed"
    assert "cannot share an SBE session" in second["error"]["data"]
    assert "result" in other


async def test_resubscribing_gives_a_fresh_snapshot(autojump_clock, rig, book_of):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        await rig.call(ws, "unsubscribe", channel=DELTAS)
        wrong = await rig.call(ws, "unsubscribe", channel=DELTAS)
        rig.inbox.clear()
        await rig.call(ws, "subscribe", channel=DELTAS)
        book = await next_book(rig, ws, book_of)

    assert wrong["error"]["code"] == -32600
    assert book["whole"] is True


@pytest.mark.parametrize("call_id", ["text", 0, 123456, None, [1]])
async def test_any_id_is_echoed_with_the_times_of_the_server(autojump_clock, rig, call_id):
    async with rig.ws() as ws:
        reply = await rig.call(ws, "subscribe", call_id, channel=f"bbo.{ETH}")

    assert reply["id"] == call_id
    assert reply["usOut"] - reply["usIn"] == reply["usDiff"] > 0


async def test_a_subscription_without_an_id_is_answered_with_zero(autojump_clock, rig):
    async with rig.ws() as ws:
        request = {"jsonrpc": "2.0", "method": "subscribe", "params": {"channel": f"bbo.{ETH}"}}
        await ws.send_message(json.dumps(request))
        text = await ws.get_message()

    assert json.loads(text)["id"] == 0
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("message", "code"),
    [("{", -32700), (b"\x00", -32700), ("[]", -32600), ('{"method":"dance","id":1}', -32601)],
)
async def test_what_is_no_request_is_told_so(autojump_clock, rig, message, code):
    async with rig.ws() as ws:
        await ws.send_message(message)
        reply = json.loads(await ws.get_message())

    assert reply["error"]["code"] == code


async def test_a_cut_is_a_broken_line_without_a_close_code(autojump_clock, rig):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        rig.faults.add({"venue": "paradex", "kind": "cut", "which": "public"})

        with pytest.raises(trio_websocket.ConnectionClosed) as closed:
            await drain(ws)

    assert closed.value.reason.code == 1006


async def test_a_polite_goodbye_is_answered_with_1000(autojump_clock, rig):
    async with rig.ws(SBE) as ws:
        await rig.call(ws, "subscribe", channel=DELTAS)
        await ws.aclose(1000, "bye")

    assert ws.closed.code == 1000
    await trio.testing.wait_all_tasks_blocked()
    assert len(rig.venue.links) == 0


async def test_an_idle_binary_session_gets_heartbeats(autojump_clock, rig, header_of):
    async with rig.ws(SBE) as ws:
        frame = await rig.event(ws)

        assert header_of(frame)[0] == 40
        assert 19 <= trio.current_time() <= 22


async def test_the_server_pings_and_drops_who_does_not_answer(autojump_clock, rig):
    ours, theirs = trio.testing.memory_stream_pair()
    rig.nursery.start_soon(rig.venue.serve_ws, theirs)
    async with trio.open_nursery() as tasks:
        await trio_websocket.wrap_client_stream(tasks, ours, "localhost", f"/v1{SBE}")
        tasks.cancel_scope.cancel()  # Nobody reads, nobody answers.

    await trio.sleep(50)
    before = len(rig.venue.links)
    await trio.sleep(15)

    assert (before, len(rig.venue.links)) == (1, 0)


@pytest.mark.parametrize("switches", [{"close_unused_s": 5.0}])
async def test_a_switch_closes_sessions_that_listen_to_nothing(autojump_clock, rig):
    async with rig.ws(SBE) as ws:
        with pytest.raises(trio_websocket.ConnectionClosed) as closed:
            await ws.get_message()

    assert closed.value.reason.code == 4031


async def test_the_tape_summary_and_prices_are_pushed(autojump_clock, rig):
    async with rig.ws() as ws:
        for channel in (f"trades.{ETH}", f"bbo.{ETH}", f"markets_summary.{ETH}"):
            await rig.call(ws, "subscribe", channel=channel)
        trade = await rig.event(ws, f"trades.{ETH}")
        summary = await rig.event(ws, f"markets_summary.{ETH}")
        rig.model.prices["ETH"] = Decimal(2950)
        bbo = await rig.event(ws, f"bbo.{ETH}")

    assert trade["price"] in ("2899.5", "2900.5")
    assert summary["mark_price"] == "2900"
    assert bbo["bid"] == "2949.5"


async def test_summaries_and_funding_are_binary_on_a_binary_session(autojump_clock, rig, header_of):
    lengths = {}
    for version in (0, 1, 3):
        async with rig.ws(f"?sbeSchemaId=1&sbeSchemaVersion={version}") as ws:
            await rig.call(ws, "subscribe", channel=f"markets_summary.{ETH}")
            await rig.call(ws, "subscribe", channel=f"funding_data.{ETH}")
            for _ in range(2):
                template, _, end, cursor = header_of(await rig.event(ws))
                lengths[version, template] = end - 8
                cursor.take(end - 8)
                assert cursor.rest() == [ETH]

    assert lengths == {(0, 4): 216, (1, 4): 240, (3, 4): 248, (0, 5): 58, (1, 5): 66, (3, 5): 66}
