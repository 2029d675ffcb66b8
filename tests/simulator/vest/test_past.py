"""What Vest remembers: klines, trades, the day and funding; and how it tells of news."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

SYMBOL = "symbol=BTC-PERP"


async def get(client, path):
    reply = await client.vest("GET", path)
    assert reply is not None
    return reply


async def test_klines_have_nine_columns_and_no_times_of_ours(autojump_clock, client):
    await trio.sleep(185)
    await client.place()
    await trio.sleep(1)

    bars = (await get(client, f"/klines?{SYMBOL}&interval=1m&startTime=1&endTime=2")).json
    three = (await get(client, f"/klines?{SYMBOL}&interval=3m&limit=1")).json

    assert len(bars) >= 3
    assert all(len(bar) == 9 for bar in bars)
    assert all(bar[5] - bar[0] == 59_999 for bar in bars)
    assert all(Decimal(bar[3]) <= Decimal(bar[1]) <= Decimal(bar[2]) for bar in bars)
    assert len(three) == 1
    assert three[0][5] - three[0][0] == 179_999


async def test_trades_tell_their_side_by_their_sign(autojump_clock, client):
    order_id = await client.place(isBuy=False, limitPrice="1.00", size="0.1234")
    await client.settled(order_id)
    await trio.sleep(30)

    rows = (await get(client, f"/trades?{SYMBOL}")).json
    few = (await get(client, f"/trades?{SYMBOL}&limit=2")).json

    assert [row["qty"] for row in rows if row["qty"] == "-0.1234"] == ["-0.1234"]
    assert {row["qty"].startswith("-") for row in rows} == {True, False}
    assert few == rows[-2:]
    assert rows == sorted(rows, key=lambda row: row["id"])


async def test_the_day_is_null_where_there_is_no_day_before(autojump_clock, client):
    await trio.sleep(70)

    [row] = (await get(client, "/ticker/24hr?symbols=BTC-PERP")).json["tickers"]

    assert (row["priceChange"], row["priceChangePercent"]) == (None, None)
    low, high = Decimal(row["lowPrice"]), Decimal(row["highPrice"])
    assert low <= Decimal(row["openPrice"]) <= high
    assert low <= Decimal(row["closePrice"]) <= high
    assert row["closeTime"] >= row["openTime"]
    assert Decimal(row["volume"]) > 0


async def test_a_new_day_is_compared_with_the_last(autojump_clock, client):
    await trio.sleep(1)
    history = client.box.vest.histories["BTC-PERP"]
    history.minutes.appendleft(history.minutes[0].__class__(0, *[Decimal(80_000)] * 4))

    [row] = (await get(client, "/ticker/24hr")).json["tickers"]

    assert abs(Decimal(row["priceChange"]) - 3000) < 100
    assert abs(Decimal(row["priceChangePercent"]) - Decimal("3.75")) < Decimal("0.2")


async def test_funding_is_one_point_a_minute_or_as_asked(autojump_clock, client):
    await trio.sleep(600)

    minutes = (await get(client, f"/funding/history?{SYMBOL}")).json
    hours = (await get(client, f"/funding/history?{SYMBOL}&interval=1h")).json
    recent = (
        await get(client, f"/funding/history?{SYMBOL}&startTime={client.now_ms - 120_000}")
    ).json

    assert 9 <= len(minutes) <= 11
    assert 1 <= len(hours) <= 2
    assert 1 <= len(recent) <= 3
    assert {row["oneHrFundingRate"] for row in minutes} == {
        f"{client.box.vest.hourly_funding('BTC-PERP'):.7f}"
    }


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/klines?symbol=X", 1121),
        (f"/klines?{SYMBOL}&interval=7m", 1130),
        (f"/trades?{SYMBOL}&limit=0", 1130),
        ("/ticker/24hr?symbols=X", 1121),
        (f"/funding/history?{SYMBOL}&startTime=soon", 1130),
    ],
)
async def test_what_makes_no_sense_is_refused(autojump_clock, client, path, code):
    assert (await get(client, path)).json["code"] == code


async def test_lists_of_pool_and_transfers_are_empty_and_private(autojump_clock, client):
    for path in ("/lp", "/transfer"):
        assert (await get(client, path)).json == []
    client.api_key = "wrong"
    assert (await get(client, "/lp")).json["code"] == 1002


async def test_trades_and_bars_are_pushed(autojump_clock, client):
    channels = ("BTC-PERP@trades", "BTC-PERP@kline_1m", "tickers")
    async with client.vest_socket(*channels) as socket:
        trade = await client.next_event(socket, "BTC-PERP@trades")
        bar = await client.next_event(socket, "BTC-PERP@kline_1m")
        tickers = await client.next_event(socket, "tickers")

    assert trade["id"].startswith("0x")
    assert Decimal(trade["quoteQty"]) != 0
    assert len(bar) == 9
    assert isinstance(bar[8], str)
    assert tickers[0]["priceChange"] is None
