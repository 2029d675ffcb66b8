"""Vest's two WebSockets: books in public, our orders in private. Sans-IO.

Frames are JSON, as text or as the same in binary; both are read. Source: Vest API docs (v2),
WebSocket, seen 2025-11; binary frames: five public clients.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from bot4.domain.market import VEST
from bot4.domain.order import OrderState
from bot4.errors import ProtocolViolation
from bot4.ports import AccountChanged, Acknowledged, Frame, Notice, Pong
from bot4.venues.reading import (
    FAULTS,
    MAX_BYTES,
    Row,
    Unreadable,
    as_row,
    read_json,
    read_text,
    violation,
    words,
)
from bot4.venues.rows import unread
from bot4.venues.vest import depth, orders
from bot4.venues.vest.codec import VestCodec
from bot4.venues.vest.orders import Progress

_PRIVATE: Final = "account_private"
_REMEMBERED: Final = 256
"""Partially filled orders whose progress is kept."""


class _VestStream:
    """What both connections share: heartbeat, acknowledgements, errors."""

    venue = VEST

    def __init__(self, codec: VestCodec, channels: Sequence[str]) -> None:
        self._config, self._session = codec.config, codec.session
        self._channels = channels
        self._last_id = 0

    def hello(self) -> Sequence[str]:
        """One SUBSCRIBE to everything we want."""
        return (self._request("SUBSCRIBE", self._channels),)

    def refused(self, status: int) -> str:
        """Nothing: there is one way to ask."""
        del status
        return ""

    def ping(self) -> str | None:
        """A PING; the venue answers ``{"data": "PONG"}``."""
        return self._request("PING", ())

    def _request(self, method: str, params: Sequence[str]) -> str:
        self._last_id += 1
        body = {"method": method, "params": list(params), "id": self._last_id}
        return msgspec.json.encode(body).decode()

    def _url(self) -> str:
        return f"{self._config.ws_url}&xwebsocketserver={self._session.server}"

    def _control(self, message: Row) -> Sequence[Notice]:
        """Read what is no channel's message: a heartbeat, an acknowledgement or an error."""
        if message.get("data") == "PONG":
            return (Pong(),)
        code, asked = message.get("code"), message.get("id")
        if "error" in message or type(code) is int:
            said = f" with {code}" if type(code) is int else ""
            raise Unreadable(f"a request was refused{said}")
        if type(asked) is int and "result" in message:
            if message["result"] is not None:
                raise Unreadable("a request was not acknowledged")
            return (Acknowledged(asked),)
        return ()


class VestPublic(_VestStream):
    """The books of some symbols. See ``bot4.ports.StreamCodec``.

    Args:
        codec: Vest's REST codec: its config, and the account group of its session.
        symbols: what to subscribe to. Crypto alone: one user saw equities' depth channels stop
            the others (seen 2026).
        unlisted: those of them not to be subscribed to now: the venue would refuse them all.
    """

    def __init__(
        self, codec: VestCodec, symbols: Iterable[str], unlisted: Collection[str] = ()
    ) -> None:
        self._symbols = frozenset(symbols)
        self._unlisted = unlisted
        super().__init__(codec, ())

    def hello(self) -> Sequence[str]:
        """One SUBSCRIBE to the books of all that is listed."""
        listed = sorted(self._symbols.difference(self._unlisted))
        return (self._request("SUBSCRIBE", [symbol + depth.SUFFIX for symbol in listed]),)

    def url(self) -> str:
        """The public URL of our account group; it carries no key."""
        return self._url()

    def read(self, frame: Frame) -> Sequence[Notice]:
        """Read one message: books, heartbeats, acknowledgements.

        Raises:
            ProtocolViolation: it cannot be read, or the venue refused a request.
        """
        try:
            return self._read(frame.data)
        except FAULTS as fault:
            raise violation(VEST, "public stream", fault) from None

    def _read(self, data: str | bytes) -> Sequence[Notice]:
        if len(data) > MAX_BYTES:
            raise Unreadable("too large")
        update = depth.quick_depth(data)
        if update is None:
            message = as_row(read_json(data))
            channel = read_text(message, "channel", "")
            if not channel.endswith(depth.SUFFIX):
                return () if channel else self._control(message)
            update = depth.slow_depth(channel, as_row(message.get("data")))
        return (update,) if update.symbol in self._symbols else ()


class VestPrivate(_VestStream):
    """Our orders and fills. See ``bot4.ports.StreamCodec``.

    Vest tells neither positions nor balances: after a fill they are to be read again.
    """

    def __init__(self, codec: VestCodec) -> None:
        super().__init__(codec, [_PRIVATE])
        self._progress: OrderedDict[str, Progress] = OrderedDict()
        self._heard = True

    def url(self) -> str:
        """The URL with the listen key.

        Raises:
            ProtocolViolation: there is no listen key yet.
        """
        if self._session.listen_key is None:
            raise ProtocolViolation(VEST, "private stream: not signed in yet")
        if not self._heard:
            # The last connection ended before it said a word: perhaps the key has lapsed
            # (close codes 4003 to 4005), so it is asked for again before the dial after this.
            self._session.doubt_listen_key()
        self._heard = False
        return f"{self._url()}&listenKey={self._session.listen_key.reveal()}"

    def read(self, frame: Frame) -> Sequence[Notice]:
        """Read one message: our orders and their fills.

        Raises:
            ProtocolViolation: it cannot be read, or the venue refused a request.
        """
        self._heard = True
        try:
            message = as_row(read_json(frame.data))
            channel = read_text(message, "channel", "")
            if channel != _PRIVATE:
                return () if channel else self._control(message)
            event = as_row(message.get("data"))
            if read_text(event, "event") != "ORDER":
                return (AccountChanged(VEST),)  # LP and TRANSFER move collateral
            return self._order(as_row(event.get("args")))
        except FAULTS as fault:
            raise violation(VEST, "private stream", fault) from None

    def _order(self, row: Row) -> Sequence[Notice]:
        if orders.is_copy(row):
            return (AccountChanged(VEST),)
        order_id = words(row.get("id"))
        before = self._progress.get(order_id)
        mark: tuple[Any, ...] = tuple(
            row.get(name) for name in ("lastFilledTime", "lastFilledSize", "lastFilledPrice")
        )
        partial = row.get("status") == "PARTIALLY_FILLED"
        if partial and before is not None and mark == before.last:
            return ()  # the same event again
        try:
            report = orders.read_order(row, before)
        except FAULTS as fault:
            # Of somebody else's, or of ours: what it did is asked of the account.
            return (unread(VEST, "order", row, fault), AccountChanged(VEST))
        notices: list[Notice] = [report]
        if report.filled and row.get("lastFilledSize"):
            try:
                notices += orders.read_fills(row, report, before)
            except FAULTS as fault:
                notices.append(unread(VEST, "fill", row, fault))
            notices.append(AccountChanged(VEST))
        if report.state is OrderState.OPEN and report.filled:
            fee = report.fee if report.fee is not None or before is None else before.fee
            self._keep(order_id, Progress(report.filled, fee, mark))
        elif report.state.terminal:
            self._progress.pop(order_id, None)
        return notices

    def _keep(self, order_id: str, progress: Progress) -> None:
        self._progress[order_id] = progress
        while len(self._progress) > _REMEMBERED:
            self._progress.popitem(last=False)
