"""The readers under test, and what must hold of everything they let through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import attrs

from bot4.config.schema import ParadexConfig, VestConfig
from bot4.domain.book import BadBook, Book, BookUpdate, Keeper
from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX, VEST, MarketKey
from bot4.domain.order import Order, OrderReport, Purpose, Side
from bot4.errors import AuthRefused, ProtocolViolation, VenueRefused
from bot4.ports import Answer, Frame, OrderStreamCodec, Replied, StreamCodec, VenueCodec
from bot4.secret import Secret
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.streams import ParadexPrivate, ParadexPublic
from bot4.venues.paradex.ws_orders import ParadexOrders
from bot4.venues.reading import MAX_LEVELS
from bot4.venues.vest.codec import VestCodec
from bot4.venues.vest.streams import VestPrivate, VestPublic
from fuzzlib.corpus import MS, PARADEX_ORDER, VEST_EVENT, Sample

EXPECTED_OF_ANSWERS: Final = (ProtocolViolation, AuthRefused, VenueRefused)
CONTRACT: Final = "0x8E4D87AEf4AC4D5415C35A12319013e34223825B"
SYMBOLS: Final = {PARADEX: "BTC-USD-PERP", VEST: "BTC-PERP"}
STATUSES: Final = (200, 200, 200, 200, 201, 204, 400, 401, 403, 404, 422, 429, 500, 502, 503)
LARGEST: Final = Decimal(10) ** 24
"""Nothing let through may be larger; a price times a size of ours is far below."""


class Broken(Exception):
    """A reader let something through that makes no sense."""


def _order(venue: str) -> Order:
    ours = PARADEX_ORDER["client_id"] if venue == PARADEX else str(VEST_EVENT["nonce"])
    return Order(
        client_order_id=ours,
        trade_id="t1",
        key=MarketKey(venue, SYMBOLS[venue]),
        side=Side.BUY,
        size=Decimal("0.01"),
        limit=Decimal(78500),
        purpose=Purpose.ENTER,
        attempt=1,
        reduce_only=False,
    )


class Readers:
    """Fresh readers of both venues. They keep little, but they do keep: make new ones at times."""

    def __init__(self) -> None:
        vest = VestCodec(
            VestConfig(verifying_contract=CONTRACT), Secret("11" * 32), Secret("22" * 32)
        )
        paradex = ParadexCodec(ParadexConfig(), Secret("0x1234"), Secret("0x1234"), "abc123")
        vest.session.registered("key", 0, MS, MS + 10**9)
        json_config = ParadexConfig(book_encoding="json")
        self._streams: dict[str, tuple[StreamCodec | OrderStreamCodec, ...]] = {
            VEST: (VestPublic(vest, [SYMBOLS[VEST]]), VestPrivate(vest)),
            PARADEX: (
                ParadexPublic(ParadexConfig(), [SYMBOLS[PARADEX]]),
                ParadexPublic(json_config, [SYMBOLS[PARADEX]]),
                ParadexPrivate(paradex),
                ParadexOrders(paradex),
            ),
        }
        self._keepers = {venue: Keeper(MarketKey(venue, s)) for venue, s in SYMBOLS.items()}
        self._answers: dict[tuple[str, str], Callable[[Answer], Any]] = {}
        for codec in (vest, paradex):
            for name, read in _errands(codec):
                self._answers[codec.venue, name] = read

    def read(self, sample: Sample, data: bytes, as_text: bool, status: int) -> int:  # noqa: FBT001
        """Give broken bytes to every reader they may reach; return how many let them through.

        Raises:
            Broken: a reader let nonsense through.
            Exception: a reader raised what it must not.
        """
        if sample.reader:
            return self._answer(sample, data, status)
        passed = 0
        frame = Frame(data.decode("utf-8", "replace") if as_text else data, 1.0)
        for stream in self._streams[sample.venue]:
            try:
                notices = stream.read(frame)
            except ProtocolViolation:
                continue
            passed += 1
            for notice in notices:
                self._judge(sample.venue, notice)
        return passed

    def _answer(self, sample: Sample, data: bytes, status: int) -> int:
        answer = Answer(status=status, headers={}, body=data, sent_at=1.0, received_at=2.0)
        try:
            value = self._answers[sample.venue, sample.reader](answer)
        except EXPECTED_OF_ANSWERS as refusal:
            if sample.reader == "placed":
                raise Broken("the answer to an order raised") from refusal
            return 0
        for one in value if isinstance(value, list | tuple) else (value,):
            self._judge(sample.venue, one)
        return 1

    def _judge(self, venue: str, value: object) -> None:
        if isinstance(value, BookUpdate):
            _judge_update(value)
            try:
                book = self._keepers[venue].apply(value, 1.0)
            except BadBook:
                self._keepers[venue].wipe()
            else:
                _judge_book(book)
        elif isinstance(value, OrderReport):
            _judge_report(value)
        elif isinstance(value, Replied):
            # The reply to an order is read as its answer, which never raises.
            self._answers[venue, "placed"](Answer(value.status, {}, value.body, 1.0, 2.0))
        elif isinstance(value, Fill) and not (value.price > 0 and value.size > 0):
            raise Broken(f"a fill of {value.size} at {value.price}")
        _judge_numbers(value)


def _errands(codec: VenueCodec) -> Iterable[tuple[str, Callable[[Answer], Any]]]:
    order = _order(codec.venue)
    if codec.venue == VEST:
        from fuzzlib.corpus import VEST_SYMBOL

        body = b'{"symbols":[' + _json(VEST_SYMBOL) + b"]}"
        codec.markets().read(Answer(200, {}, body, 1.0, 2.0))
    report = OrderReport(codec.venue, order.client_order_id, "0x1", _state())
    yield "clock", codec.clock().read
    yield "markets", codec.markets().read
    yield "book", codec.book(order.key.symbol).read
    logins = codec.logins(MS) if codec.venue == PARADEX else codec.logins(MS + 10**12)
    for name, errand in zip(("login", "listen"), logins, strict=False):
        yield name, errand.read
    state = codec.state()
    if state is not None:
        yield "state", state.read
    yield "account", codec.account(MS).read
    yield "positions", codec.positions(MS).read
    yield "balances", codec.balances(MS).read
    yield "leverage", codec.leverage(order.key.symbol, 10, MS).read
    yield "order", codec.find(order, MS).read
    yield "fills", codec.fills(order, "", MS).read
    yield "open orders", codec.open_orders(MS).read
    yield "placed", codec.sign(order, MS, 2000)[1].read
    yield "cancel", codec.cancel(report, MS, 2000).read
    if isinstance(codec, ParadexCodec):
        yield "funding", codec.funding(order, "", MS).read


def _state() -> Any:
    from bot4.domain.order import OrderState

    return OrderState.OPEN


def _json(value: object) -> bytes:
    import json

    return json.dumps(value).encode()


def _judge_update(update: BookUpdate) -> None:
    least = 1 if update.snapshot else 0
    for side in (update.bids, update.asks):
        if len(side) > 2 * MAX_LEVELS:
            raise Broken(f"{len(side)} levels")
        for price, size in side:
            if type(price) is not int or type(size) is not int or price <= 0 or size < least:
                raise Broken(f"a level of {size} at {price}")


def _judge_book(book: Book | None) -> None:
    if book is None:
        return
    bids, asks = book.bids.prices, book.asks.prices
    if bids[0] >= asks[0] or not _falls(bids) or not _falls(asks[::-1]):
        raise Broken("a crossed or unsorted book")
    if min(book.bids.sizes) <= 0 or min(book.asks.sizes) <= 0:
        raise Broken("a level of nothing in a book")


def _falls(prices: Sequence[int]) -> bool:
    return all(one > other for one, other in pairwise(prices))


def _judge_report(report: OrderReport) -> None:
    size, filled = report.size, report.filled
    if size is not None and size <= 0:
        raise Broken(f"an order of {size}")
    if filled is not None and (filled < 0 or (size is not None and filled > size)):
        raise Broken(f"{filled} filled of {size}")


def _judge_numbers(value: object) -> None:
    """Every number in a value of ours is finite, and within reason."""
    kind: Any = type(value)
    if not attrs.has(kind):
        return
    for field in attrs.fields(kind):
        number = getattr(value, field.name)
        if isinstance(number, Decimal) and not (number.is_finite() and abs(number) < LARGEST):
            raise Broken(f"{field.name} is {number}")
