"""Whatever arrives on Vest's streams, they raise nothing but ``ProtocolViolation``."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bot4.config.schema import VestConfig
from bot4.domain.book import BookUpdate
from bot4.ports import Frame
from bot4.secret import Secret
from bot4.venues.vest.codec import VestCodec
from bot4.venues.vest.streams import VestPrivate, VestPublic
from tests.venues.hostile import EXAMPLES, heard, tries

BOOK = {
    "channel": "BTC-PERP@depth",
    "data": {
        "bids": [["78500.00", "0.0100"], ["78499.50", "1.2500"]],
        "asks": [["78501.00", "0.5000"]],
    },
}
FILLED = {
    "id": "0xabc",
    "symbol": "BTC-PERP",
    "isBuy": True,
    "orderType": "MARKET",
    "limitPrice": "78500.00",
    "size": "0.0100",
    "reduceOnly": False,
    "initMarginRatio": "0.1250",
    "status": "FILLED",
    "lastFilledSize": "0.0100",
    "lastFilledPrice": "78400.00",
    "lastFilledTime": 1770000000300,
    "avgFilledPrice": "78400.00",
    "cumFunding": "0.1",
    "fees": "0.010000",
    "postTime": 1770000000100,
    "nonce": 1770000000001,
}


def frame(message):
    data = message if isinstance(message, str | bytes) else json.dumps(message)
    return Frame(data, 1.0)


def event(**change):
    args = FILLED | change
    return frame({"channel": "account_private", "data": {"event": "ORDER", "args": args}})


def fuzzed():
    codec = VestCodec(VestConfig(), Secret("11" * 32), Secret("22" * 32))
    return VestPublic(codec, ["BTC-PERP"]), VestPrivate(codec)


STREAMS = fuzzed()
SAMPLES = [json.dumps(BOOK).encode(), event().data.encode(), b'{"result":null,"id":1}']


@tries(4, 15)
def test_random_bytes_raise_nothing_but_a_violation(times):
    @given(st.binary(max_size=200) | st.text(max_size=200))
    @settings(max_examples=times * EXAMPLES)
    def holds(data):
        for stream in STREAMS:
            assert isinstance(heard(stream, data), tuple | list)

    holds()


@tries(4, 20)
def test_mutated_messages_raise_nothing_but_a_violation(times):
    @given(
        st.sampled_from(SAMPLES),
        st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=6),
        st.integers(0, 600),
    )
    @settings(max_examples=times * EXAMPLES)
    def holds(sample, changes, cut):
        data = bytearray(sample)
        for at, value in changes:
            data[at % len(data)] = value
        for stream in STREAMS:
            for mutated in (bytes(data), bytes(data[:cut])):
                for notice in heard(stream, mutated):
                    if isinstance(notice, BookUpdate):
                        assert all(p > 0 and s > 0 for p, s in (*notice.bids, *notice.asks))

    holds()


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@tries(4, 20)
def test_any_value_in_any_field_raises_nothing_but_a_violation(times):
    @given(st.sampled_from(sorted(FILLED)), JSONS)
    @settings(max_examples=times * EXAMPLES)
    def holds(field, value):
        message = {"event": "ORDER", "args": FILLED | {field: value}}
        text = json.dumps({"channel": "account_private", "data": message})

        assert isinstance(heard(STREAMS[1], text), tuple | list)

    holds()
