"""Paradex's binary frames: captured ones bit for bit, built ones, and hostile ones."""

from __future__ import annotations

import base64
import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot4.domain.book import BookUpdate
from bot4.venues.paradex import sbe
from bot4.venues.reading import FAULTS, Unreadable

EXAMPLES = settings.default.max_examples
NULL = -(2**63)
ACCOUNT = bytes(range(32))
MARKET = b"BTC-USD-PERP"


def plain(update):
    """The update with its levels as pairs, whichever way they are held."""
    return msgspec.structs.replace(update, bids=list(update.bids), asks=list(update.asks))


def text(value):
    return bytes([len(value)]) + value


def framed(template, block, *texts, version=2, extra=b"", schema=1):
    header = struct.pack("<HHHH", len(block) + len(extra), template, schema, version)
    return header + block + extra + b"".join(text(value) for value in texts)


def group(levels, *, count=None, length=16, pad=b""):
    entries = b"".join(struct.pack("<qq", *level) + pad for level in levels)
    return struct.pack("<HH", length, len(levels) if count is None else count) + entries


def book(bids, asks, *, package=0, sequence=7, time_us=5_000_000, extra=b"", tail=b""):
    block = struct.pack("<qqB9q", time_us, sequence, package, *([NULL] * 9)) + extra
    header = struct.pack("<HHHH", len(block), sbe.BOOK, 1, 2)
    return header + block + bids + asks + text(MARKET) + tail


def test_the_captured_frames_decode_to_what_was_decoded_then(sbe_golden):
    kinds = [case["kind"] for case in sbe_golden]
    assert kinds == ["book"] * 4 + ["bbo"] * 2
    for case in sbe_golden:
        frame = base64.b64decode(case["base64"])
        expected = dict(case["expected"])
        if case["kind"] == "book":
            for side in ("bids", "asks"):
                expected[side] = [tuple(level) for level in expected[side]]
            assert sbe.template_of(frame) == sbe.BOOK
            assert plain(sbe.read_book(frame)) == BookUpdate(**expected)
        else:
            assert sbe.template_of(frame) == sbe.BBO
            assert sbe.read_event(frame) == expected


@pytest.mark.parametrize("extra", [b"", b"new fields"])
@pytest.mark.parametrize("tail", [b"", b"more"])
@pytest.mark.parametrize(("length", "pad"), [(16, b""), (20, b"four")])
def test_what_newer_versions_add_is_stepped_over(extra, tail, length, pad):
    bids, asks = (
        group(levels, length=length, pad=pad) for levels in ([(10, 1), (9, 2)], [(11, 3)])
    )

    update = sbe.read_book(book(bids, asks, extra=extra, tail=tail))

    assert plain(update) == BookUpdate("BTC-USD-PERP", True, [(10, 1), (9, 2)], [(11, 3)], 7, 5000)


def test_an_empty_level_is_dropped_from_a_snapshot_and_removes_in_a_delta():
    bids, asks = group([(10, 0), (9, 2)]), group([])

    assert sbe.read_book(book(bids, asks)).bids == [(9, 2)]
    delta = sbe.read_book(book(bids, asks, package=1))
    assert (delta.snapshot, delta.bids) == (False, [(10, 0), (9, 2)])


def test_a_book_without_a_time_has_none():
    assert sbe.read_book(book(group([]), group([]), time_us=NULL)).venue_time_ms is None


@pytest.mark.parametrize(
    "frame",
    [
        book(group([(0, 1)]), group([])),
        book(group([(-5, 1)]), group([])),
        book(group([(5, -1)]), group([])),
        book(group([(NULL, 1)]), group([])),
        book(group([(5, NULL)]), group([])),
        book(group([(5, 1)], count=2), group([])),
        book(group([(5, 1)], count=65535), group([])),
        book(group([(5, 1)], length=8), group([])),
        book(group([(5, 1)], length=65535), group([])),
        book(group([(n + 1, 1) for n in range(2001)]), group([])),
        book(group([]), group([]), package=2),
        book(group([]), group([]), sequence=-1),
        book(group([]), group([]))[:-1],
        book(group([]), group([]))[:60],
        struct.pack("<HHHH", 16, 3, 1, 2) + bytes(40),
        struct.pack("<HHHH", 65535, 3, 1, 2) + bytes(40),
    ],
)
def test_a_book_that_makes_no_sense_is_a_fault(frame):
    with pytest.raises(FAULTS):
        sbe.read_book(frame)


@pytest.mark.parametrize("frame", [b"", b"\x01", struct.pack("<HHHH", 0, 3, 2, 1)])
def test_a_frame_of_another_schema_or_no_frame_is_a_fault(frame):
    with pytest.raises(FAULTS):
        sbe.template_of(frame)


def test_a_frame_too_large_is_unreadable():
    with pytest.raises(Unreadable):
        sbe.template_of(bytes((1 << 20) + 1))


def order_block(*, price=7851010000000, average=NULL, status=4):
    return struct.pack(
        "<qqBBBBqqqqqqq32sqqBB",
        1000,
        5,
        status,
        2,
        1,
        2,
        price,
        NULL,
        2000000,
        500000,
        average,
        1748665803437000,
        1748665803448000,
        ACCOUNT,
        1748665803437000,
        NULL,
        2,
        1,
    )


@pytest.mark.parametrize(
    ("version", "extra", "texts"),
    [
        (0, b"", (b"17", b"b4-1", MARKET, b"USER_CANCELED")),
        (2, b"\x01\x01", (b"17", b"b4-1", MARKET, b"USER_CANCELED", b"r", b"m")),
        (3, b"\x01\x01new", (b"17", b"b4-1", MARKET, b"USER_CANCELED", b"r", b"m", b"new")),
    ],
)
def test_an_order_is_read_in_every_version(version, extra, texts):
    row = sbe.read_event(framed(sbe.ORDER, order_block(), *texts, version=version, extra=extra))

    assert row == {
        "time": 1,
        "seq_no": 5,
        "status": "CLOSED",
        "side": "SELL",
        "type": "LIMIT",
        "instruction": "IOC",
        "price": "78510.1",
        "trigger_price": "",
        "size": "0.02",
        "remaining_size": "0.005",
        "avg_fill_price": "",
        "created_at": 1748665803437,
        "last_updated_at": 1748665803448,
        "received_at": 1748665803437,
        "published_at": 0,
        "id": "17",
        "client_id": "b4-1",
        "market": "BTC-USD-PERP",
        "cancel_reason": "USER_CANCELED",
    }


def test_texts_missing_at_the_end_are_absent():
    row = sbe.read_event(framed(sbe.ORDER, order_block(), b"17", b"b4-1"))

    assert row["client_id"] == "b4-1"
    assert "market" not in row


def test_an_enumeration_without_a_name_is_empty():
    assert sbe.read_event(framed(sbe.ORDER, order_block(status=254)))["status"] == ""


@pytest.mark.parametrize(("extra", "version"), [(b"", 1), (struct.pack("<BQ", 1, 99), 2)])
def test_a_fill_is_read(extra, version):
    numbers = (7852000000000, 1500000, -50000000, NULL, 1748665803440000)
    block = struct.pack("<qqBBBqqqqq32sqq", 0, NULL, 2, 1, 2, *numbers, ACCOUNT, 100000000, NULL)

    row = sbe.read_event(
        framed(sbe.FILL, block, b"f1", b"17", b"b4-1", b"t1", MARKET, version=version, extra=extra)
    )

    assert (row["fill_type"], row["side"], row["liquidity"]) == ("LIQUIDATION", "BUY", "TAKER")
    assert (row["price"], row["size"], row["fee"]) == ("78520", "0.015", "-0.5")
    assert (row["id"], row["order_id"], row["client_id"]) == ("f1", "17", "b4-1")
    assert (row["market"], row["trade_id"], row["seq_no"]) == ("BTC-USD-PERP", "t1", 0)
    assert (row["created_at"], row["realized_pnl"]) == (1748665803440, "")


def test_a_position_and_an_account_are_read():
    block = struct.pack(
        "<qqBqqqqqqqq32sqqqqqB",
        *(0, 1, 2, 34500000, 2900134000000, 0, 0, NULL, NULL, 500000000, 7000),
        *(ACCOUNT, 0, 0, 0, 0, 0, 1),
    )
    position = sbe.read_event(framed(sbe.POSITION, block, MARKET, b"f1"))
    money = (100000000, 200000000, 300000000, 400000000, 500000000, NULL, 9000)
    block = struct.pack("<qqqqqqqqq32sqB", 0, 1, *money, ACCOUNT, 600000000, 1)
    account = sbe.read_event(framed(sbe.ACCOUNT, block + struct.pack("<q", 5), b"USDC"))

    assert (position["side"], position["size"], position["status"]) == ("SHORT", "0.345", "OPEN")
    assert (position["liquidation_price"], position["market"]) == ("", "BTC-USD-PERP")
    assert (account["account_value"], account["free_collateral"]) == ("5", "2")
    assert (account["maintenance_margin_requirement"], account["status"]) == ("4", "ACTIVE")
    assert (account["margin_cushion"], account["updated_at"]) == ("6", 9)
    assert account["settlement_asset"] == "USDC"


def test_a_trade_is_read():
    block = struct.pack("<qqqBqqqB", 0, 1, 99, 1, 200000000, 300000000, 4000, 1)

    row = sbe.read_event(framed(sbe.TRADE, block, MARKET, b"12345643"))

    assert (row["side"], row["price"], row["size"]) == ("BUY", "2", "3")
    assert (row["created_at"], row["market"], row["id"]) == (4, "BTC-USD-PERP", "12345643")


@pytest.mark.parametrize(
    "frame",
    [
        framed(99, bytes(200)),
        framed(sbe.ORDER, bytes(100)),
        framed(sbe.ORDER, order_block())[:60],
        framed(sbe.ORDER, order_block(), b"17")[:-1],
        framed(sbe.ORDER, order_block(), b"\xff\xfe"),
    ],
)
def test_an_event_that_makes_no_sense_is_a_fault(frame):
    with pytest.raises(FAULTS):
        sbe.read_event(frame)


def decoded(frame):
    """What any frame decodes to; None when it is refused as it should be."""
    try:
        template = sbe.template_of(frame)
        return sbe.read_book(frame) if template == sbe.BOOK else sbe.read_event(frame)
    except FAULTS:
        return None


SAMPLES = [
    book(group([(10, 1), (9, 2)]), group([(11, 3)])),
    framed(sbe.ORDER, order_block(), b"17", b"b4-1", MARKET, b""),
]


@given(st.binary(max_size=200))
@settings(max_examples=3 * EXAMPLES // 2)
def test_random_bytes_are_read_or_refused(data):
    assert decoded(data) is None or len(data) >= 8


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=5),
    st.integers(0, 300),
)
@settings(max_examples=3 * EXAMPLES)
def test_mutated_frames_are_refused_or_hold_levels_in_range(sample, changes, cut):
    data = bytearray(sample)
    for at, value in changes:
        data[at % len(data)] = value
    for mutated in (bytes(data), bytes(data[:cut])):
        update = decoded(mutated)
        if isinstance(update, BookUpdate):
            assert all(p > 0 and s >= 0 for p, s in (*update.bids, *update.asks))
