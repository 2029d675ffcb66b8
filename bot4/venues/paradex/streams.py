"""Paradex's WebSocket, twice: books in public, our orders and fills in private. Sans-IO.

Requests, acknowledgements and errors are JSON-RPC text in every session; events are binary (SBE)
when the URL asks for it, else JSON. The private stream takes both: the docs and the schema
disagree on which it is. Source: Paradex docs, WebSocket and Binary Encoding, seen 2026-09.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from bot4.config.schema import ParadexConfig
from bot4.domain.book import BookUpdate
from bot4.domain.fill import Fill
from bot4.domain.market import PARADEX
from bot4.domain.order import OrderReport
from bot4.errors import ProtocolViolation
from bot4.ports import AccountChanged, Acknowledged, FillBusted, Frame, Notice, Pong
from bot4.venues.paradex import json_book, sbe
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.encoding import Encoding, words_of
from bot4.venues.paradex.messages import read_fill, read_order
from bot4.venues.reading import (
    FAULTS,
    MAX_BYTES,
    Row,
    Unreadable,
    as_row,
    read_json,
    read_text,
    violation,
)
from bot4.venues.rows import unread

_JSON_SUFFIX: Final = "@15@50ms"
"""Levels and rate, required in JSON sessions, refused in SBE ones."""

TOKEN_REFUSED: Final = (40110, 40111, 40300)
"""Malformed, invalid, absent. Source: Paradex API docs (OpenRPC 1.3), errors, seen 2026-08."""

_NOT_SERVED: Final = 400
_OF_ORDERS: Final[Mapping[str, tuple[str, Callable[[Row], OrderReport | Fill]]]] = {
    "orders": ("order", read_order),
    "fills": ("fill", read_fill),
}
_CHANGES: Final = ("positions", "account", "balance_events", "transfers")


class ParadexStream:
    """What all connections share: the URL, and requests with their answers."""

    venue = PARADEX

    def __init__(self, config: ParadexConfig, encoding: Encoding | None = None) -> None:
        self._base_url = config.ws_url
        self._encoding = encoding or Encoding(config)
        self._asked = self._encoding.version

    def url(self) -> str:
        """The URL; it names the version of the binary schema that we want."""
        self._asked = self._encoding.version
        query = f"?sbeSchemaId=1&sbeSchemaVersion={self._asked}"
        return self._base_url + (query if self._asked is not None else "")

    def refused(self, status: int) -> str:
        """Step down from a version that is not served."""
        if status != _NOT_SERVED:
            return ""
        self._encoding.step(self._asked)
        return f"{words_of(self._asked)} is not served; {self._encoding.words} is asked for"

    def ping(self) -> str | None:
        """None: the venue pings, and the connection answers below our sight."""
        return None

    def _control(self, message: Row) -> Sequence[Notice]:
        """Read an answer to a request of ours."""
        if "error" in message:
            error = message["error"]
            code = error.get("code") if isinstance(error, dict) else None
            if code in TOKEN_REFUSED:
                self._token_refused()
            said = f" with {code}" if type(code) is int else ""
            raise Unreadable(f"a request was refused{said}")
        if "result" in message:
            asked = message.get("id")
            return (Acknowledged(asked if type(asked) is int else None),)
        return ()

    def _token_refused(self) -> None:
        """The venue does not know our token."""


class ParadexPublic(ParadexStream):
    """The books of some markets. See ``bot4.ports.StreamCodec``."""

    def __init__(
        self,
        config: ParadexConfig,
        symbols: Iterable[str],
        unlisted: Collection[str] = (),
        encoding: Encoding | None = None,
    ) -> None:
        super().__init__(config, encoding)
        self._symbols = frozenset(symbols)
        self._unlisted = unlisted

    def hello(self) -> Sequence[str]:
        """Subscribe to the deltas of each book; the first event is the whole book."""
        suffix = _JSON_SUFFIX if self._asked is None else ""
        listed = sorted(self._symbols.difference(self._unlisted))
        channels = [f"order_book.{symbol}.deltas{suffix}" for symbol in listed]
        return [request(n, "subscribe", {"channel": c}) for n, c in enumerate(channels, 1)]

    def read(self, frame: Frame) -> Sequence[Notice]:
        """Read one message: books, heartbeats, acknowledgements.

        Raises:
            ProtocolViolation: it cannot be read, or the venue refused a request.
        """
        try:
            if isinstance(frame.data, str):
                return self._read_json(frame.data)
            template = sbe.template_of(frame.data)
            if template == sbe.BOOK:
                return self._ours(sbe.read_book(frame.data))
            return (Pong(),) if template == sbe.HEARTBEAT else ()
        except FAULTS as fault:
            raise violation(PARADEX, "public stream", fault) from None

    def _read_json(self, text: str) -> Sequence[Notice]:
        if len(text) > MAX_BYTES:
            raise Unreadable("too large")
        update = json_book.quick_json_book(text)
        if update is None:
            message = as_row(read_json(text))
            if message.get("method") != "subscription":
                return self._control(message)
            params = as_row(message.get("params"))
            if not read_text(params, "channel").startswith(json_book.CHANNEL):
                return ()
            update = json_book.read_json_book(as_row(params.get("data")))
        return self._ours(update)

    def _ours(self, update: BookUpdate) -> Sequence[Notice]:
        return (update,) if update.symbol in self._symbols else ()


class ParadexPrivate(ParadexStream):
    """Our orders, fills, positions and account. See ``bot4.ports.StreamCodec``.

    Args:
        codec: Paradex's REST codec: its config, and the token of its session.
        symbols: markets whose orders and fills are wanted; none means all.
    """

    def __init__(self, codec: ParadexCodec, symbols: Iterable[str] = ()) -> None:
        super().__init__(codec.config, codec.encoding)
        self._session = codec.session
        self._markets = sorted(set(symbols)) or ["ALL"]
        self._busts = ["tradebusts"] if codec.config.tradebusts else []

    def hello(self) -> Sequence[str]:
        """Authenticate, then subscribe; once per connection.

        Raises:
            ProtocolViolation: there is no token yet.
        """
        if self._session.token is None:
            raise ProtocolViolation(PARADEX, "private stream: not signed in yet")
        channels = [f"{kind}.{m}" for m in self._markets for kind in ("orders", "fills")]
        channels += ["positions", "account", *self._busts]
        bearer = {"bearer": self._session.token.reveal()}
        return [
            request(1, "auth", bearer),
            *(request(n, "subscribe", {"channel": c}) for n, c in enumerate(channels, 2)),
        ]

    def read(self, frame: Frame) -> Sequence[Notice]:
        """Read one message: our orders and fills, or that the account changed.

        Raises:
            ProtocolViolation: it cannot be read, or the venue refused a request.
        """
        try:
            if isinstance(frame.data, str):
                return self._read_json(frame.data)
            return self._read_binary(frame.data)
        except FAULTS as fault:
            raise violation(PARADEX, "private stream", fault) from None

    def _read_json(self, text: str) -> Sequence[Notice]:
        message = as_row(read_json(text))
        if message.get("method") != "subscription":
            return self._control(message)
        params = as_row(message.get("params"))
        kind = read_text(params, "channel").partition(".")[0]
        if kind in _OF_ORDERS:
            return _said(kind, as_row(params.get("data")))
        if kind == "tradebusts":
            busted = read_text(as_row(params.get("data")), "busted_fill_id")
            return (FillBusted(PARADEX, busted), AccountChanged(PARADEX))
        return (AccountChanged(PARADEX),) if kind in _CHANGES else ()

    def _read_binary(self, data: bytes) -> Sequence[Notice]:
        match sbe.template_of(data):
            case sbe.ORDER:
                return _said("orders", sbe.read_event(data))
            case sbe.FILL:
                return _said("fills", sbe.read_event(data))
            case sbe.POSITION | sbe.ACCOUNT:
                return (AccountChanged(PARADEX),)
            case sbe.HEARTBEAT:
                return (Pong(),)
            case _:
                return ()

    def _token_refused(self) -> None:
        self._session.lose()


def _said(kind: str, row: Row) -> Sequence[Notice]:
    """Read an event of an order; of one that cannot be read the account tells what became."""
    what, read = _OF_ORDERS[kind]
    try:
        return (read(row),)
    except FAULTS as fault:
        return (unread(PARADEX, what, row, fault), AccountChanged(PARADEX))


def request(number: int, method: str, params: Mapping[str, Any]) -> str:
    """Return one JSON-RPC request."""
    body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return msgspec.json.encode(body).decode()
