"""Binary frames against bytes laid out by hand, and read back by an independent reader."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest

from bot4.simulator.paradex import sbe

NULL = -(2**63)
ACCOUNT = "0x" + "0" * 62 + "ab"
ORDER = {
    "account": ACCOUNT,
    "avg_fill_price": "2900.5",
    "cancel_reason": "IOC_REMAINDER",
    "client_id": "b4-1",
    "created_at": 1_770_000_000_001,
    "flags": ["REDUCE_ONLY", "INTERACTIVE"],
    "id": "1770000000001201700000000007",
    "instruction": "IOC",
    "last_updated_at": 1_770_000_000_400,
    "market": "ETH-USD-PERP",
    "price": "2901",
    "published_at": 1_770_000_000_410,
    "received_at": 1_770_000_000_001,
    "remaining_size": "0.02",
    "request_info": None,
    "seq_no": 1_770_000_000_400_000_000,
    "side": "SELL",
    "size": "0.1",
    "status": "CLOSED",
    "stp": "EXPIRE_TAKER",
    "trigger_price": "",
    "type": "LIMIT",
}


def test_a_book_frame_is_laid_out_as_production_does():
    frame = sbe.book_frame(
        1,
        time_us=1_770_000_000_000_000,
        seq_no=7,
        package=sbe.DELTA,
        bids=[(290_050_000_000, 0)],
        asks=[],
        market="ETH-USD-PERP",
    )

    assert frame == (
        bytes.fromhex("5900030001000100")
        + struct.pack("<qqB", 1_770_000_000_000_000, 7, 1)
        + bytes.fromhex("0000000000000080") * 9
        + bytes.fromhex("10000100")
        + struct.pack("<qq", 290_050_000_000, 0)
        + bytes.fromhex("10000000")
        + b"\x0cETH-USD-PERP"
    )


def test_a_book_frame_reads_back(book_of):
    frame = sbe.book_frame(
        3,
        time_us=5,
        seq_no=9,
        package=sbe.SNAPSHOT,
        bids=[(sbe.scaled("2899.5"), sbe.scaled("1.25")), (sbe.scaled("2899"), sbe.scaled("2"))],
        asks=[(sbe.scaled("2900.5"), sbe.scaled("0.0001"))],
        market="ETH-USD-PERP",
    )

    book = book_of(frame)

    assert (book["version"], book["seq_no"], book["whole"]) == (3, 9, True)
    assert book["bids"] == [(Decimal("2899.5"), Decimal("1.25")), (Decimal(2899), Decimal(2))]
    assert book["asks"] == [(Decimal("2900.5"), Decimal("0.0001"))]
    assert book["best"] == [None] * 9
    assert book["market"] == "ETH-USD-PERP"


def test_a_bbo_frame_without_asks_has_nulls(header_of):
    data = {"bid": "1.5", "bid_size": "2", "ask": "", "ask_size": "", "seq_no": 3, "market": "X"}

    template, version, end, cursor = header_of(sbe.bbo_frame(2, data, time_us=8))

    assert (template, version, cursor.number(8), cursor.number(8)) == (2, 2, 8, 3)
    assert [cursor.decimal() for _ in range(4)] == [Decimal("1.5"), Decimal(2), None, None]
    assert cursor.at == end
    assert cursor.rest() == ["X"]


@pytest.mark.parametrize(
    ("template", "frames"),
    [
        (20, {0: 126, 1: 126, 2: 128, 3: 128}),
        (21, {0: 107, 1: 107, 2: 116, 3: 116}),
        (22, {0: 154, 1: 154, 2: 154, 3: 154}),
        (23, {0: 113, 1: 113, 2: 121, 3: 121}),
        (1, {0: 50, 1: 50, 2: 50, 3: 50}),
    ],
)
def test_blocks_have_the_length_of_their_version(header_of, template, frames):
    for version, length in frames.items():
        seen, told, end, _ = header_of(frame_of(template, version))
        assert (seen, told, end - 8) == (template, version, length)


def test_an_order_frame_reads_back(header_of):
    _, _, _, cursor = header_of(sbe.order_frame(1, ORDER, time_us=11))

    assert (cursor.number(8), cursor.number(8)) == (11, ORDER["seq_no"])
    assert [cursor.number(1) for _ in range(4)] == [4, 2, 1, 2]
    prices = [cursor.decimal() for _ in range(5)]
    assert prices == [
        Decimal(2901),
        None,
        Decimal("0.1"),
        Decimal("0.02"),
        Decimal("2900.5"),
    ]
    assert [cursor.number(8) for _ in range(2)] == [
        1_770_000_000_001_000,
        1_770_000_000_400_000,
    ]
    assert cursor.take(32) == bytes(31) + b"\xab"
    assert [cursor.number(8) for _ in range(2)] == [
        1_770_000_000_001_000,
        1_770_000_000_410_000,
    ]
    assert [cursor.number(1), cursor.number(1)] == [2, 0b1001]
    assert cursor.rest() == [ORDER["id"], "b4-1", "ETH-USD-PERP", "IOC_REMAINDER"]


def test_a_market_order_has_no_price_and_an_unfilled_one_no_average(header_of):
    order = {**ORDER, "type": "MARKET", "price": "0", "avg_fill_price": ""}

    _, _, _, cursor = header_of(sbe.order_frame(2, order, time_us=11))
    cursor.take(16 + 4)

    assert [cursor.decimal() for _ in range(5)] == [
        None,
        None,
        Decimal("0.1"),
        Decimal("0.02"),
        None,
    ]


def test_version_two_adds_texts_at_the_end_of_fills(header_of):
    for version, texts in ((1, 5), (2, 6)):
        _, _, end, cursor = header_of(frame_of(21, version))
        cursor.take(end - cursor.at)
        assert len(cursor.rest()) == texts


def test_a_heartbeat_is_two_numbers():
    frame = sbe.heartbeat_frame(2, time_us=5, seq_no=0)

    assert frame == struct.pack("<HHHHqq", 16, 40, 1, 2, 5, 0)


def frame_of(template: int, version: int) -> bytes:
    fill = {
        "account": ACCOUNT,
        "client_id": "b4-1",
        "created_at": 1,
        "fee": "-0.1",
        "fee_currency": "USDC",
        "fill_type": "FILL",
        "flags": ["interactive"],
        "id": "17",
        "liquidity": "TAKER",
        "market": "X",
        "order_id": "1",
        "orderbook_seq_no": 5,
        "price": "1",
        "realized_funding": "0",
        "realized_pnl": "",
        "side": "BUY",
        "size": "1",
        "underlying_price": "1",
    }
    position = {
        "account": ACCOUNT,
        "average_entry_price": "1",
        "average_entry_price_usd": "1",
        "cached_funding_index": "0",
        "cost": "1",
        "cost_usd": "1",
        "last_fill_id": "17",
        "last_updated_at": 1,
        "leverage": "5",
        "liquidation_price": "",
        "market": "X",
        "realized_positional_pnl": "0",
        "seq_no": 1,
        "side": "SHORT",
        "size": "-1",
        "status": "OPEN",
        "unrealized_funding_pnl": "0",
        "unrealized_pnl": "0",
    }
    account = {
        "account": ACCOUNT,
        "account_value": "1",
        "free_collateral": "1",
        "initial_margin_requirement": "0",
        "last_seen_notification": 0,
        "maintenance_margin_requirement": "0",
        "margin_cushion": "1",
        "seq_no": 1,
        "settlement_asset": "USDC",
        "status": "ACTIVE",
        "total_collateral": "1",
        "updated_at": 1,
    }
    trade = {
        "id": "17",
        "market": "X",
        "side": "BUY",
        "size": "1",
        "price": "1",
        "created_at": 1,
        "trade_type": "FILL",
    }
    match template:
        case 1:
            return sbe.trade_frame(version, trade, time_us=1, seq_no=1)
        case 20:
            return sbe.order_frame(version, ORDER, time_us=1)
        case 21:
            return sbe.fill_frame(version, fill, time_us=1, seq_no=1)
        case 22:
            return sbe.position_frame(version, position, time_us=1)
        case _:
            return sbe.account_frame(version, account, time_us=1)
