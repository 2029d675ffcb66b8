"""Frames into books: a book that cannot be true is dropped before anybody decides on it."""

from __future__ import annotations

from typing import Any

import pytest

from bot4.domain.book import BookUpdate
from bot4.domain.market import MarketKey
from bot4.errors import ProtocolViolation
from bot4.ports import Acknowledged, Pong
from bot4.tasks.books import Books
from bot4.tasks.feed import BookListener

BTC, ETH = MarketKey("paradex", "BTC-USD-PERP"), MarketKey("paradex", "ETH-USD-PERP")
BIDS, ASKS = [(100, 5), (99, 5)], [(101, 5), (102, 5)]


def snapshot(key: MarketKey = BTC, bids: Any = BIDS, asks: Any = ASKS) -> BookUpdate:
    return BookUpdate(key.symbol, True, bids, asks, sequence=1)


def delta(sequence: int, bids: Any = (), asks: Any = ()) -> BookUpdate:
    return BookUpdate(BTC.symbol, False, bids, asks, sequence=sequence)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def listener(books: Books) -> BookListener:
    return BookListener("paradex", [BTC, ETH], books)


async def test_it_is_useful_once_every_market_has_a_book(listener: Any, books: Any):
    assert not listener.hear(snapshot(BTC), 1.0)
    assert listener.hear(snapshot(ETH), 2.0)
    assert books.get(BTC).book.received_at == 1.0


async def test_a_market_nobody_asked_for_is_passed_over(listener: Any, books: Any):
    other = MarketKey("paradex", "SOL-USD-PERP")

    assert not listener.hear(snapshot(other), 1.0)
    assert books.get(other) is None


@pytest.mark.parametrize(
    "lie",
    [
        delta(3, bids=[(98, 1)]),
        delta(2, bids=[(101, 1)]),
        delta(2, asks=[(101, 0), (102, 0)]),
    ],
    ids=["gap", "crossed", "one-sided"],
)
async def test_a_book_that_cannot_be_true_is_wiped_and_ends_the_connection(
    listener: Any, books: Any, lie: BookUpdate
):
    listener.hear(snapshot(), 1.0)

    with pytest.raises(ProtocolViolation, match="BTC-USD-PERP book"):
        listener.hear(lie, 2.0)

    assert books.get(BTC) is None


async def test_a_repeated_delta_is_no_news(listener: Any, books: Any):
    listener.hear(snapshot(), 1.0)
    listener.hear(delta(2, bids=[(98, 1)]), 2.0)
    version = books.version

    assert not listener.hear(delta(2, bids=[(98, 1)]), 3.0)
    assert books.version == version


async def test_after_a_loss_it_needs_snapshots_of_every_market_again(listener: Any, books: Any):
    listener.hear(snapshot(BTC), 1.0)
    listener.hear(snapshot(ETH), 1.0)

    listener.lost()

    assert books.get(BTC) is None
    assert books.get(ETH) is None
    assert not listener.hear(delta(2, bids=[(98, 1)]), 2.0)
    assert not listener.hear(snapshot(BTC), 2.0)
    assert listener.hear(snapshot(ETH), 2.0)


async def test_a_pong_is_the_venues_heartbeat_and_other_words_are_nothing(
    listener: Any, books: Any
):
    assert not listener.hear(Pong(), 4.0)
    assert not listener.hear(Acknowledged(1), 5.0)
    await listener.prepare()

    assert books.heartbeat_at("paradex") == 4.0
    assert books.heartbeat_at("vest") is None
