"""The walk of one frame up to a decision, and both signatures: no network, no disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

import attrs

from benchlib import samples
from benchlib.figures import Figure, timed
from bot4.config.schema import ParadexConfig, VestConfig
from bot4.domain.market import VEST
from bot4.domain.order import Order, Purpose, Side
from bot4.domain.quote import QuoteRate
from bot4.domain.units import to_e8
from bot4.ports import Answer, Frame, StreamCodec, VenueCodec
from bot4.strategy.decision import Enter, Memory, View, decide
from bot4.strategy.risk import Room
from bot4.strategy.rules import EntryRules, Rules
from bot4.strategy.spread import evaluate
from bot4.tasks.books import Books
from bot4.tasks.feed import BookListener
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.streams import ParadexPublic
from bot4.venues.vest.codec import VestCodec
from bot4.venues.vest.streams import VestPublic

ONE = QuoteRate(Decimal(1), Decimal(1), Decimal(1), 0.0)
CONTRACT = "0x" + "11" * 20


def figures(*, quick: bool) -> Iterator[Figure]:
    """Measure all of it."""
    count = 3_000 if quick else 20_000
    yield from _paradex_frames(count)
    yield from _vest_frames(count)
    yield from _spreads(count)
    yield from _decisions(count)
    yield from _signatures(count // 10)


def _listen(codec: StreamCodec, listener: BookListener, frame: Frame) -> None:
    for notice in codec.read(frame):
        listener.hear(notice, frame.received_at)


def _paradex_frames(count: int) -> Iterator[Figure]:
    key = samples.PARADEX_KEY
    whole = Frame(samples.captured()[0], 0.0)
    for name, frames, target in (
        ("captured delta", samples.captured_deltas(count), 8),
        ("captured whole book, 175 levels", (whole for _ in range(count)), 35),
        ("delta of 10 levels a side", samples.busy_deltas(count, 10), 20),
    ):
        codec = ParadexPublic(ParadexConfig(), [key.symbol])
        listener = BookListener(key.venue, [key], Books())
        _listen(codec, listener, whole)
        yield timed(
            f"paradex sbe frame -> book: {name}",
            "us",
            partial(_listen, codec, listener),
            list(frames),
            target,
        )
    json_codec = ParadexPublic(ParadexConfig(book_encoding="json"), [key.symbol])
    for name, kind, levels, target in (
        ("delta of 6 levels", "d", 3, 15),
        ("15 a side", "s", 15, 15),
    ):
        listener = BookListener(key.venue, [key], Books())
        _listen(json_codec, listener, Frame(samples.json_book("s", 0, 15), 0.0))
        yield timed(
            f"paradex json frame -> book: {name}",
            "us",
            partial(_listen, json_codec, listener),
            [Frame(samples.json_book(kind, n, levels), 0.0) for n in range(1, count)],
            target,
        )


def _vest_codec() -> VestCodec:
    config = VestConfig(verifying_contract=CONTRACT)
    codec = VestCodec(config, samples.VEST_TEST_KEY, samples.VEST_TEST_KEY)
    row = {
        "symbol": samples.VEST_KEY.symbol,
        "base": "BTC",
        "sizeDecimals": 4,
        "priceDecimals": 2,
        "initMarginRatio": "0.04",
        "takerFee": "0.0001",
    }
    body = json.dumps({"symbols": [row]}).encode()
    codec.markets().read(Answer(200, {}, body, 0.0, 0.0))
    return codec


def _vest_frames(count: int) -> Iterator[Figure]:
    key = samples.VEST_KEY
    codec = VestPublic(_vest_codec(), [key.symbol])
    listener = BookListener(key.venue, [key], Books())
    yield timed(
        f"vest frame -> book: {samples.LEVELS} levels a side",
        "us",
        partial(_listen, codec, listener),
        [Frame(samples.vest_frame(gap=n % 50), 0.0) for n in range(count)],
        20,
    )


def _spreads(count: int) -> Iterator[Figure]:
    vest, paradex = samples.vest_book(), samples.paradex_book()
    for size in ("0.0036", "0.1"):
        yield timed(
            f"spread at {size} BTC, both directions",
            "us",
            lambda size: evaluate(vest, paradex, size, ONE),
            [to_e8(Decimal(size))] * count,
            10,
        )


def _view(gap: int) -> View:
    return View(
        pair=samples.PAIR,
        now_s=100.0,
        vest=samples.vest_book(gap, 99.9),
        paradex=samples.paradex_book(99.9),
        vest_published=10,
        paradex_published=10,
        vest_heartbeat_at=99.5,
        rate=ONE,
        room=Room(Decimal(3000), Decimal(3000)),
    )


def _decisions(count: int) -> Iterator[Figure]:
    rules = Rules(entry=EntryRules(confirm_ms=0, confirm_prices=0))
    for name, gap in (("no gap", 0), ("a gap, sized and priced", 400)):
        view, memory = _view(gap), Memory(rules)
        views = [
            attrs.evolve(view, now_s=100 + n / 1e6, vest_published=n, paradex_published=n)
            for n in range(count)
        ]
        if any(isinstance(decide(v, rules, memory), Enter) for v in views[:9]) is not bool(gap):
            raise ValueError(f"{name}: not what it says")
        yield timed(
            f"decision: {name}",
            "us",
            partial(decide, rules=rules, memory=memory),
            views,
        )


def _signatures(count: int) -> Iterator[Figure]:
    paradex = ParadexCodec(
        ParadexConfig(), samples.PARADEX_TEST_ACCOUNT, samples.PARADEX_TEST_KEY, "bench0"
    )
    venues: tuple[tuple[VenueCodec, Order], ...] = (
        (_vest_codec(), order(VEST)),
        (paradex, order(samples.PARADEX_KEY.venue)),
    )

    def both(now_ms: int) -> None:
        for codec, order in venues:
            codec.sign(order, now_ms, 2000)

    times = range(1_795_000_000_000, 1_795_000_000_000 + count)
    yield timed("both signatures, requests written", "ms", both, times, 1.5)


def order(venue: str) -> Order:
    """Return the venue's leg of an ordinary entry."""
    return Order(
        client_order_id="1795000000000" if venue == VEST else "b4-bench0-1-S1",
        trade_id="bench0-1",
        key=samples.VEST_KEY if venue == VEST else samples.PARADEX_KEY,
        side=Side.BUY if venue == VEST else Side.SELL,
        size=Decimal("0.0036"),
        limit=Decimal("83412.3"),
        purpose=Purpose.ENTER,
        attempt=1,
        reduce_only=False,
    )
