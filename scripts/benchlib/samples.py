"""What the benchmarks are fed: captured frames, and plausible ones from one seed."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from bot4.domain.book import Book, Keeper
from bot4.domain.market import PARADEX, VEST, Market, MarketKey, Pair
from bot4.ports import Frame
from bot4.secret import Secret
from bot4.venues.paradex import sbe
from bot4.venues.vest.depth import quick_depth

ROOT: Final = Path(__file__).resolve().parents[2]
VEST_KEY: Final = MarketKey(VEST, "BTC-PERP")
PARADEX_KEY: Final = MarketKey(PARADEX, "BTC-USD-PERP")
LEVELS: Final = 20
_SEQUENCE_AT: Final = 16
"""Byte of an SBE book frame where its sequence number stands."""
_ROLL: Final = Random("bench")  # noqa: S311 - the same books every time

VEST_TEST_KEY: Final = Secret("1b" * 32)
PARADEX_TEST_ACCOUNT: Final = Secret(
    "0x4638e3041366aa71720be63e32e53e1223316c7f0d56f7aa617542ed1e7512"
)
PARADEX_TEST_KEY: Final = Secret("0x" + "2c" * 31)

PAIR: Final = Pair(
    "BTC",
    Market(
        VEST_KEY,
        "BTC",
        Decimal("0.01"),
        Decimal("0.0001"),
        Decimal(0),
        Decimal(0),
        Decimal("0.0001"),
        Decimal(20),
    ),
    Market(
        PARADEX_KEY,
        "BTC",
        Decimal("0.1"),
        Decimal("0.00001"),
        Decimal(0),
        Decimal(10),
        Decimal("0.00045"),
        Decimal(20),
    ),
)


@cache
def captured() -> tuple[bytes, tuple[bytes, ...]]:
    """Return the captured whole book of 175 levels, and the deltas that followed it."""
    text = (ROOT / "tests" / "golden" / "paradex_sbe_frames.json").read_text()
    frames = [
        base64.b64decode(f["base64"]) for f in json.loads(text)["frames"] if f["kind"] == "book"
    ]
    return frames[0], tuple(frames[1:])


def captured_deltas(count: int) -> Iterator[Frame]:
    """Repeat the captured deltas, each with the next sequence number."""
    first, deltas = captured()
    (sequence,) = struct.unpack_from("<q", first, _SEQUENCE_AT)
    for number in range(count):
        frame = bytearray(deltas[number % len(deltas)])
        struct.pack_into("<q", frame, _SEQUENCE_AT, sequence + 1 + number)
        yield Frame(bytes(frame), float(number))


def busy_deltas(count: int, levels: int) -> Iterator[Frame]:
    """Return deltas that change ``levels`` levels a side of the captured book, near its touch."""
    first, (delta, *_) = captured()
    whole = sbe.read_book(first)
    head = bytearray(delta[: 8 + int.from_bytes(delta[:2], "little")])
    symbol = bytes([len(whole.symbol)]) + whole.symbol.encode()
    for number in range(count):
        struct.pack_into("<q", head, _SEQUENCE_AT, whole.sequence + 1 + number)
        groups = b"".join(
            struct.pack("<HH", 16, levels)
            + b"".join(
                struct.pack("<qq", price, _ROLL.randint(10_000, 90_000_000))
                for price, _ in _ROLL.sample(list(side)[:40], levels)
            )
            for side in (whole.bids, whole.asks)
        )
        yield Frame(bytes(head) + groups + symbol, float(number))


def vest_frame(price: int = 83_400, gap: int = 0) -> str:
    """Return a Vest depth frame, 20 levels a side, around a price that ``gap`` shifts."""
    sides: dict[str, list[list[str]]] = {"bids": [], "asks": []}
    for name, sign in (("bids", -1), ("asks", 1)):
        for level in range(LEVELS):
            at = Decimal(price + gap) + sign * (Decimal("2.5") + level * Decimal("2.08"))
            sides[name].append([f"{at:.2f}", f"{Decimal(_ROLL.randint(80, 400)) / 10_000:.4f}"])
    return json.dumps({"channel": "BTC-PERP@depth", "data": sides}, separators=(",", ":"))


def json_book(kind: str, sequence: int, levels: int, price: int = 83_400) -> str:
    """Return a Paradex book event of a JSON session: ``levels`` a side."""
    rows: list[dict[str, Any]] = [
        {
            "side": side,
            "price": f"{price + sign * (3 + 4 * level) + Decimal('0.1') * (sequence % 9):.1f}",
            "size": f"{Decimal(_ROLL.randint(100, 90_000)) / 100_000:.5f}",
        }
        for side, sign in (("BUY", -1), ("SELL", 1))
        for level in range(levels)
    ]
    data = {
        "market": PARADEX_KEY.symbol,
        "seq_no": sequence,
        "last_updated_at": 1_795_000_000_000 + sequence,
        "update_type": kind,
        "inserts": rows if kind == "s" else rows[::2],
        "updates": [] if kind == "s" else rows[1::2],
        "deletes": [],
    }
    params = {"channel": f"order_book.{PARADEX_KEY.symbol}.deltas@15@50ms", "data": data}
    return json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params})


def vest_book(gap: int = 0, received_at: float = 0.0) -> Book:
    """Return Vest's book of 20 levels a side."""
    update = quick_depth(vest_frame(gap=gap))
    return _kept(VEST_KEY, update, received_at)


def paradex_book(received_at: float = 0.0) -> Book:
    """Return the captured book of 175 levels."""
    return _kept(PARADEX_KEY, sbe.read_book(captured()[0]), received_at)


def _kept(key: MarketKey, update: Any, received_at: float) -> Book:
    book = Keeper(key).apply(update, received_at)
    if book is None:
        raise ValueError("a whole book is a book")
    return book
