"""The newest book and nothing older: writers overwrite, readers see the last."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio

from bot4.domain.book import Book, Ladder
from bot4.domain.market import MarketKey
from bot4.tasks.books import Books
from bot4.tasks.detector import Detector
from bot4.tasks.stop import StopSign

KEY = MarketKey("vest", "BTC-PERP")
BOOK = Book(KEY, Ladder((100,), (5,)), Ladder((101,), (5,)), 1, None, 0.0)


@pytest.fixture
def books() -> Books:
    return Books()


async def test_a_book_is_replaced_and_counted(books: Any):
    assert books.get(KEY) is None
    books.post(BOOK)
    books.post(msgspec.structs.replace(BOOK, sequence=2))

    record = books.get(KEY)
    assert (record.book.sequence, record.version) == (2, 2)


async def test_a_wiped_book_is_gone_and_readers_are_told_once(books: Any):
    books.post(BOOK)
    version = books.version
    books.wipe(KEY)
    books.wipe(KEY)

    assert books.get(KEY) is None
    assert books.version == version + 1


async def test_a_reader_that_was_busy_sees_the_last_only(
    books: Any, nursery: Any, autojump_clock: Any
):
    seen = []

    async def read() -> None:
        version = 0
        while True:
            version = await books.wait_newer(version)
            seen.append(books.get(KEY).book.sequence)
            await trio.sleep(1)

    nursery.start_soon(read)
    for sequence in range(1, 11):
        books.post(msgspec.structs.replace(BOOK, sequence=sequence))
    await trio.sleep(0.5)
    for sequence in range(11, 21):
        books.post(msgspec.structs.replace(BOOK, sequence=sequence))
    await trio.sleep(3)

    assert seen == [10, 20]


async def test_waiting_for_a_book_can_be_cancelled(books: Any, autojump_clock: Any):
    with trio.move_on_after(1) as scope:
        await books.wait_newer(0)

    assert scope.cancelled_caught


async def test_every_pair_is_judged_at_every_newer_book_until_the_stop(
    books: Any, autojump_clock: Any
):
    looks: list[str] = []

    class Pair:
        def __init__(self, name: str) -> None:
            self.name = name

        def look(self) -> None:
            looks.append(self.name)

    stop = StopSign()
    detector = Detector(books, {"a": Pair("a"), "b": Pair("b")})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(detector.keep, stop)
        for _ in range(2):
            books.post(BOOK)
            await trio.sleep(0.1)
        stop.raise_sign("test")
        books.post(BOOK)

    assert looks == ["a", "b", "a", "b"]
