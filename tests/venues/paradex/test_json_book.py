"""The quick way of reading a JSON book says what the slow way says, or leaves it to that."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.venues.paradex.json_book import quick_json_book, read_json_book
from bot4.venues.reading import Unreadable

NUMBERS = st.decimals(min_value=0, max_value=10**6, places=5).map(str) | st.sampled_from(
    ["0", "1e400", "NaN", "-1", "", "1" * 30, "0.1", "83452.9", "0.00000001", "1.123456789"]
)
ROW = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["BUY", "SELL", "BUY", "SELL", "HOLD"]),
        "price": NUMBERS,
        "size": NUMBERS,
    }
)
ROWS = st.lists(ROW, max_size=5)
DATA = st.fixed_dictionaries(
    {
        "market": st.just("BTC-USD-PERP"),
        "seq_no": st.integers(0, 2**63 - 1) | st.just("12"),
        "update_type": st.sampled_from(["s", "d", "d", "x"]),
        "inserts": ROWS,
    },
    optional={
        "updates": ROWS,
        "deletes": ROWS | st.none(),
        "last_updated_at": st.integers(0, 2**50),
        "best_bid_api": ROW,
    },
)


def event(data, channel="order_book.BTC-USD-PERP.deltas@15@50ms", method="subscription"):
    params = {"channel": channel, "data": data}
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params})


@given(DATA)
def test_the_quick_way_agrees_with_the_slow_one(data):
    quick = quick_json_book(event(data))
    if quick is None:
        return
    slow = read_json_book(data)

    assert list(quick.bids) == list(slow.bids)
    assert list(quick.asks) == list(slow.asks)
    assert (quick.symbol, quick.snapshot) == (slow.symbol, slow.snapshot)
    assert (quick.sequence, quick.venue_time_ms) == (slow.sequence, slow.venue_time_ms)


def row(side, price, size):
    return {"side": side, "price": price, "size": size}


DELTA = {
    "market": "BTC-USD-PERP",
    "seq_no": 7,
    "update_type": "d",
    "last_updated_at": 1_795_000_000_000,
    "inserts": [row("BUY", "83452.9", "0.00031"), row("SELL", "83460", "1.5")],
    "updates": [row("SELL", "83461.1", "2")],
    "deletes": [row("BUY", "83452.9", "0"), row("SELL", "83459", "0")],
}


def test_a_usual_delta_goes_the_quick_way():
    update = quick_json_book(event(DELTA))

    assert update is not None
    assert list(update.bids) == [(8345290000000, 0), (8345290000000, 31000)]
    assert list(update.asks) == [
        (8345900000000, 0),
        (8346110000000, 2 * 10**8),
        (8346000000000, 15 * 10**7),
    ]
    slow = read_json_book(DELTA)
    assert (list(update.bids), list(update.asks)) == (slow.bids, slow.asks)


@pytest.mark.parametrize(
    "changes",
    [
        {"update_type": "x"},
        {"seq_no": -1},
        {"inserts": [row("BUY", "0", "1")]},
        {"inserts": [row("BUY", "1", str(Decimal(10) ** 20))]},
        {"inserts": [row("HOLD", "1", "1")]},
        {"deletes": None},
        {"inserts": [row("BUY", "1", "1")] * 4001},
    ],
)
def test_what_is_unusual_is_left_to_the_slow_way(changes):
    assert quick_json_book(event({**DELTA, **changes})) is None


def test_other_channels_and_answers_are_no_books():
    assert quick_json_book(event(DELTA, channel="bbo.BTC-USD-PERP")) is None
    assert quick_json_book(event(DELTA, method="other")) is None
    assert quick_json_book('{"jsonrpc":"2.0","id":1,"result":{}}') is None


def test_the_slow_way_refuses_more_levels_than_a_book_has():
    with pytest.raises(Unreadable, match="too many levels"):
        read_json_book({**DELTA, "inserts": [row("BUY", "1", "1")] * 4001})


def test_a_whole_book_that_deletes_levels_is_refused():
    level = {"side": "BUY", "price": "83000", "size": "1"}
    data = {"market": "BTC-USD-PERP", "seq_no": 1, "update_type": "s", "inserts": [level]}
    event = {"method": "subscription", "params": {"channel": "order_book.x", "data": data}}

    assert quick_json_book(json.dumps(event)) is not None
    data["deletes"] = [level | {"price": "82999"}]
    assert quick_json_book(json.dumps(event)) is None
    with pytest.raises(Unreadable, match="deletes"):
        read_json_book(data)
