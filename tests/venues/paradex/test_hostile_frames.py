"""Whatever arrives on Paradex's streams, they raise nothing but ``ProtocolViolation``."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot4.config.schema import ParadexConfig
from bot4.errors import ProtocolViolation
from bot4.ports import Frame
from bot4.secret import Secret
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.streams import ParadexPrivate, ParadexPublic
from tests.venues.hostile import EXAMPLES, heard, tries

SBE = ParadexConfig()
ORDER = {
    "id": "17",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "size": "0.02",
    "remaining_size": "0",
    "status": "CLOSED",
    "client_id": "b4-1",
    "avg_fill_price": "78520",
    "cancel_reason": "",
    "last_updated_at": 5,
}
FILL = {
    "id": "f1",
    "order_id": "17",
    "client_id": "b4-1",
    "market": "BTC-USD-PERP",
    "side": "SELL",
    "price": "78520",
    "size": "0.02",
    "fee": "0.7",
    "fill_type": "FILL",
    "created_at": 5,
}


def frame(message):
    data = message if isinstance(message, str | bytes) else json.dumps(message) + "\n"
    return Frame(data, 1.0)


def push(channel, data):
    return frame(
        {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}
    )


def level(side, price, size):
    return {"side": side, "price": price, "size": size}


def json_book(**change):
    data = {
        "market": "BTC-USD-PERP",
        "seq_no": 7,
        "last_updated_at": 1681493939981,
        "update_type": "s",
        "inserts": [level("BUY", "78500.1", "0.5"), level("SELL", "78501", "1")],
        "updates": [],
        "deletes": [],
    }
    return push("order_book.BTC-USD-PERP.deltas@15@50ms", data | change)


def fuzzed():
    codec = ParadexCodec(SBE, Secret("0x1234"), Secret("0x1234"), "abc123")
    return ParadexPublic(SBE, ["BTC-USD-PERP"]), ParadexPrivate(codec)


STREAMS = fuzzed()
SAMPLES = [push("orders.ALL", ORDER).data, push("fills.ALL", FILL).data, json_book().data]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@tries(4, 15)
def test_random_bytes_raise_nothing_but_a_violation(times):
    @given(st.binary(max_size=200) | st.text(max_size=200))
    @settings(max_examples=times * EXAMPLES)
    def holds(data):
        for stream in STREAMS:
            assert isinstance(heard(stream, data), tuple)

    holds()


@tries(4, 15)
def test_mutated_texts_raise_nothing_but_a_violation(times):
    @given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0, 600), st.characters())))
    @settings(max_examples=times * EXAMPLES)
    def holds(sample, changes):
        mutated = list(sample)
        for at, value in changes:
            mutated[at % len(mutated)] = value
        for stream in STREAMS:
            assert isinstance(heard(stream, "".join(mutated)), tuple)

    holds()


@tries(4, 20)
def test_any_value_in_any_field_raises_nothing_but_a_violation(times):
    @given(st.sampled_from(["orders", "fills"]), st.sampled_from(sorted({**ORDER, **FILL})), JSONS)
    @settings(max_examples=times * EXAMPLES)
    def holds(kind, field, value):
        data = (ORDER if kind == "orders" else FILL) | {field: value}

        assert isinstance(heard(STREAMS[1], push(f"{kind}.ALL", data).data), tuple)

    holds()


@pytest.mark.parametrize(
    "change",
    [
        {"update_type": "x"},
        {"seq_no": None},
        {"market": None},
        {"inserts": [level("LEFT", "1", "1")]},
        {"inserts": [level("BUY", "0", "1")]},
        {"inserts": [level("BUY", "1", "-1")]},
        {"inserts": [level("BUY", "NaN", "1")]},
        {"inserts": [level("BUY", 1.5, "1")]},
        {"inserts": [level("BUY", "1", "1")] * 4001},
        {"inserts": "x"},
    ],
)
def test_a_json_book_that_makes_no_sense_is_a_violation(change):
    with pytest.raises(ProtocolViolation):
        STREAMS[0].read(json_book(**change))
